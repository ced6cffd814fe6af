# SPDX-License-Identifier: Apache-2.0
"""IPv4 and IPv6 headers: read from packets as offsets, and made.

A packet stays the octets that it is. ``view`` checks the IP header, walks the extension headers and says where the
transport header begins; ``flow_of`` reads from there what a policy can see. Extension headers are of fixed kinds and
at most ``MOST_HEADERS``, so that no packet costs much. What is no correct packet gives None.
"""

from struct import Struct
from typing import NamedTuple

from ringfence.net.checksum import checksum
from ringfence.net.flow import DCCP, ESP, ICMP, ICMPV6, MOBILITY, SCTP, TCP, UDP, UDPLITE, FlowKey

IPV4_OCTETS, IPV6_OCTETS = 20, 40
IPIP, IPV6_IN_IP = 4, 41
"""Protocol numbers of an IPv4 and an IPv6 packet as payload."""

HOP_BY_HOP, ROUTING, FRAGMENT, AH_HEADER, NO_NEXT, DESTINATION_OPTIONS = 0, 43, 44, 51, 59, 60
MOBILITY_SHIM = frozenset({139, 140})
"""Host identity protocol and Shim6, built like destination options."""
EXTENSIONS = frozenset({HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS}) | MOBILITY_SHIM
"""What is walked over; AH is not, for to a policy it is the protocol."""
MOST_HEADERS = 16
UNIT = 8

WITH_PORTS = frozenset({TCP, UDP, SCTP, UDPLITE, DCCP})

DONT_FRAGMENT, MORE_FRAGMENTS, OFFSET_BITS = 0x4000, 0x2000, 0x1FFF
ECN_BITS = 3
MOST_OCTETS = 65535

_PORTS = Struct("!HH").unpack_from
_V4 = Struct("!BBHHHBBH4s4s").pack
_V6 = Struct("!IHBB16s16s").pack


class View(NamedTuple):
    """Where the parts of an IP packet stand."""

    version: int
    source: bytes
    destination: bytes
    protocol: int
    """Behind all extension headers."""
    at: int
    """Where that protocol's header begins; in a later fragment, its piece of the payload."""
    next_at: int
    """Where the protocol's number stands."""
    whole: int
    """The packet's length as its header tells it; what follows is no part of it."""
    offset: int = 0
    """Octets that precede this fragment's payload in the whole one's."""
    more: bool = False
    """Whether more fragments follow."""
    fragment_at: int = 0
    """Where the IPv6 fragment header stands; 0 without one."""

    @property
    def is_fragment(self) -> bool:
        """Whether it is a part of a packet only."""
        return self.more or self.offset > 0


def view(packet: bytes) -> View | None:
    """The parts of ``packet``, or None when it is no correct IP packet."""
    first = packet[0] >> 4 if packet else 0
    if first == 4:
        return _view_v4(packet)
    return _view_v6(packet) if first == 6 else None


def _view_v4(packet: bytes) -> View | None:
    if len(packet) < IPV4_OCTETS:
        return None
    at, whole = (packet[0] & 15) * 4, int.from_bytes(packet[2:4])
    if not IPV4_OCTETS <= at <= whole <= len(packet):
        return None
    flags = int.from_bytes(packet[6:8])
    offset = (flags & OFFSET_BITS) * UNIT
    return View(
        4, packet[12:16], packet[16:20], packet[9], at, 9, whole, offset, more=bool(flags & MORE_FRAGMENTS)
    )  # fmt: skip


def _view_v6(packet: bytes) -> View | None:
    if len(packet) < IPV6_OCTETS:
        return None
    whole = IPV6_OCTETS + int.from_bytes(packet[4:6])
    if whole > len(packet):
        return None
    kind, at, next_at, offset, more, fragment_at = packet[6], IPV6_OCTETS, 6, 0, False, 0
    for _ in range(MOST_HEADERS):
        if kind not in EXTENSIONS or offset:
            return View(6, packet[8:24], packet[24:40], kind, at, next_at, whole, offset, more, fragment_at)
        if at + UNIT > whole:
            return None
        octets = UNIT
        if kind == FRAGMENT:
            if fragment_at:
                return None
            word = int.from_bytes(packet[at + 2 : at + 4])
            offset, more, fragment_at = word & 0xFFF8, bool(word & 1), at
        else:
            octets = (packet[at + 1] + 1) * UNIT
        kind, next_at, at = packet[at], at, at + octets
        if at > whole:
            return None
    return None


