# SPDX-License-Identifier: Apache-2.0
"""A successor of an IKE SA: both sides against each other."""

from dataclasses import replace

import pytest
from unit.ike.v2.test_child import KEYS, message, said
from unit.ike.v2.test_proposals import ENTRY, GCM

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.exchange import Env, Stepper
from ringfence.ike.v2 import rekey
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.payloads import KePayload, NotifyPayload, SaPayload
from ringfence.testing.hosts import FAST_MAIN
from ringfence.testing.random import SeededRandom


def both(entry=ENTRY, other=ENTRY):
    first = Stepper(rekey.initiate(KEYS, entry, Env(SeededRandom("a"))))
    asked = said(first)
    second = Stepper(rekey.respond(message(asked), KEYS, other, Env(SeededRandom("b"))))
    answer = said(second)
    return said(first, message(answer)), said(second)


def test_both_have_the_same_new_keys():
    ours, theirs = both()
    assert ours.spis == theirs.spis
    assert len({*ours.spis}) == 2
    assert ours.lowest == theirs.lowest
    assert (ours.initiator, theirs.initiator) == (True, False)
    for name in ("d", "ai", "ar", "ei", "er", "pi", "pr"):
        assert getattr(ours.keys, name) == getattr(theirs.keys, name) != getattr(KEYS, name)


def test_the_present_group_comes_first():
    ours, _ = both(replace(ENTRY, proposals=(GCM, FAST_MAIN)))
    assert ours.keys.proposal == FAST_MAIN


def test_no_common_proposal_leaves_the_old_keys():
    with pytest.raises(Refused) as raised:
        both(ENTRY, replace(ENTRY, proposals=(GCM,)))
    assert raised.value.reason is Reason.NO_PROPOSAL


def test_a_peer_that_cannot_now():
    first = Stepper(rekey.initiate(KEYS, ENTRY, Env(SeededRandom("a"))))
    said(first)
    with pytest.raises(Refused) as raised:
        said(first, message([NotifyPayload(Notify.TEMPORARY_FAILURE)]))
    assert raised.value.reason is Reason.COLLISION


def test_a_value_of_another_group():
    asked = said(Stepper(rekey.initiate(KEYS, ENTRY, Env(SeededRandom("a")))))
    wrong = [KePayload(19, bytes(64)) if isinstance(each, KePayload) else each for each in asked]
    with pytest.raises(Answered):
        said(Stepper(rekey.respond(message(wrong), KEYS, ENTRY, Env(SeededRandom("b")))))


def test_an_spi_of_zeros_is_none():
    asked = said(Stepper(rekey.initiate(KEYS, ENTRY, Env(SeededRandom("a")))))
    (proposal,) = asked[0].proposals
    wrong = [SaPayload((replace(proposal, spi=bytes(8)),)), *asked[1:]]
    with pytest.raises(Refused):
        said(Stepper(rekey.respond(message(wrong), KEYS, ENTRY, Env(SeededRandom("b")))))
    draws = iter([bytes(8), b"not zero"])
    assert rekey.new_spi(Env(lambda _octets: next(draws))) == b"not zero"
