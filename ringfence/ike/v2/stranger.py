# SPDX-License-Identifier: Apache-2.0
"""What we say in clear to a peer with whom we have no IKE SA, and what it may say (RFC 7296 §1.5, §2.5, §2.6).

Under load a first message is answered with a cookie only: whoever brings it back receives at its address. The cookie is
a MAC of what it is for, so that nothing has to be remembered until then.
"""

from collections.abc import Iterable
from struct import Struct

from ringfence.audit import MessageExchanged
from ringfence.databases.proposal import Protocol
from ringfence.ike.effects import Effect, Report, SendMessage
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.glance import glance
from ringfence.ike.happening import Lost, Suspicion
from ringfence.ike.header import NO_COOKIE, VERSION_2, Flags, Header
from ringfence.ike.info import peer_of
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2 import puzzles
from ringfence.ike.v2.channel import Frame, from_initiator, in_clear, is_response, is_sealed, open_clear, words
from ringfence.ike.v2.crash import proves
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import IN_CLEAR, Flag, Kind
from ringfence.ike.v2.payloads import NoncePayload, NotifyPayload
from ringfence.ike.v2.proposals import SPI_OCTETS
from ringfence.ike.v2.puzzles import Puzzle
from ringfence.ike.v2.solution import SolutionPayload
from ringfence.ike.world import World
from ringfence.net.address import Path

COOKIE_OCTETS = 32
_DEMAND = Struct(">BBHBBH")
"""The one payload of a demand, up to the cookie."""
_COOKIE = Notify.COOKIE.to_bytes(2)


def begins(header: Header) -> bool:
    """Whether it may be the request of an IKE_SA_INIT, or of an IKE_SESSION_RESUME."""
    first = header.exchange in IN_CLEAR and header.message_id == 0 and header.responder_cookie == NO_COOKIE
    return first and from_initiator(header) and not is_response(header)


def admit(header: Header, datagram: bytes, path: Path, world: World) -> bytes | None:
    """The demand for a cookie; None where the message brings one, and may have its IKE SA. Raises Ignored."""
    seen = glance(header.next_payload, datagram)
    nonce = next((body for number, body in seen if number == NoncePayload.NUMBER), None)
    if nonce is None:
        raise Ignored(Reason.PAYLOAD_MISSING, "a first message without a nonce")
    what, now = nonce + path.remote.address + header.initiator_cookie, world.env.now
    given = next((body for number, body in seen if number == NotifyPayload.NUMBER and body[2:4] == _COOKIE), b"")[4:]
    if len(given) == COOKIE_OCTETS and (bits := _demanded(given, what, world)) is not None:
        solution = next((body for number, body in seen if number == SolutionPayload.NUMBER), b"")
        if bits and not puzzles.is_solved(Puzzle(puzzles.BY, bits), given, solution) and not world.unsolved.take(now):
            raise Ignored(Reason.HALF_OPEN_LIMIT, "a first message whose puzzle is not solved, like too many others")
        return None
    bits = world.half_open.bits
    cookie = _baked(what, bits, world)
    payload = (
        _DEMAND.pack(NotifyPayload.NUMBER if bits else 0, 0, _DEMAND.size + COOKIE_OCTETS, 0, 0, Notify.COOKIE) + cookie
    )
    if bits:
        puzzle = Puzzle(puzzles.BY, bits).encode()
        payload += _DEMAND.pack(0, 0, _DEMAND.size + len(puzzle), 0, 0, Notify.PUZZLE) + puzzle
    flags = Flags(Flag.RESPONSE.value)
    spis = header.initiator_cookie, NO_COOKIE
    return Header(*spis, NotifyPayload.NUMBER, VERSION_2, header.exchange, flags, 0).over(payload)


def _baked(what: bytes, bits: int, world: World) -> bytes:
    """A cookie that says how hard the puzzle is that comes with it, so that nobody can choose another one."""
    level = bytes([bits])
    return level + world.jar.bake(what + level, world.env.now)[: COOKIE_OCTETS - 1]


