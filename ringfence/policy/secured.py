# SPDX-License-Identifier: Apache-2.0
"""Filters that permit traffic if it is protected, among the entries of an SPD.

Such a filter does not say how traffic is protected: rules do. So it takes their entries apart:

- at its own place stands each rule's part of its traffic, with what the filter demands, and behind them that the rest
  is blocked, for nothing protects it;
- before a more specific rule's entry stands the part of it that the filter is about: a rule and such a filter do not
  contradict each other, so both hold (on Windows, connection security and the firewall are two layers);
- before an entry that blocks stands what of it passes by filters that override blocks (Windows: authenticated bypass).
  Such a filter takes nothing away: what nothing blocks is as it would be without it.

Against statements that permit or block, the more specific one decides as always. Filters of one weight about the same
traffic are alternatives, and so is one that overrides blocks: who suffices for one of them passes.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from ringfence.databases.demand import Demand, Grant
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, SpdEntry
from ringfence.databases.spd_index import SelectorIndex
from ringfence.policy.model import Filter
from ringfence.policy.settle import encrypts

ARROWS = {Direction.BOTH: "<->", Direction.OUT: "->", Direction.IN: "<-"}


class Layer(NamedTuple):
    """Some traffic, and the filters of one weight that are about all of it."""

    selector: Selector
    directions: Direction
    origin: Origin
    """The first filter's."""
    grants: tuple[Grant, ...] = ()

    def shared(self, other: "SpdEntry | Layer") -> "Layer | None":
        """The part of it that ``other`` is about, too."""
        directions = self.directions & other.directions
        selector = self.selector.intersect(other.selector) if directions else None
        return None if selector is None else self._replace(selector=selector, directions=directions)


def secured(entries: Sequence[SpdEntry], rules: Container[str], filters: Mapping[str, Filter]) -> list[SpdEntry]:
    """The entries in their order, with what filters in ``filters`` demand.

    Of such a filter there are entries that block. ``rules`` are the names of statements that say what is protected.
    """
    if not filters:
        return [*entries]
    found: list[SpdEntry] = []
    known: set[tuple[Selector, Direction]] = set()
    for entry in _Taken(entries, rules, filters).all():
        key = entry.selector, entry.directions
        made = entry.demand is not None and entry.demand.rule is not None
        if not made or key not in known:  # behind one about the same traffic it would never decide
            found.append(entry)
        tunnel = entry.processing is not None and entry.processing.mode is Mode.TUNNEL
        if not tunnel:  # which may leave it to what follows
            known.add(key)
    return found


