# SPDX-License-Identifier: Apache-2.0
"""Entries of the policy whose traffic may go by one contract: those of one rule that want just the same of one peer.

A rule between several networks becomes an entry for each pair of them. IKEv1 needs a contract for each; in IKEv2 a
child SA has several traffic selectors at each side, and is for every pair of them (RFC 7296 §2.9).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from ringfence.databases.sa import Mode, Share
from ringfence.databases.selector import Selector
from ringfence.databases.spd import SpdEntry

MOST = 16
"""Pairs of one contract."""


def are_siblings(one: SpdEntry, other: SpdEntry) -> bool:
    """Whether two different entries are such; transport mode is between two hosts anyway."""
    processing = one.processing
    return (
        processing is not None
        and processing.mode is Mode.TUNNEL
        and one.name != other.name
        and (one.origin.rule, one.peer, one.directions) == (other.origin.rule, other.peer, other.directions)
        and one.demand is other.demand is None
        and processing == other.processing
    )


def siblings(entries: Iterable[SpdEntry], entry: SpdEntry) -> tuple[Share, ...]:
    """What else of a policy may go by a contract for ``entry``."""
    found = (Share(one.name, one.selector) for one in entries if are_siblings(entry, one))
    return tuple(share for share, _ in zip(found, range(MOST), strict=False))


def together(first: Share, candidates: Sequence[Share]) -> tuple[Share, ...]:
    """``first``, and as many of ``candidates`` as can be said with it: every pair of both sides must be one of them."""
    chosen: tuple[Share, ...] = (first,)
    for one in candidates:
        if len(chosen) == MOST:
            break
        if not any(other.selector.covers(one.selector) for other in chosen):
            chosen = _closed((*chosen, one), (first, *candidates)) or chosen
    return chosen


def _closed(chosen: tuple[Share, ...], known: tuple[Share, ...]) -> tuple[Share, ...] | None:
    """All pairs of both sides, each as the share that it is of; None if one is of none, or there are too many."""
    found = list(chosen)
    for pair in _pairs([one.selector for one in chosen]):
        if any(one.selector.covers(pair) for one in found):
            continue
        share = next((Share(one.entry, pair) for one in known if one.selector.covers(pair)), None)
        if share is None or len(found) == MOST:
            return None
        found.append(share)
    return tuple(found)


def _pairs(selectors: Sequence[Selector]) -> Iterator[Selector]:
    """Each source with each destination that it goes together with."""
    sources = dict.fromkeys((one.source, one.protocol, one.source_ports) for one in selectors)
    destinations = dict.fromkeys((one.destination, one.protocol, one.destination_ports) for one in selectors)
    for (source, protocol, ports), (destination, other, other_ports) in product(sources, destinations):
        if source.version == destination.version and (protocol is None or other is None or protocol == other):
            yield Selector(source, destination, protocol or other, ports, other_ports)


def beside(first: Share, granted: Sequence[Selector], asked: Sequence[Share]) -> tuple[Share, ...]:
    """What a peer grants of what we ``asked`` besides ``first``."""
    found: dict[Share, None] = {}
    for pair in granted:
        share = next((Share(one.entry, pair) for one in asked if one.selector.covers(pair)), None)
        if share is not None and not first.selector.covers(pair):
            found[share] = None
    return tuple(found)[:MOST]
