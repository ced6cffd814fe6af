# SPDX-License-Identifier: Apache-2.0
"""The event log: everything that happened lately, numbered, for whoever asks and whoever listens.

It is bounded: the oldest event makes room. Packets dropped for one reason in one flow are merged: the first shows at
once, those of the next second become one event that counts them, so that a flood makes lines, not a flood of lines.
A listener that is too slow loses its oldest events and sees it by a gap in the numbers; it never slows the service.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime

from ringfence.audit import Event, PacketDropped

LISTENER_EVENTS = 1000
MERGE_S = 1.0
MERGE_KINDS = 256
"""Kinds of drops that are told apart at a time; one flow more begins a new count."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its number and date."""

    number: int
    at: datetime
    event: Event


Sink = Callable[[Recorded], None]


class EventLog:
    """Takes events in, keeps the last ones, and passes each on."""

    def __init__(self, today: Callable[[], datetime], now: Callable[[], float], *, keep: int = 2000) -> None:
        self._today = today
        self._now = now
        self._kept: deque[Recorded] = deque(maxlen=keep)
        self._sinks: list[Sink] = []
        self._listeners: set[_Listener] = set()
        self._merging: dict[tuple[str, str, str], tuple[float, int]] = {}
        self._number = 0
        self._closed = False

    def add(self, event: Event) -> None:
        """Record ``event``."""
        if isinstance(event, PacketDropped):
            self.flush()
            if not self._first_of_its_kind(event):
                return
        self._record(event)

    def add_sink(self, sink: Sink) -> None:
        """Call ``sink`` with every event from now on."""
        self._sinks.append(sink)

    def since(self, number: int) -> list[Recorded]:
        """Kept events above ``number``, oldest first."""
        return [one for one in self._kept if one.number > number]

    @property
    def last_number(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._number

    def flush(self, *, everything: bool = False) -> None:
        """Record the merged drops whose second is over."""
        now = self._now()
        for kind, (until, count) in list(self._merging.items()):
            if everything or now >= until:
                del self._merging[kind]
                if count:
                    reason, flow, spi = kind
                    self._record(PacketDropped(reason=reason, flow=flow, spi=spi, count=count))

    def next_flush(self) -> float | None:
        """When merged drops are due, on the scale of ``now``; None when none wait."""
        waiting = [until for until, count in self._merging.values() if count]
        return min(waiting, default=None)

    async def follow(self, since: int) -> AsyncIterator[Recorded]:
        """Kept events above ``since``, then each as it comes, until the log is closed."""
        listener = _Listener()
        listener.waiting.extend(self.since(since))
        listener.wake.set()
        self._listeners.add(listener)
        try:
            while True:
                while listener.waiting:
                    yield listener.waiting.popleft()
                if self._closed:
                    return
                listener.wake.clear()
                await listener.wake.wait()
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Record what is still merged, and let every listener end."""
        self.flush(everything=True)
        self._closed = True
        for listener in self._listeners:
            listener.wake.set()

    def _first_of_its_kind(self, event: PacketDropped) -> bool:
        kind = (event.reason, event.flow, event.spi)
        if kind in self._merging:
            until, count = self._merging[kind]
            self._merging[kind] = (until, count + event.count)
            return False
        if len(self._merging) >= MERGE_KINDS:
            kind = (event.reason, "many flows", "")
            until, count = self._merging.get(kind, (self._now() + MERGE_S, 0))
            self._merging[kind] = (until, count + event.count)
            return False
        self._merging[kind] = (self._now() + MERGE_S, 0)
        return True

    def _record(self, event: Event) -> None:
        self._number += 1
        recorded = Recorded(self._number, self._today(), event)
        self._kept.append(recorded)
        for sink in self._sinks:
            sink(recorded)
        for listener in self._listeners:
            listener.waiting.append(recorded)
            listener.wake.set()


class _Listener:
    """One that follows; keeps the newest events when it does not keep up."""

    def __init__(self) -> None:
        self.waiting: deque[Recorded] = deque(maxlen=LISTENER_EVENTS)
        self.wake = asyncio.Event()
