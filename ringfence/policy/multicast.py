# SPDX-License-Identifier: Apache-2.0
"""Traffic that no rule protects is decided as if nothing protected it.

Negotiation is between two computers, so what goes to many at once cannot be; ICMP may be exempt. Before the first entry
that protects any of it stand those parts of the following that permit or block it, in their order, and then that the
rest is permitted. ICMP inside a tunnel stays there.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, SpdEntry
from ringfence.net.address import AddressRange
from ringfence.policy.exempt import BUILT_IN, MANY_AT_ONCE, Exemption

ARROWS = {Direction.BOTH: "<->", Direction.OUT: "->", Direction.IN: "<-"}

Parts = Callable[[SpdEntry], Iterator[Selector]]
"""What of an entry's traffic is meant."""


def beside_multicast(entries: Iterable[SpdEntry], broadcasts: Iterable[bytes]) -> list[SpdEntry]:
    """The entries, with others between them for multicast and broadcast."""
    many = (*MANY_AT_ONCE, *map(AddressRange.host, broadcasts))
    return _beside(list(entries), lambda entry: _towards(entry, many), "multicast and broadcast", "multicast")


def beside_exempt(entries: Iterable[SpdEntry], exempt: Iterable[Exemption]) -> list[SpdEntry]:
    """The entries, with others between them for exempt traffic."""
    found = list(entries)
    for one in exempt:
        found = _beside(found, lambda entry, one=one: _named(entry, one), one.word, one.word)  # type: ignore[misc]
    return found


def _beside(entries: list[SpdEntry], parts: Parts, word: str, mark: str) -> list[SpdEntry]:
    first = next((number for number, entry in enumerate(entries) if _protects(entry, parts)), len(entries))
    made: dict[str, SpdEntry] = {}
    for entry in entries[first:]:
        if entry.action is not Action.PROTECT:
            for cube in parts(entry):
                one = _part(entry, cube, word, mark)
                made.setdefault(one.name, one)
    for entry in entries[first:]:
        if entry.action is Action.PROTECT:
            for cube in parts(entry):
                one = _permit(cube, entry.directions, word)
                made.setdefault(one.name, one)
    found: dict[str, SpdEntry] = {}
    for one in (*entries[:first], *made.values(), *entries[first:]):
        found.setdefault(one.name, one)  # what is of two exempt kinds decides where it stands first
    return list(found.values())


def _protects(entry: SpdEntry, parts: Parts) -> bool:
    return entry.action is Action.PROTECT and any(parts(entry))


def _named(entry: SpdEntry, exempt: Exemption) -> Iterator[Selector]:
    """The part of an entry that is exempt traffic; none of a tunnel's."""
    selector, tunnel = entry.selector, entry.processing is not None and entry.processing.mode is Mode.TUNNEL
    if tunnel or selector.source.version not in exempt.versions or selector.protocol not in (None, exempt.protocol):
        return
    ports = selector.source_ports.intersect(exempt.local_ports)
    if ports is not None:
        yield replace(selector, protocol=exempt.protocol, source_ports=ports, destination_ports=ports)


def _towards(entry: SpdEntry, many: tuple[AddressRange, ...]) -> Iterator[Selector]:
    """The parts of an entry's traffic that go to many, whether they leave or come in."""
    for addresses in many:
        sent, received = (end.intersect(addresses) for end in (entry.selector.destination, entry.selector.source))
        if sent is not None and Direction.OUT in entry.directions:
            yield replace(entry.selector, destination=sent)
        if received is not None and Direction.IN in entry.directions:
            yield replace(entry.selector, source=received)


def _part(entry: SpdEntry, cube: Selector, word: str, mark: str) -> SpdEntry:
    if entry.action is Action.BYPASS:
        return _permit(cube, entry.directions, word)
    name = f"{entry.origin.rule}/{_words(cube, entry.directions)} ({mark})"
    return replace(entry, name=name, selector=cube)


def _permit(cube: Selector, directions: Direction, word: str) -> SpdEntry:
    name = f"{BUILT_IN}/{_words(cube, directions)}"
    return SpdEntry(name, cube, Action.BYPASS, Origin(f"{BUILT_IN}: {word}"), directions)


def _words(cube: Selector, directions: Direction) -> str:
    return str(cube).replace("->", ARROWS[directions], 1)
