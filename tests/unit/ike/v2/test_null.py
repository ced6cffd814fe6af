# SPDX-License-Identifier: Apache-2.0
"""Strangers: what their AUTH shows, and where they are taken."""

from dataclasses import replace

import pytest
from unit.ike.v2.test_keys import ENDS, SECRET

from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import NullAuth
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.identities import claimed, same_identity
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.null import NAMELESS, claim, is_nameless, proof, stranger, takes_anybody
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.peers import initiator_id
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between

KEYS = derive(FAST_MAIN, SECRET, ENDS)
PATH = path_between("192.0.2.1", "192.0.2.2")
(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2", auth=(NullAuth(),)).compiled()[1]


def test_a_stranger_is_known_by_its_address_and_is_nobody_by_it():
    found = claim(PATH, proof(KEYS, b"signed", initiator=True), KEYS, b"signed", initiator=True)
    assert found.identity == stranger(PATH) == Identity(IdentityKind.NULL, PATH.remote.address)
    assert str(found.identity) == str(NAMELESS) == "anonymous"
    assert not same_identity(found.identity, found.identity)
    assert not same_identity(found.identity, Identity.parse("192.0.2.2"))
    assert found.names == (found.identity,)


def test_changed_messages_and_the_other_sides_auth_are_seen():
    """RFC 7619 §2.1: it is a MAC of each side's own."""
    mine = proof(KEYS, b"signed", initiator=True)
    assert mine.method is AuthMethod.NULL
    for payload, signed, initiator in (
        (mine, b"changed", True), (mine, b"signed", False), (replace(mine, data=b""), b"signed", True),
    ):  # fmt: skip
        with pytest.raises(Aborted) as raised:
            claim(PATH, payload, KEYS, signed, initiator=initiator)
        assert raised.value.reason is Reason.WRONG_SIGNATURE


def test_who_says_no_name_is_nameless_whatever_stands_there():
    assert is_nameless(initiator_id(NAMELESS))
    assert is_nameless(replace(initiator_id(NAMELESS), data=bytes([192, 0, 2, 2])))
    assert not is_nameless(initiator_id(Identity.parse("192.0.2.2")))
    with pytest.raises(Aborted):
        claimed(13, bytes(4))


def test_anybody_is_taken_only_where_nobody_is_named():
    assert takes_anybody(ENTRY)
    for changes in ({"auth": ()}, {"remote_identity": Identity.parse("bob.lab")},
                    {"admissions": (Admission(deny=(Pattern("eve.lab"),)),)}):  # fmt: skip
        assert not takes_anybody(replace(ENTRY, **changes))