def _demanded(cookie: bytes, what: bytes, world: World) -> int | None:
    """How hard the puzzle was that came with a cookie of ours, 0 for none; None for another's cookie, or an old one."""
    return cookie[0] if world.jar.knows(cookie[1:], what + cookie[:1], world.env.now) else None


def refuse(header: Header, payloads: Iterable[Payload], path: Path) -> list[Effect]:
    """Answer a first message with an error, and forget it."""
    return _respond(header, tuple(payloads), path)


def _respond(header: Header, payloads: tuple[Payload, ...], path: Path) -> list[Effect]:
    if not payloads:
        return []
    spis = header.initiator_cookie, header.responder_cookie
    kind = next((each for each in Kind if each == header.exchange), Kind.INFORMATIONAL)
    frame = Frame(spis, kind, header.message_id, not from_initiator(header), response=True)
    return _say(frame, payloads, path)


def unknown_ike_spi(header: Header, datagram: bytes, path: Path, world: World) -> list[Effect]:
    """Say that we do not know the IKE SA of a protected request: perhaps we were restarted."""
    if is_response(header) or not is_sealed(header, datagram) or not world.clear_notifies.take(world.env.now):
        return []
    token = world.tokens.made((header.initiator_cookie, header.responder_cookie), path.remote.address)
    return _respond(header, (NotifyPayload(Notify.INVALID_IKE_SPI), *token), path)


def unknown_spi(spi: int, path: Path, world: World) -> list[Effect]:
    """Say that we do not know the SA of a packet."""
    if not world.clear_notifies.take(world.env.now):
        return []
    frame = Frame((world.env.random(8), NO_COOKIE), Kind.INFORMATIONAL, 0, initiator=True, response=False)
    return _say(frame, (NotifyPayload(Notify.INVALID_SPI, spi.to_bytes(SPI_OCTETS)),), path)


def unknown_version(header: Header, path: Path, world: World) -> list[Effect]:
    """Say which version we speak to who speaks a later one."""
    if is_response(header) or not world.clear_notifies.take(world.env.now):
        return []
    return _respond(header, (NotifyPayload(Notify.INVALID_MAJOR_VERSION),), path)


def denied_spi(header: Header, datagram: bytes) -> tuple[tuple[Protocol, int], ...]:
    """Which SA a message in clear may say is unknown; it does not say of which protocol."""
    if header.exchange != Kind.INFORMATIONAL or is_sealed(header, datagram):
        return ()
    said = open_clear(header, datagram).all(NotifyPayload)
    spis = (each.data for each in said if each.kind == Notify.INVALID_SPI and len(each.data) == SPI_OCTETS)
    return tuple((protocol, int.from_bytes(spi)) for spi in spis for protocol in Protocol)


def sign_of_loss(header: Header, datagram: bytes, token: bytes | None) -> Suspicion | Lost | None:
    """What a message in clear says of an IKE SA of ours, where the peer has given us that ``token`` (RFC 6290)."""
    if not denies(header, datagram):
        return None
    if is_response(header) and proves(open_clear(header, datagram), token):
        return Lost(Reason.PEER_DELETED, "the peer proves that it has forgotten the IKE SA")
    return Suspicion("the peer says that it does not know the IKE SA")


def denies(header: Header, datagram: bytes) -> bool:
    """Whether a message in clear says that its sender does not know an IKE SA or an SA of ours."""
    if is_sealed(header, datagram):
        return False
    try:
        chain: Chain = open_clear(header, datagram)
    except IkeError:
        return False
    return any(each.kind in (Notify.INVALID_IKE_SPI, Notify.INVALID_SPI) for each in chain.all(NotifyPayload))


def _say(frame: Frame, payloads: tuple[Payload, ...], path: Path) -> list[Effect]:
    datagram = in_clear(frame, payloads)
    event = MessageExchanged(
        sent=True,
        peer=peer_of(path),
        exchange=frame.kind.name,
        number=2 if frame.response else 1,
        payloads=words(payloads),
        octets=len(datagram),
        encrypted=False,
    )
    return [SendMessage(datagram, path), Report(event)]
