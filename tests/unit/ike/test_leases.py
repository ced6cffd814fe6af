# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.identity import Identity
from ringfence.databases.pool import Pool
from ringfence.ike import leases as module
from ringfence.ike.leases import Leases
from ringfence.net.address import AddressRange, format_address, parse_address

ALICE = Identity.parse("alice@corp.example")
BOB = Identity.parse("bob@corp.example")
CAROL = Identity.parse("carol@corp.example")


def pool(*ranges: str, excluded: tuple[str, ...] = (), alice: str = "") -> Pool:
    fixed = {ALICE: (parse_address(alice),)} if alice else {}
    return Pool("people", tuple(map(AddressRange.parse, ranges)), tuple(map(AddressRange.parse, excluded)), fixed)


class Book:
    """Asks a ``Leases`` in words."""

    def __init__(self, *ranges: str, excluded: tuple[str, ...] = (), alice: str = "") -> None:
        self.pool = pool(*ranges, excluded=excluded, alice=alice)
        self.leases = Leases()

    def lease(self, owner: Identity, holder: int, wanted: str = "", *, anew: bool = False, octets: int = 4) -> str:
        asked = parse_address(wanted) if wanted else None
        found = self.leases.lease(self.pool, owner, octets, holder, wanted=asked, anew=anew)
        return "" if found is None else format_address(found)


def test_several_ranges_are_given_in_their_order_without_what_is_excluded() -> None:
    book = Book("10.9.0.1-10.9.0.5", "10.9.1.1", excluded=("10.9.0.2-10.9.0.4",))
    assert [book.lease(ALICE, 1), book.lease(BOB, 2), book.lease(CAROL, 3)] == ["10.9.0.1", "10.9.0.5", "10.9.1.1"]
    assert book.lease(BOB, 4) == ""


def test_both_families_are_leased_apart() -> None:
    book = Book("10.9.0.0/24", "fd00:9::/64")
    assert book.lease(ALICE, 1) == "10.9.0.1"
    assert book.lease(ALICE, 1, octets=16) == "fd00:9::1"
    assert book.leases.held(1) == (parse_address("10.9.0.1"), parse_address("fd00:9::1"))


def test_who_comes_back_gets_what_he_had() -> None:
    book = Book("10.9.0.0/24")
    assert (book.lease(ALICE, 1), book.lease(BOB, 2)) == ("10.9.0.1", "10.9.0.2")
    book.leases.release(1)
    assert book.lease(CAROL, 3) == "10.9.0.3"
    assert book.lease(ALICE, 4) == "10.9.0.1"
    assert book.leases.held(1) == ()


def test_an_address_that_is_asked_for_is_given_if_it_is_nobodys() -> None:
    book = Book("10.9.0.0/24")
    assert book.lease(ALICE, 1, "10.9.0.7") == "10.9.0.7"
    assert book.lease(BOB, 2, "10.9.0.7") == "10.9.0.1"
    assert book.lease(CAROL, 3, "10.8.0.7") == "10.9.0.2"
    book.leases.release(1)
    assert book.lease(BOB, 4, "10.9.0.7") == "10.9.0.3"  # it is kept for who had it


def test_two_devices_of_one_identity_have_two_addresses() -> None:
    book = Book("10.9.0.0/24")
    assert (book.lease(ALICE, 1), book.lease(ALICE, 2)) == ("10.9.0.1", "10.9.0.2")


@pytest.mark.parametrize(("wanted", "anew"), [("10.9.0.1", False), ("", True)])
def test_who_begins_anew_takes_over_his_own(wanted: str, anew: bool) -> None:
    book = Book("10.9.0.0/24")
    assert book.lease(ALICE, 1) == "10.9.0.1"
    assert book.lease(ALICE, 2, wanted, anew=anew) == "10.9.0.1"
    book.leases.release(1)
    assert book.lease(BOB, 3, "10.9.0.1") == "10.9.0.2"  # the second one holds it still


def test_nobody_takes_over_what_is_anothers() -> None:
    book = Book("10.9.0.0/24")
    assert book.lease(ALICE, 1) == "10.9.0.1"
    assert book.lease(BOB, 2, "10.9.0.1", anew=True) == "10.9.0.2"


def test_the_longest_unused_goes_to_somebody_else_at_last() -> None:
    book = Book("10.9.0.1-10.9.0.2")
    assert (book.lease(ALICE, 1), book.lease(BOB, 2)) == ("10.9.0.1", "10.9.0.2")
    book.leases.release(2)
    book.leases.release(1)
    assert book.lease(CAROL, 3) == "10.9.0.2"
    assert book.lease(BOB, 4) == "10.9.0.1"
    assert book.lease(ALICE, 5) == ""


def test_a_fixed_address_is_its_owners_alone() -> None:
    book = Book("10.9.0.1-10.9.0.2", alice="10.9.0.1")
    assert book.lease(BOB, 1, "10.9.0.1") == "10.9.0.2"
    assert book.lease(CAROL, 2) == ""
    assert book.lease(ALICE, 3, "10.9.0.2") == "10.9.0.1"


def test_a_successor_holds_what_its_predecessor_held() -> None:
    book = Book("10.9.0.0/24")
    book.lease(ALICE, 1)
    book.leases.move(1, to=2)
    assert book.leases.held(2) == (parse_address("10.9.0.1"),)
    book.leases.release(1)
    assert book.lease(ALICE, 3) == "10.9.0.2"
    book.leases.release(2)
    assert book.lease(ALICE, 4) == "10.9.0.1"


def test_a_pool_that_became_another_gives_nothing_that_it_had() -> None:
    book = Book("10.9.0.0/24")
    assert book.lease(ALICE, 1) == "10.9.0.1"
    book.leases.release(1)
    book.pool = pool("10.8.0.1")
    assert book.lease(ALICE, 2) == "10.8.0.1"
    assert book.lease(BOB, 3) == ""


def test_memory_of_those_who_left_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 1)
    book = Book("10.9.0.0/24")
    for holder, owner in enumerate((ALICE, BOB), 1):
        book.lease(owner, holder)
        book.leases.release(holder)
    assert book.lease(ALICE, 3) == "10.9.0.3"
    assert book.lease(BOB, 4) == "10.9.0.2"
