# SPDX-License-Identifier: Apache-2.0
"""Clear traffic where a rule would rather have it protected.

Outward: when there can be no SA and the entry allows it, traffic of that pair of hosts goes in clear, which is
remembered as a soft SA (Windows' word). It has a lifetime. Used after that, it begins another one, and whoever makes
SAs is asked to try again meanwhile; so traffic that goes on never waits a second time, and is protected as soon as the
peer can. Not used for as long again, it is forgotten.

Inward: a clear packet that an entry protects is accepted when the entry says so (Windows: inbound pass-through), or
while we fell back to clear towards its sender ourselves.
"""

from collections import OrderedDict
from collections.abc import Iterator

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, SpdEntry
from ringfence.datapath.contract import NO_LIMIT, Route
from ringfence.datapath.verdict import Drop
from ringfence.net.flow import FlowKey

Pair = tuple[str, bytes, bytes]


class SoftSa:
    """A pair of hosts that talk in clear for the time being, under an entry that would rather protect them."""

    __slots__ = ("entry", "flow", "last_used", "octets", "packets", "route", "since", "until")

    def __init__(self, entry: str, flow: FlowKey, now: float, seconds: float) -> None:
        self.entry = entry
        self.flow = flow
        """That it began with, from us outward."""
        self.since = now
        self.until = now + seconds
        """End of its present lifetime."""
        self.last_used: float | None = None
        self.packets = 0
        """Sent."""
        self.octets = 0
        self.route = Route(None, NO_LIMIT, self)

    def spend(self, packets: int, octets: int, now: float) -> None:
        """Count what was sent."""
        self.packets += packets
        self.octets += octets
        self.last_used = now


class SoftSas:
    """All of them."""

    def __init__(self, seconds: float, most: int) -> None:
        """``seconds`` is their lifetime, and how long one that is not used outlives it."""
        self._seconds = seconds
        self._most = most
        self._all: OrderedDict[Pair, SoftSa] = OrderedDict()
        """That whose lifetime ends first stands first."""

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[SoftSa]:
        yield from self._all.values()

    def begin(self, entry: str, flow: FlowKey, now: float) -> bool:
        """Let the hosts of ``flow`` (from us outward) talk in clear for a lifetime; whether that is news."""
        pair = (entry, flow.source, flow.destination)
        known = self._known(pair, now)
        if known is not None:
            self._renew(pair, known, now)
            return False
        self._all[pair] = SoftSa(entry, flow, now, self._seconds)
        self._all.move_to_end(pair)
        if len(self._all) > self._most:
            self._all.popitem(last=False)
        return True

    def find(self, entry: str, flow: FlowKey, now: float) -> tuple[SoftSa | None, bool]:
        """What lets a packet of ``flow`` leave in clear, if anything; and whether a new lifetime of it began."""
        pair = (entry, flow.source, flow.destination)
        known = self._known(pair, now) if self._all else None
        if known is None or now < known.until:
            return known, False
        self._renew(pair, known, now)
        return known, True

    def has(self, entry: str, flow: FlowKey, now: float) -> bool:
        """Whether the hosts of ``flow`` talk in clear."""
        return self._known((entry, flow.source, flow.destination), now) is not None

    def forget(self, entry: str, selector: Selector) -> None:
        """There is an SA for this traffic now."""
        for pair in [*self._all]:
            if pair[0] == entry and pair[1] in selector.source and pair[2] in selector.destination:
                del self._all[pair]

    def keep(self, entries: set[str]) -> None:
        """Forget what is of no entry of these."""
        for pair in [*self._all]:
            if pair[0] not in entries:
                del self._all[pair]

    def expire(self, now: float) -> int:
        """Forget what is over; how many that were."""
        gone = 0
        while self._all and self._end(next(iter(self._all.values()))) <= now:
            self._all.popitem(last=False)
            gone += 1
        return gone

    def next_timer(self) -> float | None:
        """When the first one is over, if it is not used."""
        return next((self._end(one) for one in self._all.values()), None)

    def _end(self, one: SoftSa) -> float:
        return one.until + self._seconds

    def _known(self, pair: Pair, now: float) -> SoftSa | None:
        known = self._all.get(pair)
        return known if known is not None and now < self._end(known) else None

    def _renew(self, pair: Pair, known: SoftSa, now: float) -> None:
        known.until = now + self._seconds
        self._all.move_to_end(pair)


def refuse_clear(entry: SpdEntry | None, flow: FlowKey, soft: SoftSas, now: float) -> Drop | None:
    """Why a clear packet of ``flow`` must not come in, ``entry`` being what the SPD says of it; None: it may."""
    if entry is None or entry.action is Action.BYPASS:
        return None
    if entry.action is Action.DISCARD or entry.processing is None:
        return Drop.BLOCKED
    if entry.demand is not None and entry.demand.overrides is not None:
        return Drop.BLOCKED
    if entry.processing.clear_in or soft.has(entry.name, flow.reversed(), now):
        return None
    return Drop.CLEAR_BUT_PROTECTION_REQUIRED
