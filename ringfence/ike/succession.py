# SPDX-License-Identifier: Apache-2.0
"""What IKEv2 adds to the lives of IKE SAs: successors, and an end that is the end of all contracts under it.

Both sides may rekey an IKE SA at once. Then there are two successors until it is known which of them counts; that one
takes over the contracts. Who made the other one ends it.
"""

from collections.abc import Callable

from ringfence.ike.association import IkeSa
from ringfence.ike.errors import Reason
from ringfence.ike.happening import (
    Happening,
    Inherits,
    Left,
    Lost,
    Orphaned,
    Referred,
    SentElsewhere,
    Succeeded,
    SuccessionFailed,
)
from ringfence.ike.lifetime import IkeEvent
from ringfence.ike.redirection import Redirection
from ringfence.ike.sessions import Clock, Due, Sessions
from ringfence.ike.v2.rekey import Successor
from ringfence.ike.world import World

GIVEN_UP = "both sides rekeyed, and the other successor counts"


class Succession:
    """Carries that out."""

    def __init__(
        self, world: World, timers: Clock, sessions: Sessions, end_child: Callable[[int, str], None], moves: Redirection
    ) -> None:  # fmt: skip
        self._world = world
        self._timers = timers
        self._sessions = sessions
        self._end_child = end_child
        self._moves = moves

    def happen(self, session: IkeSa, happening: Happening) -> None:
        """Take what an IKE SA of IKEv2 tells."""
        match happening:
            case Succeeded():
                self._succeed(session, happening)
            case Inherits(spis):
                heir = self._sessions.by_cookies(spis)
                if heir is not None:
                    self._sessions.supersede(session, heir)
            case SuccessionFailed():
                self._timers.set((Due.RENEW_IKE, session.id), self._world.env.now + self._world.settings.retry_s)
            case Lost(reason, detail):
                tell = reason not in (Reason.PEER_SILENT, Reason.PEER_DELETED, Reason.PEER_REFUSED)
                self._sessions.end(session, IkeEvent.DELETED, detail, tell=tell, reason=reason)
            case SentElsewhere() | Referred():
                self._moves.happen(session, happening)
            case Left():
                self._sessions.left(session)
            case Orphaned(why):
                for record in self._world.children.of(session.id):
                    self._end_child(record.child.id, f"its IKE SA ended: {why}")

    def _succeed(self, session: IkeSa, happening: Succeeded) -> None:
        if not isinstance(happening.made, Successor):
            raise TypeError("a successor of IKEv2 is made by IKEv2")
        new = self._sessions.succeed(session, happening.made)
        if happening.inherits:
            self._sessions.supersede(session, new)
        elif happening.closes:
            self._sessions.end(new, IkeEvent.DELETED, GIVEN_UP, tell=True)
        else:
            patience = self._world.settings.retire_patience_s
            self._timers.set((Due.RETIRE_IKE, new.id), self._world.env.now + patience)
