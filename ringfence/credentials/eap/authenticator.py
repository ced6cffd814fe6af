# SPDX-License-Identifier: Apache-2.0
"""The side that wants a proof (RFC 3748 §2, RFC 4137 §5), where it knows the users itself.

It asks who the peer is, offers the method that it likes best, and another of its own where the peer cannot do that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.credentials.eap.method import ServerDialogue, Telling
from ringfence.credentials.eap.packet import Code, Packet, Type
from ringfence.secret import Secret

MOST_RESPONSES = 100
LONGEST_NAME = 253
"""Octets of a name (RFC 7542 §2.3)."""

Ask = Callable[[str, Callable[[], int]], ServerDialogue]
"""A method's dialogue with somebody of that name, and what tells the identifier of the packet that asks."""


@dataclass(frozen=True, slots=True)
class Passed:
    """Somebody has proved who he is."""

    packet: bytes
    """Says so to the peer."""
    name: str
    key: Secret | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody has not."""

    packet: bytes
    name: str
    """Whom he claimed to be; empty where he did not say."""
    why: str


class Authenticator:
    """One conversation."""

    def __init__(self, methods: Mapping[int, Ask], identifier: int = 0) -> None:
        """``methods`` by type, in order of preference; ``identifier``, one octet, is that of the first packet."""
        self._methods = dict(methods)
        self._left = set(self._methods)
        """What the peer has not said yet that it cannot do."""
        self._identifier = identifier
        self._name = ""
        self._dialogue: ServerDialogue | None = None
        self._type = 0
        self._spoken = False
        """Whether the peer has answered by the method: afterwards no other is offered."""
        self._responses = 0
        self.told = ""
        """Why the peer is not let in, where it has heard so already; it need not answer."""

    def begin(self) -> bytes:
        """The first packet: who are you?"""
        self._type = Type.IDENTITY
        return Packet(Code.REQUEST, self._identifier, Type.IDENTITY).encode()

    def answer(self, octets: bytes) -> bytes | Passed | Refused:
        """The next request, or the end; raises BadPacket for what is no response to the last request."""
        packet = Packet.decode(octets)
        if packet.code is not Code.RESPONSE or packet.identifier != self._identifier:
            raise BadPacket("the peer's packet is no response to our request of EAP")
        self._responses += 1
        try:
            if self._responses > MOST_RESPONSES:
                raise Denied(f"after {MOST_RESPONSES} responses there is no end")
            return self._go_on(packet)
        except (Denied, BadPacket) as error:
            return Refused(Packet(Code.FAILURE, self._identifier).encode(), self._name, error.message)

    def _go_on(self, packet: Packet) -> bytes | Passed:
        if packet.type == Type.NAK and self._dialogue is not None and not self._spoken:
            self._left.discard(self._type)
            return self._offer([kind for kind in self._methods if kind in packet.data and kind in self._left])
        if packet.type != self._type:
            raise BadPacket(f"the peer answers by type {packet.type} to a request of type {self._type}")
        if self._dialogue is None:
            self._name = _name_in(packet.data)
            return self._offer(list(self._methods))
        self._spoken = True
        try:
            return self._request(self._dialogue.send(packet.data))
        except StopIteration as stop:
            key: Secret | None = stop.value
            return Passed(Packet(Code.SUCCESS, self._identifier).encode(), self._name, key)

    def _offer(self, kinds: Sequence[int]) -> bytes:
        if not kinds:
            raise Denied("the peer can do none of the methods that the policy names")
        self._type = kinds[0]
        self._dialogue = self._methods[self._type](self._name, lambda: self._identifier)
        return self._request(next(self._dialogue))

    def _request(self, data: bytes | Telling) -> bytes:
        if isinstance(data, Telling):
            self.told, data = f'"{self._name}": {data.why}', data.data
        self._identifier = (self._identifier + 1) % 256
        return Packet(Code.REQUEST, self._identifier, self._type, data).encode()


def _name_in(data: bytes) -> str:
    """Who the peer claims to be; a zero ends what people see (RFC 3748 §5.1)."""
    octets = data.partition(b"\0")[0]
    try:
        name = octets.decode()
    except UnicodeDecodeError:
        raise Denied("the peer's name is not UTF-8") from None
    if not name or len(octets) > LONGEST_NAME or not name.isprintable():
        raise Denied("the peer does not say who it is")
    return name
