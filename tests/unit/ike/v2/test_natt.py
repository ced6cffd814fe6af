# SPDX-License-Identifier: Apache-2.0
"""NAT: found by hashes of both ends, and what that changes."""

from dataclasses import replace
from hashlib import sha1

from ringfence.databases.identity import Identity
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.natt import Nat, as_seen, floated, found, is_own, mark, marks
from ringfence.net.address import Endpoint, parse_address
from ringfence.testing.network import path_between

SPIS = b"initiatoresponde"
HERE = path_between("192.0.2.1", "192.0.2.2")
THERE = path_between("192.0.2.2", "192.0.2.1")


def chain(path):
    return Chain(tuple(Decoded(each, b"") for each in marks(SPIS, path)))


def test_a_mark_is_what_the_rfc_says():
    assert mark(SPIS, HERE.local) == sha1(SPIS + bytes([192, 0, 2, 1]) + b"\x01\xf4").digest()


def test_none_between():
    assert found(chain(THERE), SPIS, HERE) is None
    assert found(Chain(()), SPIS, HERE) is None


def test_who_is_behind_nat():
    inside = path_between("10.0.0.2", "192.0.2.1", 500)
    assert found(chain(inside), SPIS, HERE) == Nat(local=False, remote=True)
    outside = path_between("192.0.2.2", "198.51.100.1")
    assert found(chain(outside), SPIS, HERE) == Nat(local=True, remote=False)
    assert found(chain(THERE), b"other cookies 16", HERE) == Nat(local=True, remote=True)


def test_the_address_inside_is_the_peers_own():
    inside, nat = path_between("10.0.0.2", "192.0.2.1"), Nat(local=False, remote=True)
    assert is_own(chain(inside), SPIS, Identity.parse("10.0.0.2"), nat)
    assert not is_own(chain(inside), SPIS, Identity.parse("10.0.0.3"), nat)
    assert not is_own(chain(inside), SPIS, Identity.parse("10.0.0.2"), None)
    assert not is_own(chain(inside), SPIS, Identity.parse("a.example"), nat)


def test_ports():
    assert floated(HERE) == path_between("192.0.2.1", "192.0.2.2", 4500)
    mapped = replace(floated(HERE), remote=Endpoint(parse_address("192.0.2.2"), 1024))
    assert floated(mapped) == mapped


def test_transport_mode_sees_the_addresses_outside():
    said = Selector.between("198.51.100.1", "10.0.0.2")
    nat = Nat(local=True, remote=True)
    assert as_seen([said], Mode.TRANSPORT, nat, HERE) == [Selector.between("192.0.2.1", "192.0.2.2")]
    assert as_seen([said], Mode.TUNNEL, nat, HERE) == [said]
    assert as_seen([said], Mode.TRANSPORT, None, HERE) == [said]
