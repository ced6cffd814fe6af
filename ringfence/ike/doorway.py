# SPDX-License-Identifier: Apache-2.0
"""Who begins an IKE SA with us: the way from a first message to a half-open IKE SA, by day and under siege.

As long as few are half open, a first message makes an IKE SA at once. From there on it is only answered: in IKEv2 by
the demand for a cookie, in IKEv1 as ``v1.firsts`` tells. The IKE SA is made for whoever shows by what comes next that
the answer came to where the first message says that it is from.
"""

from collections.abc import Callable
from functools import partial

from ringfence.audit import FirstMessagesFlood
from ringfence.databases.pad import PadEntry
from ringfence.ike.association import IkeSa
from ringfence.ike.effects import Effect, Report, SendMessage
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.flood import Siege
from ringfence.ike.happening import Output
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.sessions import Sessions, Take
from ringfence.ike.strangers import entries_for
from ringfence.ike.v1.firsts import Firsts
from ringfence.ike.v1.payloads import SaPayload
from ringfence.ike.v2.stranger import admit
from ringfence.ike.world import World
from ringfence.net.address import Path


class Doorway:
    """Lets peers begin."""

    def __init__(self, world: World, sessions: Sessions, take: Take, out: Callable[[Effect], None]) -> None:
        self._world = world
        self._sessions = sessions
        self._take = take
        self._out = out
        self._firsts = Firsts(world)
        self._siege = Siege()

    def answer(self, header: Header, datagram: bytes, path: Path) -> None:
        """A first message; raises IkeError for one that comes to nothing."""
        entries = entries_for(header, path, self._world)
        if not self._world.half_open.crowded:
            self._firsts.forget()
        elif path.tcp:
            pass  # its connection shows already that it receives at its address (RFC 9329 §6.3)
        elif (said := self._said(header, datagram, path, entries)) is not None:
            self._out(SendMessage(said, path))
            if count := self._siege.count(self._world.env.now):
                self._out(Report(FirstMessagesFlood(count=count, half_open=len(self._world.half_open))))
            return
        self._begin(header, datagram, path, entries)

    def recall(self, header: Header, datagram: bytes, path: Path) -> bool:
        """Whether a message of no IKE SA goes on with what was answered without one, and so has begun one."""
        if header.major != 1 or header.exchange != Exchange.MAIN or header.message_id or header.encrypted:
            return False
        first = self._firsts.recall(header, path)
        if first is not None:
            begun = Header.decode(first[:HEADER_OCTETS])
            session = self._begin(begun, first, path, entries_for(header, path, self._world), header, silent=True)
            self._take(session, session.receive(header, datagram, path))
            return True
        if header.next_payload != SaPayload.NUMBER or not self._firsts.brings_cookie(header, path):
            return False
        self._begin(header, datagram, path, entries_for(header, path, self._world), header)
        return True

    def _said(self, header: Header, datagram: bytes, path: Path, entries: tuple[PadEntry, ...]) -> bytes | None:
        """What a first message gets under load; None where it has shown that it receives. Raises IkeError."""
        if header.major != 1:
            return admit(header, datagram, path, self._world)
        if header.exchange != Exchange.MAIN:
            what = "only main mode is answered while so many negotiations are half open"
            raise Ignored(Reason.HALF_OPEN_LIMIT, what)
        return self._firsts.answer(header, datagram, path, entries)

    def _begin(
        self,
        header: Header,
        datagram: bytes,
        path: Path,
        entries: tuple[PadEntry, ...],
        returned: Header | None = None,
        *,
        silent: bool = False,
    ) -> IkeSa:
        """A half-open IKE SA; ``returned`` has the cookie that we have given it, ``silent``: it has had its answer."""
        cookie = returned.responder_cookie if returned else None
        session = self._sessions.new(path, header.initiator_cookie, entries, version=header.major, own_cookie=cookie)
        try:
            first_contact = partial(self._sessions.is_first_contact, path)
            outputs = session.answer(header, datagram, first_contact=first_contact)
        except IkeError:
            self._sessions.forget(session)
            raise
        self._take(session, [each for each in outputs if not silent or not _sends(each)])
        return session


def _sends(output: Output) -> bool:
    return isinstance(output, SendMessage)
