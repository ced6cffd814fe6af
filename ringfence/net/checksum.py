# SPDX-License-Identifier: Apache-2.0
"""The internet checksum (RFC 1071), of headers and of what stands above them.

The ones' complement sum of 16-bit words is their sum modulo 65,535, and 65,536 is 1 in that arithmetic. So the whole
string, read as one number, already is the sum: Python's long integers do the work of a loop.
"""

from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP

ALL_ONES = 0xFFFF

CHECKSUM_AT = {ICMP: 2, ICMPV6: 2, TCP: 16, UDP: 6}
"""Where the checksum stands in the protocols that have one we know."""


def checksum(data: bytes) -> int:
    """The checksum of ``data``, in which the checksum's own field is zero."""
    if len(data) % 2:
        data += b"\0"
    number = int.from_bytes(data)
    return -number % ALL_ONES if number else ALL_ONES


def pseudo_header(source: bytes, destination: bytes, protocol: int, octets: int) -> bytes:
    """What TCP, UDP and ICMPv6 add to their sum; both families' forms have the same sum."""
    return source + destination + octets.to_bytes(4) + protocol.to_bytes(4)


def transport_checksum(source: bytes, destination: bytes, protocol: int, segment: bytes) -> int:
    """The checksum of a whole ``segment`` of ``protocol``, whose field is zero."""
    if protocol == ICMP:
        return checksum(segment)
    value = checksum(pseudo_header(source, destination, protocol, len(segment)) + segment)
    return value or ALL_ONES if protocol == UDP else value


def fix_transport(source: bytes, destination: bytes, protocol: int, segment: bytes) -> bytes:
    """``segment`` with the checksum that these addresses ask for; as it is where there is none to fix.

    A UDP datagram over IPv4 without a checksum stays without (RFC 768).
    """
    at = CHECKSUM_AT.get(protocol)
    if at is None or len(segment) < at + 2:
        return segment
    if protocol == UDP and len(source) == 4 and segment[at : at + 2] == b"\0\0":
        return segment
    clean = segment[:at] + b"\0\0" + segment[at + 2 :]
    value = transport_checksum(source, destination, protocol, clean)
    return segment[:at] + value.to_bytes(2) + segment[at + 2 :]
