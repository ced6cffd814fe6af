# SPDX-License-Identifier: Apache-2.0
"""Another TCP connection in place of one that is gone (RFC 9329 §6.1).

Whoever opened the first opens the next, soon, and then less and less often, until what waits for its answer meanwhile
is given up. What was asked and is not answered is said again, since it may not have got through. The other side goes
on by the new connection when a request comes by it that is authentic and new, so there is one in any case.
"""

from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.happening import Moved
from ringfence.ike.v2.dialogue import Dialogue
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.requests import Requests
from ringfence.ike.v2.voice import Voice
from ringfence.ike.world import World

FIRST_S, MOST_S = 1.0, 8.0
"""Before the second try in a row, and at most; the first one is made at once."""
MOST_TRIES = 8


class Redial:
    """Of one IKE SA."""

    def __init__(self, voice: Voice, talk: Dialogue, requests: Requests, world: World) -> None:
        self._voice, self._talk, self._requests = voice, talk, requests
        self._world = world
        self._tries = 0
        self._due: float | None = None
        """When the next one is to be opened."""

    def sooner(self, when: float | None) -> float | None:
        """When ``tick`` has something to do, or ``when``, whichever comes first."""
        return min((one for one in (when, self._due) if one is not None), default=None)

    def lost(self) -> None:
        """There is no connection."""
        running = self._talk.current
        if running is not None and running.kind is Kind.IKE_SA_INIT:
            what = "nobody takes TCP connections there, or keeps them"
            self._talk.doubt(running, Aborted(Reason.PEER_SILENT, what))
        elif self._voice.dials and self._due is None:
            wait = min(FIRST_S * (1 << self._tries - 1), MOST_S) if self._tries else 0.0
            self._tries = min(self._tries + 1, MOST_TRIES)
            self._due = self._world.env.now + wait

    def heard(self) -> None:
        """Something has come."""
        self._tries = 0

    def tick(self) -> None:
        """Go on by another connection when it is time to."""
        if self._due is None or self._due > self._world.env.now:
            return
        self._due = None
        path = self._voice.path
        self._voice.path = self._world.connections.dialled(path.local.address, path.remote.address, path.remote.port)
        self._voice.emit(Moved())
        self._talk.resend()
        self._requests.announce()
