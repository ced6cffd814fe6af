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
from ringfence.ike.v2.channel import (
    Frame,
    Spis,
    from_initiator,
    in_clear,
    is_response,
    open_clear,
    open_sealed,
    seal,
    words,
)
from ringfence.ike.v2.keys import IkeKeys
from ringfence.ike.v2.natt import NAT_PORT
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.protection import Protection
from ringfence.ike.v2.rules import rule_of
from ringfence.net.address import Path

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
        self.peer_moves = False
        """Whether the peer is behind NAT, so that its port may change."""
        self._out: list[Output] = []

    @property
    def spis(self) -> Spis:
        """The initiator's and the responder's."""
        return self.initiator_spi, self.responder_spi

    @property
    def peer(self) -> str:
        """The other end, for people."""
        return peer_of(self.path)

    def protect(self, keys: IkeKeys) -> None:
        """From now on everything is protected by these."""
        self.keys = keys
        self._ours = keys.protection(initiator=self.initiator)
        self._theirs = keys.protection(initiator=not self.initiator)

    def hears(self, path: Path) -> bool:
        """Whether the peer's messages may come by ``path``: a peer may go to port 4500, and NAT changes ports."""
        own = self.path
        return (path.local.address, path.remote.address) == (own.local.address, own.remote.address)

    def follow(self) -> None:
        """The request in hand is authentic and new: go on where it came from, if the peer may have moved there."""
        floats = self.path.local.port != NAT_PORT and self.came_by.local.port == NAT_PORT
        if self.came_by != self.path and (self.peer_moves or floats):
            self.path = self.came_by
            self.emit(Moved())

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

    # Out -----------------------------------------------------------------------------------------------------------

    def say(self, kind: Kind, message_id: int, payloads: Sequence[Payload], *, response: bool) -> bytes:
        """Send a message, protected unless it is of IKE_SA_INIT; its octets come back, to be sent again."""
        frame = Frame(self.spis, kind, message_id, self.initiator, response)
        if kind is Kind.IKE_SA_INIT or self._ours is None:
            datagram = in_clear(frame, payloads)
        else:
            datagram = seal(frame, payloads, self._ours, self.env.random(self._ours.seed_octets))
        self.send(kind, words(payloads), datagram, response=response)
        return datagram

    def send(self, kind: Kind, text: str, datagram: bytes, *, response: bool) -> None:
        """Send these octets."""
        self.emit(SendMessage(datagram, self.came_by if response else self.path))
        self._exchanged(kind, text, datagram, sent=True, response=response)

    # In ------------------------------------------------------------------------------------------------------------

    def open(self, header: Header, datagram: bytes) -> Message:
        """A message of this IKE SA that its rule allows.

        Raises Ignored for what nobody authenticated, and Refused for what the peer did wrong under the keys.
        """
        kind = next((each for each in Kind if each == header.exchange), None)
        if kind is None:
            raise Ignored(Reason.EXCHANGE_TYPE, f"exchange type {header.exchange:d} is not served here")
        if from_initiator(header) == self.initiator:
            raise Ignored(Reason.UNEXPECTED, "a message that says to be ours")
        clear, response = kind is Kind.IKE_SA_INIT, is_response(header)
        if clear:
            chain = open_clear(header, datagram)
        elif self._theirs is None:
            raise Ignored(Reason.UNEXPECTED, "a protected message before there are keys")
        else:
            chain = open_sealed(header, datagram, self._theirs)
        rule_of(kind, chain, response=response).check(chain, encrypted=not clear)
        self._exchanged(kind, words(chain), datagram, sent=False, response=response)
        return Message(header, chain, datagram)

    def _exchanged(self, kind: Kind, text: str, datagram: bytes, *, sent: bool, response: bool) -> None:
        self.report(
            MessageExchanged(
                sent=sent,
                peer=self.peer,
                exchange=kind.name,
                number=NUMBERS[response],
                payloads=text,
                octets=len(datagram),
                encrypted=kind is not Kind.IKE_SA_INIT,
            )
        )
