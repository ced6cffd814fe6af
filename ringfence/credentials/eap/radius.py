# SPDX-License-Identifier: Apache-2.0
"""Users whom a RADIUS server knows: its conversation with the peer passes through (RFC 3579, RFC 3748 §2.3).

We ask the peer who it is, and carry all else to and fro. The key comes with the server's consent, encrypted by the
secret that we share with it (RFC 2548 §2.4). Each request has a Message-Authenticator and each answer must, for without
one an answer can be forged (CVE-2024-3596).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pyrad import packet as radius
from pyrad.client import Client, Timeout

from ringfence.credentials.eap.authenticator import Passed, Refused
from ringfence.credentials.eap.errors import BadPacket, EapError
from ringfence.credentials.eap.packet import Code, Packet, Type
from ringfence.databases.eap import RadiusServer
from ringfence.secret import Secret

MICROSOFT = 311
SEND_KEY, RECEIVE_KEY = 16, 17
EAP_PIECE = 253
MOST_ROUNDS = 100
VIRTUAL_PORT = (5).to_bytes(4)
"""NAS-Port-Type (RFC 2865 §5.41)."""
FRAMED = (2).to_bytes(4)
"""Service-Type (RFC 2865 §5.6)."""


class Attribute:
    """Numbers of attributes (RFC 2865, RFC 2869)."""

    USER_NAME = 1
    SERVICE_TYPE = 6
    REPLY_MESSAGE = 18
    STATE = 24
    VENDOR = 26
    CALLING_STATION = 31
    NAS_IDENTIFIER = 32
    NAS_PORT_TYPE = 61
    EAP_MESSAGE = 79


class Unreachable(EapError):
    """No RADIUS server answers."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers."""

    code: int
    attributes: dict[int, list[bytes]] = field(repr=False)
    key: Secret | None = None

    @property
    def eap(self) -> bytes:
        """The EAP packet in it."""
        return b"".join(self.attributes.get(Attribute.EAP_MESSAGE, []))

    def text(self, attribute: int) -> str:
        """An attribute for people."""
        return b" ".join(self.attributes.get(attribute, [])).decode("utf-8", "replace")


Transport = Callable[[RadiusServer, dict[int, list[bytes]]], Reply]
"""Asks a server; raises Unreachable."""


def ask(server: RadiusServer, attributes: dict[int, list[bytes]]) -> Reply:
    """Ask a server, as often as its setting says; raises Unreachable."""
    client = Client(
        server.host, server.port, secret=server.secret.reveal(), retries=server.tries, timeout=server.timeout_s,
        enforce_ma=True,
    )  # fmt: skip
    request = client.CreateAuthPacket(id=None)
    for number, values in attributes.items():
        request[number] = values
    try:
        reply = client.SendPacket(request)
    except (Timeout, OSError) as error:
        why = "does not answer" if isinstance(error, Timeout) else f"cannot be asked: {error}"
        raise Unreachable(f'the RADIUS server "{server.name}" ({server.host}, port {server.port}) {why}') from None
    finally:
        client._CloseSocket()  # noqa: SLF001 - the library has no other way to close it
    found = {number: list(reply[number]) for number in reply}
    try:
        return Reply(reply.code, found, _key(found.get(Attribute.VENDOR, []), reply))
    except radius.PacketError as error:
        raise BadPacket(f'the key from the RADIUS server "{server.name}" cannot be read: {error}') from None


def _key(vendor: Sequence[bytes], reply: radius.AuthPacket) -> Secret | None:
    """What the peer and the server have agreed on: the key to receive by, then that to send by."""
    halves = {kind: reply.SaltDecrypt(value) for kind, value in _microsoft(vendor) if kind in (SEND_KEY, RECEIVE_KEY)}
    if len(halves) != 2:
        return None
    return Secret(halves[RECEIVE_KEY] + halves[SEND_KEY], exact=True)


def _microsoft(vendor: Sequence[bytes]) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for octets in vendor:
        if octets[:4] != MICROSOFT.to_bytes(4):
            continue
        at = 4
        while at + 2 <= len(octets) and octets[at + 1] >= 2:
            found.append((octets[at], octets[at + 2 : at + octets[at + 1]]))
            at += octets[at + 1]
    return found


class RadiusAuthenticator:
    """One conversation, that a server has through us."""

    def __init__(self, servers: Sequence[RadiusServer], station: str, transport: Transport = ask) -> None:
        """``station``: where the peer is, for the server's log (Calling-Station-Id)."""
        self._servers = list(servers)
        self._station = station
        self._transport = transport
        self._name = ""
        self._state: list[bytes] = []
        self._rounds = 0

    def begin(self) -> bytes:
        """The first packet: who are you?"""
        return Packet(Code.REQUEST, 0, Type.IDENTITY).encode()

    def answer(self, octets: bytes) -> bytes | Passed | Refused:
        """The next request, or the end; raises BadPacket and Unreachable. It takes as long as the server does."""
        said = Packet.decode(octets)
        if said.code is not Code.RESPONSE:
            raise BadPacket("the peer's packet is no response of EAP")
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            raise BadPacket(f"after {MOST_ROUNDS} responses there is no end")
        if not self._name:
            if said.type != Type.IDENTITY:
                raise BadPacket("the peer does not say who it is")
            self._name = said.data.decode("utf-8", "replace")
        return self._judged(self._ask(octets), said.identifier)

    def _judged(self, reply: Reply, identifier: int) -> bytes | Passed | Refused:
        self._state = reply.attributes.get(Attribute.STATE, [])
        if reply.code == radius.AccessChallenge:
            if Packet.decode(reply.eap).code is not Code.REQUEST:
                raise BadPacket("the RADIUS server's challenge is no request of EAP")
            return reply.eap
        if reply.code == radius.AccessAccept:
            name = reply.text(Attribute.USER_NAME) or self._name
            return Passed(_end(reply, Code.SUCCESS, identifier), name, reply.key)
        why = reply.text(Attribute.REPLY_MESSAGE) or "the RADIUS server does not let it in"
        return Refused(_end(reply, Code.FAILURE, identifier), self._name, why)

    def _ask(self, eap: bytes) -> Reply:
        """Ask the first server that answers, and go on with that one."""
        pieces = [eap[at : at + EAP_PIECE] for at in range(0, len(eap), EAP_PIECE)]
        while True:
            server = self._servers[0]
            attributes = {
                Attribute.USER_NAME: [self._name.encode()[:EAP_PIECE]],
                Attribute.SERVICE_TYPE: [FRAMED],
                Attribute.NAS_PORT_TYPE: [VIRTUAL_PORT],
                Attribute.NAS_IDENTIFIER: [(server.identifier or "ringfence").encode()],
                Attribute.CALLING_STATION: [self._station.encode()],
                Attribute.EAP_MESSAGE: pieces,
            } | ({Attribute.STATE: self._state} if self._state else {})
            try:
                reply = self._transport(server, attributes)
            except Unreachable:
                if self._state or len(self._servers) == 1:
                    raise
                del self._servers[0]
            else:
                del self._servers[1:]
                return reply


def _end(reply: Reply, code: Code, identifier: int) -> bytes:
    """The last packet, which a server may leave out, or (some do) send against its own verdict."""
    return Packet(code, Packet.decode(reply.eap).identifier if reply.eap else identifier).encode()
