# SPDX-License-Identifier: Apache-2.0
from ringfence.databases.identity import Identity
from ringfence.databases.pool import Pool
from ringfence.net.address import AddressRange, parse_address

ALICE = Identity.parse("alice@corp.example")
BOB = Identity.parse("bob@corp.example")


def pool(*ranges: str, excluded: tuple[str, ...] = (), **fixed: str) -> Pool:
    names = {"alice": ALICE, "bob": BOB}
    return Pool(
        "people",
        tuple(map(AddressRange.parse, ranges)),
        tuple(map(AddressRange.parse, excluded)),
        {names[name]: (parse_address(address),) for name, address in fixed.items()},
    )


def test_the_ends_of_a_network_are_nobodys() -> None:
    one = pool("10.9.0.0/29", "fd00:9::/125", "10.9.1.0-10.9.1.6")
    assert not one.gives(parse_address("10.9.0.0"))
    assert one.gives(parse_address("10.9.0.1"))
    assert not one.gives(parse_address("10.9.0.7"))
    assert not one.gives(parse_address("fd00:9::"))
    assert one.gives(parse_address("fd00:9::7"))
    assert one.gives(parse_address("10.9.1.0"))
    assert one.gives(parse_address("10.9.1.6"))


def test_two_addresses_and_less_have_no_ends() -> None:
    one = pool("10.9.0.0/31", "10.9.0.9")
    assert [one.gives(parse_address(f"10.9.0.{host}")) for host in (0, 1, 2, 9)] == [True, True, False, True]


def test_what_is_excluded_or_somebodys_own_is_not_given() -> None:
    one = pool("10.9.0.0/24", excluded=("10.9.0.1-10.9.0.9",), alice="10.9.0.20")
    assert not one.gives(parse_address("10.9.0.5"))
    assert not one.gives(parse_address("10.9.0.20"))
    assert one.gives(parse_address("10.9.0.10"))


def test_an_address_that_is_fixed_needs_no_range() -> None:
    one = pool("fd00:9::/120", alice="10.9.0.20")
    assert one.fixed_for(ALICE, 4) == parse_address("10.9.0.20")
    assert one.fixed_for(ALICE, 16) is None
    assert one.fixed_for(BOB, 4) is None
    assert one.has_family(4)
    assert one.has_family(16)
    assert not pool("10.9.0.0/24").has_family(16)
    assert [str(each) for each in one.usable(16)] == ["fd00:9::1-fd00:9::ff"]


def test_pools_are_equal_by_all_they_say() -> None:
    assert pool("10.9.0.0/24") == pool("10.9.0.0/24")
    assert hash(pool("10.9.0.0/24")) == hash(pool("10.9.0.0/24"))
    assert pool("10.9.0.0/24") != pool("10.9.0.0/24", alice="10.9.0.20")
