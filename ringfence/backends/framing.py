# SPDX-License-Identifier: Apache-2.0
"""IKE messages and ESP packets in a stream of octets (RFC 9329 §3, §4). Pure.

Whoever opens a connection begins with six octets that say what it is. Then come frames in both directions: two octets
of length, which count themselves, and either an IKE message behind four zero octets, or an ESP packet. A stream has no
place to find the next frame by, so one frame that cannot be is the end of the connection.
"""

from collections.abc import Iterable

from ringfence.backends.udp import KEEPALIVE, NON_ESP_MARKER

PREFIX = b"IKETCP"
LENGTH_OCTETS = 2
MOST_OCTETS = 0xFFFF
IKE_OCTETS = 28
"""Of an IKE header; its last four say how long the message is."""
ESP_OCTETS = 8
"""Of an ESP header."""


class Garbage(Exception):
    """What came is no such stream; ``args`` say why."""


def framed(packets: Iterable[bytes]) -> bytes:
    """These as frames; what is too long for one is left out, as a link leaves out what is too long for it."""
    parts: list[bytes] = []
    for packet in packets:
        octets = LENGTH_OCTETS + len(packet)
        if octets <= MOST_OCTETS:
            parts += (octets.to_bytes(2), packet)
    return b"".join(parts)


class Deframer:
    """One direction of a connection, from the other end."""

    def __init__(self, *, prefixed: bool) -> None:
        """``prefixed``: whether the other end opened it."""
        self._prefixed = prefixed
        self._rest = b""

    @property
    def waiting(self) -> int:
        """Octets of a frame that is not whole yet."""
        return len(self._rest)

    def feed(self, octets: bytes) -> list[bytes]:
        """What has become whole, in order: IKE messages with their marker, ESP packets. Raises Garbage."""
        octets = self._rest + octets if self._rest else octets
        at = 0
        if self._prefixed:
            begun = octets[: len(PREFIX)]
            if not PREFIX.startswith(begun):
                raise Garbage(f"it does not begin with {PREFIX.decode()}")
            if len(begun) < len(PREFIX):
                self._rest = octets
                return []
            self._prefixed, at = False, len(PREFIX)
        found: list[bytes] = []
        have = len(octets)
        while have - at >= LENGTH_OCTETS:
            end = at + (octets[at] << 8 | octets[at + 1])
            if end - at <= LENGTH_OCTETS:
                raise Garbage(f"a frame of {end - at} octets")
            if end > have:
                break
            body = octets[at + LENGTH_OCTETS : end]
            at = end
            if body != KEEPALIVE:  # which nobody needs here, but some send
                _check(body)
                found.append(body)
        self._rest = octets[at:]
        return found


def _check(body: bytes) -> None:
    """Whether it can be what it says."""
    if body[:4] == NON_ESP_MARKER:
        message = body[4:]
        if len(message) < IKE_OCTETS or int.from_bytes(message[24:IKE_OCTETS]) != len(message):
            raise Garbage("an IKE message of another length than its frame")
    elif len(body) < ESP_OCTETS:
        raise Garbage(f"an ESP packet of {len(body)} octets")
