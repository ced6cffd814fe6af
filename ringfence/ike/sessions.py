# SPDX-License-Identifier: Apache-2.0
"""The IKE SAs of this engine: by id, by cookies, by peer; which of several with one peer counts, and how each ends.

With one peer there may be two: one is being renewed, or both sides began at once. The one that began last counts; of
two that overlapped, the one with the greater initiator cookie, so that both sides mean the same; but one that the peer
began is compared only once the peer has said something under it, for our last message may be lost. The others serve
what is under way, and whoever began them deletes them later. If the peer's is over before ours has proved us, ours is
given up. Contracts outlive the IKE SA they were made under.
"""

from collections.abc import Callable, Iterator

from ringfence.audit import MainModeEnded
from ringfence.databases.identity import Identity
from ringfence.databases.pad import PadEntry
from ringfence.ike.association import IkeSa, Renewable, keying_of
from ringfence.ike.due import OF_IKE_SAS
from ringfence.ike.due import Clock as Clock
from ringfence.ike.due import Due as Due
from ringfence.ike.effects import Report
from ringfence.ike.errors import Reason
from ringfence.ike.happening import Orphaned, Output
from ringfence.ike.header import COOKIE_OCTETS, NO_COOKIE, Header
from ringfence.ike.info import made_room, peer_of
from ringfence.ike.lifetime import IkeEvent, IkeState, soft_limits
from ringfence.ike.places import Ends, Places, ends_of, is_known_there
from ringfence.ike.v1.session import Session as SessionV1
from ringfence.ike.v2.rekey import Successor
from ringfence.ike.v2.session import Session as SessionV2
from ringfence.ike.world import World
from ringfence.net.address import Path

Take = Callable[[IkeSa, list[Output]], None]