def flow_of(packet: bytes) -> FlowKey | None:
    """What a policy can see of ``packet``; None when it is no correct IP packet."""
    parts = view(packet)
    return None if parts is None else flow_at(packet, parts)


def flow_at(packet: bytes, parts: View) -> FlowKey | None:
    """The flow of a packet whose parts are known; None when its transport header is cut off."""
    protocol = parts.protocol
    if parts.offset:
        return FlowKey(parts.source, parts.destination, protocol, None, None)
    if protocol in WITH_PORTS:
        if parts.at + 4 > parts.whole:
            return None
        return FlowKey(parts.source, parts.destination, protocol, *_PORTS(packet, parts.at))
    if protocol in (ICMP, ICMPV6):
        if parts.at + 2 > parts.whole:
            return None
        kind = int.from_bytes(packet[parts.at : parts.at + 2])
        return FlowKey(parts.source, parts.destination, protocol, kind, kind)
    if protocol == MOBILITY and parts.at + 3 <= parts.whole:
        kind = packet[parts.at + 2] << 8  # RFC 4301 §4.4.1.1: its type in the upper octet
        return FlowKey(parts.source, parts.destination, protocol, kind, kind)
    return FlowKey(parts.source, parts.destination, protocol, None, None)


def spi_of(packet: bytes, parts: View) -> int:
    """The SPI of an ESP or AH packet; 0 when it has none to see."""
    at = parts.at + (0 if parts.protocol == ESP else 4)
    return 0 if parts.offset or at + 4 > parts.whole else int.from_bytes(packet[at : at + 4])


def build_v4(
    source: bytes,
    destination: bytes,
    protocol: int,
    payload_octets: int,
    *,
    ttl: int = 64,
    tos: int = 0,
    dont_fragment: bool = False,
    identification: int = 0,
) -> bytes:
    """An IPv4 header without options, its checksum right."""
    flags = DONT_FRAGMENT if dont_fragment else 0
    whole = IPV4_OCTETS + payload_octets
    header = _V4(0x45, tos, whole, identification, flags, ttl, protocol, 0, source, destination)
    return header[:10] + checksum(header).to_bytes(2) + header[12:]


def build_v6(
    source: bytes,
    destination: bytes,
    next_header: int,
    payload_octets: int,
    *,
    hop_limit: int = 64,
    traffic_class: int = 0,
    flow_label: int = 0,
) -> bytes:
    """An IPv6 header."""
    return _V6(6 << 28 | traffic_class << 20 | flow_label, payload_octets, next_header, hop_limit, source, destination)


def build(source: bytes, destination: bytes, protocol: int, payload: bytes) -> bytes:
    """A whole packet of the family that the addresses have, with the usual header."""
    make = build_v4 if len(source) == 4 else build_v6
    return make(source, destination, protocol, len(payload)) + payload


def fitted(front: bytes, next_at: int, next_header: int, octets: int) -> bytes:
    """The headers ``front`` before a header ``next_header``, in a packet of ``octets``."""
    head = bytearray(front)
    head[next_at] = next_header
    if front[0] >> 4 == 6:
        head[4:6] = (octets - IPV6_OCTETS).to_bytes(2)
    else:
        head[2:4] = octets.to_bytes(2)
        head[10:12] = b"\0\0"
        head[10:12] = checksum(bytes(head)).to_bytes(2)
    return bytes(head)


def traffic_class(packet: bytes) -> int:
    """TOS or traffic class: DSCP and ECN."""
    return packet[1] if packet[0] >> 4 == 4 else (packet[0] & 15) << 4 | packet[1] >> 4


def with_traffic_class(packet: bytes, value: int) -> bytes:
    """``packet`` with another TOS or traffic class."""
    if packet[0] >> 4 == 6:
        return bytes((6 << 4 | value >> 4, (value & 15) << 4 | packet[1] & 15)) + packet[2:]
    return fix_header_checksum(packet[:1] + bytes((value,)) + packet[2:])


def fix_header_checksum(packet: bytes) -> bytes:
    """An IPv4 packet with its header's checksum made right."""
    end = (packet[0] & 15) * 4
    head = packet[:10] + b"\0\0" + packet[12:end]
    return head[:10] + checksum(head).to_bytes(2) + packet[12:]


def may_fragment(packet: bytes) -> bool:
    """Whether a router may fragment it: IPv4 without DF."""
    return packet[0] >> 4 == 4 and not packet[6] & 0x40
