# SPDX-License-Identifier: Apache-2.0
"""Negotiation is between two computers, so what goes to many at once is decided as if nothing protected it.

Before the first entry that protects any of it stand those parts of the following that permit or block it, in their
order, and then that the rest is permitted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, SpdEntry
from ringfence.net.address import AddressRange
from ringfence.policy.exempt import BUILT_IN, MANY_AT_ONCE

ARROWS = {Direction.BOTH: "<->", Direction.OUT: "->", Direction.IN: "<-"}
ORIGIN = Origin(f"{BUILT_IN}: multicast and broadcast")


def beside_multicast(entries: list[SpdEntry], broadcasts: Iterable[bytes]) -> Iterator[SpdEntry]:
    """The entries, with others between them for multicast and broadcast."""
    many = (*MANY_AT_ONCE, *map(AddressRange.host, broadcasts))
    first = next((number for number, entry in enumerate(entries) if _protects(entry, many)), len(entries))
    yield from entries[:first]
    made: dict[str, SpdEntry] = {}
    for entry in entries[first:]:
        if entry.action is not Action.PROTECT:
            for cube in _towards(entry, many):
                one = _part(entry, cube)
                made.setdefault(one.name, one)
    for entry in entries[first:]:
        if entry.action is Action.PROTECT:
            for cube in _towards(entry, many):
                one = _permit(cube, entry.directions)
                made.setdefault(one.name, one)
    yield from made.values()
    yield from entries[first:]


def _protects(entry: SpdEntry, many: tuple[AddressRange, ...]) -> bool:
    return entry.action is Action.PROTECT and any(_towards(entry, many))


def _towards(entry: SpdEntry, many: tuple[AddressRange, ...]) -> Iterator[Selector]:
    """The parts of what an entry sends that go to many."""
    if Direction.OUT in entry.directions:
        for addresses in many:
            destination = entry.selector.destination.intersect(addresses)
            if destination is not None:
                yield replace(entry.selector, destination=destination)


def _part(entry: SpdEntry, cube: Selector) -> SpdEntry:
    if entry.action is Action.BYPASS:
        return _permit(cube, entry.directions)
    name = f"{entry.origin.rule}/{_words(cube, entry.directions)} (multicast)"
    return replace(entry, name=name, selector=cube)


def _permit(cube: Selector, directions: Direction) -> SpdEntry:
    return SpdEntry(f"{BUILT_IN}/{_words(cube, directions)}", cube, Action.BYPASS, ORIGIN, directions)


def _words(cube: Selector, directions: Direction) -> str:
    return str(cube).replace("->", ARROWS[directions], 1)
