# SPDX-License-Identifier: Apache-2.0
"""Falling back to clear in time, where a rule only requests security.

A first packet waits for an SA only as long as there is hope. A peer that has IPsec answers IKE at once, and then the
packet waits until they agree, which takes a few round trips; so nothing that can be protected leaves in clear. One
that does not answer costs a short wait, one whose kernel says that nobody listens there hardly any. IKE goes on behind
a fallback: when it succeeds after all, the SAs take over.

Signs that the peer is there (an IKE message) or not (an ICMP error) bear no proof. Whoever forges them changes how long
a packet waits, within these bounds, and nothing else; so an ICMP error counts only while the peer is silent, and an
answer counts only where no negotiation with the peer has failed shortly before.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import SpdEntry
from ringfence.net.flow import FlowKey

Kind = tuple[str, FlowKey]
"""What an acquire is about: an entry, and the first packet's flow."""
FallBack = Callable[[str, FlowKey], None]

SILENT = "it does not answer IKE"
CLOSED = "nobody answers at its IKE port"
SLOW = "IKE with it takes too long"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a packet waits for security that its rule only requests, in seconds since it came."""

    silent_s: float = 0.5
    """For a peer that has not answered (Windows: 3 s; 0.5 s since its Simple Policy Update)."""
    answered_s: float = 2.0
    """For one that has."""
    closed_s: float = 0.1
    """After an ICMP error, in case it is a lie and an answer is on its way."""
    trouble_s: float = 60.0
    """How long trouble with a peer is remembered: after a negotiation failed, an answer of it gives no hope; after it
    did not answer, ``closed_s`` is enough to see whether it does now."""


USUAL = Waits()


@dataclass(slots=True)
class _Wait:
    peer: bytes
    began: float
    timer: asyncio.TimerHandle
    why: str = SILENT
    answered: bool = False


class Fallbacks:
    """The waits that are under way; ``fall_back`` is called for each that ends without an SA."""

    MOST_KEPT = 1024

    def __init__(self, waits: Waits, fall_back: FallBack) -> None:
        self._waits = waits
        self._fall_back = fall_back
        self._sending: dict[int, ChildSa] = {}
        """What packets can leave by."""
        self._waiting: dict[Kind, _Wait] = {}
        self._fallen: set[Kind] = set()
        """Those that fell back before IKE had given up."""
        self._reasons: OrderedDict[Kind, str] = OrderedDict()
        """Why those fell back of which nobody has asked yet."""
        self._trouble: OrderedDict[bytes, float] = OrderedDict()
        """Peers with which a negotiation failed, and when; latest last."""
        self._absent: OrderedDict[bytes, float] = OrderedDict()
        """Peers that did not answer, likewise."""

    def acquire(self, entry: SpdEntry | None, flow: FlowKey, peer: bytes) -> None:
        """A packet of ``flow`` begins to wait for an SA with ``peer``."""
        if entry is None or entry.processing is None or not entry.processing.clear_out:
            return
        kind = entry.name, flow
        self._end(lambda one: one == kind)
        loop = asyncio.get_running_loop()
        seconds = self._waits.closed_s if self._is_recent(self._absent, peer) else self._waits.silent_s
        timer = loop.call_later(seconds, self._due, kind)
        self._waiting[kind] = _Wait(peer, loop.time(), timer)

    def heard(self, peer: bytes) -> None:
        """The peer speaks IKE: there is hope."""
        self._absent.pop(peer, None)
        if not self._waiting or self._is_recent(self._trouble, peer):
            return
        for kind, wait in self._waiting.items():
            if wait.peer == peer and not wait.answered:
                wait.answered, wait.why = True, SLOW
                self._set(kind, wait, wait.began + self._waits.answered_s)

    def closed(self, peer: bytes) -> None:
        """An ICMP error says that IKE cannot reach the peer."""
        soon = asyncio.get_running_loop().time() + self._waits.closed_s
        for kind, wait in self._waiting.items():
            if wait.peer == peer and not wait.answered and soon < wait.timer.when():
                wait.why = CLOSED
                self._note(self._absent, peer)
                self._set(kind, wait, soon)

    def troubled(self, peer: bytes) -> None:
        """A negotiation with the peer failed."""
        self._note(self._trouble, peer)

    def installed(self, child: ChildSa) -> None:
        """Packets can leave by ``child``: whatever it serves waits no more."""
        self._sending[child.id] = child
        self._trouble.pop(child.outbound[-1].destination, None)
        self._end(lambda kind: child.carries(kind[1]))
        self._fallen = {kind for kind in self._fallen if not child.carries(kind[1])}

    def removed(self, child_id: int) -> None:
        """No packet leaves by it any more."""
        self._sending.pop(child_id, None)

    def failed(self, entry: str, flow: FlowKey, why: str) -> bool:
        """IKE has given up; whether the packet path has to hear it, which after a fallback it knows."""
        kind = entry, flow
        self._end(lambda one: one == kind)
        if kind in self._fallen:
            self._fallen.discard(kind)
            return False
        self._because(kind, why)
        return True

    def why(self, entry: str, flow: FlowKey) -> str:
        """Why this fell back, once; empty when that is not known."""
        return self._reasons.pop((entry, flow), "")

    def stop(self) -> None:
        """Nothing falls back after this."""
        self._end(lambda _: True)

    def _note(self, where: OrderedDict[bytes, float], peer: bytes) -> None:
        where[peer] = asyncio.get_running_loop().time()
        where.move_to_end(peer)
        if len(where) > self.MOST_KEPT:
            where.popitem(last=False)

    def _is_recent(self, where: OrderedDict[bytes, float], peer: bytes) -> bool:
        since = where.get(peer)
        return since is not None and asyncio.get_running_loop().time() - since < self._waits.trouble_s

    def _set(self, kind: Kind, wait: _Wait, when: float) -> None:
        wait.timer.cancel()
        wait.timer = asyncio.get_running_loop().call_at(when, self._due, kind)

    def _due(self, kind: Kind) -> None:
        wait = self._waiting.pop(kind)
        entry, flow = kind
        if not any(child.carries(flow) for child in self._sending.values()):
            self._fallen.add(kind)
            if not wait.answered:
                self._note(self._absent, wait.peer)
            self._because(kind, wait.why)
            self._fall_back(entry, flow)

    def _because(self, kind: Kind, why: str) -> None:
        self._reasons[kind] = why
        if len(self._reasons) > self.MOST_KEPT:
            self._reasons.popitem(last=False)

    def _end(self, over: Callable[[Kind], bool]) -> None:
        for kind in [kind for kind in self._waiting if over(kind)]:
            self._waiting.pop(kind).timer.cancel()
