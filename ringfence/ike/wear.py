# SPDX-License-Identifier: Apache-2.0
"""IKE SAs that live for less long than was thought: the peer says so, or so much was encrypted under them.

Only IKEv1 knows both.
"""

from ringfence.ike.association import IkeSa
from ringfence.ike.errors import Reason
from ringfence.ike.happening import Shortened, Worn
from ringfence.ike.lifetime import IkeEvent
from ringfence.ike.pursuit import Pursuit
from ringfence.ike.sessions import Sessions
from ringfence.ike.v1.session import Session

WHY = "all that may be encrypted under it has been"


class Wear:
    """Replaces and ends them in time."""

    def __init__(self, sessions: Sessions, pursuit: Pursuit) -> None:
        self._sessions = sessions
        self._pursuit = pursuit

    def happen(self, session: IkeSa, happening: Shortened | Worn) -> None:
        """Take what an IKE SA tells."""
        if isinstance(happening, Shortened):
            if isinstance(session, Session) and session.initiator:
                session.shorten(happening.limits)
                self._sessions.live(session)
        elif happening.out:
            self._sessions.end(session, IkeEvent.EXPIRED, WHY, tell=True, reason=Reason.EXPIRED)
        else:
            self._pursuit.renew_ike(session)
