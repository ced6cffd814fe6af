# SPDX-License-Identifier: Apache-2.0
"""The voice of one IKE SA of IKEv2: seals and sends, opens what comes, tells the administrator of each message."""

from collections.abc import Sequence

from ringfence.audit import Event, MessageExchanged, MessageIgnored
from ringfence.ike.effects import Report, SendMessage
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.exchange import Env, Message
from ringfence.ike.happening import Moved, Output
from ringfence.ike.header import Header
from ringfence.ike.info import peer_of
from ringfence.ike.payload import Payload
from ringfence.ike.places import ends_of
from ringfence.ike.v2.channel import (
    Frame,
    Spis,
    decrypted,
    from_initiator,
    in_clear,
    is_response,
    open_clear,
    open_sealed,
    seal,
    words,
)
from ringfence.ike.v2.fragment import NARROW_OCTETS, WIDE_OCTETS, Gathering, Piece, Pieces, cut, is_piece, open_piece
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.natt import NAT_PORT
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import IN_CLEAR, Kind
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.protection import Protection
from ringfence.ike.v2.rules import rule_of
from ringfence.net.address import Path

Datagrams = tuple[bytes, ...]
"""One message: whole, or in pieces."""
Shields = tuple[Protection | None, Protection | None]
NUMBERS = {False: 1, True: 2}
"""A request is message 1 of its exchange, the response message 2."""


