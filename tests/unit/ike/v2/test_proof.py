# SPDX-License-Identifier: Apache-2.0
"""Which entry a peer has proved to be for."""

from dataclasses import replace

import pytest
from unit.ike.v2.test_keys import ENDS, SECRET

from ringfence.databases.identity import Identity
from ringfence.databases.pad import PresharedKey
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.peers import initiator_id, responder_id
from ringfence.ike.v2.proof import check_proof, entry_for, key_of, proof, refused_proof
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between

(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
KEYS = derive(FAST_MAIN, SECRET, ENDS)
PATH = path_between("192.0.2.1", "192.0.2.2")
ALICE, BOB, ME = (Identity.parse(f"{name}.example") for name in ("alice", "bob", "me"))


def entry(name, identity, key, **changes):
    return replace(ENTRY, name=name, remote_identity=identity, auth=(PresharedKey(Secret(key)),), **changes)


FIRST = entry("alice", ALICE, b"a", local_identity=ME)
SECOND = entry("bob", BOB, b"b")


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


def said(identity, by, *more):
    mine = initiator_id(identity)
    return chain(mine, proof(KEYS, by, KEYS.signed(b"first", mine.encode(), initiator=True)), *more)


def found(message, identity, *entries):
    return entry_for(message, identity, KEYS, b"first", entries, PATH, inner=False)


def test_the_identity_says_which_entry():
    assert found(said(ALICE, FIRST), ALICE, SECOND, FIRST) is FIRST
    assert found(said(BOB, SECOND), BOB, FIRST, SECOND) is SECOND


def test_a_key_is_no_licence_for_another_name():
    with pytest.raises(Aborted) as raised:
        found(said(BOB, FIRST), BOB, FIRST, SECOND)
    assert raised.value.reason is Reason.WRONG_IDENTITY
    with pytest.raises(Aborted) as raised:
        found(said(BOB, FIRST), BOB, SECOND)
    assert raised.value.reason is Reason.WRONG_KEY


def test_the_name_that_the_peer_wants_decides_between_equals():
    other = replace(FIRST, name="other", local_identity=BOB)
    message = said(ALICE, FIRST, responder_id(BOB))
    assert found(message, ALICE, FIRST, other) is other
    assert found(said(ALICE, FIRST, responder_id(ALICE)), ALICE, FIRST) is FIRST


def test_without_a_key_nobody_authenticates():
    with pytest.raises(Aborted):
        key_of(replace(ENTRY, auth=()))
    with pytest.raises(Aborted) as raised:
        found(said(ALICE, FIRST), ALICE, replace(FIRST, auth=()))
    assert raised.value.reason is Reason.NO_POLICY


def test_the_proof_of_a_side_is_not_that_of_the_other():
    mine = initiator_id(ALICE)
    signed = KEYS.signed(b"first", mine.encode(), initiator=True)
    check_proof(chain(mine, proof(KEYS, FIRST, signed)), KEYS, FIRST, signed)
    reflected = KEYS.signed(b"first", mine.encode(), initiator=False)
    with pytest.raises(Aborted):
        check_proof(chain(mine, proof(KEYS, FIRST, signed)), KEYS, FIRST, reflected)


def test_refusals():
    assert refused_proof(chain(NotifyPayload(Notify.AUTHENTICATION_FAILED))).reason is Reason.WRONG_KEY
    assert refused_proof(chain(NotifyPayload(Notify.INVALID_SYNTAX))).reason is Reason.PEER_REFUSED
    assert "nothing" in refused_proof(chain()).message
