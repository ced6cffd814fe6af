# SPDX-License-Identifier: Apache-2.0
"""Falling back to clear in time, where a rule only requests security.

The first packet waits a few seconds for an SA, as Windows has it, and then goes in clear, while IKE goes on trying: a
peer that has no IPsec at all costs a short wait, not a failed connection. When IKE succeeds later, the SAs take over.
"""

import asyncio
from collections.abc import Callable

from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import SpdEntry
from ringfence.net.flow import FlowKey

Kind = tuple[str, FlowKey]
"""What an acquire is about: an entry, and the first packet's flow."""


class Fallbacks:
    """The waits that are under way; ``fall_back`` is called for each that ends without an SA."""

    def __init__(self, after_s: float, fall_back: Callable[[str, FlowKey], None]) -> None:
        self._after_s = after_s
        self._fall_back = fall_back
        self._sending: dict[int, ChildSa] = {}
        """What packets can leave by."""
        self._waiting: dict[Kind, asyncio.TimerHandle] = {}
        self._fallen: set[Kind] = set()
        """Those that fell back before IKE had given up."""

    def acquire(self, entry: SpdEntry | None, flow: FlowKey) -> None:
        """A packet of ``flow`` begins to wait."""
        if entry is None or entry.processing is None or not entry.processing.clear_out:
            return
        kind = entry.name, flow
        self._end(lambda one: one == kind)
        self._waiting[kind] = asyncio.get_running_loop().call_later(self._after_s, self._due, kind)

    def installed(self, child: ChildSa) -> None:
        """Packets can leave by ``child``: whatever it serves waits no more."""
        self._sending[child.id] = child
        self._end(lambda kind: kind[1] in child.selector)
        self._fallen = {kind for kind in self._fallen if kind[1] not in child.selector}

    def removed(self, child_id: int) -> None:
        """No packet leaves by it any more."""
        self._sending.pop(child_id, None)

    def failed(self, entry: str, flow: FlowKey) -> bool:
        """IKE has given up; whether the packet path has to hear it, which after a fallback it knows."""
        kind = entry, flow
        self._end(lambda one: one == kind)
        known = kind in self._fallen
        self._fallen.discard(kind)
        return not known

    def stop(self) -> None:
        """Nothing falls back after this."""
        self._end(lambda _: True)

    def _due(self, kind: Kind) -> None:
        self._waiting.pop(kind, None)
        entry, flow = kind
        if not any(flow in child.selector for child in self._sending.values()):
            self._fallen.add(kind)
            self._fall_back(entry, flow)

    def _end(self, over: Callable[[Kind], bool]) -> None:
        for kind in [kind for kind in self._waiting if over(kind)]:
            self._waiting.pop(kind).cancel()
