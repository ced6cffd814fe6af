# SPDX-License-Identifier: Apache-2.0
"""The headers in front of AH, as its ICV sees them (RFC 4302 §3.3.3.1, appendix A).

AH protects the IP header and the extension headers before it, but routers change some of their fields. So the ICV is
computed over a picture of these headers:

- what does not change on the way stands as it is;
- what changes predictably stands as the receiver will find it: the addresses of a source route or routing header;
- what changes otherwise is zero: TOS, flags, fragment offset, TTL and checksum in IPv4; traffic class, flow label and
  hop limit in IPv6; whole IPv4 options of the classes that appendix A1 calls mutable, and all that it does not list;
  the data, not type and length, of IPv6 options whose type says that they may change (A2).

Headers behind AH belong to its payload and are protected as they are.
"""

from typing import NamedTuple

from ringfence.datapath.verdict import Drop

HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION_OPTIONS = 0, 43, 44, 51, 60

IPV4_OCTETS, IPV6_OCTETS = 20, 40
UNIT = 8
"""IPv6 extension headers count their length in units of 8 octets, without the first."""

END_OF_OPTIONS, NO_OPERATION = 0, 1
LOOSE_ROUTE, STRICT_ROUTE = 131, 137
IMMUTABLE_OPTIONS = frozenset({
    130,  # security (RFC 1108)
    133,  # extended security
    134,  # commercial security
    148,  # router alert (RFC 2113)
    149,  # sender directed multi-destination delivery
})  # fmt: skip
"""Besides the two of one octet; every other one is zeroed as a whole."""

PAD1 = 0
MAY_CHANGE = 0x20
"""Bit of an IPv6 option's type (RFC 8200 §4.2)."""

ROUTES = frozenset({0, 2})
"""Routing types whose form at the receiver is known: type 0, and Mobile IPv6's (RFC 6275 §6.4)."""


class Front(NamedTuple):
    """The headers that stand, or will stand, in front of AH."""

    end: int
    """Their length, which is where AH begins."""
    next_at: int
    """Where the number of the header behind them stands."""
    whole: int
    """Length of the whole packet as its IP header tells it."""


def find_front(packet: bytes, *, with_ah: bool) -> Front | Drop:
    """The headers in front of the AH of ``packet``, or of the AH to be put into it (RFC 4302 §3.1.1)."""
    match packet[0] >> 4 if packet else 0:
        case 4:
            return _front_v4(packet, with_ah=with_ah)
        case 6:
            return _front_v6(packet, with_ah=with_ah)
        case _:
            return Drop.MALFORMED


def _front_v4(packet: bytes, *, with_ah: bool) -> Front | Drop:
    end = (packet[0] & 15) * 4
    if len(packet) < IPV4_OCTETS:
        return Drop.TOO_SHORT
    whole = int.from_bytes(packet[2:4])
    if not IPV4_OCTETS <= end <= whole <= len(packet):
        return Drop.MALFORMED
    if int.from_bytes(packet[6:8]) & 0x3FFF:  # more fragments, or an offset
        return Drop.FRAGMENT
    if with_ah and packet[9] != AH:
        return Drop.MALFORMED
    return Front(end, 9, whole)


def _front_v6(packet: bytes, *, with_ah: bool) -> Front | Drop:
    """Sealing, AH goes where RFC 8200 §4.1 has it: behind all that is for routers and for stops on the way.

    Destination options stay in front of it when a routing header follows, else they are for the receiver alone.
    """
    if len(packet) < IPV6_OCTETS:
        return Drop.TOO_SHORT
    whole = IPV6_OCTETS + int.from_bytes(packet[4:6])
    if whole > len(packet):
        return Drop.MALFORMED
    next_at, at = 6, IPV6_OCTETS
    while (kind := packet[next_at]) in (HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS):
        if at + UNIT > whole:
            return Drop.MALFORMED
        if kind == FRAGMENT:
            if int.from_bytes(packet[at + 2 : at + 4]) & 0xFFF9:
                return Drop.FRAGMENT
            octets = UNIT
        else:
            octets = (packet[at + 1] + 1) * UNIT
        if kind == DESTINATION_OPTIONS and not with_ah and packet[at] not in (ROUTING, DESTINATION_OPTIONS):
            break
        next_at, at = at, at + octets
        if at > whole:
            return Drop.MALFORMED
    if with_ah and kind != AH:
        return Drop.MALFORMED
    return Front(at, next_at, whole)


