# SPDX-License-Identifier: Apache-2.0
"""The index finds what asking one entry after the other finds; that slow way is written here only."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Spd, SpdEntry
from ringfence.databases.spd_index import AT_ONCE, Branch, Place, SelectorIndex
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import ICMP, TCP, UDP, FlowKey

PROTOCOLS = (ICMP, TCP, UDP, 47, 50, 58)


def slowly(spd: Spd, flow: FlowKey, direction: Direction) -> SpdEntry | None:
    outward = flow if direction is Direction.OUT else flow.reversed()
    for entry in spd:
        if direction in entry.directions and outward in entry.selector:
            return entry
    return None


def slowly_any_port(spd: Spd, flow: FlowKey) -> SpdEntry | None:
    for entry in spd:
        cube = entry.selector
        if (
            Direction.OUT in entry.directions
            and flow.source in cube.source
            and flow.destination in cube.destination
            and cube.protocol in (None, flow.protocol)
        ):
            return entry
    return None


# Near each other and near the borders of blocks, so that cubes overlap and flows meet their first and last values.
numbers = st.one_of(
    st.integers(0, 40), st.integers(0, 1 << 16), st.sampled_from([(1 << 31) - 1, 1 << 31, (1 << 32) - 1])
)


@st.composite
def ranges(draw: st.DrawFn, octets: int) -> AddressRange:
    kind = draw(st.sampled_from(["host", "network", "range", "any"]))
    if kind == "any":
        return AddressRange.everything(octets)
    high = draw(st.sampled_from([0, 1 << 96])) if octets == 16 else 0
    first = high + draw(numbers)
    if kind == "host":
        return AddressRange.host(first.to_bytes(octets))
    if kind == "network":
        size = draw(st.integers(0, octets * 8))
        first = first >> size << size
        return AddressRange(first.to_bytes(octets), (first + (1 << size) - 1).to_bytes(octets))
    last = min(first + draw(numbers), (1 << octets * 8) - 1)
    return AddressRange(first.to_bytes(octets), last.to_bytes(octets))


@st.composite
def port_ranges(draw: st.DrawFn) -> PortRange:
    first, last = sorted([draw(st.sampled_from([0, 1, 7, 8, 80, 2048, 65535])), draw(st.integers(0, 65535))])
    return draw(st.sampled_from([ANY_PORT, PortRange.one(first), PortRange(first, last)]))


@st.composite
def entries(draw: st.DrawFn) -> SpdEntry:
    octets = draw(st.sampled_from([4, 16]))
    protocol = draw(st.sampled_from([None, *PROTOCOLS]))
    selector = Selector(
        draw(ranges(octets)), draw(ranges(octets)), protocol, draw(port_ranges()), draw(port_ranges())
    )  # fmt: skip
    directions = draw(st.sampled_from([Direction.BOTH, Direction.BOTH, Direction.OUT, Direction.IN]))
    return SpdEntry("", selector, Action.BYPASS, Origin(""), directions)


def flows_at(entry: SpdEntry, data: st.DataObject) -> Iterator[FlowKey]:
    """Flows in the corners of an entry, or just outside."""
    cube = entry.selector

    def near(addresses: AddressRange) -> bytes:
        octets = len(addresses.first)
        value = int.from_bytes(data.draw(st.sampled_from([addresses.first, addresses.last])))
        return max(0, min(value + data.draw(st.integers(-1, 1)), (1 << octets * 8) - 1)).to_bytes(octets)

    def port(ports: PortRange) -> int | None:
        return data.draw(
            st.sampled_from([None, ports.first, ports.last, max(0, ports.first - 1), min(65535, ports.last + 1)])
        )

    for _ in range(4):
        protocol = data.draw(st.sampled_from(PROTOCOLS)) if cube.protocol is None else cube.protocol
        source_port, destination_port = port(cube.source_ports), port(cube.destination_ports)
        if protocol == ICMP:
            source_port = destination_port
        yield FlowKey(near(cube.source), near(cube.destination), protocol, source_port, destination_port)


@settings(deadline=None, max_examples=300)
@given(st.lists(entries(), min_size=1, max_size=40), st.data())
def test_finds_what_the_slow_way_finds(some: list[SpdEntry], data: st.DataObject) -> None:
    spd = Spd(
        tuple(SpdEntry(str(number), e.selector, e.action, e.origin, e.directions) for number, e in enumerate(some))
    )
    for flow in flows_at(data.draw(st.sampled_from(some)), data):
        assert spd.outbound(flow) == slowly(spd, flow, Direction.OUT)
        assert spd.inbound(flow.reversed()) == slowly(spd, flow.reversed(), Direction.IN)
        assert spd.inbound(flow) == slowly(spd, flow, Direction.IN)
        assert spd.outbound_any_port(flow) == slowly_any_port(spd, flow)


def many(count: int, seed: int) -> Spd:
    """Entries of every kind at random, crowded so that flows find several."""
    chance = random.Random(seed)

    def addresses() -> AddressRange:
        first = 0x0A000000 + chance.randrange(1 << 12)
        size = 1 << chance.choice([0, 0, 2, 5, 8, 32])
        if size == 1 << 32:
            return AddressRange.everything(4)
        if chance.random() < 0.3:
            return AddressRange(first.to_bytes(4), (first + chance.randrange(300)).to_bytes(4))
        first = first // size * size
        return AddressRange(first.to_bytes(4), (first + size - 1).to_bytes(4))

    def ports() -> PortRange:
        first = chance.randrange(3000)
        return chance.choice([ANY_PORT, PortRange.one(first), PortRange(first, first + chance.randrange(3000))])

    def entry(number: int) -> SpdEntry:
        protocol = chance.choice([None, TCP, UDP, ICMP])
        cube = Selector(addresses(), addresses(), protocol, ports(), ports() if protocol else ANY_PORT)
        way = chance.choice([Direction.BOTH, Direction.OUT, Direction.IN])
        return SpdEntry(str(number), cube, Action.BYPASS, Origin(""), way)

    return Spd(tuple(entry(number) for number in range(count)))


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 3000])
def test_among_many(count: int) -> None:
    spd, chance = many(count, count), random.Random(1)

    def address() -> bytes:
        return (0x0A000000 + chance.randrange(1 << 12)).to_bytes(4)

    found = 0
    for _ in range(150):
        port = [None, *range(4000)]
        flow = FlowKey(address(), address(), chance.choice([TCP, UDP, ICMP]), chance.choice(port), chance.choice(port))
        for direction, find in ((Direction.OUT, spd.outbound), (Direction.IN, spd.inbound)):
            entry = find(flow)
            assert entry == slowly(spd, flow, direction)
            found += entry is not None
        assert spd.outbound_any_port(flow) == slowly_any_port(spd, flow)
    assert found > 100 or count < 100


def places(place: Place) -> int:
    if isinstance(place, Branch):
        return sum(places(inside) for table in place.tables for inside in table.blocks.values())
    return len(place)


def test_ranges_and_any_take_little_room() -> None:
    index = SelectorIndex((number, entry.selector) for number, entry in enumerate(many(3000, 7)))
    assert sum(map(places, index._places.values())) < 8 * 3000
    awkward = [
        Selector(AddressRange.parse(f"0.0.0.1-255.255.{n}.254"), AddressRange.parse("0.0.0.1-255.255.255.254"),
                 TCP, PortRange(1, 65534 - n), PortRange(1 + n, 65534))
        for n in range(200)
    ]  # fmt: skip
    index = SelectorIndex(enumerate(awkward))
    assert sum(map(places, index._places.values())) <= 16 * 2 * 200


def test_families_are_apart() -> None:
    index = SelectorIndex([(3, Selector.between("0.0.0.0/0", "0.0.0.0/0")), (5, Selector.between("::/0", "::/0"))])
    v4, v6 = bytes(4), bytes(16)
    assert index.first(FlowKey(v4, v4, TCP, 1, 1)) == 3
    assert index.first(FlowKey(v6, v6, TCP, None, None)) == 5
    assert index.first(FlowKey(v6, v4, TCP, 1, 1)) is None


@settings(deadline=None, max_examples=200)
@given(st.lists(entries(), min_size=1, max_size=40), st.data())
def test_finds_what_covers_a_cube(some: list[SpdEntry], data: st.DataObject) -> None:
    spd = Spd(tuple(some))
    index = SelectorIndex((number, entry.selector) for number, entry in enumerate(some))
    whole = data.draw(st.sampled_from(some)).selector
    part = whole.intersect(data.draw(st.sampled_from(some)).selector)
    for cube in (whole, part or whole, data.draw(entries()).selector):
        covering = [number for number, entry in enumerate(some) if entry.selector.covers(cube)]
        for above in (-1, 0, len(some) // 2):
            assert index.covering(cube, above) == next((number for number in covering if number > above), None)
        outward = [some[number] for number in covering if Direction.OUT in some[number].directions]
        assert list(spd.covering(cube)) == outward


@settings(deadline=None, max_examples=200)
@given(st.lists(entries(), min_size=1, max_size=40), entries())
def test_finds_what_shares_traffic(some: list[SpdEntry], asked: SpdEntry) -> None:
    index = SelectorIndex((number, entry.selector) for number, entry in enumerate(some))
    for cube in (asked.selector, some[0].selector):
        found = list(index.overlapping(cube))
        assert sorted(found) == [n for n, entry in enumerate(some) if entry.selector.intersect(cube) is not None]
