# SPDX-License-Identifier: Apache-2.0
"""The common packet, read with one call: whole, behind a plain IP header, with ports right after it.

What it gives are the octets as they stand in the packet: good enough as the key of a cache, and no objects are made.
"""

from struct import Struct

from ringfence.net.flow import ESP
from ringfence.net.ip import IPV6_OCTETS

PLAIN_V4 = Struct("!2xH2xHxB2x12s").unpack_from
"""Length, flags and offset, protocol, addresses with ports."""
PLAIN_V6 = Struct("!4xHBx36s").unpack_from
"""Payload length, next header, addresses with ports."""
PLAIN_V4_LEAST, PLAIN_V6_LEAST = 24, 44


def plain_flow(packet: bytes) -> tuple[int, bytes] | None:
    """Protocol, and addresses with ports, of a whole packet without options; the flow cache's key."""
    octets = len(packet)
    if octets >= PLAIN_V4_LEAST and packet[0] == 0x45:
        whole, bits, protocol, key = PLAIN_V4(packet)
        return None if whole != octets or bits & 0x3FFF else (protocol, key)
    if octets >= PLAIN_V6_LEAST and packet[0] >> 4 == 6:
        payload, protocol, key = PLAIN_V6(packet)
        return None if payload + IPV6_OCTETS != octets else (protocol, key)
    return None


NAMES_V4 = Struct("!2xH2xHxB2x4x8s").unpack_from
"""Length, flags and offset, protocol, destination with SPI."""
NAMES_V6 = Struct("!4xHBx16x20s").unpack_from
"""Payload length, next header, destination with SPI."""


def plain_name(packet: bytes) -> bytes | None:
    """Destination and SPI of a whole ESP packet without options or extension headers."""
    octets = len(packet)
    if octets >= PLAIN_V4_LEAST and packet[0] == 0x45:
        whole, bits, protocol, name = NAMES_V4(packet)
        return name if protocol == ESP and whole == octets and not bits & 0x3FFF else None
    if octets >= PLAIN_V6_LEAST and packet[0] >> 4 == 6:
        payload, protocol, name = NAMES_V6(packet)
        return name if protocol == ESP and payload + IPV6_OCTETS == octets else None
    return None
