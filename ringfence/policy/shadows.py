# SPDX-License-Identifier: Apache-2.0
"""Statements that stand in each other's way: those that never decide, and those of equal right that disagree.

An entry is a box in five dimensions. What earlier entries leave of it is found by cutting them out, piece by piece;
where that takes too many pieces, something is taken to be left.
"""

from collections.abc import Iterator, Mapping

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.databases.spd_index import SelectorIndex
from ringfence.net.address import PortRange
from ringfence.policy import words
from ringfence.policy.compile import BUILT_IN, Compiled
from ringfence.policy.errors import Finding
from ringfence.policy.lower import statements
from ringfence.policy.model import Filter, Policy, Rule
from ringfence.policy.validate import beaten, warning

PIECES_AT_MOST = 200
CONTRADICTIONS_AT_MOST = 20
"""Of one statement."""
NAMES_AT_MOST = 3

Box = tuple[tuple[int, int], ...]
"""First and last in each dimension."""
Statements = Mapping[str, Rule | Filter]


def shadows(policy: Policy, compiled: Compiled) -> Iterator[Finding]:
    """Warnings about statements that never decide, or that contradict others of the same weight."""
    named: dict[str, Rule | Filter] = {}
    for item in statements(policy):
        named.setdefault(item.name, item)
    entries = [entry for entry in compiled.spd if not entry.origin.rule.startswith(BUILT_IN)]
    index = SelectorIndex((number, entry.selector) for number, entry in enumerate(entries))
    lost = beaten(compiled)
    yield from _shadowed(named, entries, index, lost)
    yield from _contradictory(named, entries, index, lost)


def _shadowed(
    named: Statements, entries: list[SpdEntry], index: SelectorIndex, lost: Mapping[str, set[str]]
) -> Iterator[Finding]:
    alive: set[str] = set(lost)  # of which ``validate`` speaks
    bases = {one.demand.basis for one in entries if one.demand is not None}
    shadowing: dict[str, dict[str, None]] = {}
    for number, entry in enumerate(entries):
        name = entry.origin.rule
        processing = entry.processing
        if entry.name in bases:
            alive.add(name)  # it says how traffic is protected that a filter permits
        if name in alive or (processing is not None and processing.respond_only):
            continue
        earlier = [entries[n] for n in sorted(index.overlapping(entry.selector)) if n < number]
        others = [
            one for one in earlier if one.origin.rule != name and (one.demand is None or one.demand.overrides is None)
        ]
        if _is_covered(entry, others):
            shadowing.setdefault(name, {}).update(dict.fromkeys(one.origin.rule for one in others))
        else:
            alive.add(name)
    for name, winners in shadowing.items():
        if name not in alive and name in named:
            yield warning(
                named[name], f"never decides: what it is about is decided by {_listed(list(winners))}",
                cure="Remove it, or say the others of less.",
            )  # fmt: skip


def _is_covered(entry: SpdEntry, others: list[SpdEntry]) -> bool:
    for direction in (Direction.OUT, Direction.IN):
        if direction in entry.directions:
            cutting = [_box(one.selector) for one in others if direction in one.directions]
            if _is_left(_box(entry.selector), cutting):
                return False
    return True


def _is_left(whole: Box, others: list[Box]) -> bool:
    """Whether anything of ``whole`` is in none of ``others``."""
    pieces = [whole]
    for other in others:
        pieces = [rest for piece in pieces for rest in cut(piece, other)]
        if not pieces:
            return False
        if len(pieces) > PIECES_AT_MOST:
            return True
    return True


def cut(piece: Box, other: Box) -> Iterator[Box]:
    """What is left of ``piece`` without ``other``, in pieces that do not overlap."""
    if any(b < c or d < a for (a, b), (c, d) in zip(piece, other, strict=True)):
        yield piece
        return
    for at, ((first, last), (c, d)) in enumerate(zip(piece, other, strict=True)):
        if first < c:
            yield (*piece[:at], (first, c - 1), *piece[at + 1 :])
        if d < last:
            yield (*piece[:at], (d + 1, last), *piece[at + 1 :])
        piece = (*piece[:at], (max(first, c), min(last, d)), *piece[at + 1 :])


def _box(selector: Selector) -> Box:
    protocol = (0, 1 << 8) if selector.protocol is None else (selector.protocol, selector.protocol)
    ends = [(int.from_bytes(one.first), int.from_bytes(one.last)) for one in (selector.source, selector.destination)]
    return (*ends, protocol, _ports(selector.source_ports), _ports(selector.destination_ports))


def _ports(ports: PortRange) -> tuple[int, int]:
    """A packet whose ports cannot be seen is only in a range of any port, as one below all ports."""
    return (-1, 65535) if ports.is_any else (ports.first, ports.last)


def _contradictory(
    named: Statements, entries: list[SpdEntry], index: SelectorIndex, lost: Mapping[str, set[str]]
) -> Iterator[Finding]:
    told: dict[str, set[str]] = {}
    for number, entry in enumerate(entries):
        name = entry.origin.rule
        known = told.setdefault(name, set(lost.get(name, ())))
        if name not in named or len(known) > CONTRADICTIONS_AT_MOST:
            continue
        for other in (entries[n] for n in sorted(index.overlapping(entry.selector)) if n < number):
            if other.origin.rule in (name, *known) or not _disagree(entry, other):
                continue
            known.add(other.origin.rule)
            shared = entry.selector.intersect(other.selector)
            where = other.origin.place.beside(entry.origin.place)
            yield warning(
                named[name],
                f'contradicts "{other.origin.rule}" ({where}) about {shared}: both are equally '
                f'specific, and so "{other.origin.rule}" wins, by which it is {words.treatment(other)}',
                cure="Name the addresses or ports in the one that shall win more narrowly.",
            )  # fmt: skip


def _disagree(entry: SpdEntry, other: SpdEntry) -> bool:
    """Whether two entries of one weight do different things with what both are about."""
    if entry.weight != other.weight or not entry.directions & other.directions:
        return False
    demands = [one.demand for one in (entry, other) if one.demand is not None]
    if any(one.rule is not None for one in demands) or (demands and Action.PROTECT in (entry.action, other.action)):
        return False  # what a filter asks of a rule's SAs contradicts no rule
    if entry.action is not other.action:
        return True
    one, two = entry.processing, other.processing
    if entry.action is not Action.PROTECT or one is None or two is None or one.respond_only or two.respond_only:
        return False
    return (one.clear_in, one.clear_out) != (two.clear_in, two.clear_out)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_AT_MOST} more" if len(names) > NAMES_AT_MOST else ""
    return ", ".join(f'"{name}"' for name in names[:NAMES_AT_MOST]) + more
