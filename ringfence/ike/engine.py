# SPDX-License-Identifier: Apache-2.0
"""The IKE engine: messages, wishes, time and policy in; effects out, in the order in which to perform them.

Every entry takes ``now`` and returns what it led to. Nothing that comes from the network raises. The engine itself only
knows where a message or happening belongs: ``sessions`` keeps IKE SAs, ``contracts`` child SAs, ``pursuit`` what this
host wants; the protocol is in ``v1``.
"""

from collections.abc import Callable

from ringfence.audit import MessageIgnored
from ringfence.databases.pad import Pad
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Spd
from ringfence.ike.association import IkeSa
from ringfence.ike.contracts import RETIRED, Contracts
from ringfence.ike.dispatch import begins, header_of
from ringfence.ike.doorway import Doorway
from ringfence.ike.due import Due
from ringfence.ike.effects import Answer, Effect, Question, Report
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.happening import (
    Agreed,
    Confirmed,
    Connected,
    Established,
    FirstContact,
    Happening,
    Limited,
    MainFailed,
    Moved,
    Output,
    PeerDeleted,
    PeerDeletedIke,
    PeerSilent,
    Prepared,
    QuickFailed,
    Relocated,
    Shortened,
    Suspicion,
    Worn,
)
from ringfence.ike.header import Header
from ringfence.ike.info import IkeSaInfo, peer_of
from ringfence.ike.infos import info_of
from ringfence.ike.lifetime import ChildState, IkeEvent
from ringfence.ike.liveness import Liveness
from ringfence.ike.mobility import Mobility
from ringfence.ike.pursuit import Pursuit
from ringfence.ike.reauthentication import Reauthentication
from ringfence.ike.redirection import Redirection
from ringfence.ike.sameness import Change
from ringfence.ike.sessions import Sessions
from ringfence.ike.settings import IkeSettings
from ringfence.ike.standing import Standing
from ringfence.ike.strangers import denied_spis, told_stranger
from ringfence.ike.succession import Succession
from ringfence.ike.timers import Timers
from ringfence.ike.wear import Wear
from ringfence.ike.world import World
from ringfence.net.address import Path
from ringfence.net.flow import FlowKey
from ringfence.secret import Secret

__all__ = ["IkeEngine", "IkeSaInfo", "IkeSettings"]

DEFAULT_SETTINGS = IkeSettings()


