# SPDX-License-Identifier: Apache-2.0
"""Who is behind NAT, and what a quick mode says then."""

from hashlib import sha1

import pytest

from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.v1.natt import (
    NAT_T_IDS,
    RFC_ID,
    Detector,
    Dialect,
    Nat,
    as_seen,
    common,
    encapsulation,
    floated,
    offered,
    originals,
    serves,
)
from ringfence.ike.v1.payloads import NatDDraftPayload, NatDPayload, NatOaDraftPayload, NatOaPayload, VendorPayload
from ringfence.net.address import Endpoint, Path, parse_address
from ringfence.testing.network import path_between
from ringfence.testing.script import message

COOKIES = b"initiateresponse"
INNER, OUTER, SERVER = "192.168.1.2", "198.51.100.1", "192.0.2.2"
CLIENTS, SERVERS = path_between(INNER, SERVER), path_between(SERVER, OUTER)
NAT = Nat(Dialect.RFC, local=True, remote=False)


def detector(dialect=Dialect.RFC):
    return Detector(lambda octets: sha1(octets).digest(), COOKIES, dialect)


def heard(*payloads):
    return message(*payloads).chain


def test_the_hash_of_rfc_3947():
    """Computed by hand: cookies, address, port."""
    (theirs, ours) = detector().payloads(CLIENTS)
    assert theirs == NatDPayload(sha1(COOKIES + bytes([192, 0, 2, 2]) + b"\x01\xf4").digest())
    assert ours == NatDPayload(sha1(COOKIES + bytes([192, 168, 1, 2]) + b"\x01\xf4").digest())
    assert isinstance(detector(Dialect.DRAFT).payloads(CLIENTS)[0], NatDDraftPayload)


@pytest.mark.parametrize("dialect", Dialect)
def test_who_is_behind_nat(dialect):
    look = detector(dialect)
    clients, servers = heard(*look.payloads(CLIENTS)), heard(*look.payloads(SERVERS))
    assert look.found(clients, SERVERS) == Nat(dialect, local=False, remote=True)
    assert look.found(servers, CLIENTS) == Nat(dialect, local=True, remote=False)
    assert look.found(clients, path_between(SERVER, INNER)) is None
    other = path_between("10.0.0.1", OUTER)
    assert look.found(clients, other) == Nat(dialect, local=True, remote=True)


def test_a_port_alone_shows_it_too():
    path = Path(SERVERS.local, Endpoint(parse_address(INNER), 501))
    assert detector().found(heard(*detector().payloads(CLIENTS)), path) == Nat(Dialect.RFC, local=False, remote=True)


def test_several_addresses_of_a_peer():
    look = detector()
    mine, one = look.payloads(CLIENTS)
    other = look.payloads(path_between("10.9.9.9", SERVER))[1]
    assert look.found(heard(mine, other, one), path_between(SERVER, INNER)) is None
    assert look.found(heard(mine), path_between(SERVER, INNER)) is None, "who says nothing of itself does not look"


def test_a_peers_own_address():
    theirs = heard(*detector().payloads(CLIENTS))
    assert detector().is_own(theirs, parse_address(INNER))
    assert not detector().is_own(theirs, parse_address(SERVER))
    assert not detector().is_own(theirs, parse_address("192.168.1.3"))


def test_the_best_that_both_know():
    everything = heard(*offered(serves=True))
    assert common(everything, serves=True) == RFC_ID
    assert common(everything, serves=False) is None
    drafts = [each for each in NAT_T_IDS if each != RFC_ID]
    assert common(heard(*map(VendorPayload, reversed(drafts))), serves=True) == drafts[0]
    assert NAT_T_IDS[drafts[0]] is Dialect.DRAFT
    assert offered(serves=False) == ()


def test_not_in_ipv6():
    assert serves(CLIENTS)
    assert not serves(path_between("2001:db8::1", "2001:db8::2"))


def test_the_step_to_port_4500():
    path = floated(CLIENTS)
    assert path == path_between(INNER, SERVER, 4500)
    mapped = Path(path.local, Endpoint(path.remote.address, 20_000))
    assert floated(mapped) == mapped


def test_encapsulation_modes():
    draft = Nat(Dialect.DRAFT, local=True, remote=False)
    assert [encapsulation(mode, nat) for nat in (None, NAT, draft) for mode in (Mode.TUNNEL, Mode.TRANSPORT)] == [
        1, 2, 3, 4, 61443, 61444
    ]  # fmt: skip


def test_original_addresses():
    ends = parse_address(INNER), parse_address(SERVER)
    assert originals(Mode.TRANSPORT, NAT, *ends) == (NatOaPayload(1, ends[0]), NatOaPayload(1, ends[1]))
    assert originals(Mode.TUNNEL, NAT, *ends) == originals(Mode.TRANSPORT, None, *ends) == ()
    draft = Nat(Dialect.DRAFT, local=True, remote=False)
    assert originals(Mode.TRANSPORT, draft, *ends)[0] == NatOaDraftPayload(1, ends[0])


def test_selectors_as_we_see_them():
    said = Selector.between("203.0.113.9", INNER, 6)
    both = Nat(Dialect.RFC, local=True, remote=True)
    behind = Nat(Dialect.RFC, local=False, remote=True)
    assert as_seen(said, Mode.TRANSPORT, both, SERVERS) == Selector.between(SERVER, OUTER, 6)
    assert as_seen(said, Mode.TRANSPORT, behind, SERVERS) == Selector.between("203.0.113.9", OUTER, 6)
    assert as_seen(said, Mode.TUNNEL, both, SERVERS) == as_seen(said, Mode.TRANSPORT, None, SERVERS) == said
    nets = Selector.between("10.1.0.0/16", "10.2.0.0/16")
    assert as_seen(nets, Mode.TRANSPORT, both, SERVERS) == nets
