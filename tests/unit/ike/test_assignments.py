# SPDX-License-Identifier: Apache-2.0
from ringfence.databases.identity import Identity
from ringfence.databases.pool import Assignment, Pool
from ringfence.ike.assignments import Assignments
from ringfence.ike.effects import Assign, Withdraw
from ringfence.net.address import AddressRange, parse_address

GIVEN = Assignment((parse_address("10.9.0.7"),))
OTHER = Assignment((parse_address("10.9.0.8"), parse_address("fd00::8")))


def test_what_was_given_is_known_by_the_ike_sa_and_by_the_peer() -> None:
    book = Assignments()
    assert book.assign(1, "office", GIVEN) == Assign(1, "office", GIVEN)
    book.assign(2, "office", OTHER)
    assert (book.of(1), book.of(3)) == (GIVEN, None)
    assert (book.by("office"), book.by("home")) == (OTHER, None)
    assert OTHER.of_family(16) == parse_address("fd00::8")
    assert GIVEN.of_family(16) is None


def test_it_goes_with_the_ike_sa_and_is_asked_for_again() -> None:
    book = Assignments()
    book.assign(1, "office", GIVEN)
    book.move(1, 5)
    assert (book.of(1), book.of(5)) == (None, GIVEN)
    assert book.ended(1) == []
    assert book.ended(5) == [Withdraw(1)]
    assert book.by("office") is None
    assert book.last("office") == GIVEN.addresses
    assert book.last("home") == ()


def test_leases_move_and_end_with_it() -> None:
    book, owner = Assignments(), Identity.parse("alice.example")
    pool = Pool("people", (AddressRange.parse("10.9.0.9"),))
    assert book.leases.lease(pool, owner, 4, 1) is not None
    book.move(1, 2)
    book.ended(1)
    assert book.leases.held(2) == (parse_address("10.9.0.9"),)
    book.ended(2)
    assert book.leases.held(2) == ()
