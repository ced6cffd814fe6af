# SPDX-License-Identifier: Apache-2.0
"""Tickets: found, spent, taken back, bounded."""

from dataclasses import replace

import pytest

from ringfence.databases.identity import Identity
from ringfence.ike.claims import Claim
from ringfence.ike.v2 import tickets
from ringfence.ike.v2.peers import Proved
from ringfence.ike.v2.tickets import LEAST_S, MOST_HELD_OCTETS, Ticket, Tickets
from ringfence.secret import Secret
from ringfence.testing.hosts import FAST_MAIN, PEER, HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
BOB = Identity.parse("bob.lab")
PROVED = Proved(ENTRY, FAST_MAIN, Identity.parse("alice.lab"), Claim(BOB, (BOB,)), ENTRY.auth[0])
PATH = path_between("192.0.2.1", "192.0.2.2")
RANDOM = SeededRandom("tickets")


def ticket(ike_id=1, until=100.0, octets=b"opaque"):
    return Ticket(octets, Secret(b"d"), FAST_MAIN, PROVED, until, ike_id)


def test_one_is_found_until_it_is_over_and_spent_once():
    known = Tickets()
    name = known.give(ticket(), RANDOM)
    assert len(name) == 32
    assert known.find(name, 99) is known.find(name, 0) is not None
    assert known.find(name, 100) is None
    assert known.find(name[:-1], 0) is known.find(b"", 0) is None
    assert known.spend(name) is not None
    assert known.spend(name) is known.find(name, 0) is None


def test_an_ike_sa_has_one():
    known = Tickets()
    first, second = known.give(ticket(), RANDOM), known.give(ticket(), RANDOM)
    assert known.find(first, 0) is None
    assert known.find(second, 0) is not None


def test_who_holds_one_uses_it_once():
    known = Tickets()
    known.hold(ticket(), PATH)
    assert known.take(PEER, path_between("192.0.2.1", "192.0.2.3"), 0) is None
    assert known.take("other", PATH, 0) is None
    assert known.take(PEER, PATH, 0) == ticket()
    assert known.take(PEER, PATH, 0) is None


@pytest.mark.parametrize("octets", [b"", bytes(MOST_HELD_OCTETS + 1)])
def test_what_is_too_large_or_nothing_is_not_held(octets):
    known = Tickets()
    known.hold(ticket(octets=octets), PATH)
    assert known.take(PEER, PATH, 0) is None


def test_what_is_nearly_over_is_not_used():
    known = Tickets()
    known.hold(ticket(), PATH)
    assert known.take(PEER, PATH, 100 - LEAST_S) is None


def test_what_was_ended_on_purpose_is_void():
    known = Tickets()
    name, other = known.give(ticket(1), RANDOM), known.give(ticket(2), RANDOM)
    known.hold(ticket(1), PATH)
    known.revoke(1)
    known.revoke(3)
    assert known.find(name, 0) is known.take(PEER, PATH, 0) is None
    assert known.find(other, 0) is not None


def test_a_client_may_go_and_come_back():
    known = Tickets()
    name = known.give(ticket(1), RANDOM)
    known.hold(ticket(1), PATH)
    known.revoke(1, given=False)
    assert known.find(name, 0) is not None
    assert known.take(PEER, PATH, 0) is None


def test_a_successor_speaks_for_them():
    known = Tickets()
    name = known.give(ticket(1), RANDOM)
    known.hold(ticket(1), PATH)
    known.move(1, 7)
    known.move(5, 6)
    known.revoke(1)
    assert known.find(name, 0) == replace(ticket(7))
    known.revoke(7)
    assert known.find(name, 0) is known.take(PEER, PATH, 0) is None


def test_the_oldest_make_room(monkeypatch):
    monkeypatch.setattr(tickets, "MOST_GIVEN", 3)
    known = Tickets()
    names = [known.give(ticket(number), RANDOM) for number in range(5)]
    assert [known.find(name, 0) is not None for name in names] == [False, False, True, True, True]