class IkeEngine:
    """Key exchange with all peers of one host."""

    def __init__(
        self, *, random: Callable[[int], bytes], settings: IkeSettings = DEFAULT_SETTINGS,
        crash_secret: Secret | None = None,
    ) -> None:  # fmt: skip
        """``crash_secret`` outlives a restart, so that peers can be sure that there was one (RFC 6290)."""
        self._world = World(random, settings, crash_secret)
        self._timers: Timers[tuple[Due, int]] = Timers()
        self._out: list[Effect] = []
        self._asked: dict[int, int] = {}
        """The IKE SA that asked, by ticket."""
        self._sessions = Sessions(self._world, self._timers, self._take)
        shared = (self._world, self._timers, self._sessions, self._take, self._out.append)
        self._doorway = Doorway(self._world, self._sessions, self._take, self._out.append)
        self._contracts = Contracts(*shared)
        self._pursuit = Pursuit(*shared)
        self._standing = Standing(self._world, self._timers, self._pursuit)
        self._liveness = Liveness(*shared, self._contracts, self._pursuit)
        self._redirection = Redirection(*shared, self._pursuit)
        self._mobility = Mobility(*shared, self._contracts)
        self._wear = Wear(self._sessions, self._pursuit)
        self._succession = Succession(self._world, self._timers, self._sessions, self._end_orphan, self._redirection)
        self._reauthentication = Reauthentication(self._world, self._timers, self._sessions, self._pursuit)

    # Entries -------------------------------------------------------------------------------------------------------

    def apply(self, spd: Spd, pad: Pad, now: float) -> list[Effect]:
        """Follow a new policy; what it does not change goes on."""
        self._world.env.now = now
        old_spd, old_pad = self._world.spd, self._world.pad
        self._world.spd, self._world.pad = spd, pad
        self._pursuit.keyings.follow(changed=pad != old_pad)
        self._world.redirects.follow(pad)
        why = "the policy has changed"
        change = Change((old_spd, old_pad), (spd, pad), self._mobility.may_move)
        self._mobility.follow(old_pad.own)
        for wish in self._world.wishes:
            if change.traffic(wish.entry.name, wish.path, wish.ike_id):
                self._pursuit.abandon(wish)
                if spd.named(wish.entry.name) is not None:
                    wish.flows.clear()  # the packet path has decided anew on what waits, and asks again
                self._pursuit.give_up(wish, Reason.POLICY_CHANGED, why)
        for record in self._world.children:
            if any(change.traffic(one.entry, record.path, record.ike_id) for one in record.child.shares):
                self._end_child(record.child.id, why, tell=True)
        for session in self._sessions:
            if change.peer(session.entry.name, session.home, session.id):
                self._sessions.end(session, IkeEvent.DELETED, why, tell=True, reason=Reason.POLICY_CHANGED)
        self._standing.follow(spd)
        return self._done()

    def receive(self, datagram: bytes, path: Path, now: float) -> list[Effect]:
        """Take a datagram, without a non-ESP marker."""
        self._world.env.now = now
        try:
            self._receive(datagram, path)
        except IkeError as error:
            event = MessageIgnored(peer=peer_of(path), reason=error.reason.value, detail=error.detail)
            self._out.append(Report(event))
        return self._done()

    def acquire(self, entry: str, flow: FlowKey, now: float) -> list[Effect]:
        """A packet of ``flow`` waits for an SA of ``entry``."""
        self._world.env.now = now
        self._pursuit.acquire(entry, flow)
        return self._done()

    def rekey_child(self, child_id: int, now: float, why: str) -> list[Effect]:
        """The soft limit of a contract is reached."""
        del why
        self._world.env.now = now
        self._renew(child_id)
        return self._done()

    def child_expired(self, child_id: int, now: float, why: str) -> list[Effect]:
        """The hard limit of a contract is reached."""
        self._world.env.now = now
        self._pursuit.ended(self._contracts.expired(child_id, why))
        return self._done()

    def child_unanswered(self, child_id: int, now: float) -> list[Effect]:
        """Packets go out by a contract, and none come in: ask the peer whether it is there."""
        self._world.env.now = now
        self._liveness.unanswered(child_id)
        return self._done()

    def child_answered(self, child_id: int, now: float) -> list[Effect]:
        """After that something came in; or at all, so that its peer receives by it, too."""
        self._world.env.now = now
        self._liveness.answered(child_id)
        self._contracts.switch(child_id)
        return self._done()

    def child_moved(self, child_id: int, path: Path, now: float) -> list[Effect]:
        """An authentic packet of a contract came by ``path``: its peer's NAT has given it another port."""
        self._world.env.now = now
        self._contracts.came_by(child_id, path)
        return self._done()

    def disconnected(self, path: Path, now: float) -> list[Effect]:
        """There is no TCP connection of that path (any more)."""
        self._world.env.now = now
        self._sessions.disconnected(path)
        return self._done()

    def delete_child(self, child_id: int, now: float, why: str) -> list[Effect]:
        """End a contract, and tell the peer."""
        self._world.env.now = now
        self._end_child(child_id, why, tell=True)
        return self._done()

    def unknown_spi(self, protocol: Protocol, spi: int, path: Path, now: float) -> list[Effect]:
        """A packet came with an SPI that we do not have: tell its sender, who may believe that we do."""
        self._world.env.now = now
        self._contracts.unknown_spi(protocol, spi, path)
        return self._done()

    def delete_ike(self, ike_id: int, now: float, why: str) -> list[Effect]:
        """End an IKE SA and the contracts that it speaks for, and tell the peer."""
        self._world.env.now = now
        session = self._sessions.get(ike_id)
        if session is not None:
            for record in self._world.children.of(ike_id):
                self._end_child(record.child.id, why, tell=session.version == 1)
            self._sessions.end(session, IkeEvent.DELETED, why, tell=True)
        return self._done()

    def drain(self, to: bytes | None, now: float) -> list[Effect]:
        """Send all clients to the gateway ``to``, now and when they come in; None: no more."""
        self._world.env.now = now
        self._redirection.drain(to)
        return self._done()

    def shut_down(self, now: float) -> list[Effect]:
        """End everything, and tell every peer."""
        self._world.env.now = now
        why = "this host stops"
        self._standing.follow(Spd())
        for wish in self._world.wishes:
            self._pursuit.give_up(wish, Reason.SHUT_DOWN, why)
        for record in self._world.children:
            self._end_child(record.child.id, why, tell=not self._sessions.ends_children(record.ike_id))
        for session in self._sessions:
            self._sessions.end(session, IkeEvent.DELETED, why, tell=True, reason=Reason.SHUT_DOWN)
        return self._done()

    def answered(self, ticket: int, answer: Answer, now: float) -> list[Effect]:
        """The host answers a ``Sign`` or ``Validate``; whoever asked may be gone."""
        self._world.env.now = now
        session = self._sessions.get(self._asked.pop(ticket, None))
        if session is not None:
            self._take(session, session.answered(ticket, answer))
        return self._done()

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""
        self._world.env.now = now
        for due, number in self._timers.pop(now):
            self._come_due(due, number)
        return self._done()

    def next_timer(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._timers.next()

    def ike_sas(self) -> tuple[IkeSaInfo, ...]:
        """All IKE SAs, those under negotiation too."""
        children, sessions = self._world.children, self._sessions
        return tuple(info_of(one, children.of(one.id), sessions.expires_at(one)) for one in sessions)

    def child_sas(self) -> tuple[ChildSa, ...]:
        """All contracts that both sides have, retiring ones too."""
        return tuple(record.child for record in self._world.children if record.state is not ChildState.LARVAL)

    # Messages ------------------------------------------------------------------------------------------------------

    def _receive(self, datagram: bytes, path: Path) -> None:
        header = header_of(datagram)
        session = self._sessions.find(header, path)
        if session is not None:
            if not session.hears(path):
                raise Ignored(Reason.UNEXPECTED, "a message of an IKE SA with another address")
            if session.version == 1 and header.major != 1:
                raise Ignored(Reason.VERSION, "a message in another version than its IKE SA's")
            self._take(session, session.receive(header, datagram, path))
        elif begins(header):
            self._doorway.answer(header, datagram, path)
        elif not self._doorway.recall(header, datagram, path):
            self._hear_stranger(header, datagram, path)

    def _hear_stranger(self, header: Header, datagram: bytes, path: Path) -> None:
        for denied in denied_spis(header, datagram):
            record = self._world.children.sent_by(path.remote.address, *denied)
            if record is not None:
                self._pursuit.suspect_child(record)
        self._out.extend(told_stranger(header, datagram, path, self._world))
        raise Ignored(Reason.UNKNOWN_COOKIE, "a message of an IKE SA that we do not have")

    # Happenings ----------------------------------------------------------------------------------------------------

    def _done(self) -> list[Effect]:
        self._standing.look()
        self._reauthentication.look()
        out, self._out[:] = [*self._out, *self._world.connections.effects()], []
        return out

    def _take(self, session: IkeSa, outputs: list[Output]) -> None:
        """Perform what came out of an IKE SA, in order."""
        for output in outputs:
            if isinstance(output, Effect):
                if isinstance(output, Question):
                    self._asked[output.ticket] = session.id
                self._out.append(output)
            else:
                self._happen(session, output)
        self._sessions.noted(session)

    def _happen(self, session: IkeSa, happening: Happening) -> None:
        match happening:
            case Prepared():
                self._pursuit.peer_began(self._contracts.prepared(session, happening))
            case Agreed(child, wish, lowest, connects):
                record = self._contracts.agreed(session, child, lowest, connects=connects)
                if record is not None:
                    self._pursuit.agreed(record, wish)
            case QuickFailed():
                self._quick_failed(session, happening)
            case Established():
                self._established(session, happening)
            case MainFailed(reason, detail):
                self._sessions.forget(session)
                self._pursuit.main_failed(session, reason, detail)
                self._liveness.main_failed(session, reason, detail)
            case _:
                self._happen_later(session, happening)

    def _happen_later(self, session: IkeSa, happening: Happening) -> None:
        """What happens to an established IKE SA."""
        match happening:
            case PeerDeleted() | PeerDeletedIke():
                self._peer_deleted(session, happening)
            case Suspicion():
                self._pursuit.suspect(session)
            case PeerSilent(detail):
                self._liveness.silent(session, detail)
            case Confirmed():
                self._sessions.rank(session)
            case Connected(child_id):
                self._contracts.switch(child_id)
            case Limited(seconds):
                self._reauthentication.limited(session, seconds)
            case Shortened() | Worn():
                self._wear.happen(session, happening)
            case Moved() | Relocated():
                self._mobility.happen(session, happening)
            case FirstContact():
                self._contracts.drop_before(session, "the peer has begun anew")
            case _:
                self._succession.happen(session, happening)

    def _established(self, session: IkeSa, made: Established) -> None:
        if made.first_contact:
            self._contracts.drop_before(session, "the peer has begun anew")
        self._sessions.established(session)
        self._contracts.follow(session)
        self._liveness.established(session)
        self._reauthentication.established(session)
        self._pursuit.established(session)

    def _quick_failed(self, session: IkeSa, failed: QuickFailed) -> None:
        if failed.child_id is not None:
            # The peer may have it, if only its confirmation was lost.
            self._end_child(failed.child_id, failed.detail, tell=failed.wish is None)
        self._pursuit.quick_failed(session, failed)

    def _peer_deleted(self, session: IkeSa, happening: PeerDeleted | PeerDeletedIke) -> None:
        if isinstance(happening, PeerDeleted):
            for spi in happening.spis:
                self._pursuit.ended(self._contracts.deleted_by_peer(session, happening.protocol, spi))
            return
        named = self._sessions.by_cookies(happening.cookies)
        if named is session or named in self._sessions.peers_of(session):
            self._sessions.end(named, IkeEvent.DELETED, "deleted by the peer", tell=False)

    def _end_child(self, child_id: int, why: str, *, tell: bool) -> None:
        self._pursuit.ended(self._contracts.end(child_id, why, tell=tell))

    def _end_orphan(self, child_id: int, why: str) -> None:
        """Its IKE SA has ended."""
        self._pursuit.ended(self._contracts.expired(child_id, why, tell=False))

    def _renew(self, child_id: int) -> None:
        record = self._world.children.get(child_id)
        if record is not None:
            self._pursuit.renew(record)

    def _come_due(self, due: Due, number: int) -> None:
        session = self._sessions.get(number)
        match due:
            case Due.SESSION if (speaking := self._sessions.speaking(number)) is not None:
                self._tick(speaking)
            case Due.RENEW_IKE if session is not None:
                self._pursuit.renew_ike(session)
            case Due.EXPIRE_IKE if session is not None:
                self._sessions.end(session, IkeEvent.EXPIRED, "its lifetime is over", tell=True, reason=Reason.EXPIRED)
            case Due.RETIRE_IKE if session is not None:
                self._sessions.retire(session)
            case Due.REAUTHENTICATE | Due.UNPROVED if session is not None:
                self._reauthentication.come_due(due, session)
            case Due.WISHES | Due.NEXT_KEYING:
                self._pursuit.come_due(due, number)
            case Due.RENEW:
                self._renew(number)
            case Due.SWITCH:
                self._contracts.switch(number)
            case Due.EXPIRE | Due.RETIRE:
                self._end_child(number, RETIRED if due is Due.RETIRE else "its lifetime is over", tell=True)

    def _tick(self, session: IkeSa) -> None:
        if self._sessions.is_moot(session):
            self._sessions.forget(session)
        else:
            self._take(session, session.tick())
