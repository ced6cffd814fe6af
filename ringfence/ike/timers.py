# SPDX-License-Identifier: Apache-2.0
"""Which deadline comes next: one per key, in a heap whose outdated entries are skipped."""

from collections.abc import Hashable, Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MOST_STALE = 64
"""Outdated entries that the heap may have beside twice as many as there are deadlines."""


class Timers(Generic[K]):
    """Deadlines by key; setting one again moves it."""

    def __init__(self) -> None:
        self._due: dict[K, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._serial = 0

    def set(self, key: K, when: float | None) -> None:
        """Let ``key`` come due at ``when``; None takes its deadline away."""
        if when is None:
            self._due.pop(key, None)
            return
        self._serial += 1  # keys need no order, and equal deadlines come in the order in which they were set
        self._due[key] = (when, self._serial)
        heappush(self._heap, (when, self._serial, key))
        if len(self._heap) > MOST_STALE + 2 * len(self._due):
            self._heap = [(*due, key) for key, due in self._due.items()]
            heapify(self._heap)

    def drop(self, key: K) -> None:
        """Take the deadline of ``key`` away."""
        self._due.pop(key, None)

    def move(self, key: K, to: K) -> None:
        """The deadline of ``key`` is that of another."""
        self.set(to, self.when(key))
        self.drop(key)

    def when(self, key: K) -> float | None:
        """The deadline of ``key``."""
        due = self._due.get(key)
        return due[0] if due else None

    def next(self) -> float | None:
        """The earliest deadline."""
        while self._heap:
            when, serial, key = self._heap[0]
            if self._due.get(key) == (when, serial):
                return when
            heappop(self._heap)
        return None

    def pop(self, now: float) -> Iterator[K]:
        """Those due at ``now``, one after the other; what is set meanwhile for ``now`` or before comes too."""
        while (when := self.next()) is not None and when <= now:
            _, _, key = heappop(self._heap)
            del self._due[key]
            yield key