class Voice:
    """What is needed to speak under one IKE SA."""

    def __init__(self, path: Path, spis: Spis, env: Env, *, initiator: bool) -> None:
        self.path = path
        self.came_by = path
        """Where the message in hand came from."""
        self.initiator = initiator
        """Whether we began it, or its last rekeying."""
        self.initiator_spi, self.responder_spi = spis
        self.env = env
        self.rule = ""
        """The policy's rule that the peer authenticates by, for people."""
        self.keys: IkeKeys | None = None
        self._ours: Protection | None = None
        self._theirs: Protection | None = None
        self.dials = initiator
        """Whether it is we who open a TCP connection where there is none, which he does who began the first of them."""
        self.peer_moves = False
        """Whether the peer is behind NAT, so that its port may change."""
        self.stays = False
        """Whether messages move nobody: who moves says so (RFC 4555 §3.8)."""
        self.joins = True
        """Whether our policy lets messages go in pieces."""
        self.peer_joins = False
        """Whether the peer says that it can."""
        self._pieces = {False: Pieces(), True: Pieces()}
        """Of its requests, and of its responses."""
        self._out: list[Output] = []

    @property
    def spis(self) -> Spis:
        """The initiator's and the responder's."""
        return self.initiator_spi, self.responder_spi

    @property
    def peer(self) -> str:
        """The other end, for people."""
        return peer_of(self.path)

    def go_on(self, former: "Voice") -> None:
        """Speak where the voice of the IKE SA before spoke, and as it did."""
        self.path, self.dials = former.path, former.dials
        self.peer_moves, self.peer_joins = former.peer_moves, former.peer_joins

    def protect(self, keys: IkeKeys) -> None:
        """From now on everything is protected by these."""
        self.keys = keys
        self._ours = keys.protection(initiator=self.initiator)
        self._theirs = keys.protection(initiator=not self.initiator)

    @property
    def shields(self) -> Shields:
        """What protects our messages and the peer's now."""
        return self._ours, self._theirs

    def hears(self, path: Path) -> bool:
        """Whether the peer's messages may come by ``path``: a peer may go to port 4500, and NAT changes ports."""
        own = self.path
        return self.stays or (path.local.address, path.remote.address) == (own.local.address, own.remote.address)

    def follow(self, *, packet: bool = False) -> bool:
        """The request in hand, or a ``packet``, is authentic and new: go on where it came from, if the peer may have
        moved there.

        Whether that is another TCP connection, by which nothing has been said yet.
        """
        if self.came_by == self.path or self.came_by.tcp is not self.path.tcp:
            return False
        floats = self.path.local.port != NAT_PORT and self.came_by.local.port == NAT_PORT
        same_hosts = ends_of(self.came_by) == ends_of(self.path)
        moves = (self.peer_moves or floats) and (not self.stays or (packet and same_hosts))
        if moves or (self.path.tcp and not self.dials):
            self.path = self.came_by
            self.emit(Moved())
            return self.path.tcp
        return False

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
        """A message was dropped; one that only waits for its other pieces was not."""
        if isinstance(error, Gathering):
            return
        self.report(MessageIgnored(peer=self.peer, reason=error.reason.value, detail=error.detail))

    # Out -----------------------------------------------------------------------------------------------------------

    def say(self, kind: Kind, message_id: int, payloads: Sequence[Payload], *, response: bool) -> Datagrams:
        """Send a message, protected unless it begins an IKE SA; its octets come back, to be sent again."""
        datagrams = self.made(kind, message_id, payloads, response=response)
        self.send(kind, words(payloads), datagrams, response=response)
        return datagrams

    def made(
        self, kind: Kind, message_id: int, payloads: Sequence[Payload], *, response: bool, narrow: bool = False,
        shields: Shields | None = None,
    ) -> Datagrams:  # fmt: skip
        """The octets of a message; in pieces where both sides can, smaller ones where larger may have been lost.

        ``shields`` are those of its time, where it is said again.
        """
        ours, _ = shields or self.shields
        frame = Frame(self.spis, kind, message_id, self.initiator, response)
        if kind in IN_CLEAR or ours is None:
            return (in_clear(frame, payloads),)
        if not (self.joins and self.peer_joins) or self.path.tcp:
            return (seal(frame, payloads, ours, self.env.random(ours.seed_octets)),)
        most = NARROW_OCTETS[len(self.path.local.address)] if narrow else WIDE_OCTETS
        return cut(frame, payloads, ours, self.env.random, self.path, most)

    def send(
        self, kind: Kind, text: str, datagrams: Datagrams, *, response: bool, also: Sequence[Path] = ()
    ) -> None:  # fmt: skip
        """Send these octets, and ``also`` by other paths."""
        for path in (self.came_by if response else self.path, *also):
            for datagram in datagrams:
                self.emit(SendMessage(datagram, path))
        if len(datagrams) > 1:
            text += f" (in {len(datagrams)} fragments)"
        self._exchanged(kind, text, sum(map(len, datagrams)), sent=True, response=response)

    # In ------------------------------------------------------------------------------------------------------------

    def open(self, header: Header, datagram: bytes) -> Message:
        """A message of this IKE SA that its rule allows.

        Raises Ignored for what nobody authenticated, Gathering for a piece of one that is not whole yet, and Refused
        for what the peer did wrong under the keys.
        """
        kind = next((each for each in Kind if each == header.exchange), None)
        if kind is None:
            raise Ignored(Reason.EXCHANGE_TYPE, f"exchange type {header.exchange:d} is not served here")
        if from_initiator(header) == self.initiator:
            raise Ignored(Reason.UNEXPECTED, "a message that says to be ours")
        clear, response = kind in IN_CLEAR, is_response(header)
        octets, pieces = len(datagram), self._pieces[response]
        if clear:
            chain = open_clear(header, datagram)
            self.peer_joins = any(one.kind == Notify.IKEV2_FRAGMENTATION_SUPPORTED for one in chain.all(NotifyPayload))
        elif is_piece(header):
            chain = decrypted(*pieces.take(header, self.open_piece(datagram), octets))
            octets = pieces.octets
        else:
            chain = open_sealed(header, datagram, self._keys_of_peer())
        rule_of(kind, chain, response=response).check(chain, encrypted=not clear)
        self._exchanged(kind, words(chain), octets, sent=False, response=response)
        return Message(header, chain, datagram)

    def open_piece(self, datagram: bytes, shields: Shields | None = None) -> Piece:
        """A piece of a message, protected by these, or as now; raises Ignored for what is none of the peer's."""
        if not self.joins:
            raise Ignored(Reason.PAYLOAD_TYPE, "a fragment of a message, and the policy takes none")
        _, theirs = shields or self.shields
        return open_piece(datagram, theirs or self._keys_of_peer())

    def _keys_of_peer(self) -> Protection:
        if self._theirs is None:
            raise Ignored(Reason.UNEXPECTED, "a protected message before there are keys")
        return self._theirs

    def _exchanged(self, kind: Kind, text: str, octets: int, *, sent: bool, response: bool) -> None:
        self.report(
            MessageExchanged(
                sent=sent,
                peer=self.peer,
                exchange=kind.name,
                number=NUMBERS[response],
                payloads=text,
                octets=octets,
                encrypted=kind not in IN_CLEAR,
            )
        )
