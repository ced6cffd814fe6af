# SPDX-License-Identifier: Apache-2.0
"""Identities: on the wire, and against the policy."""

from dataclasses import replace

import pytest
from unit.ike.v2.test_keys import GCM

from ringfence.databases.identity import Identity
from ringfence.databases.pad import PresharedKey, Xauth
from ringfence.ike.claims import Claim
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.v2.payloads import IdInitiatorPayload
from ringfence.ike.v2.peers import (
    Proved,
    identity_of,
    initiator_id,
    responder_id,
    shared_key,
)
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between

POLICY = HostPolicy("192.0.2.1", "192.0.2.2", keying=(2,))
(ENTRY,) = POLICY.compiled()[1]
PATH = path_between("192.0.2.1", "192.0.2.2")
THEM, OTHER = Identity.parse("192.0.2.2"), Identity.parse("192.0.2.3")
SAYS = Claim(THEM, (THEM,))


@pytest.mark.parametrize("text", ["192.0.2.1", "fd00::1", "a.example", "a@example", "keyid:00ff", "dn:3000"])
def test_round_trip(text):
    identity = Identity.parse(text)
    assert identity_of(initiator_id(identity)) == identity_of(responder_id(identity)) == identity


@pytest.mark.parametrize(("kind", "data"), [(1, b"123"), (5, b"1234"), (2, b""), (4, b"12345678"), (201, b"a")])
def test_what_nobody_can_be(kind, data):
    with pytest.raises(Aborted) as raised:
        identity_of(IdInitiatorPayload(kind, data))
    assert raised.value.reason is Reason.WRONG_IDENTITY


def test_what_was_proved_may_be_enough_for_another_entry():
    proved = Proved(ENTRY, FAST_MAIN, Identity.parse("192.0.2.1"), SAYS, ENTRY.auth[0])
    assert proved.remote == THEM
    assert proved.satisfies(replace(ENTRY, name="other"), PATH)
    for changes in ({"ends": ()}, {"auth": ()}, {"proposals": (GCM,)}, {"remote_identity": OTHER},
                    {"local_identity": OTHER}, {"local_auth": ENTRY.auth}, {"keying": (1,)},
                    {"xauth": Xauth()}):  # fmt: skip
        assert not proved.satisfies(replace(ENTRY, name="other", **changes), PATH), changes


def test_only_the_key_that_was_proved_counts():
    ours, other = shared_key(ENTRY), PresharedKey(Secret(b"another"))
    certificate = object()
    assert shared_key(replace(ENTRY, auth=(certificate, ours))) == ours
    assert shared_key(replace(ENTRY, auth=())) is None
    both = replace(ENTRY, auth=(certificate, ours))
    proved = Proved(both, FAST_MAIN, Identity.parse("192.0.2.1"), SAYS, ours)
    assert not proved.satisfies(replace(ENTRY, name="other", auth=(certificate, other)), PATH)
    assert proved.satisfies(replace(ENTRY, name="other", auth=(ours,)), PATH)
