# SPDX-License-Identifier: Apache-2.0
"""The side that proves itself (RFC 3748 §2, RFC 4137 §4): answers requests until it is let in or not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.credentials.eap.method import PeerDialogue, Reply
from ringfence.credentials.eap.packet import Code, Packet, Type
from ringfence.secret import Secret

MOST_REQUESTS = 100
"""More than any method has; whoever asks on and on is given up."""

Begin = Callable[[bytes, Callable[[], int]], PeerDialogue]
"""A method's dialogue with its first request, and what tells the identifier of the packet that is answered."""


@dataclass(frozen=True, slots=True)
class LetIn:
    """The end of a conversation."""

    key: Secret | None


class Peer:
    """One conversation."""

    def __init__(self, name: bytes, methods: Mapping[int, Begin]) -> None:
        """``methods`` by type, in order of preference."""
        self._name = name
        self._methods = methods
        self._dialogue: PeerDialogue | None = None
        self._type = 0
        self._identifier = 0
        self._last = Reply(b"")
        self._requests = 0

    def answer(self, octets: bytes) -> bytes | LetIn:
        """The response to a packet, or the end; raises BadPacket and Denied."""
        packet = Packet.decode(octets)
        match packet.code:
            case Code.SUCCESS:
                return self._let_in()
            case Code.FAILURE:
                raise Denied(self._last.refused or "the server does not let us in")
            case Code.RESPONSE:
                raise BadPacket("the server sends a response of EAP")
        self._requests += 1
        if self._requests > MOST_REQUESTS:
            raise BadPacket(f"the server has asked {MOST_REQUESTS} times by EAP and comes to no end")
        self._identifier = packet.identifier
        kind, data = self._respond(packet)
        return Packet(Code.RESPONSE, packet.identifier, kind, data).encode()

    def _let_in(self) -> LetIn:
        """A success before the method is through may be forged, or hide that nobody has proved anything."""
        if self._dialogue is None or not self._last.done:
            raise Denied("the server lets us in before it has proved who it is, or asked who we are")
        return LetIn(self._last.key)

    def _respond(self, packet: Packet) -> tuple[int, bytes]:
        if packet.type == Type.IDENTITY:
            return Type.IDENTITY, self._name
        if packet.type == Type.NOTIFICATION:
            return Type.NOTIFICATION, b""
        if self._dialogue is None or packet.type != self._type:
            begin = self._methods.get(packet.type)
            if begin is None or self._dialogue is not None:  # a method that has begun is gone on with (RFC 3748 §2.1)
                return Type.NAK, bytes(self._methods) or b"\0"
            self._type = packet.type
            self._dialogue = begin(packet.data, lambda: self._identifier)
            self._last = next(self._dialogue)
        else:
            try:
                self._last = self._dialogue.send(packet.data)
            except StopIteration:
                raise BadPacket("the server goes on with a method that is through") from None
        return packet.type, self._last.data
