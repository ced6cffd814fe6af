# SPDX-License-Identifier: Apache-2.0
"""The life of contracts (child SAs): prepared, agreed, in use, renewed, retired, ended.

No packet is lost by a renewal because of its order. Whoever answers receives by the new SAs before its answer leaves,
and sends by them once the third message proves that the other can receive. Whoever began sends by them when the other
certainly has the third message: at once if that is known to be ready before it, else after a delay in which a lost one
would have been missed. The old SAs receive for some seconds more, and are then deleted by the side that renewed.
"""

from collections.abc import Callable
from dataclasses import replace

from ringfence.audit import QuickModeEnded, QuickModeEstablished
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa, Sa
from ringfence.ike.association import IkeSa, keying_of
from ringfence.ike.children import Record
from ringfence.ike.effects import Effect, InstallOutbound, RemoveChild, Report
from ringfence.ike.happening import Prepared
from ringfence.ike.info import peer_of
from ringfence.ike.lifetime import ChildEvent, ChildState, IkeEvent
from ringfence.ike.sessions import Clock, Due, Sessions, Take
from ringfence.ike.strangers import unknown_spi
from ringfence.ike.wishes import Order, Wish, key_of
from ringfence.ike.world import World
from ringfence.net.address import Path

RETIRED = "replaced by its successor"
COLLISION_S = 30.0
"""Contracts for the same that are made within so long were begun by both sides at once."""
TOLD_S = 1.0
"""Nobody is told of the same unknown SPI again so soon."""
MOST_TOLD = 256


