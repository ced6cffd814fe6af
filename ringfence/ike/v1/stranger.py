# SPDX-License-Identifier: Apache-2.0
"""What we say in clear to a peer with whom we have no IKE SA: only enough for it to begin a new one."""

from ringfence.databases.proposal import Protocol
from ringfence.ike.effects import Effect
from ringfence.ike.header import COOKIE_OCTETS, NO_COOKIE, Exchange, Header
from ringfence.ike.v1.channel import Cookies, open_clear
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, NotifyPayload, ProtocolId
from ringfence.ike.v1.rules import INFORMATIONAL_IN_CLEAR
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.v1.transforms import PROTOCOL_ID, SPI_OCTETS
from ringfence.ike.world import World
from ringfence.net.address import Path


def unknown_cookie(header: Header, path: Path, world: World) -> list[Effect]:
    """Say that we do not know the IKE SA of a message: perhaps we were restarted (RFC 2408 §5.1)."""
    cookies = header.initiator_cookie, header.responder_cookie
    notify = NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, b"".join(cookies), Notify.INVALID_COOKIE)
    return _say(notify, cookies, path, world)


def unknown_spi(protocol: Protocol, spi: int, path: Path, world: World) -> list[Effect]:
    """Say that we do not know the SA of a packet; its cookies mean nothing (RFC 2408 §3.1)."""
    notify = NotifyPayload(IPSEC_DOI, PROTOCOL_ID[protocol], spi.to_bytes(SPI_OCTETS), Notify.INVALID_SPI)
    return _say(notify, (world.env.random(8), NO_COOKIE), path, world)


def denied_spi(header: Header, datagram: bytes) -> tuple[Protocol, int] | None:
    """The SPI that a message in clear says is unknown; raises IkeError for what is no such message."""
    if header.encrypted or header.exchange != Exchange.INFORMATIONAL:
        return None
    chain = open_clear(header, datagram)
    INFORMATIONAL_IN_CLEAR.check(chain, encrypted=False)
    return next((said for notify in chain.all(NotifyPayload) if (said := spi_denied_by(notify)) is not None), None)


def spi_denied_by(notify: NotifyPayload) -> tuple[Protocol, int] | None:
    """The SPI that a notify says is unknown."""
    protocol = next((each for each, number in PROTOCOL_ID.items() if number == notify.protocol), None)
    if notify.kind != Notify.INVALID_SPI or protocol is None or len(notify.spi) != SPI_OCTETS:
        return None
    return protocol, int.from_bytes(notify.spi)


def cookie_in(notify: NotifyPayload) -> bytes | None:
    """The cookie that a responder under load demands ([MS-IKEE] §3.9)."""
    right = notify.kind == Notify.MS_DOS_COOKIE and len(notify.data) == COOKIE_OCTETS and notify.data != NO_COOKIE
    return notify.data if right else None


def _say(notify: NotifyPayload, cookies: Cookies, path: Path, world: World) -> list[Effect]:
    voice = Speaker(path, cookies, world.env, world.clear_notifies)
    voice.inform_in_clear(notify)
    return [output for output in voice.drain() if isinstance(output, Effect)]
