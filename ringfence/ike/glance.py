# SPDX-License-Identifier: Apache-2.0
"""A message in clear, seen without decoding it: where its payloads are, and nothing of what is in them.

This is all that a first message gets under load, before its sender has shown that it receives at its address.
"""

from struct import Struct

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import HEADER_OCTETS
from ringfence.ike.payload import GENERIC_OCTETS, MAX_PAYLOADS, NONE

_HEAD = Struct(">BxH")

Seen = tuple[int, bytes]
"""A payload's type and body."""


def glance(first: int, datagram: bytes) -> list[Seen]:
    """The payloads of a message in clear, of which the first has type ``first``; raises Ignored."""
    number, at, seen, size = first, HEADER_OCTETS, list[Seen](), len(datagram)
    while number != NONE:
        if len(seen) == MAX_PAYLOADS or at + GENERIC_OCTETS > size:
            raise Ignored(Reason.MALFORMED, "a first message has payloads without end")
        following, octets = _HEAD.unpack_from(datagram, at)
        end = at + octets
        if octets < GENERIC_OCTETS or end > size:
            raise Ignored(Reason.MALFORMED, f"a first message has a payload of {octets} octets at {at}")
        seen.append((number, datagram[at + GENERIC_OCTETS : end]))
        number, at = following, end
    return seen
