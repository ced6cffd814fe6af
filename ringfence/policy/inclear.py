# SPDX-License-Identifier: Apache-2.0
"""The entries that stand before all others: what is always in clear, and before it what was written about just that.

Only who names such traffic and nothing else decides on it, and only as far as it is such: of a filter for the other
end's UDP port 500 that is what comes from a port of our own IKE. The rest of it keeps its place among the others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Origin, SpdEntry
from ringfence.policy.exempt import BUILT_IN, OTHERS, Exemption, many_at_once
from ringfence.policy.multicast import ARROWS
from ringfence.policy.weight import TUNNEL


def asked(entries: Iterable[SpdEntry], exempt: Iterable[Exemption], own: tuple[bytes, ...]) -> Iterator[SpdEntry]:
    """Of entries that were written about nothing but exempt traffic those parts that are; a tunnel's are not."""
    exempt = tuple(exempt)
    selectors = [one for each in exempt for one in each.selectors(own)]
    for entry in entries:
        if entry.action is Action.PROTECT or entry.weight >= TUNNEL:
            continue
        if entry.demand is not None and entry.demand.rule is not None:
            continue  # what a filter and a rule have in common nobody wrote
        if not any(one.names(entry.selector) for one in (*OTHERS, *exempt)):
            continue
        found = (entry.selector.intersect(one) for one in selectors)
        parts = dict.fromkeys(one for one in found if one is not None)
        if entry.selector in parts:
            yield entry
            continue
        arrow = ARROWS[entry.directions]
        for part in parts:
            name = f"{entry.origin.rule}/{str(part).replace('->', arrow, 1)} (exempt)"
            yield replace(entry, name=name, selector=part)


def with_exemptions(
    entries: Iterable[SpdEntry], built_in: Iterable[SpdEntry], asked: Iterable[SpdEntry]
) -> Iterator[SpdEntry]:
    """Entries about nothing but exempt traffic, the exemptions, then the rest."""
    first = {entry.name: entry for entry in asked}
    rest = [entry for entry in entries if entry.name not in first]
    yield from first.values()
    if any(entry.action is not Action.BYPASS for entry in (*first.values(), *rest)):
        yield from built_in
    yield from rest


def built_in(own: tuple[bytes, ...], exempt: Iterable[Exemption]) -> Iterator[SpdEntry]:
    """Those that let ``exempt`` traffic pass, of addresses of our ``own`` where that is meant."""
    for exemption in exempt:
        for selector in exemption.selectors(own):
            yield clear(exemption.word, selector, f"{exemption.word} ")


def many(broadcasts: Iterable[bytes]) -> Iterator[SpdEntry]:
    """Those that let what goes to many at once pass."""
    for selector in many_at_once(broadcasts):
        yield clear("multicast and broadcast", selector, "multicast ")


def clear(word: str, selector: Selector, mark: str = "") -> SpdEntry:
    """One that is in no document; ``mark`` makes its name its own."""
    name = f"{BUILT_IN}/{mark}{str(selector).replace('->', '<->', 1)}"
    return SpdEntry(name, selector, Action.BYPASS, Origin(f"{BUILT_IN}: {word}"))