class Sessions:
    """All IKE SAs."""

    def __init__(self, world: World, timers: Clock, take: Take) -> None:
        self._world = world
        self._timers = timers
        self._take = take
        self._by_id: dict[int, IkeSa] = {}
        self._by_cookies: dict[tuple[bytes, bytes], IkeSa] = {}
        self._by_first: dict[tuple[Path, bytes], IkeSa] = {}
        self._by_peer = Places()
        self._orphans: dict[Ends, list[int]] = {}
        """IKE SAs that are gone while contracts of theirs live on."""
        self._cookies: set[bytes] = set()
        """Our own."""
        self._leaving: dict[int, IkeSa] = {}
        """Those that have ended, until the peer has heard so."""
        self._last_id = 0

    def __iter__(self) -> Iterator[IkeSa]:
        return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, ike_id: int | None) -> IkeSa | None:
        """The one with that id."""
        return None if ike_id is None else self._by_id.get(ike_id)

    def speaking(self, ike_id: int) -> IkeSa | None:
        """Likewise, even if all it has to say is that it ends."""
        return self._by_id.get(ike_id) or self._leaving.get(ike_id)

    def ends_children(self, ike_id: int) -> bool:
        """Whether all contracts of an IKE SA end with it."""
        return (session := self._by_id.get(ike_id)) is not None and session.version != 1

    def disconnected(self, path: Path) -> None:
        """There is no TCP connection of that path (any more)."""
        for session in map(self.speaking, self._world.connections.by(path)):
            if session is not None and isinstance(session, Renewable):
                self._take(session, session.disconnected())

    def left(self, session: IkeSa) -> None:
        """One that has ended has nothing more to say."""
        if self._leaving.pop(session.id, None) is not None:
            self._unlist(session)

    def find(self, header: Header, path: Path) -> IkeSa | None:
        """The one that a message belongs to."""
        cookies = header.initiator_cookie, header.responder_cookie
        session, waiting = self._by_cookies.get(cookies), self._by_cookies.get((header.initiator_cookie, NO_COOKIE))
        if session is None and waiting is not None and waiting.initiator:
            session = waiting
        if session is None and header.responder_cookie == NO_COOKIE:
            session = self._by_first.get((path, header.initiator_cookie))
        return session

    def by_cookies(self, cookies: bytes) -> IkeSa | None:
        """The one with these two cookies."""
        return self._by_cookies.get((cookies[:COOKIE_OCTETS], cookies[COOKIE_OCTETS:]))

    def with_peer(self, path: Path) -> list[IkeSa]:
        """Those between these two addresses."""
        return self._by_peer.at(ends_of(path))

    def best(self, path: Path, entry: PadEntry, peer: Identity | None = None) -> IkeSa | None:
        """The one for a new contract, whose peer has proved what ``entry`` wants, or to be ``peer``.

        Behind one address there may be several peers.
        """
        fitting = (each for each in self.with_peer(path) if is_known_there(each, path, peer))
        return max((each for each in fitting if each.usable and each.serves(entry)), key=_worth, default=None)

    def negotiating(self, path: Path, entry: PadEntry) -> IkeSa | None:
        """A main mode under way that we began."""
        begun = (each for each in self.with_peer(path) if each.state is IkeState.NEGOTIATING and each.initiator)
        return next((each for each in begun if each.entry.name == entry.name), None)

    def is_moot(self, session: IkeSa) -> bool:
        """Whether the peer has let a main mode drop that it began, since another with it came to its end meanwhile."""
        half_open = session.version == 1 and not session.initiator and session.state is IkeState.NEGOTIATING
        return half_open and any(
            _is_one_host(other) and other.made_at is not None and other.made_at >= session.began_at
            for other in self.with_peer(session.path)
        )

    def retract(self, session: IkeSa) -> None:
        """The peer's main mode was first: give ours up, if the peer has nothing of it yet.

        So it never has both, which strongSwan takes for a new beginning that ends what it negotiates under its own.
        """
        if session.initiator or session.version != 1 or not _is_one_host(session):
            return
        for other in self.with_peer(session.path):
            if other.retractable and session.serves(other.entry):
                self.forget(other)

    # Birth ---------------------------------------------------------------------------------------------------------

    def new_cookie(self) -> bytes:
        """One that is not in use."""
        while True:
            cookie = self._world.env.random(COOKIE_OCTETS)
            if cookie != NO_COOKIE and cookie not in self._cookies:
                self._cookies.add(cookie)
                return cookie

    def new(
        self,
        path: Path,
        initiator_cookie: bytes | None,
        entries: tuple[PadEntry, ...],
        rule: str = "",
        version: int = 1,
        own_cookie: bytes | None = None,
    ) -> IkeSa:
        """One that we begin, or that a peer began who may have ``own_cookie`` already; raises Ignored beyond limits."""
        initiator = initiator_cookie is None
        if not initiator:
            self._make_room(path)
        self._last_id += 1
        own = own_cookie or self.new_cookie()
        self._cookies.add(own)
        cookies = (own, NO_COOKIE) if initiator_cookie is None else (initiator_cookie, own)
        session = self._made(version, path, cookies, entries, initiator=initiator)
        session.rule = rule or self._world.only_rule(entries[0])
        self._add(session)
        if not initiator:
            self._by_first[path, cookies[0]] = session
        return session

    def _make_room(self, path: Path) -> None:
        """For one more half-open one."""
        leaves = self.get(self._world.half_open.begin(self._last_id + 1, path.remote.address))
        if leaves is not None:
            self.forget(leaves)
            self._take(leaves, [Report(made_room(leaves.path))])

    def _made(
        self, version: int, path: Path, cookies: tuple[bytes, bytes], entries: tuple[PadEntry, ...], *, initiator: bool
    ) -> IkeSa:
        make = SessionV1 if version == 1 else SessionV2
        return make(self._last_id, path, cookies, entries, self._world, initiator=initiator)

    def _add(self, session: IkeSa) -> None:
        self._by_id[session.id] = session
        self.relist(session)
        self.noted(session)

    def relist(self, session: IkeSa) -> None:
        """It is found by where it is, and by where the policy knows its peer."""
        if session.id in self._by_id:
            self._by_peer.put(session)

    def succeed(self, old: IkeSa, made: Successor) -> IkeSa:
        """The successor of an IKE SA of IKEv2; it does not take over anything yet."""
        self._last_id += 1
        session = SessionV2(self._last_id, old.path, made.spis, (old.entry,), self._world, initiator=made.initiator)
        session.rule = old.rule
        self._cookies.add(made.spis[0 if made.initiator else 1])
        self._add(session)
        self._take(session, session.inherit(old, made))
        self.live(session)
        return session

    def supersede(self, old: IkeSa, new: IkeSa) -> None:
        """``new`` speaks for all contracts of ``old`` from now on; who made it deletes the old one."""
        if old.state is IkeState.GONE:
            return
        old.happen(IkeEvent.REPLACED)
        self._world.hand_over(old.id, new.id)
        self._timers.drop((Due.RENEW_IKE, old.id))
        self._timers.drop((Due.RETIRE_IKE, new.id))
        for due in Due.REAUTHENTICATE, Due.UNPROVED:  # other keys are no other proof
            self._timers.move((due, old.id), (due, new.id))
        if isinstance(old, Renewable):
            self._take(new, new.delete(old.unsaid()))
        if isinstance(new, Renewable):
            self._take(new, new.remind())
        if new.initiator:
            self.end(old, IkeEvent.DELETED, "rekeyed", tell=True)
        else:
            patience = self._world.settings.retire_patience_s
            self._timers.set((Due.RETIRE_IKE, old.id), self._world.env.now + patience)

    def noted(self, session: IkeSa) -> None:
        """Its cookies and deadlines may have changed."""
        if session.id in self._leaving and not session.busy:
            self.left(session)
        elif session.id in self._by_id or session.id in self._leaving:
            self._by_cookies.setdefault(session.cookies, session)
            if session.cookies[1] != NO_COOKIE:
                self._by_cookies.pop((session.cookies[0], NO_COOKIE), None)
            self._timers.set((Due.SESSION, session.id), session.next_timer)
            self._world.connections.noted(session)

    def is_first_contact(self, path: Path) -> bool:
        """Whether we have nothing with the peer under the name that we have there: an address of ours, or one name."""
        if any(session.made_at is not None for session in self.with_peer(path)):
            return False
        remote, ours = path.remote.address, path.local.address
        named = any(entry.local_identity for entry in self._world.pad.for_address(remote, ours))
        return not any(named or record.path.local.address == ours for record in self._world.children.with_peer(remote))

    def established(self, session: IkeSa) -> None:
        """The peer has proved who it is."""
        if not session.initiator:
            self._world.half_open.end(session.id)
        self.live(session)
        if session.version == 1:
            self._adopt(session)
            self.rank(session)

    def live(self, session: IkeSa) -> None:
        """Its lifetime has begun."""
        now, made = session.made_at or self._world.env.now, session.agreed
        hard = made.proposal.limits if made else None
        if hard is not None and hard.seconds is not None:
            soft = soft_limits(hard, self._world.env.random, initiator=session.initiator)
            self._timers.set((Due.RENEW_IKE, session.id), now + (soft.seconds or hard.seconds))
            self._timers.set((Due.EXPIRE_IKE, session.id), now + hard.seconds)

    def _adopt(self, session: IkeSa) -> None:
        """Speak for what a former IKE SA with this peer has left."""
        left = []
        for ike_id in self._orphans.pop(ends_of(session.path), []):
            children = self._world.children.of(ike_id)
            if session.agreed and any(record.child.peer == session.agreed.remote for record in children):
                self._world.children.move(ike_id, session.id)
            elif children:
                left.append(ike_id)
        if left:
            self._orphans[ends_of(session.path)] = left

    def rank(self, session: IkeSa) -> None:
        """Which of the IKE SAs with this peer counts, now that one is established, or known to be so at both sides.

        In IKEv2 each goes on with the contracts that were made under it.
        """
        if session.version != 1:
            return
        for other in self.peers_of(session):
            if _began_after(session, other):
                self._supersede(other, session)
            elif _began_after(other, session):
                self._supersede(session, other)
            elif session.confirmed and other.confirmed:
                greater = session.cookies[0] > other.cookies[0]
                self._supersede(*((other, session) if greater else (session, other)))

    def peers_of(self, session: IkeSa) -> list[IkeSa]:
        """The other established ones with the same peer."""
        made = session.agreed
        others = [each for each in self.with_peer(session.path) if each.version == session.version]
        agreed = [(each, each.agreed) for each in others if each is not session]
        return [each for each, theirs in agreed if made and theirs and theirs.remote == made.remote]

    def _supersede(self, old: IkeSa, new: IkeSa) -> None:
        if old.state is IkeState.GONE:
            return
        old.happen(IkeEvent.REPLACED)
        self._world.hand_over(old.id, new.id)
        self._timers.drop((Due.RENEW_IKE, old.id))
        if old.initiator:
            self._timers.set((Due.RETIRE_IKE, old.id), self._world.env.now + self._world.settings.retire_s)

    # End -----------------------------------------------------------------------------------------------------------

    def retire(self, session: IkeSa) -> None:
        """Delete one that is superseded, once nothing is under way."""
        if session.busy:
            self._timers.set((Due.RETIRE_IKE, session.id), self._world.env.now + self._world.settings.retire_s)
        else:
            self.end(session, IkeEvent.DELETED, "replaced by a newer one", tell=True)

    def end(
        self, session: IkeSa, event: IkeEvent, why: str, *, tell: bool, reason: Reason = Reason.PEER_DELETED
    ) -> None:
        """Forget one; what it has under way fails with ``reason``."""
        if session.state is IkeState.GONE:
            return
        was_made = session.made_at is not None
        if was_made:
            session.happen(event)
        self.forget(session)  # first, so that what fails now does not begin again under it
        self._take(session, session.end_exchanges(reason, f"the main mode SA ended: {why}"))
        if tell:
            self._take(session, session.delete((), itself=True))
        if tell or reason is Reason.PEER_DELETED:
            self._world.tickets.revoke(session.id, given=tell)
        self._linger(session)
        if session.version != 1:
            self._take(session, [Orphaned(why)])
        if was_made:
            words = {"peer": peer_of(session.path), "why": why, "keying": keying_of(session)}
            self._take(session, [Report(MainModeEnded(ike_id=session.id, **words))])

    def _linger(self, session: IkeSa) -> None:
        """Let the peer hear that it has ended."""
        if session.busy:
            self._leaving[session.id] = session
            self._by_cookies[session.cookies] = session
            self.noted(session)

    def forget(self, session: IkeSa) -> None:
        """It is gone: out of all tables."""
        if self._by_id.pop(session.id, None) is None:
            return
        if not session.initiator and session.made_at is None:
            self._world.half_open.end(session.id)
        session.state = IkeState.GONE
        self._take(session, [*self._world.assignments.ended(session.id)])
        ends = ends_of(session.path)
        self._by_peer.remove(session)
        self._unlist(session)
        if session.version != 1:
            return
        heir = max(self.peers_of(session), key=lambda each: each.id, default=None)
        if heir is not None:
            self._world.children.move(session.id, heir.id)
        elif self._world.children.of(session.id):
            self._orphans.setdefault(ends, []).append(session.id)

    def _unlist(self, session: IkeSa) -> None:
        """No message finds it any more, and nothing of it comes due."""
        self._world.connections.gone(session)
        self._cookies.discard(session.cookies[0 if session.initiator else 1])
        for cookies in (session.cookies, (session.cookies[0], NO_COOKIE)):
            if self._by_cookies.get(cookies) is session:
                del self._by_cookies[cookies]
        if self._by_first.get(first := (session.born, session.cookies[0])) is session:
            del self._by_first[first]
        for due in OF_IKE_SAS:
            self._timers.drop((due, session.id))

    def expires_at(self, session: IkeSa) -> float | None:
        """When it ends by itself."""
        return self._timers.when((Due.EXPIRE_IKE, session.id))


def _worth(session: IkeSa) -> tuple[int, bool, bool, int]:
    return session.version, not session.path.tcp, session.confirmed, session.id


def _is_one_host(session: IkeSa) -> bool:
    """Whether one peer alone can be at the address: behind NAT there may be others."""
    return session.agreed is not None and not session.peer_behind_nat


def _began_after(one: IkeSa, other: IkeSa) -> bool:
    """Whether ``other`` was made before ``one`` began."""
    return other.made_at is not None and one.began_at > other.made_at
