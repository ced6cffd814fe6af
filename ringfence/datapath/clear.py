# SPDX-License-Identifier: Apache-2.0
"""Clear traffic where a rule would rather have it protected.

Outward: when there can be no SA and the entry allows it, traffic of that pair of hosts goes in clear (Windows: fallback
to clear, remembered as a soft SA). It is remembered for a while only, then IKE is tried again.

Inward: a clear packet that an entry protects is accepted when the entry says so (Windows: inbound pass-through), or
while we fell back to clear towards its sender ourselves.
"""

from collections import OrderedDict

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, SpdEntry
from ringfence.datapath.verdict import Drop
from ringfence.net.flow import FlowKey

Pair = tuple[str, bytes, bytes]


class ClearPairs:
    """Pairs of hosts that talk in clear for the time being, each under its entry."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._until: OrderedDict[Pair, float] = OrderedDict()
        """Oldest first."""

    def __len__(self) -> int:
        return len(self._until)

    def remember(self, entry: str, flow: FlowKey, now: float) -> bool:
        """Let the hosts of ``flow`` (from us outward) talk in clear; whether that is news."""
        pair = (entry, flow.source, flow.destination)
        known = self._until.pop(pair, now) > now
        self._until[pair] = now + self._seconds
        if len(self._until) > self._most:
            self._until.popitem(last=False)
        return not known

    def __contains__(self, item: tuple[str, FlowKey, float]) -> bool:
        entry, flow, now = item
        return bool(self._until) and self._until.get((entry, flow.source, flow.destination), now) > now

    def forget(self, entry: str, selector: Selector) -> None:
        """There is an SA for this traffic now."""
        for pair in [*self._until]:
            if pair[0] == entry and pair[1] in selector.source and pair[2] in selector.destination:
                del self._until[pair]

    def keep(self, entries: set[str]) -> None:
        """Forget what is of no entry of these."""
        for pair in [*self._until]:
            if pair[0] not in entries:
                del self._until[pair]

    def expire(self, now: float) -> int:
        """Forget what is over; how many that were."""
        gone = 0
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
            gone += 1
        return gone

    def next_timer(self) -> float | None:
        """When the first one is over."""
        return next(iter(self._until.values()), None)


def refuse_clear(entry: SpdEntry | None, flow: FlowKey, pairs: ClearPairs, now: float) -> Drop | None:
    """Why a clear packet of ``flow`` must not come in, ``entry`` being what the SPD says of it; None: it may."""
    if entry is None or entry.action is Action.BYPASS:
        return None
    if entry.action is Action.DISCARD or entry.processing is None:
        return Drop.BLOCKED
    if entry.processing.clear_in or (entry.name, flow.reversed(), now) in pairs:
        return None
    return Drop.CLEAR_BUT_PROTECTION_REQUIRED
