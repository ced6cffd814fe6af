# SPDX-License-Identifier: Apache-2.0
"""Which of many cubes is the first that a flow lies in, found without asking them all.

A cube is a range in each of five dimensions: both addresses, protocol, both ports. Its range in one dimension is laid
out as one or two blocks (``net.ranges``) that cover it, at most twice as large as the range itself; so a cube stands in
16 places at most, whatever it ranges over. A branch has a hash table for each size of block in use, and
the flow's value names one block in each. What lies there is divided by the next dimension, until few cubes are left,
and these are compared with the flow. Blocks being larger than ranges, only that comparison decides.

Every table knows the least number among its cubes, and is passed over once an earlier cube has been found.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ringfence.databases.selector import Selector
from ringfence.net.address import IPV4_OCTETS, IPV6_OCTETS, PortRange
from ringfence.net.flow import FlowKey
from ringfence.net.ranges import blocks

AT_ONCE = 8
"""Cubes that are compared one after the other rather than divided further."""

PROTOCOL_BITS, PORT_BITS = 8, 16
UNSEEN = -1
"""The port of a packet whose ports cannot be seen: only a range of any port begins there."""
ALL = 1 << 16
"""The end of a range of any protocol or port."""
ANY_PORTS = UNSEEN, ALL
ANY_SHIFT = 128
"""Leaves nothing of any value: the size of the one block of what may have any."""
DIMENSIONS = 5
FIRST_OF_EACH = range(1, 2 * DIMENSIONS, 2)
"""Where a row has the first value of each dimension."""
NOT_FOUND = 1 << 62
"""Greater than any number."""

Row = tuple[int, int, int, int, int, int, int, int, int, int, int]
"""A cube's number, then first and last in each dimension."""
Point = tuple[int, int, int, int, int]


class Branch:
    """Cubes divided by one dimension."""

    __slots__ = ("dimension", "tables")

    def __init__(self, dimension: int, tables: tuple["Table", ...]) -> None:
        self.dimension = dimension
        self.tables = tables
        """In the order of their least numbers."""


Place = Branch | tuple[Row, ...]


class Table(NamedTuple):
    """All blocks of one size."""

    least: int
    """The least number of a cube in it."""
    shift: int
    """A block holds ``1 << shift`` values."""
    blocks: dict[int, Place]
    """By the value that is left when a value in the block is shifted."""


class SelectorIndex:
    """Selectors by their numbers."""

    def __init__(self, selectors: Iterable[tuple[int, Selector]], *, ports: bool = True) -> None:
        """``selectors`` in ascending order of their numbers; without ``ports`` a selector is taken as of any port."""
        rows: dict[int, list[Row]] = {IPV4_OCTETS: [], IPV6_OCTETS: []}
        for number, selector in selectors:
            rows[len(selector.source.first)].append(_row(number, selector, ports=ports))
        self._places = {octets: _divide(found, 0, octets * 8) for octets, found in rows.items()}

    def first(self, flow: FlowKey) -> int | None:
        """The least number of a selector that holds ``flow``."""
        source, destination, protocol, source_port, destination_port = flow
        octets = len(destination)
        if len(source) != octets:
            return None
        point = (
            int.from_bytes(destination),
            int.from_bytes(source),
            protocol,
            UNSEEN if destination_port is None else destination_port,
            UNSEEN if source_port is None else source_port,
        )
        found = _search(self._places[octets], point, NOT_FOUND)
        return None if found == NOT_FOUND else found

    def covering(self, selector: Selector, above: int = -1) -> int | None:
        """The least number greater than ``above`` of a selector that covers all of ``selector``."""
        row = _row(above, selector, ports=True)
        found = _search_covering(self._places[len(selector.source.first)], row, NOT_FOUND)
        return None if found == NOT_FOUND else found

    def overlapping(self, selector: Selector) -> Iterator[int]:
        """The numbers of selectors that share traffic with ``selector``, each once, in no order."""
        seen: set[int] = set()
        for number in _overlaps(self._places[len(selector.source.first)], _row(0, selector, ports=True)):
            if number not in seen:
                seen.add(number)
                yield number


