# SPDX-License-Identifier: Apache-2.0
"""Tunnels that leave alone what another rule of this computer protects (Windows: exempt IPsec protected connections).

A tunnel's entry comes before all that is no tunnel, so it would take traffic from the rule that protects it between the
two computers themselves. Where the tunnel says ``exempt-protected``, the parts of such rules that lie in it come before
it. Only what a rule surely protects counts, with ESP and never in clear: whatever it would let go in clear stays in the
tunnel. What decides before such a rule, were there no tunnel, keeps its part from it: that goes into the tunnel, too.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.databases.spd_index import SelectorIndex

ARROWS = {Direction.BOTH: "<->", Direction.OUT: "->", Direction.IN: "<-"}


def beside_tunnels(entries: Sequence[SpdEntry], exempt: Container[str]) -> list[SpdEntry]:
    """The entries in their order, with parts of them before the tunnels of the rules that ``exempt`` names."""
    tunnels = [number for number, one in enumerate(entries) if _is_tunnel(one) and _rule(one) in exempt]
    if not tunnels:
        return [*entries]
    index = SelectorIndex((number, one.selector) for number, one in enumerate(entries))
    before = {number: _parts(entries, number, index, frozenset(tunnels)) for number in tunnels}
    found: dict[str, SpdEntry] = {}
    for number, entry in enumerate(entries):
        for one in (*before.get(number, ()), entry):
            found.setdefault(one.name, one)
    return list(found.values())


def _parts(entries: Sequence[SpdEntry], number: int, index: SelectorIndex, alike: Container[int]) -> list[SpdEntry]:
    """What decides in a tunnel's traffic before the tunnel, as far as the last rule that protects some of it."""
    tunnel = entries[number]
    near = sorted(index.overlapping(tunnel.selector))
    behind = (entries[at] for at in near if at > number and at not in alike)
    made = [(part, protects(one)) for one in behind for part in _shared(tunnel, one)]
    last = max((at for at, (_, protected) in enumerate(made) if protected), default=-1)
    return [part for part, _ in made[: last + 1]]


def _shared(tunnel: SpdEntry, other: SpdEntry) -> Iterator[SpdEntry]:
    """The traffic that both are about, for whom it is."""
    directions = tunnel.directions & other.directions
    selector = tunnel.selector.intersect(other.selector) if directions else None
    if selector is None:
        return
    mine, beside = (other, tunnel) if protects(other) else (tunnel, other)
    words = str(selector).replace("->", ARROWS[directions], 1)
    name = f'{mine.origin.rule}/{words} (beside "{beside.origin.rule}")'
    yield replace(mine, name=name, selector=selector, directions=directions, weight=tunnel.weight)


def protects(entry: SpdEntry) -> bool:
    """Whether an entry has all of its traffic in ESP between the computers themselves, whatever happens."""
    processing = entry.processing
    if processing is None or processing.mode is Mode.TUNNEL or entry.directions is not Direction.BOTH:
        return False
    esp = all(any(one.protocol is Protocol.ESP for one in method.transforms) for method in processing.methods)
    return bool(processing.methods) and esp and not (processing.clear_in or processing.clear_out)


def _rule(entry: SpdEntry) -> str:
    """That protects; what a filter asks of its traffic besides, a tunnel leaves alone likewise."""
    return entry.origin.rule if entry.demand is None or entry.demand.rule is None else entry.demand.rule.rule


def _is_tunnel(entry: SpdEntry) -> bool:
    return entry.action is Action.PROTECT and entry.processing is not None and entry.processing.mode is Mode.TUNNEL
