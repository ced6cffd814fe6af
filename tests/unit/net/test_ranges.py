# SPDX-License-Identifier: Apache-2.0
"""Ranges are found by the addresses in them, as asking each would find them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.net.address import AddressRange
from ringfence.net.ranges import RangeIndex, blocks, networks

numbers = st.one_of(st.integers(0, 64), st.integers(0, (1 << 32) - 1))


@settings(deadline=None)
@given(numbers, numbers)
def test_blocks_cover_a_range_closely(one: int, other: int) -> None:
    first, last = min(one, other), max(one, other)
    found = [(place << shift, (place + 1 << shift) - 1) for shift, place in blocks(first, last)]
    assert found[0][0] <= first
    assert found[-1][1] >= last
    assert len(found) == 1 or found[0][1] + 1 == found[1][0]
    assert sum(end - begin + 1 for begin, end in found) <= 2 * (last - first + 1)


@st.composite
def ranges(draw: st.DrawFn) -> AddressRange:
    octets = draw(st.sampled_from([4, 16]))
    first, last = sorted([draw(numbers), draw(numbers)])
    return AddressRange(first.to_bytes(octets), last.to_bytes(octets))


@settings(deadline=None)
@given(ranges())
def test_networks_are_those_of_the_standard_library(one: AddressRange) -> None:
    assert [str(network) for network in networks(one)] == [text.removesuffix("/32").removesuffix("/128")
                                                           for text in one.prefixes()]  # fmt: skip


@settings(deadline=None)
@given(st.lists(ranges(), max_size=30), ranges())
def test_finds_what_asking_each_finds(some: list[AddressRange], asked: AddressRange) -> None:
    index = RangeIndex[int]()
    for number, one in enumerate(some):
        index.add(one, number)
    for address in (asked.first, asked.last, *(end for one in some for end in (one.first, one.last))):
        assert sorted(number for _, number in index.holding(address)) == [
            number for number, one in enumerate(some) if address in one
        ]
    for cube in (asked, *some):
        assert sorted(index.covering(cube), key=lambda entry: entry[1]) == [
            (one, number) for number, one in enumerate(some) if one.covers(cube)
        ]