def _search(place: Place, point: Point, best: int) -> int:
    """The least number below ``best`` of a cube in ``place`` that holds ``point``, or ``best``."""
    if isinstance(place, Branch):
        value = point[place.dimension]
        for least, shift, table in place.tables:
            if least >= best:
                break
            found = table.get(value >> shift)
            if found is not None:
                best = _search(found, point, best)
        return best
    a, b, c, d, e = point
    for number, a0, a1, b0, b1, c0, c1, d0, d1, e0, e1 in place:
        if number >= best:
            break
        if a0 <= a <= a1 and b0 <= b <= b1 and c0 <= c <= c1 and d0 <= d <= d1 and e0 <= e <= e1:
            return number
    return best


def _search_covering(place: Place, asked: Row, best: int) -> int:
    """The least number between that of ``asked`` and ``best`` of a cube that covers all of it, or ``best``."""
    if isinstance(place, Branch):
        value = asked[1 + 2 * place.dimension]
        for least, shift, table in place.tables:
            if least >= best:
                break
            found = table.get(value >> shift)
            if found is not None:
                best = _search_covering(found, asked, best)
        return best
    for row in place:
        if row[0] >= best:
            break
        if row[0] > asked[0] and all(row[at] <= asked[at] and asked[at + 1] <= row[at + 1] for at in FIRST_OF_EACH):
            return row[0]
    return best


def _overlaps(place: Place, asked: Row) -> Iterator[int]:
    """The numbers of cubes in ``place`` that share something with ``asked``; a number may come again."""
    if not isinstance(place, Branch):
        for row in place:
            if all(row[at] <= asked[at + 1] and asked[at] <= row[at + 1] for at in FIRST_OF_EACH):
                yield row[0]
        return
    at = 1 + 2 * place.dimension
    for _, shift, table in place.tables:
        if shift == ANY_SHIFT:
            yield from _overlaps(table[0], asked)
            continue
        first, last = asked[at] >> shift, asked[at + 1] >> shift
        near = range(first, last + 1) if last - first < len(table) else (key for key in table if first <= key <= last)
        for key in near:
            if key in table:
                yield from _overlaps(table[key], asked)


def _row(number: int, selector: Selector, *, ports: bool) -> Row:
    source, destination, protocol = selector.source, selector.destination, selector.protocol
    return (
        number,
        int.from_bytes(destination.first), int.from_bytes(destination.last),
        int.from_bytes(source.first), int.from_bytes(source.last),
        *((0, ALL) if protocol is None else (protocol, protocol)),
        *(_ports(selector.destination_ports) if ports else ANY_PORTS),
        *(_ports(selector.source_ports) if ports else ANY_PORTS),
    )  # fmt: skip


def _ports(ports: PortRange) -> tuple[int, int]:
    return ANY_PORTS if ports.is_any else (ports.first, ports.last)


def _divide(rows: Sequence[Row], dimension: int, address_bits: int) -> Place:
    """A place for ``rows``, which are in the order of their numbers, divided by ``dimension`` and those behind it."""
    if len(rows) <= AT_ONCE or dimension == DIMENSIONS:
        return tuple(rows)
    bits = address_bits if dimension < 2 else PORT_BITS if dimension > 2 else PROTOCOL_BITS
    groups: dict[int, dict[int, list[Row]]] = {}
    at = 1 + 2 * dimension
    for row in rows:
        for shift, block in _blocks(row[at], row[at + 1], bits):
            groups.setdefault(shift, {}).setdefault(block, []).append(row)
    if sum(map(len, groups.values())) == 1:
        return _divide(rows, dimension + 1, address_bits)
    tables = []
    for shift, found in groups.items():
        divided = {block: _divide(inside, dimension + 1, address_bits) for block, inside in found.items()}
        if shift == ANY_SHIFT:
            divided[UNSEEN] = divided[0]
        tables.append(Table(min(inside[0][0] for inside in found.values()), shift, divided))
    return Branch(dimension, tuple(sorted(tables, key=lambda table: table.least)))


def _blocks(first: int, last: int, bits: int) -> list[tuple[int, int]]:
    return [(ANY_SHIFT, 0)] if first <= 0 and last >= (1 << bits) - 1 else blocks(first, last)
