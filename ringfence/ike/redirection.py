# SPDX-License-Identifier: Apache-2.0
"""What becomes of IKE SAs whose peers send us to another gateway, or whom we send to one (RFC 5685).

As a client: what was wanted of the old gateway is wanted of the new one, and the old IKE SA ends with all under it. As
a gateway: who knows of it is sent away and ends its IKE SA itself; if it does not, we do.
"""

from collections.abc import Callable

from ringfence.audit import PeerSentElsewhere
from ringfence.databases.pool import Assigned
from ringfence.ike.association import IkeSa, Referring
from ringfence.ike.children import Record
from ringfence.ike.effects import Effect, Report
from ringfence.ike.errors import Reason
from ringfence.ike.happening import Referred, SentElsewhere
from ringfence.ike.info import peer_of
from ringfence.ike.lifetime import IkeEvent
from ringfence.ike.pursuit import Pursuit
from ringfence.ike.redirects import toward
from ringfence.ike.sessions import Clock, Due, Sessions, Take
from ringfence.ike.wishes import Wish
from ringfence.ike.world import World
from ringfence.net.address import Path, format_address


class Redirection:
    """Both sides of it."""

    def __init__(
        self, world: World, timers: Clock, sessions: Sessions, take: Take, emit: Callable[[Effect], None],
        pursuit: Pursuit,
    ) -> None:  # fmt: skip
        self._world = world
        self._timers = timers
        self._sessions = sessions
        self._take = take
        self._emit = emit
        self._pursuit = pursuit

    def happen(self, session: IkeSa, happening: SentElsewhere | Referred) -> None:
        """A peer sends us to another gateway, or has been sent to one."""
        if isinstance(happening, Referred):
            self._tell(session, happening.to, sent=True)
            patience = self._world.settings.retire_patience_s
            self._timers.set((Due.RETIRE_IKE, session.id), self._world.env.now + patience)
            return
        self._tell(session, happening.to, sent=False)
        name, old = session.entry.name, session.path
        records = [each for each in self._world.children.of(session.id) if each.in_use]
        self._world.redirects.note(name, old, happening.to, self._world.env.now)
        moved = [wish for wish in self._world.wishes if wish.entry.peer == name and _same_ends(wish.path, old)]
        for wish in moved:
            self._world.wishes.remove(wish)
        if session.made_at is None:
            self._sessions.forget(session)
        else:
            why = f"the peer sends us to {format_address(happening.to)}"
            self._sessions.end(session, IkeEvent.DELETED, why, tell=True, reason=Reason.ELSEWHERE)
        for wish in moved:
            self._move(wish, happening.to)
        for record in records:
            self._want(record, happening.to)

    def drain(self, to: bytes | None) -> None:
        """Send all clients there, and who comes in from now on; None: nobody any more."""
        self._world.redirects.drains_to = to
        for session in self._sessions:
            if to is not None and isinstance(session, Referring) and session.refers and _fits(to, session.path):
                self._take(session, session.refer(to))

    def _move(self, wish: Wish, to: bytes) -> None:
        """It is wanted of the other gateway; if that is wanted already, by both at once."""
        wish.path = toward(wish.path, to)
        wish.nonce, wish.ike_id, wish.waits_for, wish.replaces = b"", None, None, None
        other = self._world.wishes.get(wish.key)
        if other is None:
            self._world.wishes.add(wish)
            self._pursuit.pursue(wish)
            return
        for flow in wish.flows:
            other.add(flow, self._world.settings.most_waiting)

    def _want(self, record: Record, to: bytes) -> None:
        """What goes by a contract is to go on; where the gateway gives us an address, that asks for itself."""
        entry = self._world.spd.named(record.child.entry)
        if entry is None or entry.processing is None or entry.processing.assigned is Assigned.OURS:
            return
        path = toward(record.path, to)
        if not self._pursuit.is_wanted(record.child.selector, path):
            self._pursuit.want(entry, record.child.selector, path)

    def _tell(self, session: IkeSa, to: bytes, *, sent: bool) -> None:
        event = PeerSentElsewhere(peer=peer_of(session.path), to=format_address(to), rule=session.rule, sent=sent)
        self._emit(Report(event))


def _same_ends(one: Path, other: Path) -> bool:
    return (one.local.address, one.remote.address) == (other.local.address, other.remote.address)


def _fits(to: bytes, path: Path) -> bool:
    return len(to) == len(path.local.address) and to != path.local.address
