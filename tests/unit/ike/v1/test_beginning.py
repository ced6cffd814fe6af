# SPDX-License-Identifier: Apache-2.0
"""How an IKE SA begins."""

import pytest

from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.header import HEADER_OCTETS, VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import encode_chain
from ringfence.ike.rules import Role
from ringfence.ike.v1.beginning import answer, begin, refused, retractable, unreadable
from ringfence.ike.v1.main_mode import Setting
from ringfence.ike.v1.negotiate import offer_main
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.window import Patience
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

PATH = path_between("192.0.2.1", "192.0.2.2")
BEGINNINGS = [(False, Exchange.MAIN, 6), (True, Exchange.AGGRESSIVE, 3)]
ENV = Env(SeededRandom(1))


def setting(**changes):
    entries = tuple(HostPolicy("192.0.2.1", "192.0.2.2").with_(**changes).compiled()[1])
    return Setting(PATH, entries, b"initiate", b"response", lambda: False)


def header(encrypted=True):
    return Header(b"initiate", b"response", 5, VERSION_1, Exchange.MAIN, Flags(int(encrypted)), 0)


@pytest.mark.parametrize(("aggressive", "kind", "messages"), BEGINNINGS)
def test_it_begins_as_the_policy_says(aggressive, kind, messages):
    running = begin(setting(aggressive=aggressive), ENV, Patience())
    assert (running.kind, running.role, len(running.rules)) == (kind, Role.INITIATOR, messages)
    assert not running.signed


def test_a_first_message_is_answered_as_it_comes():
    first, octets = encode_chain((offer_main((FAST_MAIN,)),))
    datagram = Header(b"initiate", bytes(8), first, VERSION_1, Exchange.MAIN, Flags(0), 0).over(octets)
    running, message = answer(Header.decode(datagram[:HEADER_OCTETS]), datagram, setting(), ENV, Patience())
    assert (running.kind, running.role) == (Exchange.MAIN, Role.RESPONDER)
    assert len(message.chain) == 1
    lacking = Header(b"initiate", bytes(8), first, VERSION_1, Exchange.AGGRESSIVE, Flags(0), 0).over(octets)
    with pytest.raises(IkeError) as caught:
        answer(Header.decode(lacking[:HEADER_OCTETS]), lacking, setting(aggressive=True), ENV, Patience())
    assert caught.value.reason is Reason.PAYLOAD_MISSING


@pytest.mark.parametrize(("aggressive", "before"), [(False, 4), (True, 2)])
def test_how_long_it_can_be_taken_back(aggressive, before):
    running = begin(setting(aggressive=aggressive), ENV, Patience())
    running.number = before
    assert retractable(running)
    running.number += 1
    assert not retractable(running)
    assert not retractable(None)


@pytest.mark.parametrize(("aggressive", "number"), [(False, 4), (True, 2)])
def test_what_cannot_be_read_hints_at_another_key(aggressive, number):
    running = begin(setting(aggressive=aggressive), ENV, Patience())
    error = Aborted(Reason.UNDECIPHERABLE, "what")
    running.number = number - 1
    assert unreadable(running, header(), error) is error
    running.number = number
    assert unreadable(running, header(encrypted=False), error) is error
    found = unreadable(running, header(), error)
    assert found.reason is Reason.WRONG_KEY
    assert f"{running.name} message {number + 1} cannot be read" in found.detail


@pytest.mark.parametrize(("aggressive", "proof"), [(False, 5), (True, 3)])
def test_a_refusal_of_our_proof_hints_at_it_too(aggressive, proof):
    running = begin(setting(aggressive=aggressive), ENV, Patience())
    running.number = proof - 1
    assert refused(running, Notify.AUTHENTICATION_FAILED).reason is Reason.PEER_REFUSED
    running.number = proof
    assert refused(running, Notify.AUTHENTICATION_FAILED).reason is Reason.WRONG_KEY
    assert refused(running, Notify.NO_PROPOSAL_CHOSEN).reason is Reason.PEER_REFUSED
