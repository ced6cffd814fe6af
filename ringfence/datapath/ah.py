# SPDX-License-Identifier: Apache-2.0
"""Put AH into IP packets and take it out (RFC 4302), for one SA and direction each.

    IP header, extension headers | next header, length, reserved | SPI | sequence number | ICV | padding | payload
    `--- as ``immutable`` has ---´`---------------------- as it is, the ICV zero ---------------------------------´
        it: covered by the ICV

A whole packet goes in and a whole one comes out. A tunnel is the same thing: the packet then is the outer header with
an inner packet (protocol 4 or 41) behind it, which ``datapath.mode`` makes and unmakes.

The header is a multiple of 4 octets in IPv4 and 8 in IPv6 (§2.6). In IPv4 some stacks make it 8 as well: ``align_64``
says what we send; either is accepted. The extended half of a sequence number is not sent, it is protected as if it
stood behind the payload (§3.3.3.2.2). With AES-GMAC the ICV field begins with an IV, made as in ``datapath.esp``
(RFC 4543 §4 with erratum 3643: 4 octets of padding in IPv6, none in IPv4).

Nothing that comes from the network raises: a bad packet becomes a ``Drop``.
"""

from collections.abc import Callable, Iterable, Sequence
from struct import Struct
from typing import NamedTuple

from ringfence.crypto.integrity import gmac, integrity, same
from ringfence.crypto.suites import Authenticator, Integrity
from ringfence.databases.sa import Sa
from ringfence.datapath.immutable import AH, IPV6_OCTETS, find_front, picture
from ringfence.datapath.replay import ReplayWindow
from ringfence.datapath.sequence import SequenceCounter
from ringfence.datapath.verdict import Drop
from ringfence.net.ip import fitted

FIXED_OCTETS = 12
LOW = 2**32 - 1
MOST_OCTETS = 65535

_FIXED = Struct("!BBHII")
_WORD = Struct("!I").pack
_LONG = Struct("!Q").pack


class OpenedAh(NamedTuple):
    """A packet whose AH was right."""

    next_header: int
    """What AH announced: the protocol behind it."""
    packet: bytes
    """The packet as if there had never been an AH in it."""


def _authenticator(sa: Sa) -> Authenticator:
    if sa.authenticator is None:
        raise ValueError("an SA of AH names its integrity algorithm")
    return sa.authenticator


def _aligned(octets: int, unit: int) -> int:
    return octets + -octets % unit


def overhead(sa: Sa) -> int:
    """Octets that AH adds to a packet."""
    row = _authenticator(sa).row
    unit = 8 if sa.align_64 or len(sa.destination) == 16 else 4
    return _aligned(FIXED_OCTETS + row.iv_octets + row.icv_octets, unit)


class _Transform:
    """What both directions share."""

    def __init__(self, sa: Sa) -> None:
        authenticator = _authenticator(sa)
        self._esn = sa.esn
        self._iv_octets = authenticator.row.iv_octets
        self._field = self._iv_octets + authenticator.row.icv_octets
        """Octets of the ICV field: IV and ICV."""
        if authenticator.algorithm is Integrity.AES_GMAC:
            self._icv = gmac(authenticator, sa.authenticator_key)
        else:
            plain = integrity(authenticator, sa.authenticator_key, legacy=sa.legacy)
            self._icv = lambda _iv, data: plain(data)

    def _sign(self, front: bytes, fixed: bytes, iv: bytes, rest: bytes, number: int) -> bytes:
        """The ICV: ``front`` is the picture, ``rest`` padding and payload."""
        high = _WORD(number >> 32) if self._esn else b""
        return self._icv(iv, b"".join((front, fixed, bytes(self._field), rest, high)))