class _Taken:
    """Entries that are being taken apart."""

    def __init__(self, entries: Sequence[SpdEntry], rules: Container[str], filters: Mapping[str, Filter]) -> None:
        self._entries, self._filters = entries, filters
        self._of_rules = [one.origin.filter_list != "" or one.origin.rule in rules for one in entries]
        self._rules = SelectorIndex((at, one.selector) for at, one in enumerate(entries) if self._of_rules[at])
        overriding = [one.demand is not None and filters[one.origin.rule].override_block for one in entries]
        self._secure = SelectorIndex(
            (at, one.selector) for at, one in enumerate(entries) if one.demand is not None and not overriding[at]
        )
        self._overriding = SelectorIndex((at, one.selector) for at, one in enumerate(entries) if overriding[at])

    def all(self) -> Iterator[SpdEntry]:
        """What the entries come to."""
        for number, entry in enumerate(self._entries):
            if entry.demand is not None:
                if not self._filters[entry.origin.rule].override_block:
                    yield from self._at_its_place(number, entry)
                continue
            if entry.action is Action.PROTECT:
                yield from self._before_rule(number, entry)
            elif entry.action is Action.DISCARD and not self._of_rules[number]:
                yield from self._before_block(number, entry)
            yield entry

    def _at_its_place(self, number: int, entry: SpdEntry) -> Iterator[SpdEntry]:
        alike = (one for one in self._behind(self._secure, number, entry.selector) if one.weight == entry.weight)
        for layer in layers(entry, (entry, *alike, *self._past(entry))):
            yield from self._served(layer, number, entry.weight)
        yield entry

    def _before_rule(self, number: int, entry: SpdEntry) -> Iterator[SpdEntry]:
        behind = self._behind(self._secure, number, entry.selector)
        for _, group in groupby(behind, key=lambda one: one.weight):
            for layer in layers(entry, (*group, *self._past(entry))):
                if not all(self._filters[one.filter].override_block for one in layer.grants):
                    yield self._piece(layer, entry, entry.weight)

    def _before_block(self, number: int, entry: SpdEntry) -> Iterator[SpdEntry]:
        for layer in layers(entry, self._past(entry)):
            yield from self._served(layer, number, entry.weight, entry.origin)

    def _past(self, entry: SpdEntry) -> Iterator[SpdEntry]:
        """Those of filters that override blocks about some of its traffic."""
        return (self._entries[at] for at in sorted(self._overriding.overlapping(entry.selector)))

    def _behind(self, index: SelectorIndex, number: int, selector: Selector) -> Iterator[SpdEntry]:
        return (self._entries[at] for at in sorted(index.overlapping(selector)) if at > number)

    def _served(self, layer: Layer, number: int, weight: int, overrides: Origin | None = None) -> Iterator[SpdEntry]:
        """What rules behind the entry of this number make of a layer, down to one that is about all of it."""
        for rule in self._behind(self._rules, number, layer.selector):
            part = layer.shared(rule)
            if part is not None:
                yield self._piece(part, rule, weight, overrides)
                if part == layer:
                    return

    def _piece(self, layer: Layer, rule: SpdEntry, weight: int, overrides: Origin | None = None) -> SpdEntry:
        """What a rule's entry makes of a layer that lies in it: protected as is demanded, or blocked."""
        processing = None if rule.processing is None else self._processing(rule.processing, layer.grants)
        past = f', past "{overrides.rule}"' if overrides is not None else ""
        if processing is None and overrides is not None:
            layer = layer._replace(origin=overrides)
        words = str(layer.selector).replace("->", ARROWS[layer.directions], 1)
        return SpdEntry(
            name=f'{layer.origin.rule}/{words} (by "{rule.origin.rule}"{past})',
            selector=layer.selector,
            action=Action.DISCARD if processing is None else Action.PROTECT,
            origin=layer.origin,
            directions=layer.directions,
            processing=processing,
            peer="" if processing is None else rule.peer,
            weight=weight,
            demand=Demand(layer.grants, "" if processing is None else rule.name, rule.origin, overrides),
        )

    def _processing(self, processing: Processing, grants: tuple[Grant, ...]) -> Processing | None:
        """With the methods that suffice, and never in clear; None where no method does."""
        methods = processing.methods
        if any(one.encrypted for one in grants):
            methods = tuple(sorted(methods, key=lambda method: not encrypts(method)))
        if all(one.encrypted for one in grants):
            methods = tuple(filter(encrypts, methods))
        if not methods:
            return None
        return replace(processing, methods=methods, clear_in=False, clear_out=False, respond_only=False)


def layers(whole: SpdEntry, filters: Iterable[SpdEntry]) -> list[Layer]:
    """The traffic of ``whole`` by the filters that are about it; where they overlap, that part with all comes first."""
    everything = Layer(whole.selector, whole.directions, whole.origin)
    found: dict[tuple[Selector, Direction], Layer] = {}

    def add(layer: Layer, grants: tuple[Grant, ...]) -> None:
        known = found.setdefault((layer.selector, layer.directions), layer)
        merged = tuple(dict.fromkeys((*known.grants, *layer.grants, *grants)))
        found[layer.selector, layer.directions] = known._replace(grants=merged)

    for entry in filters:
        own = everything.shared(entry)
        if own is None or entry.demand is None:
            continue
        for other in [*found.values()]:
            both = other.shared(entry)
            if both is not None and not set(entry.demand.grants) <= set(other.grants):
                add(both, entry.demand.grants)
        add(own._replace(origin=entry.origin), entry.demand.grants)
    return sorted(found.values(), key=lambda layer: -len(layer.grants))
