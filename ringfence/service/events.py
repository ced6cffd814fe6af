# SPDX-License-Identifier: Apache-2.0
"""The event log: everything that happened lately, numbered, for whoever asks and whoever listens.

It is bounded: the oldest event makes room. Single messages and packets are kept apart from the rest, so that whoever
sends many cannot wash away what matters. Dropped packets and ignored messages of one kind are merged: the first shows
at once, those of the next second become one event that counts them, so that a flood makes lines, not a flood of lines.
A listener that is too slow loses its oldest events and sees it by a gap in the numbers; it never slows the service.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge

from ringfence.audit import Event, MessageExchanged, MessageIgnored, PacketDropped

LISTENER_EVENTS = 1000
MERGE_S = 1.0
MERGE_KINDS = 256
"""Kinds that are told apart at a time; what comes beyond is counted together."""

DETAILS = (MessageExchanged, MessageIgnored, PacketDropped)
"""Events about one message or packet: strangers can cause any number of them."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its number and date."""

    number: int
    at: datetime
    event: Event


Sink = Callable[[Recorded], None]
Countable = PacketDropped | MessageIgnored


@dataclass(slots=True)
class _Count:
    """Events of one kind that wait to be told together."""

    until: float
    events: int = 0


class EventLog:
    """Takes events in, keeps the last ones, and passes each on."""

    def __init__(self, today: Callable[[], datetime], now: Callable[[], float], *, keep: int = 2000) -> None:
        self._today = today
        self._now = now
        self._kept: deque[Recorded] = deque(maxlen=keep)
        self._details: deque[Recorded] = deque(maxlen=keep)
        self._sinks: list[Sink] = []
        self._listeners: set[_Listener] = set()
        self._merging: dict[Countable, _Count] = {}
        self._due: float | None = None
        """When merged events are to be told."""
        self._number = 0
        self._closed = False

    def add(self, event: Event) -> None:
        """Record ``event``."""
        if isinstance(event, PacketDropped | MessageIgnored):
            self.flush()
            if not self._first_of_its_kind(event):
                return
        self._record(event)

    def add_sink(self, sink: Sink) -> None:
        """Call ``sink`` with every event from now on."""
        self._sinks.append(sink)

    def since(self, number: int) -> list[Recorded]:
        """Kept events above ``number``, oldest first."""
        known = merge(self._kept, self._details, key=lambda one: one.number)
        return [one for one in known if one.number > number]

    @property
    def last_number(self) -> int:
        """The number of the newest event; 0 before the first."""
        return self._number

    def flush(self, *, everything: bool = False) -> None:
        """Record the merged events whose second is over."""
        now = self._now()
        while self._merging:
            kind, found = next(iter(self._merging.items()))  # the oldest, which is due first
            if not everything and now < found.until:
                break
            del self._merging[kind]
            if found.events:
                self._record(replace(kind, count=found.events))
                self._due = min((each.until for each in self._merging.values() if each.events), default=None)

    def next_flush(self) -> float | None:
        """When merged events are due, on the scale of ``now``; None when none wait."""
        return self._due

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

    def _first_of_its_kind(self, event: Countable) -> bool:
        kind = replace(event, count=1)
        if kind not in self._merging and len(self._merging) < MERGE_KINDS:
            self._merging[kind] = _Count(self._now() + MERGE_S)
            return True
        if kind not in self._merging:
            kind = _anybody(event)
            self._merging.setdefault(kind, _Count(self._now() + MERGE_S))
        found = self._merging[kind]
        found.events += event.count
        self._due = found.until if self._due is None else min(self._due, found.until)
        return False

    def _record(self, event: Event) -> None:
        self._number += 1
        recorded = Recorded(self._number, self._today(), event)
        (self._details if isinstance(event, DETAILS) else self._kept).append(recorded)
        for sink in self._sinks:
            sink(recorded)
        for listener in self._listeners:
            listener.waiting.append(recorded)
            listener.wake.set()


def _anybody(event: Countable) -> Countable:
    """The kind that stands for all those that are not told apart."""
    if isinstance(event, PacketDropped):
        return PacketDropped(reason=event.reason, flow="many flows", spi="")
    return MessageIgnored(peer="many peers", reason=event.reason, detail=event.reason)


class _Listener:
    """One that follows; keeps the newest events when it does not keep up."""

    def __init__(self) -> None:
        self.waiting: deque[Recorded] = deque(maxlen=LISTENER_EVENTS)
        self.wake = asyncio.Event()
