# SPDX-License-Identifier: Apache-2.0
"""IKE SAs by the addresses of both ends: where it is, and where the policy knows its peer, which may have moved."""

from ringfence.databases.identity import Identity
from ringfence.ike.association import IkeSa
from ringfence.net.address import Path

Ends = tuple[bytes, bytes]
"""Our address and the peer's."""


def ends_of(path: Path) -> Ends:
    """Its addresses."""
    return path.local.address, path.remote.address


def is_known_there(session: IkeSa, path: Path, peer: Identity | None) -> bool:
    """Whether its peer, ``peer`` if that is said, is the one that the policy knows there, wherever it is now."""
    named = peer is None or (session.agreed is not None and session.agreed.remote == peer)
    return named and ends_of(session.home) == ends_of(path)


class Places:
    """Where each IKE SA is found."""

    def __init__(self) -> None:
        self._at: dict[Ends, dict[int, IkeSa]] = {}
        self._of: dict[int, tuple[Ends, ...]] = {}

    def at(self, ends: Ends) -> list[IkeSa]:
        """Those between these ends, in the order in which they came there."""
        return list(self._at.get(ends, {}).values())

    def put(self, session: IkeSa) -> None:
        """It is found where it is now, and nowhere else."""
        wanted = tuple(dict.fromkeys((ends_of(session.path), ends_of(session.home))))
        if self._of.get(session.id) == wanted:
            return
        self.remove(session)
        self._of[session.id] = wanted
        for one in wanted:
            self._at.setdefault(one, {})[session.id] = session

    def remove(self, session: IkeSa) -> None:
        """It is gone."""
        for one in self._of.pop(session.id, ()):
            del self._at[one][session.id]
            if not self._at[one]:
                del self._at[one]
