# SPDX-License-Identifier: Apache-2.0
"""TCP connections, as far as the engine knows of them (RFC 9329): which IKE SAs go by which, and that one is gone.

A connection is its path: the host opens it when something is to be sent by it, and says when there is none (any more).
It is worth something from when a peer has proved itself by it; then the host keeps it (``Keep``), until no IKE SA goes
by it (``Release``). Who opened it opens the next one. That has a port of its own, which the engine draws, since both
sides look for NAT by what they believe the ports to be.
"""

from collections.abc import Callable, Iterator

from ringfence.ike.association import IkeSa
from ringfence.ike.effects import Effect, Keep, Release
from ringfence.net.address import Endpoint, Path

PORT_FIRST, PORTS = 49152, 16384
"""The ports that nobody is listening at (RFC 6335 §6)."""


class Connections:
    """Which IKE SAs go by which."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._paths: dict[int, Path] = {}
        self._ids: dict[Path, set[int]] = {}
        self._kept: set[Path] = set()
        self._effects: list[Effect] = []

    def dialled(self, local: bytes, remote: bytes, port: int) -> Path:
        """A new connection between two addresses."""
        own = PORT_FIRST + int.from_bytes(self._random(2)) % PORTS
        return Path(Endpoint(local, own), Endpoint(remote, port), tcp=True)

    def noted(self, session: IkeSa) -> None:
        """An IKE SA may go by another one than before."""
        path, before = session.path, self._paths.get(session.id)
        if not path.tcp and before is None:
            return
        if path != before:
            self.gone(session)
            if not path.tcp:
                return
            self._paths[session.id] = path
            self._ids.setdefault(path, set()).add(session.id)
        if session.made_at is not None and path not in self._kept:
            self._kept.add(path)
            self._effects.append(Keep(path))

    def gone(self, session: IkeSa) -> None:
        """An IKE SA goes by none any more."""
        path = self._paths.pop(session.id, None)
        if path is None:
            return
        self._ids[path].discard(session.id)
        if not self._ids[path]:
            del self._ids[path]
            self._kept.discard(path)
            self._effects.append(Release(path))

    def by(self, path: Path) -> Iterator[int]:
        """The ids of those that go by it."""
        return iter(sorted(self._ids.get(path, ())))

    def effects(self) -> list[Effect]:
        """What the host is to do about them."""
        found, self._effects = self._effects, []
        return found