def picture(front: bytes, *, departing: bool) -> bytes | None:
    """The ICV's view of the headers in front of AH, AH's number already in place; None when they are no such thing.

    ``departing`` says that a source route still lies before the packet, so that its end is to be foretold.
    """
    return _picture_v4(front, departing) if front[0] >> 4 == 4 else _picture_v6(front, departing)


def _picture_v4(front: bytes, departing: bool) -> bytes | None:
    destination, options = front[16:20], b""
    if len(front) > IPV4_OCTETS:
        drawn = _picture_options_v4(front, departing)
        if drawn is None:
            return None
        destination, options = drawn
    return b"".join((
        front[:1], b"\0", front[2:6], b"\0\0\0", front[9:10], b"\0\0", front[12:16], destination, options,
    ))  # fmt: skip


def _picture_options_v4(front: bytes, departing: bool) -> tuple[bytes, bytes] | None:
    """The destination at the end of the route, and the options."""
    drawn, destination = bytearray(front), front[16:20]
    at, end = IPV4_OCTETS, len(front)
    while at < end and front[at] != END_OF_OPTIONS:
        kind = front[at]
        if kind == NO_OPERATION:
            at += 1
            continue
        octets = front[at + 1] if at + 1 < end else 0
        if octets < 2 or at + octets > end:
            return None
        if kind not in IMMUTABLE_OPTIONS:
            drawn[at : at + octets] = bytes(octets)
        if kind in (LOOSE_ROUTE, STRICT_ROUTE) and departing:
            if octets < 3:
                return None
            if front[at + 2] + 3 <= octets:  # the pointer, from 1: there are stops to come, the last is the receiver
                destination = front[at + octets - 4 : at + octets]
        at += octets
    return destination, bytes(drawn[IPV4_OCTETS:])


def _picture_v6(front: bytes, departing: bool) -> bytes | None:
    drawn = bytearray(front)
    drawn[0:4] = b"\x60\0\0\0"
    drawn[7] = 0
    kind, at = front[6], IPV6_OCTETS
    while at < len(front):
        end = at + (UNIT if kind == FRAGMENT else (front[at + 1] + 1) * UNIT)
        if kind in (HOP_BY_HOP, DESTINATION_OPTIONS):
            good = _zero_options_v6(drawn, at + 2, end)
        elif kind == ROUTING and departing:
            good = _follow_route(drawn, at, end)
        else:
            good = True
        if not good:
            return None
        kind, at = front[at], end
    return bytes(drawn)


def _zero_options_v6(drawn: bytearray, at: int, end: int) -> bool:
    while at < end:
        if drawn[at] == PAD1:
            at += 1
            continue
        data = at + 2
        if data > end or data + drawn[at + 1] > end:
            return False
        if drawn[at] & MAY_CHANGE:
            drawn[data : data + drawn[at + 1]] = bytes(drawn[at + 1])
        at = data + drawn[at + 1]
    return True


def _follow_route(drawn: bytearray, at: int, end: int) -> bool:
    """Make destination and routing header what they will be at the last stop (RFC 8200 §4.4, RFC 5095)."""
    left = drawn[at + 3]
    if not left:
        return True
    first = end - left * 16
    if drawn[at + 2] not in ROUTES or first < at + UNIT:
        return False
    stops = bytes(drawn[24:40]) + bytes(drawn[first:end])
    drawn[first:end], drawn[24:40] = stops[:-16], stops[-16:]
    drawn[at + 3] = 0
    return True
