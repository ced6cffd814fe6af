# SPDX-License-Identifier: Apache-2.0
"""Tickets by which IKE SAs are resumed (RFC 5723): those that we have given, and those that peers gave us.

A ticket is a random number, and what it stands for stays here ("by reference", appendix A.2): so there is no key whose
loss would open all of them, one serves once and can be taken back, and it is small enough for a first message. How many
there are is bounded; the oldest make room. A ticket lasts no longer than the proof that it stands for, however often it
is exchanged for a new one. Nothing of this outlives the process.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from ringfence.databases.proposal import IkeProposal
from ringfence.ike.v2.peers import Proved
from ringfence.net.address import Path
from ringfence.secret import Secret

HANDLE_OCTETS = 32
MOST_GIVEN = 50_000
MOST_HELD_OCTETS = 4096
"""Of a ticket that a peer gives us; larger ones are of no use in a first message."""
LEAST_S = 5
"""What lasts less is not worth a ticket."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What two sides know of an IKE SA that may be resumed."""

    octets: bytes
    """What names it."""
    d: Secret
    """SK_d of the IKE SA."""
    proposal: IkeProposal
    proved: Proved
    until: float
    """When it is over, on the engine's clock."""
    ike_id: int
    """The IKE SA that speaks for it now."""


Key = tuple[str, bytes, bytes]
"""An entry of the PAD, our address, the peer's."""


K = TypeVar("K")


class _Table(Generic[K]):
    """Tickets by what finds them, and by the IKE SA that speaks for each; one for one IKE SA."""

    def __init__(self) -> None:
        self._tickets: dict[K, Ticket] = {}
        self._keys: dict[int, K] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def add(self, key: K, ticket: Ticket) -> None:
        self.pop(key)
        self.drop(ticket.ike_id)
        self._tickets[key], self._keys[ticket.ike_id] = ticket, key

    def get(self, key: K) -> Ticket | None:
        return self._tickets.get(key)

    def pop(self, key: K) -> Ticket | None:
        found = self._tickets.pop(key, None)
        if found is not None:
            del self._keys[found.ike_id]
        return found

    def drop(self, ike_id: int) -> None:
        if ike_id in self._keys:
            self.pop(self._keys[ike_id])

    def drop_oldest(self) -> None:
        self.pop(next(iter(self._tickets)))

    def move(self, ike_id: int, to: int) -> None:
        key = self._keys.get(ike_id)
        found = None if key is None else self.pop(key)
        if key is not None and found is not None:
            self.add(key, replace(found, ike_id=to))


class Tickets:
    """Of one host."""

    def __init__(self) -> None:
        self._given = _Table[bytes]()
        self._held = _Table[Key]()

    # The gateway's -------------------------------------------------------------------------------------------------

    def give(self, ticket: Ticket, random: Callable[[int], bytes]) -> bytes:
        """Its name, for the client; what was given for the same IKE SA before is void."""
        if len(self._given) >= MOST_GIVEN:
            self._given.drop_oldest()
        name = random(HANDLE_OCTETS)
        self._given.add(name, ticket)
        return name

    def find(self, name: bytes, now: float) -> Ticket | None:
        """What a client means; None for what nobody was given, what is over, and what has been used."""
        found = self._given.get(name)
        return found if found is not None and now < found.until else None

    def spend(self, name: bytes) -> Ticket | None:
        """Use it, once."""
        return self._given.pop(name)

    # The client's --------------------------------------------------------------------------------------------------

    def hold(self, ticket: Ticket, path: Path) -> None:
        """A peer has given us one."""
        if 0 < len(ticket.octets) <= MOST_HELD_OCTETS:
            self._held.add(_key(ticket.proved.entry.name, path), ticket)

    def take(self, name: str, path: Path, now: float) -> Ticket | None:
        """The one for a new IKE SA, by the entry ``name`` of the policy; it serves once, whatever comes of it."""
        found = self._held.pop(_key(name, path))
        return found if found is not None and now + LEAST_S < found.until else None

    # Both ----------------------------------------------------------------------------------------------------------

    def revoke(self, ike_id: int, *, given: bool = True) -> None:
        """That IKE SA was ended on purpose: nobody is to resume it.

        Where the peer ended it, that is no word about the ticket that it was ``given``: a client goes, and comes back.
        """
        if given:
            self._given.drop(ike_id)
        self._held.drop(ike_id)

    def move(self, ike_id: int, to: int) -> None:
        """Another IKE SA speaks for those of this one."""
        self._given.move(ike_id, to)
        self._held.move(ike_id, to)


def _key(name: str, path: Path) -> Key:
    return name, path.local.address, path.remote.address