class AhSeal(_Transform):
    """The sender's side of an SA of AH."""

    def __init__(self, sa: Sa, random: Callable[[int], bytes], *, last_sequence: int = 0) -> None:
        """Prepare ``sa``; raises ValueError for a key of the wrong length, LegacyRefused.

        ``last_sequence`` is the number sent last, for an SA that is taken over.
        """
        super().__init__(sa)
        self.sequence = SequenceCounter(extended=sa.esn, last=last_sequence)
        self._spi = sa.spi
        self._mask = int.from_bytes(random(8))
        self._octets = overhead(sa)
        self._padding = bytes(self._octets - FIXED_OCTETS - self._field)

    def seal(self, packet: bytes) -> bytes | Drop:
        """``packet`` with AH in its place, or why it could not be (a fragment, too big, malformed, no number left)."""
        front = find_front(packet, with_ah=False)
        if isinstance(front, Drop):
            return front
        end, next_at, whole = front
        octets = whole + self._octets
        if octets - (IPV6_OCTETS if packet[0] >> 4 == 6 else 0) > MOST_OCTETS:
            return Drop.TOO_BIG
        head = fitted(packet[:end], next_at, AH, octets)
        drawn = picture(head, departing=True)
        if drawn is None:
            return Drop.MALFORMED
        numbers = self.sequence.take(1)
        if not numbers:
            return Drop.SEQUENCE_EXHAUSTED
        number = numbers[0]
        iv = _LONG(number ^ self._mask)[: self._iv_octets]
        fixed = _FIXED.pack(packet[next_at], self._octets // 4 - 2, 0, self._spi, number & LOW)
        rest = self._padding + packet[end:whole]
        return b"".join((head, fixed, iv, self._sign(drawn, fixed, iv, rest, number), rest))

    def seal_many(self, packets: Sequence[bytes]) -> list[bytes | Drop]:
        """Each packet with AH in its place, in order."""
        return [self.seal(packet) for packet in packets]


class AhOpen(_Transform):
    """The receiver's side of an SA of AH."""

    def __init__(self, sa: Sa, *, top: int = 0) -> None:
        """Prepare ``sa``; raises ValueError (a key's length, the window's size), LegacyRefused.

        ``top`` is the greatest number received, for an SA that is taken over.
        """
        super().__init__(sa)
        self.window = ReplayWindow(sa.replay_window, top=top)
        least = FIXED_OCTETS + self._field
        self._lengths_v4 = (_aligned(least, 4), _aligned(least, 8))
        self._lengths_v6 = (_aligned(least, 8),)

    def open(self, packet: bytes) -> OpenedAh | Drop:
        """Verify the AH of one IP packet and take it out (§3.4)."""
        front = find_front(packet, with_ah=True)
        if isinstance(front, Drop):
            return front
        end, next_at, whole = front
        if end + FIXED_OCTETS + self._field > whole:
            return Drop.TOO_SHORT
        next_header, words, _, _, number = _FIXED.unpack_from(packet, end)
        behind = end + (words + 2) * 4
        if behind - end not in (self._lengths_v6 if packet[0] >> 4 == 6 else self._lengths_v4) or behind > whole:
            return Drop.MALFORMED
        if self._esn:
            number = self.window.locate(number)
        if refusal := self.window.check(number):
            return refusal
        drawn = picture(packet[:end], departing=False)
        if drawn is None:
            return Drop.MALFORMED
        genuine = self._genuine(packet[end:whole], drawn, number)
        if genuine is None:
            return Drop.BAD_ICV
        self.window.accept(genuine)
        octets = whole - (behind - end)
        return OpenedAh(next_header, fitted(packet[:end], next_at, next_header, octets) + packet[behind:whole])

    def open_many(self, packets: Iterable[bytes]) -> list[OpenedAh | Drop]:
        """Each packet without its AH, in order."""
        return [self.open(packet) for packet in packets]

    def _genuine(self, inside: bytes, drawn: bytes, number: int) -> int | None:
        """The number for which the ICV is right: ``number``, or one that the window gives to resynchronise by."""
        field = FIXED_OCTETS + self._field
        fixed, iv = inside[:FIXED_OCTETS], inside[FIXED_OCTETS : FIXED_OCTETS + self._iv_octets]
        icv, rest = inside[FIXED_OCTETS + self._iv_octets : field], inside[field:]
        if same(self._sign(drawn, fixed, iv, rest, number), icv):
            return number
        for candidate in self.window.resync(number) if self._esn else ():
            if same(self._sign(drawn, fixed, iv, rest, candidate), icv):
                return candidate
        return None