class Contracts:
    """What becomes of every contract."""

    def __init__(
        self, world: World, timers: Clock, sessions: Sessions, take: Take, emit: Callable[[Effect], None]
    ) -> None:
        self._world = world
        self._timers = timers
        self._sessions = sessions
        self._take = take
        self._emit = emit
        self._told: dict[tuple[bytes, Protocol, int], float] = {}

    def prepared(self, session: IkeSa, happening: Prepared) -> Record:
        """We are about to receive by it."""
        child = happening.child
        wish = happening.wish
        if wish is None:
            order = self._order_of_peers(session, child)
        else:  # what comes along with an IKE SA of IKEv2 was not begun for itself
            order = wish.order if wish.nonce and wish.ike_id == session.id else self._world.next_order()
        replaces = child.replaces
        if session.version != 1 and replaces is None:
            replaces = self._made_anew(session, child, wish)
        ours, at = wish is not None, session.path
        record = Record(child, session.id, session.home, ours, order, replaces=replaces, moved=at)
        self._world.children.add(record)
        return record

    def _made_anew(self, session: IkeSa, child: ChildSa, wish: Wish | None) -> int | None:
        """What a contract of a new IKE SA stands for that both sides have under another one; nobody says so.

        A peer that begins while we do, or have just done so, means the same as we.
        """
        if wish is not None:
            return None if wish.anew is None else wish.replaces
        key = key_of(session.path, child.selector)
        ours = self._world.wishes.get(key)
        if ours is not None and ours.anew is not None:
            return ours.replaces
        newest = self._world.children.newest(key)
        if newest is None or newest.ike_id == session.id or newest.child.peer != child.peer:
            return None
        crosses = newest.initiator and self._world.env.now - newest.made_at <= COLLISION_S
        return newest.replaces if crosses else newest.child.id

    def _order_of_peers(self, session: IkeSa, child: ChildSa) -> Order:
        """A peer's contract is newer than all before, but for our own under way that the peer would hear later."""
        ours = self._world.wishes.get(key_of(session.home, child.selector))
        both = ours is not None and ours.nonce and not ours.insists
        return self._world.order_before(ours.order) if ours is not None and both else self._world.next_order()

    def agreed(self, session: IkeSa, child: ChildSa, lowest: bytes = b"", *, connects: bool = False) -> Record | None:
        """Both sides have it; None when it has been deleted meanwhile.

        Of those that crossed in IKEv2 the one with the lowest nonce gives way (RFC 7296 §2.8.1).
        """
        record = self._world.children.get(child.id)
        if record is None:
            return None
        now = self._world.env.now
        record.happen(ChildEvent.CONFIRMED)
        record.made_at, record.lowest = now, lowest
        if lowest:
            self._settle(record)
        self._report_established(session, record)
        if child.hard.seconds is not None:
            self._timers.set((Due.EXPIRE, child.id), now + child.hard.seconds)
        if self._world.children.newest(record.key) is not record:
            self._replaced(record, by=None)
            return record
        if child.soft.seconds is not None:
            self._timers.set((Due.RENEW, child.id), now + child.soft.seconds)
        delay = self._world.settings.commit_s if connects else self._delay(session, record)
        if delay:
            self._timers.set((Due.SWITCH, child.id), now + delay)
        else:
            self.switch(child.id)
        return record

    def _settle(self, record: Record) -> None:
        """Put it in its place among those that both sides made at about the same time."""
        for rival in self._world.children.competing(record.key):
            recent = record.made_at - rival.made_at <= COLLISION_S and rival.in_use and rival is not record
            crossed = rival.initiator is not record.initiator and rival.replaces == record.replaces
            if not recent or not rival.lowest or not crossed:
                continue
            if rival.lowest > record.lowest:
                record.order = self._world.order_before(rival.order)
            elif record.order < rival.order:
                record.order = self._world.next_order()

    def _delay(self, session: IkeSa, record: Record) -> float:
        """Seconds until the peer certainly receives by it."""
        waits = record.initiator and not session.peer_is_ours
        if session.version != 1:
            waits = not record.initiator  # until the peer has our response, and receives, or has sent something
        if not waits:
            return 0.0
        settings, now = self._world.settings, self._world.env.now
        others = self._world.children.competing(record.key)
        old = next((each for each in others if self.carries(each) and each.child.peer == record.child.peer), None)
        if old is None:
            return settings.first_switch_s
        ends = self._timers.when((Due.EXPIRE, old.child.id))
        return settings.switch_s if ends is None else max(0.0, min(settings.switch_s, (ends - now) / 2))

    @staticmethod
    def carries(record: Record) -> bool:
        """Whether packets are sent by it."""
        return record.state in (ChildState.LIVE, ChildState.REKEYING)

    def switch(self, child_id: int) -> None:
        """Send by it, and let those before it retire."""
        record = self._world.children.get(child_id)
        if record is None or record.state is not ChildState.AGREED:
            return
        record.happen(ChildEvent.SWITCHED)
        self._emit(InstallOutbound(record.child))
        for older in self._world.children.competing(record.key):
            # Behind one NAT there may be several peers: none ends what another has.
            if older.order < record.order and older.in_use and older.child.peer == record.child.peer:
                self._replaced(older, by=record)

    def came_by(self, child_id: int, path: Path) -> None:
        """An authentic packet of a contract came by ``path``."""
        record = self._world.children.get(child_id)
        session = None if record is None else self._sessions.get(record.ike_id)
        if session is not None:
            self._take(session, session.heard_from(path))

    def follow(self, session: IkeSa) -> None:
        """What an IKE SA speaks for goes where its messages go."""
        for record in self._world.children.of(session.id):
            path = record.child.outbound[-1].encapsulation
            if path is None or path == session.path:
                continue
            if path.local != session.path.local and not session.path.tcp:  # each connection has a port of its own
                continue
            record.path, record.moved = session.home, session.path
            record.child = replace(
                record.child,
                outbound=_by_path(record.child.outbound, session.path),
                inbound=_by_path(record.child.inbound, session.path),
            )
            if self.carries(record):
                self._emit(InstallOutbound(record.child))

    def _replaced(self, record: Record, *, by: Record | None) -> None:
        """It has a successor: it only receives, and not for long."""
        settings = self._world.settings
        record.happen(ChildEvent.REPLACED)
        self._timers.drop((Due.RENEW, record.child.id))
        self._timers.drop((Due.SWITCH, record.child.id))
        ours = by is not None and by.initiator
        wait, now = settings.retire_s if ours else settings.retire_patience_s, self._world.env.now
        ends = self._timers.when((Due.EXPIRE, record.child.id))
        if ours and ends is not None:  # a peer may send by it until it has heard that it is gone
            wait = max(0.0, min(wait, (ends - now) / 2))
        self._timers.set((Due.RETIRE, record.child.id), now + wait)

    def end(self, child_id: int, why: str, *, tell: bool) -> Record | None:
        """Forget a contract, and ``tell`` the peer."""
        record = self._world.children.get(child_id)
        if record is None:
            return None
        was_larval = record.state is ChildState.LARVAL
        self._world.children.remove(child_id)
        for due in (Due.RENEW, Due.EXPIRE, Due.SWITCH, Due.RETIRE):
            self._timers.drop((due, child_id))
        self._emit(RemoveChild(child_id, why))
        session = self._sessions.get(record.ike_id)
        if tell and session is not None:
            self._take(session, session.delete([(sa.protocol, sa.spi) for sa in record.child.inbound]))
        if not was_larval:
            selector, peer = record.child.words, peer_of(record.at)
            self._emit(Report(QuickModeEnded(child_id=child_id, peer=peer, selector=selector, why=why)))
        return record

    def deleted_by_peer(self, session: IkeSa, protocol: Protocol, spi: int) -> Record | None:
        """The peer does not receive by that SPI any more."""
        children = self._world.children
        record = children.sent_under(session.id, protocol, spi)
        record = record or children.sent_by(session.path.remote.address, protocol, spi)
        if record is None or session.agreed is None or record.child.peer != session.agreed.remote:
            return None
        self._succeed(record)  # whoever ends what was replaced receives by its successor
        return self.end(record.child.id, "deleted by the peer", tell=False)

    def expired(self, child_id: int, why: str, *, tell: bool = True) -> Record | None:
        """A hard limit is reached, perhaps sooner than it seemed when its successor was made, or its IKE SA ends."""
        record = self._world.children.get(child_id)
        if record is not None:
            self._succeed(record)
        return self.end(child_id, why, tell=tell)

    def _succeed(self, record: Record) -> None:
        """Send by the successor of what ends, if there is one."""
        for newer in self._world.children.competing(record.key):
            if newer.state is ChildState.AGREED and newer.replaces == record.child.id:
                self.switch(newer.child.id)

    def unknown_spi(self, protocol: Protocol, spi: int, path: Path) -> None:
        """Somebody sends by an SPI that we do not have: say so, under an IKE SA if there is one.

        The news is up to a second old. A packet may have come before the message that made its SA.
        """
        if self._world.children.received_by(protocol, spi) is not None:
            return
        now = self._world.env.now
        self._told = {key: when for key, when in self._told.items() if now - when < TOLD_S}
        key = path.remote.address, protocol, spi
        if key in self._told or len(self._told) >= MOST_TOLD:
            return
        self._told[key] = now
        made = [each for each in self._sessions.with_peer(path) if each.agreed is not None]
        session = max(made, key=lambda each: (each.confirmed, each.id), default=None)
        if session is not None:
            self._take(session, session.delete([(protocol, spi)]))
        else:
            for effect in unknown_spi(protocol, spi, path, self._world):
                self._emit(effect)

    def drop_before(self, session: IkeSa, why: str) -> None:
        """The peer has nothing of what was made before ``session`` began, with the address of ours that it speaks to.

        Our other addresses may be other hosts to it, of which it says nothing here.
        """
        made = session.agreed
        if made is None:
            return
        for record in self._world.children.with_identity(session.path, made.remote):
            if record.state is not ChildState.LARVAL and record.made_at < session.began_at:
                self._follow_soon(record)
                self.end(record.child.id, why, tell=False)
        for other in self._sessions.peers_of(session):
            if other.made_at is not None and other.made_at < session.began_at:
                self._sessions.end(other, IkeEvent.DELETED, why, tell=False)

    def _follow_soon(self, gone: Record) -> None:
        """What the peer has begun anew instead carries the traffic as soon as it has our answer."""
        for newer in self._world.children.competing(gone.key):
            if newer.state is ChildState.AGREED and newer.order > gone.order:
                soon = self._world.env.now + self._world.settings.first_switch_s
                self._timers.set((Due.SWITCH, newer.child.id), soon)

    def _report_established(self, session: IkeSa, record: Record) -> None:
        child = record.child
        entry = self._world.spd.named(child.entry)
        self._emit(
            Report(
                QuickModeEstablished(
                    child_id=child.id,
                    ike_id=session.id,
                    peer=peer_of(session.path),
                    selector=child.words,
                    protection=_protection(child),
                    mode=child.mode.value,
                    spi_in=_spis(child, inbound=True),
                    spi_out=_spis(child, inbound=False),
                    initiator=record.initiator,
                    rule=entry.origin.rule if entry else child.entry,
                    replaces=child.replaces,
                    lifetime_s=child.hard.seconds,
                    keying=keying_of(session),
                )
            )
        )


def _by_path(sas: tuple[Sa, ...], path: Path) -> tuple[Sa, ...]:
    return (*sas[:-1], replace(sas[-1], encapsulation=path))


def _protection(child: ChildSa) -> str:
    """Such as ``esp aes256-sha256 + ah sha256``."""
    return " + ".join(
        f"{sa.protocol.name.lower()} " + "-".join(str(part) for part in (sa.cipher, sa.authenticator) if part)
        for sa in child.outbound
    )


def _spis(child: ChildSa, *, inbound: bool) -> str:
    return " ".join(f"0x{sa.spi:08x}" for sa in (child.inbound if inbound else child.outbound))
