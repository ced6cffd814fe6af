# SPDX-License-Identifier: Apache-2.0
"""Packets that wait for their SA while IKE agrees on it.

Packets of one kind wait in one queue and share one negotiation. In transport mode a kind is an entry and a pair of
hosts, in tunnel mode the entry alone, whose tunnel will carry them all. Everything is bounded: packets and octets of a
kind, octets in all, kinds, and time. A full queue drops what comes, not what waits, so that the order stays; after a
failure a kind is refused for a moment, so that a host that insists does not make us negotiate without pause.
"""

from collections import deque
from typing import NamedTuple

from ringfence.databases.sa import Mode
from ringfence.databases.spd import SpdEntry
from ringfence.datapath.limits import HoldLimits
from ringfence.datapath.verdict import Drop
from ringfence.net.flow import FlowKey

Kind = tuple[str, bytes, bytes]


def kind_of(entry: SpdEntry, flow: FlowKey) -> Kind:
    """What a packet of ``flow`` waits for."""
    if entry.processing is not None and entry.processing.mode is Mode.TUNNEL:
        return entry.name, b"", b""
    return entry.name, flow.source, flow.destination


class Held(NamedTuple):
    """One packet that waits."""

    until: float
    flow: FlowKey
    packet: bytes


class Holding:
    """All packets that wait."""

    def __init__(self, limits: HoldLimits) -> None:
        self._limits = limits
        self._queues: dict[Kind, deque[Held]] = {}
        self._octets: dict[Kind, int] = {}
        self._refused: dict[Kind, float] = {}
        """Until when."""
        self.octets = 0
        """That wait in all."""

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def add(self, kind: Kind, flow: FlowKey, packet: bytes, now: float) -> bool | Drop:
        """Keep ``packet``; whether it is the first of its kind, or why it was not kept."""
        if self._refused and self._refused.get(kind, now) > now:
            return Drop.NO_SA
        queue, limits, octets = self._queues.get(kind), self._limits, len(packet)
        if queue is None:
            if len(self._queues) >= limits.kinds or self.octets + octets > limits.all_octets or octets > limits.octets:
                return Drop.HOLD_FULL
            queue = self._queues[kind] = deque()
            self._octets[kind] = 0
        elif (
            len(queue) >= limits.packets
            or self._octets[kind] + octets > limits.octets
            or self.octets + octets > limits.all_octets
        ):
            return Drop.HOLD_FULL
        queue.append(Held(now + limits.seconds, flow, packet))
        self._octets[kind] += octets
        self.octets += octets
        return len(queue) == 1

    def take(self, kind: Kind) -> list[Held]:
        """All of a kind, in order; they wait no more."""
        self.octets -= self._octets.pop(kind, 0)
        return [*self._queues.pop(kind, ())]

    def kinds(self, entry: str | None = None) -> list[Kind]:
        """Kinds of which some wait, of one entry or of all."""
        return [kind for kind in self._queues if entry in (None, kind[0])]

    def flows(self, kind: Kind) -> list[FlowKey]:
        """Flows of the packets of one kind."""
        return [held.flow for held in self._queues.get(kind, ())]

    def refuse(self, kind: Kind, now: float) -> None:
        """Drop packets of this kind for a moment."""
        if len(self._refused) >= self._limits.kinds:
            self._refused = {kind: until for kind, until in self._refused.items() if until > now}
        if len(self._refused) < self._limits.kinds:
            self._refused[kind] = now + self._limits.retry_seconds

    def forgive(self, entry: str | None = None) -> None:
        """Refuse no more, of one entry or at all."""
        self._refused = {kind: until for kind, until in self._refused.items() if entry not in (None, kind[0])}

    def expire(self, now: float) -> list[Held]:
        """What waited too long; it waits no more."""
        late: list[Held] = []
        for kind, queue in [*self._queues.items()]:
            while queue and queue[0].until <= now:
                held = queue.popleft()
                late.append(held)
                self._octets[kind] -= len(held.packet)
                self.octets -= len(held.packet)
            if not queue:
                self.take(kind)
        return late

    def next_timer(self) -> float | None:
        """When the first one has waited too long."""
        return min((queue[0].until for queue in self._queues.values()), default=None)
