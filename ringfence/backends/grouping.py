# SPDX-License-Identifier: Apache-2.0
"""Many rules of nftables as few: the kernel asks rules one after the other, but looks into a set at once.

Neighbouring rules that do the same may change places, so those of one shape (prefix lengths, protocol) become one rule
with a set of what is different in them. Their prefixes are all of one length, so no two elements of a set overlap,
which nftables would refuse. Rules of which there are few stay as they are, in the order and the words of the policy.

What is forwarded alternates between two verdicts, for either direction of each entry. There all rules of the first may
come before all of the second, unless one of these stood before one of the first that shares traffic with it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, product
from typing import NamedTuple

from ringfence.databases.selector import Selector
from ringfence.databases.spd_index import SelectorIndex
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import DCCP, SCTP, TCP, UDP, UDPLITE
from ringfence.net.ranges import networks

WITH_PORTS = (TCP, UDP, SCTP, DCCP, UDPLITE)
GROUP_FROM = 24
"""Rules of one shape, from which on they become a set."""
PIECES_AT_MOST = 16
"""Prefixes that a range may be cut into for that."""
FIELDS = ("saddr", "daddr", "sport", "dport")


@dataclass(frozen=True, slots=True)
class Line:
    """A selector, as packets have it, and what rules do about it, one after the other."""

    selector: Selector
    verdicts: tuple[str, ...]
    name: str


class Shape(NamedTuple):
    """What the rules of one set have in common."""

    version: int
    source_size: int
    """How many addresses."""
    destination_size: int
    protocol: int | None
    source_ports: PortRange | None
    """None for one port, another in each."""
    destination_ports: PortRange | None


def grouped(lines: Iterable[Line], match: Callable[[Selector], str], comment: Callable[[str], str]) -> Iterator[str]:
    """The rules of ``lines``; a packet meets the same verdict as if they were asked in order."""
    for _, run in groupby(lines, key=lambda line: line.verdicts):
        yield from _run([*run], match, comment)


def grouped_pairs(
    lines: Iterable[Line], match: Callable[[Selector], str], comment: Callable[[str], str]
) -> Iterator[str]:
    """The same where the verdicts of neighbours alternate."""
    for run in filter(None, _alternating(lines)):
        first = [line for line in run if line.verdicts == run[0].verdicts]
        second = [line for line in run if line.verdicts != run[0].verdicts]
        if max(len(first), len(second)) < GROUP_FROM or not _may_swap(run):
            yield from grouped(run, match, comment)
        else:
            yield from _run(first, match, comment)
            yield from _run(second, match, comment)


def _alternating(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Runs of lines with two verdicts by turns, and of many with one."""
    run: list[Line] = []
    for verdicts, same in groupby(lines, key=lambda line: line.verdicts):
        some = [*same]
        if len(some) >= GROUP_FROM or len({verdicts, *(line.verdicts for line in run[:GROUP_FROM])}) > 2:
            yield run
            run = []
        if len(some) >= GROUP_FROM:
            yield some
        else:
            run += some
    yield run


def _may_swap(run: Sequence[Line]) -> bool:
    """Whether all lines with the verdict of the first may come before all others."""
    verdicts = run[0].verdicts
    first = SelectorIndex((number, line.selector) for number, line in enumerate(run) if line.verdicts == verdicts)
    return not any(
        later > number
        for number, line in enumerate(run)
        if line.verdicts != verdicts
        for later in first.overlapping(line.selector)
    )


def _run(lines: Sequence[Line], match: Callable[[Selector], str], comment: Callable[[str], str]) -> Iterator[str]:
    """Rules of lines that do the same."""
    if len(lines) < GROUP_FROM:
        yield from _plain(lines, match, comment)
        return
    pieces = [_pieces(line.selector) for line in lines]
    shapes: dict[Shape, dict[int, list[Selector]]] = {}
    for number, of_line in enumerate(pieces):
        for shape, piece in of_line:
            shapes.setdefault(shape, {}).setdefault(number, []).append(piece)
    large = {shape for shape, members in shapes.items() if len(members) >= GROUP_FROM}
    in_sets = [bool(of_line) and all(shape in large for shape, _ in of_line) for of_line in pieces]
    yield from _plain([line for line, in_set in zip(lines, in_sets, strict=True) if not in_set], match, comment)
    for every in shapes.values():
        members = [number for number in every if in_sets[number]]
        if members:
            what = _set([*dict.fromkeys(piece for number in members for piece in every[number])], match)
            more = f" and {len(members) - 1} more" if len(members) > 1 else ""
            for verdict in lines[0].verdicts:
                yield f'{what} {verdict} comment "{comment(lines[members[0]].name + more)}"'


def _plain(lines: Iterable[Line], match: Callable[[Selector], str], comment: Callable[[str], str]) -> Iterator[str]:
    for line in lines:
        for verdict in line.verdicts:
            yield f'{match(line.selector)} {verdict} comment "{comment(line.name)}"'


def _pieces(selector: Selector) -> list[tuple[Shape, Selector]]:
    """The selector with networks for addresses, and their shapes; nothing when those would be too many."""
    sources, destinations = (
        [*islice(networks(addresses), PIECES_AT_MOST + 1)] for addresses in (selector.source, selector.destination)
    )
    if len(sources) == len(destinations) == 1:
        return [(_shape(selector), selector)]
    if len(sources) * len(destinations) > PIECES_AT_MOST:
        return []
    protocol, ports = selector.protocol, (selector.source_ports, selector.destination_ports)
    pieces = [Selector(source, destination, protocol, *ports) for source, destination in product(sources, destinations)]
    return [(_shape(piece), piece) for piece in pieces]


def _shape(selector: Selector) -> Shape:
    ports = selector.source_ports, selector.destination_ports
    source, destination = (None if selector.protocol in WITH_PORTS and one.first == one.last else one for one in ports)
    size = selector.source.size, selector.destination.size
    return Shape(selector.source.version, *size, selector.protocol, source, destination)


def _set(cubes: Sequence[Selector], match: Callable[[Selector], str]) -> str:
    """The match of one rule for cubes of one shape."""
    family = "ip" if cubes[0].source.version == 4 else "ip6"
    rows = [(cube.source, cube.destination, cube.source_ports, cube.destination_ports) for cube in cubes]
    different = [place for place in range(len(FIELDS)) if len({row[place] for row in rows}) > 1]
    first = cubes[0]
    everything = AddressRange.everything(len(first.source.first))
    common = Selector(
        everything if 0 in different else first.source,
        everything if 1 in different else first.destination,
        first.protocol,
        ANY_PORT if 2 in different else first.source_ports,
        ANY_PORT if 3 in different else first.destination_ports,
    )
    if not different:
        return match(common)
    names = " . ".join(f"{'th' if place > 1 else family} {FIELDS[place]}" for place in different)
    elements = ", ".join(" . ".join(str(row[place]) for place in different) for row in rows)
    return f"{match(common)} {names} {{ {elements} }}"
