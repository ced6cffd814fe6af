# SPDX-License-Identifier: Apache-2.0
"""Path MTU (RFC 4301 §8): what fits through a contract, who is told so, and how a narrow path is learnt.

A packet too big for its path is answered with ICMP, which names the size that does fit: the path MTU less exactly what
the contract's SAs add, their alignment included. The answer comes from the packet's own destination, so that it
passes the reverse-path checks of the host that it is handed to.

Routers tell us of a narrow path by ICMP about our ESP and AH packets. Anybody could send that, so it is believed within
bounds only (§8.2.1): it must name an SA that we send by, it never leads below what every path carries, and it is
forgotten after a while.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode, Sa
from ringfence.datapath import ah, esp
from ringfence.datapath.udp import UDP_OCTETS
from ringfence.net.checksum import checksum, transport_checksum
from ringfence.net.flow import AH, ESP, ICMP, ICMPV6, UDP
from ringfence.net.ip import IPV4_OCTETS, IPV6_OCTETS, View, build_v4, build_v6

LEAST = {4: 576, 6: 1280}
"""Smaller ones are not believed (RFC 791, RFC 8200)."""

UNREACHABLE, FRAGMENTATION_NEEDED = 3, 4
PACKET_TOO_BIG = 2
ICMP_OCTETS = 8
QUOTED = {4: 576 - IPV4_OCTETS - ICMP_OCTETS, 6: 1280 - IPV6_OCTETS - ICMP_OCTETS}
"""Octets of the packet that an error is about (RFC 1812 §4.3.2.3, RFC 4443 §2.4)."""

PLATEAUS = (32000, 17914, 8166, 4352, 2002, 1492, 1006, 576)
"""Sizes to try when an old router names none (RFC 1191 §7)."""


def most_inside(sas: Sequence[Sa], mtu: int, front_octets: int) -> int:
    """The largest packet that ``sas`` (innermost first) protect within ``mtu`` octets.

    ``front_octets`` is how much of it stays in front of ESP in transport mode: its IP header and what goes with it.
    """
    room, fronts = mtu, [front_octets]
    for sa in sas:
        fronts.append(_ip_octets(sa) if sa.mode is Mode.TUNNEL else fronts[-1])
    for sa, front in zip(reversed(sas), reversed(fronts[:-1]), strict=True):
        if sa.encapsulation is not None:
            room -= UDP_OCTETS
        if sa.mode is Mode.TUNNEL:
            room -= _ip_octets(sa)
        if sa.protocol is Protocol.AH:
            room -= ah.overhead(sa)
        elif sa.mode is Mode.TUNNEL:
            room = esp.most_payload(sa, room)
        else:
            room = front + esp.most_payload(sa, room - front)
    return room


def _ip_octets(sa: Sa) -> int:
    return IPV4_OCTETS if len(sa.destination) == 4 else IPV6_OCTETS


def too_big(packet: bytes, parts: View, mtu: int) -> bytes | None:
    """ICMP to the sender of ``packet``: it must not be larger than ``mtu``. None where none may be sent."""
    if parts.offset or _silent(packet, parts):
        return None
    quoted = packet[: min(parts.whole, QUOTED[parts.version])]
    if parts.version == 4:
        message = bytes((UNREACHABLE, FRAGMENTATION_NEEDED)) + bytes(4) + mtu.to_bytes(2) + quoted
        message = message[:2] + checksum(message).to_bytes(2) + message[4:]
        return build_v4(parts.destination, parts.source, ICMP, len(message)) + message
    message = bytes((PACKET_TOO_BIG, 0, 0, 0)) + mtu.to_bytes(4) + quoted
    value = transport_checksum(parts.destination, parts.source, ICMPV6, message)
    message = message[:2] + value.to_bytes(2) + message[4:]
    return build_v6(parts.destination, parts.source, ICMPV6, len(message)) + message


def _silent(packet: bytes, parts: View) -> bool:
    """No error is sent about errors, or to or about who is no single host (RFC 1812 §4.3.2.7, RFC 4443 §2.4)."""
    if parts.version == 4:
        if any(address[0] >= 224 or not address[0] for address in (parts.source, parts.destination)):
            return True
        return parts.protocol == ICMP and packet[parts.at] in (3, 4, 5, 11, 12)
    if parts.source[0] == 0xFF or not any(parts.source):
        return True
    return parts.protocol == ICMPV6 and packet[parts.at] < 128


class TooBigNotice(NamedTuple):
    """What an ICMP error says about a protected packet of ours."""

    destination: bytes
    protocol: Protocol
    spi: int
    mtu: int
    """As the router names it; 0 when it does not."""
    octets: int
    """Of the packet that was too big."""


def read_notice(packet: bytes, parts: View) -> TooBigNotice | None:
    """What ``packet`` says, when it is an error "too big" about an ESP or AH packet."""
    message = packet[parts.at : parts.whole]
    if parts.is_fragment or len(message) < ICMP_OCTETS:
        return None
    if parts.protocol == ICMP and message[:2] == bytes((UNREACHABLE, FRAGMENTATION_NEEDED)):
        return _read_quote_v4(message[ICMP_OCTETS:], int.from_bytes(message[6:8]))
    if parts.protocol == ICMPV6 and message[0] == PACKET_TOO_BIG:
        return _read_quote_v6(message[ICMP_OCTETS:], int.from_bytes(message[4:8]))
    return None


def _read_quote_v4(quote: bytes, mtu: int) -> TooBigNotice | None:
    if len(quote) < IPV4_OCTETS or quote[0] >> 4 != 4:
        return None
    at, octets, destination = (quote[0] & 15) * 4, int.from_bytes(quote[2:4]), quote[16:20]
    return _read_names(destination, quote[9], quote[at:], mtu, octets)


def _read_quote_v6(quote: bytes, mtu: int) -> TooBigNotice | None:
    if len(quote) < IPV6_OCTETS or quote[0] >> 4 != 6:
        return None
    kind, at = quote[6], IPV6_OCTETS
    while kind in (0, 43, 44, 60) and at + 8 <= len(quote):
        octets = 8 if kind == 44 else (quote[at + 1] + 1) * 8
        kind, at = quote[at], at + octets
    return _read_names(quote[24:40], kind, quote[at:], mtu, IPV6_OCTETS + int.from_bytes(quote[4:6]))


def _read_names(destination: bytes, protocol: int, body: bytes, mtu: int, octets: int) -> TooBigNotice | None:
    if protocol == UDP and len(body) >= UDP_OCTETS + 4:
        protocol, body = ESP, body[UDP_OCTETS:]
    if protocol == ESP and len(body) >= 4:
        return TooBigNotice(destination, Protocol.ESP, int.from_bytes(body[:4]), mtu, octets)
    if protocol == AH and len(body) >= 8:
        return TooBigNotice(destination, Protocol.AH, int.from_bytes(body[4:8]), mtu, octets)
    return None


class PathMtu:
    """What one contract's path carries, as far as we know."""

    def __init__(self, link_mtu: int, version: int, seconds: float) -> None:
        self._link = link_mtu
        self._least = min(LEAST[version], link_mtu)
        self._seconds = seconds
        self.mtu = link_mtu
        self.until: float | None = None
        """When that is forgotten; None: it is the link's own."""

    def learn(self, notice: TooBigNotice, now: float) -> bool:
        """Believe a router, within bounds; whether it told us anything new."""
        mtu = notice.mtu or next((size for size in PLATEAUS if size < notice.octets), self._least)
        mtu = max(mtu, self._least)
        if mtu > self.mtu or (mtu == self.mtu and self.until is None):
            return False
        news, self.mtu, self.until = mtu < self.mtu, mtu, now + self._seconds
        return news

    def age(self, now: float) -> bool:
        """Forget what is too old; whether there was something."""
        if self.until is None or self.until > now:
            return False
        self.mtu, self.until = self._link, None
        return True
