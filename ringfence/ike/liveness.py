# SPDX-License-Identifier: Apache-2.0
"""Is the peer still there? Asked only when packets go out and none come in; if it never answers, all with it ends.

A peer that says that it answers questions is asked under its IKE SA (RFC 3706). Any other, or one whose IKE SA is gone,
is asked by a renewal, as Windows does ([MS-IKEE] §3.12): a quick mode, and if nobody answers that a main mode; this
costs more, so not as often. Only who does not answer that either is dead: Windows, which never answers a question, is
not taken for dead for that.

Whatever comes in meanwhile by a contract in question clears it. What is dead is told, its SAs go without a word to the
peer, and the next packet begins anew.
"""

from collections.abc import Callable, Iterable

from ringfence.audit import PeerDead
from ringfence.ike.association import IkeSa
from ringfence.ike.children import Record
from ringfence.ike.contracts import Contracts
from ringfence.ike.effects import Effect, Report
from ringfence.ike.errors import Reason
from ringfence.ike.info import peer_of
from ringfence.ike.lifetime import IkeEvent
from ringfence.ike.pursuit import Pursuit
from ringfence.ike.sessions import Clock, Sessions, Take
from ringfence.ike.world import World

RENEWAL_S = 120.0
"""No peer is asked by a renewal more often than this."""
DEAD = "the peer is dead"


class Liveness:
    """Doubts about peers."""

    def __init__(
        self,
        world: World,
        timers: Clock,
        sessions: Sessions,
        take: Take,
        emit: Callable[[Effect], None],
        contracts: Contracts,
        pursuit: Pursuit,
    ) -> None:
        del timers  # the packet path and each IKE SA have their own
        self._world = world
        self._sessions = sessions
        self._contracts = contracts
        self._pursuit = pursuit
        self._take = take
        self._emit = emit
        self._renewed: dict[int, float] = {}
        """Contracts whose renewal asks, and since when."""

    def unanswered(self, child_id: int) -> None:
        """Packets go out by a contract, and none come in."""
        record = self._world.children.get(child_id)
        if record is None or not record.in_use:
            return
        session = self._sessions.get(record.ike_id)
        if session is None or not session.answers_probes:
            self._ask_by_renewal(record)
        elif session.entry.dead_peer is not None:
            self._take(session, session.ask_alive(session.entry.dead_peer.tries))

    def answered(self, child_id: int) -> None:
        """Something has come in by it since."""
        record = self._world.children.get(child_id)
        session = None if record is None else self._sessions.get(record.ike_id)
        self._renewed.pop(child_id, None)
        if session is not None:
            self._take(session, session.is_alive())

    def established(self, session: IkeSa) -> None:
        """The peer has made a new IKE SA, so it is there."""
        for other in self._sessions.peers_of(session):
            self._take(other, other.is_alive())
        remote, made = session.path.remote.address, session.agreed
        for record in map(self._world.children.get, tuple(self._renewed) if made is not None else ()):
            if record is not None and made and (record.at.remote.address, record.child.peer) == (remote, made.remote):
                del self._renewed[record.child.id]

    def silent(self, session: IkeSa, detail: str) -> None:
        """The peer did not answer the questions under an IKE SA."""
        if session.agreed is None:
            return
        sessions = [session, *self._sessions.peers_of(session)]
        records = [record for each in sessions for record in self._world.children.of(each.id)]
        self._bury(records, peer_of(session.path), str(session.agreed.remote), detail)
        for each in sessions:
            self._sessions.end(each, IkeEvent.DELETED, DEAD, tell=False, reason=Reason.PEER_SILENT)

    def main_failed(self, session: IkeSa, reason: Reason, detail: str) -> None:
        """A main mode came to nothing; if it was to tell whether the peer is there, it has."""
        if reason is not Reason.PEER_SILENT or not session.initiator:
            return
        records = [
            record
            for record in self._world.children.with_peer(session.path.remote.address)
            if record.child.id in self._renewed and record.path.local.address == session.path.local.address
        ]
        if records:
            self._bury(records, peer_of(session.path), str(records[0].child.peer), detail)

    def _ask_by_renewal(self, record: Record) -> None:
        now, children = self._world.env.now, self._world.children
        self._renewed = {number: when for number, when in self._renewed.items() if children.get(number) is not None}
        if now - self._renewed.get(record.child.id, -RENEWAL_S) >= RENEWAL_S:
            self._renewed[record.child.id] = now
            self._pursuit.renew(record)

    def _bury(self, records: Iterable[Record], peer: str, identity: str, detail: str) -> None:
        ended = [self._contracts.end(record.child.id, DEAD, tell=False) for record in records]
        self._emit(Report(PeerDead(peer=peer, identity=identity, detail=detail, children=len(ended))))
        for record in ended:
            if record is not None:
                self._pursuit.ended(record)
