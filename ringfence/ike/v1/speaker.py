# SPDX-License-Identifier: Apache-2.0
"""The voice of one IKE SA: sends messages, keeps IVs and message ids, tells the administrator of each message."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.audit import Event, MessageExchanged, MessageIgnored
from ringfence.ike.effects import Report, SendMessage
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.flood import Bucket
from ringfence.ike.happening import Moved, Output, Worn
from ringfence.ike.header import FLAGS_AT, Exchange, Flags, Header
from ringfence.ike.info import peer_of
from ringfence.ike.payload import Payload
from ringfence.ike.v1 import informational
from ringfence.ike.v1.channel import Cookies, seal, words
from ringfence.ike.v1.fragment import PIECE_OCTETS, WHOLE_OCTETS, Pieces, cut, inner
from ringfence.ike.v1.keys import MainKeys
from ringfence.ike.v1.natt import NAT_PORT
from ringfence.ike.v1.payloads import NotifyPayload
from ringfence.ike.v1.running import NAMES, AnyRunning
from ringfence.ike.window import Answers, MessageIds, digest
from ringfence.net.address import Path

REMEMBERED = 16
"""Messages of a peer that we answer again."""
NEVER = 1 << 63
"""More octets than anybody sends."""
WORN_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Said:
    """An informational message that may be repeated, or answered under its id."""

    message_id: int
    datagram: bytes
    words: str
    iv: bytes
    """Of an answer."""


class Speaker:
    """What is needed to send under one IKE SA."""

    def __init__(self, path: Path, cookies: Cookies, env: Env, clear_notifies: Bucket) -> None:
        self.path = path
        self.came_by = path
        """Where the message in hand came from."""
        self.traverses = False
        """Whether there is NAT in between."""
        self._peer_moves = False
        self.joins = True
        """Whether the policy lets messages go in pieces."""
        self.peer_joins = False
        """Whether the peer says that it puts them together."""
        self.cuts = False
        """Whether whole ones seem to get lost: one was not answered, or the peer sends pieces."""
        self._cut = 0
        """Messages sent in pieces."""
        self.initiator_cookie, self.responder_cookie = cookies
        self.env = env
        self.rule = ""
        """The policy's rule that the peer authenticates by, for people."""
        self.keys: MainKeys | None = None
        self.last_block = b""
        """Of main mode: its next IV, and then the root of all others."""
        self.ids = MessageIds()
        self.answers = Answers(REMEMBERED)
        self._encrypted = 0
        """Octets, both ways."""
        self._soft, self._hard = NEVER, NEVER
        self._pieces = Pieces()
        self._clear_notifies = clear_notifies
        self._out: list[Output] = []

    @property
    def cookies(self) -> Cookies:
        """Both."""
        return self.initiator_cookie, self.responder_cookie

    @property
    def peer(self) -> str:
        """The other end, for people."""
        return peer_of(self.path)

    def traverse(self, path: Path, *, peer_moves: bool) -> None:
        """There is NAT in between; go on by ``path``."""
        self.path, self.traverses, self._peer_moves = path, True, peer_moves

    def hears(self, path: Path) -> bool:
        """Whether the peer's messages may come by ``path``: NAT changes ports."""
        own = self.path
        same = (path.local.address, path.remote.address) == (own.local.address, own.remote.address)
        return path == own or (same and self.traverses)

    def follow(self) -> None:
        """The message in hand is authentic and new: answer to where it came from, if the peer may have moved there.

        Only a port may change. The first time it is the initiator's step to port 4500; later it is the NAT's doing, and
        the port of a peer that is not behind one does not change (RFC 3947 §6).
        """
        may = self.traverses and (self._peer_moves or self.path.local.port != NAT_PORT)
        if may and self.came_by != self.path and self.came_by.local.port == NAT_PORT:
            self.path = self.came_by
            self.emit(Moved())

    def join(self, header: Header, datagram: bytes) -> tuple[Header, bytes]:
        """The message that a piece completes, nothing if more are to come; raises Ignored for what is none."""
        if not self.joins:
            raise Ignored(Reason.PAYLOAD_TYPE, "a fragment of a message, and the policy takes none")
        whole = self._pieces.take(header, datagram, self.env.now)
        self.cuts = True
        return (header, b"") if whole is None else inner(header, whole)

    def wear(self, hard: int | None) -> None:
        """After so many octets the SA must be replaced, and a little before it is to be."""
        if hard is not None:
            self._soft, self._hard = int(hard * WORN_SHARE), hard

    def _wear(self, octets: int) -> None:
        self._encrypted += octets
        if self._encrypted >= self._hard:
            self._soft, self._hard = NEVER, NEVER
            self.emit(Worn(out=True))
        elif self._encrypted >= self._soft:
            self._soft = NEVER
            self.emit(Worn(out=False))

    def emit(self, output: Output) -> None:
        """Add to what comes out of this entry."""
        self._out.append(output)

    def drain(self) -> list[Output]:
        """What has come out since the last call."""
        out, self._out = self._out, []
        return out

    def report(self, event: Event) -> None:
        """Tell the administrator."""
        self.emit(Report(event))

    def report_ignored(self, error: IkeError) -> None:
        """A message was dropped."""
        self.report(MessageIgnored(peer=self.peer, reason=error.reason.value, detail=error.detail))

    def new_message_id(self) -> int:
        """One that nobody has used under this SA; when none is left, any, for the SA is about to be replaced."""
        while True:
            number = self.env.number(4)
            if number and (self.ids.take(number) or self.ids.spent):
                return number

    def phase2_iv(self, message_id: int) -> bytes:
        """The first IV of another exchange; empty while there are no keys."""
        return b"" if self.keys is None else self.keys.phase2_iv(self.last_block, message_id)

    # Exchanges -----------------------------------------------------------------------------------------------------

    def say(self, running: AnyRunning, payloads: Sequence[Payload]) -> None:
        """Send the next message of an exchange."""
        running.number += 1
        keys = None if running.rules[running.number - 1].encrypted is False else self.keys
        iv = self.last_block if running.makes_ike_sa else running.iv
        running.sent, after = seal(self.cookies, running.kind, running.message_id, payloads, keys, iv)
        self.take_iv(running, after)
        running.sent_words = words(payloads)
        self._send(running.kind, running.number, running.sent_words, running.sent, encrypted=keys is not None)

    def take_iv(self, running: AnyRunning, iv: bytes) -> None:
        """The IV of the exchange's next message."""
        if running.makes_ike_sa:
            self.last_block = iv
        else:
            running.iv = iv

    def say_again(self, running: AnyRunning) -> None:
        """Repeat the last message of an exchange."""
        encrypted = running.rules[running.number - 1].encrypted is not False
        text = f"{running.sent_words} (again)"
        self._send(running.kind, running.number, text, running.sent, encrypted=encrypted, again=True)

    def heard(self, running: AnyRunning, number: int, payloads: Iterable[Payload], datagram: bytes) -> None:
        """Tell of a message that was accepted."""
        encrypted = Flags.ENCRYPTED in Flags(datagram[FLAGS_AT])
        self._exchanged(running.kind, number, words(payloads), datagram, sent=False, encrypted=encrypted)

    # Messages of their own -----------------------------------------------------------------------------------------

    def inform(self, *payloads: Payload) -> "Said | None":
        """Send an informational message under the SA's keys; without keys, nothing."""
        if self.keys is None or not payloads:
            return None
        message_id = self.new_message_id()
        whole = informational.protected(self.keys, message_id, *payloads)
        iv = self.phase2_iv(message_id)
        datagram, after = seal(self.cookies, Exchange.INFORMATIONAL, message_id, whole, self.keys, iv)
        said = Said(message_id, datagram, words(whole), after)
        self._send(Exchange.INFORMATIONAL, 1, said.words, datagram, encrypted=True)
        return said

    def inform_again(self, said: "Said") -> None:
        """Repeat an informational message."""
        self._send(Exchange.INFORMATIONAL, 1, f"{said.words} (again)", said.datagram, encrypted=True, again=True)

    def acknowledge(
        self, heard: bytes, message_id: int, iv: bytes, payloads: Sequence[Payload],
        kind: Exchange = Exchange.INFORMATIONAL,
    ) -> None:  # fmt: skip
        """Answer a message under its id, now and when it comes again; ``iv`` is its last block."""
        datagram, _ = seal(self.cookies, kind, message_id, payloads, self.keys, iv)
        self.answers.add(digest(heard), datagram)
        self._send(kind, 2, words(payloads), datagram, encrypted=True)

    def inform_in_clear(self, notify: NotifyPayload) -> None:
        """Send a notify that nobody need believe, if we have not sent too many."""
        if not self._clear_notifies.take(self.env.now):
            return
        cookies = self.initiator_cookie, self.responder_cookie
        datagram, _ = seal(cookies, Exchange.INFORMATIONAL, self.env.number(4), (notify,), None, b"")
        self._send(Exchange.INFORMATIONAL, 1, words((notify,)), datagram, encrypted=False)

    def heard_information(
        self, payloads: Iterable[Payload], datagram: bytes, *, encrypted: bool,
        kind: Exchange = Exchange.INFORMATIONAL,
    ) -> None:  # fmt: skip
        """Tell of an informational message, or another that begins an exchange."""
        self._exchanged(kind, 1, words(payloads), datagram, sent=False, encrypted=encrypted)

    def transmit(self, datagram: bytes, *, again: bool = False) -> int:
        """Send a message, perhaps ``again``; returns in how many pieces."""
        self.cuts = self.cuts or again
        pieces = [datagram]
        if self.joins and self.peer_joins:
            most = PIECE_OCTETS[len(self.path.local.address)] if self.cuts else WHOLE_OCTETS
            pieces = cut(datagram, self._cut + 1, self.path, most)
        if len(pieces) > 1:
            self._cut = (self._cut + 1) & 0x7FFF
        for piece in pieces:
            self.emit(SendMessage(piece, self.path))
        return len(pieces)

    def _send(
        self, kind: Exchange, number: int, text: str, datagram: bytes, *, encrypted: bool, again: bool = False
    ) -> None:
        if (pieces := self.transmit(datagram, again=again)) > 1:
            text += f" (in {pieces} fragments)"
        self._exchanged(kind, number, text, datagram, sent=True, encrypted=encrypted)

    def _exchanged(
        self, kind: Exchange, number: int, text: str, datagram: bytes, *, sent: bool, encrypted: bool
    ) -> None:
        if encrypted:
            self._wear(len(datagram))
        self.report(
            MessageExchanged(
                sent=sent,
                peer=self.peer,
                exchange=NAMES[kind],
                number=number,
                payloads=text,
                octets=len(datagram),
                encrypted=encrypted,
            )
        )
