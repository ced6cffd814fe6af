# SPDX-License-Identifier: Apache-2.0
"""Where one IKE SA is, and where it may go (RFC 4555 §3): of both sides, the one that began decides.

Its home is where the peer was when it proved who it is. The policy goes on to be asked with that address, so nobody
gets the traffic of others by moving to where they were; to where the policy lets no such peer be, nobody moves. The
contracts follow when it is certain that the new path carries: for who decides when the peer has answered by it, for
the other side when the peer has sent back a cookie from there, unless only its port is another.

A request that nobody answers is tried by all other paths as well. None of that moves anything at the peer: an answer
that comes by one of them makes us go there. Messages that say nothing of addresses move nobody (§3.8).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ringfence.databases.pad import PadEntry
from ringfence.databases.proposal import Protocol
from ringfence.ike.errors import Reason
from ringfence.ike.exchange import Stepper
from ringfence.ike.happening import Lost, Output, Relocated
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.places import ends_of
from ringfence.ike.v2 import informational, mobike, natt
from ringfence.ike.v2.dialogue import Dialogue
from ringfence.ike.v2.notifies import Answered, Notify, name_of
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.running import Running
from ringfence.ike.v2.voice import Voice
from ringfence.ike.world import World
from ringfence.net.address import Endpoint, Path

if TYPE_CHECKING:
    from ringfence.ike.v2.session import Session

MOST_PATHS = 8
"""That are tried at once."""
MOST_REFUSALS = 3
"""Somebody on the way may have changed a message or two (§3.9)."""


class Placed:
    """An IKE SA that may have moved."""

    moving: "Moving"

    @property
    def path(self) -> Path:
        """Between which ends its messages go now."""
        return self.moving.path

    @property
    def home(self) -> Path:
        """Between which ends the policy knows both: the peer where it proved who it is."""
        return self.moving.known


class Moving:
    """Of one IKE SA."""

    def __init__(self, session: "Session", voice: Voice, talk: Dialogue, world: World) -> None:
        self._session, self._voice, self._talk, self._world = session, voice, talk, world
        self._home: Endpoint | None = None
        """Where the peer was when it proved who it is."""
        self.others: tuple[bytes, ...] | None = None
        """Where else it is; None unless both sides speak MOBIKE."""
        self.leads = session.initiator
        """Whether we decide: we began the first of this line of IKE SAs."""
        self._number = 0
        """Of the last move."""
        self._settled = voice.path
        """What the contracts go by."""
        self._owes = False
        """Whether the peer has yet to show that it is where it says."""
        self._refusals = 0
        self._seen = b""
        talk.elsewhere, talk.arrived = self._paths, self._arrived

    # What it is ----------------------------------------------------------------------------------------------------

    @property
    def entry(self) -> PadEntry | None:
        """How the policy now has such a peer authenticate."""
        return self._world.pad.named(self._session.entry.name)

    @property
    def path(self) -> Path:
        """Between which ends its messages go now."""
        return self._voice.path

    @property
    def known(self) -> Path:
        """Between which ends the policy knows both."""
        return self.path if self._home is None else replace(self.path, remote=self._home)

    @property
    def may(self) -> bool:
        """Whether both sides and the policy let it move; who goes by TCP opens another connection instead."""
        entry = self.entry
        return self.others is not None and not self.path.tcp and entry is not None and entry.mobike

    @property
    def is_unproven(self) -> bool:
        """Whether the peer has yet to show that it is where it says."""
        return not self.leads and self.is_under_way

    @property
    def is_under_way(self) -> bool:
        """Whether the contracts go by another path than the messages."""
        return self.may and ends_of(self._settled) != ends_of(self._voice.path)

    def begin(self, others: tuple[bytes, ...] | None) -> None:
        """Both sides have proved who they are."""
        self._home, self.others, self._settled = self._voice.path.remote, others, self._voice.path
        self._voice.stays = others is not None

    def inherit(self, former: "Moving") -> None:
        """Go on where the IKE SA stood that this one replaces; what the peer has not heard is said anew."""
        self._home, self.others, self.leads = former.known.remote, former.others, former.leads
        self._settled, self._number = former._settled, former._number  # noqa: SLF001 - of the same kind
        self._voice.stays = self.others is not None
        if former.is_under_way:
            self._go_on()

    def _serves(self, path: Path) -> bool:
        """Whether the policy has such a peer there, and us here."""
        return (entry := self.entry) is not None and entry.serves(path.remote.address, path.local.address)

    # Ours ----------------------------------------------------------------------------------------------------------

    def go(self, local: bytes) -> list[Output]:
        """Our address is another one; whoever decides says so, the other side says where it is."""
        if not self.leads:
            self._voice.path = replace(self._voice.path, local=Endpoint(local, self._voice.path.local.port))
            self._voice.emit(Relocated())
            return self.announce()
        fits = (one for one in self._candidates() if one.local.address == local)
        if (path := next(fits, None)) is not None:
            self._take(path)
        return self._voice.drain()

    def announce(self) -> list[Output]:
        """Tell the peer all our addresses (§3.6)."""
        here, entry = self._voice.path, self.entry or self._session.entry
        words = mobike.all_addresses(self._world.pad.own, entry, here)
        fixed = () if entry.nat_traversal else (mobike.no_nats(here),)
        exchange = informational.tell(*words, *fixed)
        self._talk.ask(Running(Kind.INFORMATIONAL, Stepper(exchange), self._world.settings.patience))
        return self._voice.drain()

    def _take(self, path: Path) -> None:
        self._voice.path = path
        self._voice.emit(Relocated())
        self._go_on()

    def _go_on(self) -> None:
        """What waits for an answer is said again by the new path, and that there is one."""
        self._number += 1
        self._talk.say_again()
        if not self.leads:
            exchange = mobike.prove(self._world.env.random(mobike.COOKIE_OCTETS), self._number)
            self._ask(Running(Kind.INFORMATIONAL, Stepper(exchange), self._world.settings.patience, moves=True))
            return
        update = mobike.update(
            lambda: self._voice.path, lambda: self._world.pad.own, b"".join(self._voice.spis),
            self.entry or self._session.entry,
        )  # fmt: skip
        self._ask(Running(Kind.INFORMATIONAL, Stepper(update), self._world.settings.patience, moves=True))

    def _ask(self, running: Running[mobike.Updated] | Running[mobike.Proven]) -> None:
        for other in [each for each in self._talk.waiting if each.moves]:
            self._talk.drop(other)
        self._talk.ask(running)

    def answered(self, said: mobike.Updated | mobike.Proven) -> None:
        """The peer has answered that there is another path, or receives where it says that it is."""
        if isinstance(said, mobike.Proven):
            self._proven(said)
        else:
            self._updated(said)

    def _updated(self, said: mobike.Updated) -> None:
        if said.refused is not None:
            self._refused(said.refused)
        elif said.path == self._voice.path:
            self._refusals, self._seen = 0, said.seen
            self._settle(said.nat)

    def _proven(self, said: mobike.Proven) -> None:
        if said.number == self._number and self._session.made is not None:
            self._settle(self._session.made.nat)

    def _settle(self, nat: natt.Nat | None) -> None:
        if self._session.made is not None:
            self._session.made = replace(self._session.made, nat=nat)
        self._voice.peer_moves = nat is not None and nat.remote
        was, self._settled = self._settled, self._voice.path
        self._voice.emit(Relocated(contracts=True, was=was))

    def _refused(self, notify: NotifyPayload) -> None:
        """The peer does not want us there, or somebody has changed our message."""
        self._refusals += 1
        tries = self._refusals < MOST_REFUSALS
        if notify.kind == Notify.UNEXPECTED_NAT_DETECTED and tries:
            self._go_on()
        elif self._settled.local.address in self._world.pad.own and self._settled != self._voice.path:
            self._voice.path = self._settled
            self._voice.emit(Relocated())
        else:
            what = f"the peer does not let us go on from another address: {name_of(notify.kind)}"
            self._voice.emit(Lost(Reason.NO_POLICY, what))  # which the peer has to hear

    # The peer's ----------------------------------------------------------------------------------------------------

    def take(self, chain: Chain) -> list[Payload]:
        """What the peer says of addresses, and what we say to that."""
        if self.others is None:
            return []
        path, spis = self._voice.came_by, b"".join(self._voice.spis)
        looks = mobike.says(chain, Notify.NAT_DETECTION_SOURCE_IP)
        out: list[Payload] = [*mobike.returned(chain), *(natt.marks(spis, path) if looks else ())]
        if not any(each.kind in mobike.ABOUT_ADDRESSES for each in chain.all(NotifyPayload)):
            return out
        try:
            mobike.check_no_nats(chain, path)
        except Answered as error:
            return [*out, *informational.told(error)]
        others = mobike.addresses(chain)
        if others is not None:
            self.others = tuple(dict.fromkeys((path.remote.address, *others)))
        if self.leads:
            self._look_at_peer(path, others)
        elif mobike.says(chain, Notify.UPDATE_SA_ADDRESSES):
            return [*out, *self._follow(path, natt.found(chain, spis, path))]
        return out

    def _follow(self, path: Path, nat: natt.Nat | None) -> list[Payload]:
        """Go where the peer is now, if the policy lets it be there."""
        entry = self.entry
        if not self.may or entry is None or not self._serves(path) or (nat is not None and not self._passes(entry)):
            return [NotifyPayload(Notify.UNACCEPTABLE_ADDRESSES)]
        if self._session.made is not None:
            self._session.made = replace(self._session.made, nat=nat)
        proven = path.remote.address == self._settled.remote.address
        self._voice.path = path
        self._voice.emit(Relocated())
        if proven:
            self._number += 1
            self._settle(nat)
        else:
            self._voice.peer_moves, self._owes = nat is not None and nat.remote, True
        return []

    def taken(self) -> None:
        """That is said; now let the peer show that it is there."""
        if self._owes:
            self._owes = False
            self._go_on()

    def _passes(self, entry: PadEntry) -> bool:
        """Whether what there is can go through NAT."""
        records = self._world.children.of(self._session.id)
        return entry.nat_traversal and not any(
            sa.protocol is Protocol.AH for record in records for sa in record.child.outbound
        )

    def _look_at_peer(self, path: Path, others: tuple[bytes, ...] | None) -> None:
        """The peer says where it is; if that is not where we send to, go there."""
        remote = self._voice.path.remote.address
        if others is None or remote in (path.remote.address, *others) or not self.may:
            return
        fits = (one for one in self._candidates() if one.remote.address != remote)
        if (found := next(fits, None)) is not None:
            self._take(found)

    # Paths ---------------------------------------------------------------------------------------------------------

    def _candidates(self) -> Iterator[Path]:
        """All other paths that the policy allows, those to the peer's present address first."""
        here = self._voice.path
        remotes = dict.fromkeys((here.remote.address, self.known.remote.address, *(self.others or ())))
        for remote in remotes:
            port = here.remote.port if remote == here.remote.address else here.local.port
            for local in dict.fromkeys((here.local.address, *self._world.pad.own)):
                path = Path(Endpoint(local, here.local.port), Endpoint(remote, port))
                if len(local) == len(remote) and path != here and self._serves(path):
                    yield path

    def _paths(self) -> list[Path]:
        """By which a request is tried that nobody answers."""
        return [*self._candidates()][:MOST_PATHS] if self.may and self.leads else []

    def _arrived(self) -> None:
        """What we asked was answered; by another path than we would send by, if that is one that carries while ours
        does not.
        """
        came_by = self._voice.came_by
        if came_by != self._voice.path and came_by in self._paths():
            self._take(came_by)

    # NAT -----------------------------------------------------------------------------------------------------------

    def looks(self) -> tuple[NotifyPayload, ...]:
        """What goes with a question whether the peer is there, where a NAT may have forgotten us (§3.8)."""
        made = self._session.made
        if not (self.may and self.leads and made is not None and made.nat is not None and made.nat.local):
            return ()
        return natt.marks(b"".join(self._voice.spis), self._voice.path)

    def looked(self, chain: Chain) -> None:
        """The peer's answer to that: if it sees us elsewhere than before, so do the contracts have to be sent."""
        seen = mobike.seen_as(chain)
        if seen and self.leads and self.may:
            was, self._seen = self._seen, seen
            if seen != was:
                self._go_on()
