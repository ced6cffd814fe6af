# SPDX-License-Identifier: Apache-2.0
"""Addresses inside tunnels, both ways: those that this host gives of its pools, and those that peers give it.

Both belong to the IKE SA under which they were agreed on, go over to its successor, and end with it. What a peer gave
us last is what we ask it for when we begin anew.
"""

from ringfence.databases.pool import Assignment
from ringfence.ike.effects import Assign, Withdraw
from ringfence.ike.leases import Leases


class Assignments:
    """Those of one host."""

    def __init__(self) -> None:
        self.leases = Leases()
        """What we have given."""
        self._ours: dict[int, Assign] = {}
        """What we were given, by the IKE SA that it belongs to."""
        self._last: dict[str, Assignment] = {}
        """By ``PadEntry.name``."""

    def assign(self, ike_id: int, peer: str, given: Assignment) -> Assign:
        """A peer has given us that."""
        made = self._ours[ike_id] = Assign(ike_id, peer, given)
        self._last[peer] = given
        return made

    def of(self, ike_id: int) -> Assignment | None:
        """What we have under an IKE SA."""
        made = self._ours.get(ike_id)
        return None if made is None else made.given

    def by(self, peer: str) -> Assignment | None:
        """What we have by a PAD entry now, the newest."""
        return next((one.given for one in reversed(self._ours.values()) if one.peer == peer), None)

    def last(self, peer: str) -> tuple[bytes, ...]:
        """The addresses that we had by a PAD entry the last time."""
        given = self._last.get(peer)
        return () if given is None else given.addresses

    def move(self, ike_id: int, to: int) -> None:
        """Another IKE SA takes the place of this one."""
        self.leases.move(ike_id, to)
        made = self._ours.pop(ike_id, None)
        if made is not None:
            self._ours[to] = made

    def ended(self, ike_id: int) -> list[Withdraw]:
        """An IKE SA is gone."""
        self.leases.release(ike_id)
        made = self._ours.pop(ike_id, None)
        return [] if made is None else [Withdraw(made.number)]
