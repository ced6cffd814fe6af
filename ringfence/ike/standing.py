# SPDX-License-Identifier: Apache-2.0
"""Contracts that are there without any packet: those by which this host has an address that a peer gives it.

Before it is there no program can send from it, so nobody may wait for a packet. Each is begun as soon as the policy
asks for it, and again whenever it is gone; if it cannot be had now, it is tried again after two seconds, then after
twice as long each time, and after a minute at most. A packet that waits has it tried at once.
"""

from dataclasses import dataclass

from ringfence.databases.pool import Assigned
from ringfence.databases.spd import Spd, SpdEntry
from ringfence.ike.info import IKE_PORT
from ringfence.ike.pursuit import Pursuit
from ringfence.ike.sessions import Clock, Due
from ringfence.ike.world import World
from ringfence.net.address import Endpoint, Path

FIRST_S, MOST_S = 2.0, 60.0


@dataclass(slots=True)
class _Try:
    """What became of one entry so far."""

    tries: int = 0
    """In vain, one after the other."""
    next_at: float = 0.0
    """Not again before."""


class Standing:
    """Sees that they are there."""

    def __init__(self, world: World, timers: Clock, pursuit: Pursuit) -> None:
        self._world, self._timers, self._pursuit = world, timers, pursuit
        self._entries: tuple[tuple[SpdEntry, Path], ...] = ()
        self._tries: dict[str, _Try] = {}

    def follow(self, spd: Spd) -> None:
        """There is another policy."""
        self._entries = tuple((one, path) for one in spd if (path := _path(one)) is not None)
        self._tries = {one.name: _Try() for one, _ in self._entries}

    def look(self) -> None:
        """Begin what is not there and may be begun now."""
        if not self._entries:
            return
        now, later = self._world.env.now, list[float]()
        for entry, first in self._entries:
            path = self._world.redirects.onward(entry.peer, first)
            done = self._tries[entry.name]
            if self._is_there(entry, path):
                done.tries = 0
            elif self._may_be(entry) and not self._pursuit.is_wanted(entry.selector, path):
                if done.next_at <= now:
                    done.next_at = now + min(FIRST_S * 2**done.tries, MOST_S)
                    done.tries = min(done.tries + 1, 8)
                    self._pursuit.want(entry, entry.selector, path)
                later.append(done.next_at)
        self._timers.set((Due.STANDING, 0), min(later, default=None))

    def _is_there(self, entry: SpdEntry, path: Path) -> bool:
        records = self._world.children.with_peer(path.remote.address)
        return any(one.child.serves(entry.name) and one.in_use for one in records)

    def _may_be(self, entry: SpdEntry) -> bool:
        """Whether we may begin, and whether the peer has given us an address for it where it has given us any."""
        peer = self._world.pad.named(entry.peer)
        given = self._world.assignments.by(entry.peer)
        octets = len(entry.selector.source.first)
        return peer is not None and peer.initiate and (given is None or given.of_family(octets) is not None)


def _path(entry: SpdEntry) -> Path | None:
    """Between which ends an entry of ours is negotiated; None for what waits for packets, and while we are offline."""
    processing = entry.processing
    if processing is None or processing.assigned is not Assigned.OURS:
        return None
    local, remote = processing.tunnel_local, processing.tunnel_remote
    return None if local is None or remote is None else Path(Endpoint(local, IKE_PORT), Endpoint(remote, IKE_PORT))
