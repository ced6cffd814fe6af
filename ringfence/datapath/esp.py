# SPDX-License-Identifier: Apache-2.0
"""Seal and open ESP packets (RFC 4303), for one SA and direction each.

    SPI | sequence number | IV | payload, TFC padding, padding, pad length, next header | ICV
    `------ covered by the ICV -----------------------------------------------------´
                               `--------------- encrypted -------------------´

A payload is what follows the IP header in transport mode, a whole IP packet in tunnel mode; who makes the headers
around it is ``datapath.mode``. Both classes keep everything that a packet needs ready-made, so that a batch costs
little more than its cryptography. Nothing that comes from the network raises: a bad packet becomes a ``Drop``.

IVs: counter modes take the sequence number, masked with a number drawn once per object. Under one key it never
repeats, and even an SA that somebody keys by hand twice with the same key will not meet its old IVs. CBC takes
random octets for each packet.

Extended sequence numbers: the high half is not sent but protected: in the associated data of a combined mode, behind
the packet for an integrity algorithm (§2.2.1, RFC 4106 §5).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from struct import Struct
from typing import NamedTuple

from ringfence.crypto.cipher import CryptInto, combined, separate
from ringfence.crypto.errors import BadIcv
from ringfence.crypto.integrity import integrity, same
from ringfence.crypto.suites import Cipher, Encryption
from ringfence.databases.sa import Mode, Sa
from ringfence.datapath.replay import ReplayWindow
from ringfence.datapath.sequence import SequenceCounter
from ringfence.datapath.verdict import Drop

NO_NEXT_HEADER = 59
"""Of a dummy packet (§2.6)."""

HEADER_OCTETS = 8
TRAILER_OCTETS = 2
ALIGN_OCTETS = 4
MOST_OCTETS = 65535
MOST_SHAPES = 128
LOW = 2**32 - 1

_HEADER = Struct("!II").pack
_HEADER_AND_IV = Struct("!IIQ").pack
_EXTENDED_AAD = Struct("!IQ").pack
_WORD = Struct("!I").pack
_LONG = Struct("!Q").pack
_SEQUENCE = Struct("!I").unpack_from
_SEQUENCE_AND_IV = Struct("!4xI8s").unpack_from
_new = tuple.__new__

PADDING = tuple(bytes(range(1, octets + 1)) for octets in range(256))
"""By its length, as §2.4 prescribes it."""


class Opened(NamedTuple):
    """What an ESP packet carried."""

    next_header: int
    payload: bytes
    """Without padding; in tunnel mode TFC padding may follow the inner packet, whose own length tells."""


@cache
def _trailers(align: int) -> tuple[tuple[bytes, ...], ...]:
    """Padding, pad length and next header: by the next header, then by the payload's length modulo ``align``."""
    paddings = [-(octets + TRAILER_OCTETS) % align for octets in range(align)]
    return tuple(
        tuple(PADDING[padding] + bytes((padding, next_header)) for padding in paddings) for next_header in range(256)
    )


def _cipher(sa: Sa) -> Cipher:
    if sa.cipher is None:
        raise ValueError("an SA of ESP names its cipher, if only NULL")
    return sa.cipher


def _align(sa: Sa) -> int:
    return max(ALIGN_OCTETS, _cipher(sa).row.block_octets)


def _icv_octets(sa: Sa) -> int:
    return _cipher(sa).row.icv_octets if sa.authenticator is None else sa.authenticator.row.icv_octets


def overhead(sa: Sa, payload_octets: int) -> int:
    """Octets of the whole ESP packet around a payload of ``payload_octets``, TFC padding of the SA included."""
    inside = max(payload_octets, sa.tfc_octets if sa.mode is Mode.TUNNEL else 0) + TRAILER_OCTETS
    inside += -inside % _align(sa)
    return HEADER_OCTETS + _cipher(sa).row.iv_octets + inside + _icv_octets(sa)


def most_payload(sa: Sa, octets: int) -> int:
    """The largest payload whose ESP packet has ``octets`` or fewer, TFC padding left aside; negative: none."""
    inside = octets - HEADER_OCTETS - _cipher(sa).row.iv_octets - _icv_octets(sa)
    return inside - inside % _align(sa) - TRAILER_OCTETS


class EspSeal:
    """The sender's side of an ESP SA."""

    def __init__(self, sa: Sa, random: Callable[[int], bytes], *, last_sequence: int = 0) -> None:
        """Prepare ``sa``; raises ValueError for a key of the wrong length, LegacyRefused, NotSupported.

        ``last_sequence`` is the number sent last, for an SA that is taken over.
        """
        cipher = _cipher(sa)
        self.sequence = SequenceCounter(extended=sa.esn, last=last_sequence)
        self._spi = sa.spi
        self._esn = sa.esn
        self._align = _align(sa)
        self._trailers = _trailers(self._align)
        self._mask = int.from_bytes(random(8))
        self._tunnel = sa.mode is Mode.TUNNEL
        self._tfc = sa.tfc_octets if self._tunnel else 0
        self._seal: Callable[[range, Iterable[tuple[int, bytes]]], list[bytes | Drop]]
        if sa.authenticator is None:
            self._combined = combined(cipher, sa.cipher_key)
            self._seal = self._seal_combined
        else:
            self._cipher = separate(cipher, sa.cipher_key, legacy=sa.legacy)
            self._icv = integrity(sa.authenticator, sa.authenticator_key, legacy=sa.legacy)
            self._random = random
            self._seed_octets = cipher.row.iv_octets
            self._counts_iv = cipher.algorithm is Encryption.AES_CTR
            self._seal = self._seal_separate

    def seal(self, next_header: int, payload: bytes, pad_to: int = 0) -> bytes | Drop:
        """The whole ESP packet, SPI to ICV, or Drop.SEQUENCE_EXHAUSTED.

        In tunnel mode ``payload`` is first filled up to ``pad_to`` octets (TFC padding, §2.7); in transport mode,
        where its end could not be told from the padding, it never is.
        """
        if self._tunnel:
            payload = payload.ljust(pad_to, b"\0")
        return self.seal_many(((next_header, payload),))[0]

    def seal_many(self, items: Sequence[tuple[int, bytes]]) -> list[bytes | Drop]:
        """The ESP packets of many (next header, payload), in order, filled up as the SA says."""
        numbers = self.sequence.take(len(items))
        if self._tfc:
            items = [(next_header, payload.ljust(self._tfc, b"\0")) for next_header, payload in items]
        sealed = self._seal(numbers, items)
        if len(sealed) < len(items):
            sealed += [Drop.SEQUENCE_EXHAUSTED] * (len(items) - len(sealed))
        return sealed

    def _seal_combined(self, numbers: range, items: Iterable[tuple[int, bytes]]) -> list[bytes | Drop]:
        spi, mask, align, trailers = self._spi, self._mask, self._align, self._trailers
        salt, encrypt = self._combined.salt, self._combined.encrypt
        if self._esn:
            return [
                (header := _HEADER_AND_IV(spi, number & LOW, number ^ mask))
                + encrypt(
                    salt + header[8:],
                    payload + trailers[next_header][len(payload) % align],
                    _EXTENDED_AAD(spi, number),
                )
                for number, (next_header, payload) in zip(numbers, items, strict=False)
            ]
        return [
            (header := _HEADER_AND_IV(spi, number, number ^ mask))
            + encrypt(
                salt + header[8:],
                payload + trailers[next_header][len(payload) % align],
                header[:8],
            )
            for number, (next_header, payload) in zip(numbers, items, strict=False)
        ]

    def _seal_separate(self, numbers: range, items: Iterable[tuple[int, bytes]]) -> list[bytes | Drop]:
        sealed: list[bytes | Drop] = []
        octets = self._seed_octets
        seeds = b"" if self._counts_iv else self._random(octets * len(numbers))
        for place, (number, (next_header, payload)) in enumerate(zip(numbers, items, strict=False)):
            seed = _LONG(number ^ self._mask) if self._counts_iv else seeds[place * octets : (place + 1) * octets]
            packet = _HEADER(self._spi, number & LOW)
            packet += self._cipher.encrypt(seed, payload + self._trailers[next_header][len(payload) % self._align])
            sealed.append(packet + self._icv(packet + _WORD(number >> 32) if self._esn else packet))
        return sealed


class _Shape(NamedTuple):
    """How packets of one length are taken apart, when they end like the last one."""

    whole: memoryview
    """Where the packet is copied to, so that its parts need no objects of their own."""
    header: memoryview
    """SPI and sequence number in it."""
    sealed: memoryview
    """Ciphertext and ICV in it."""
    plain: memoryview
    """Where they are decrypted to."""
    cut: Callable[[memoryview], tuple[bytes, bytes]]
    """Payload, and the trailer with its padding."""
    trailer: bytes
    """What the second of these must be."""
    next_header: int
    """What it then announces."""


_NONE = memoryview(b"")
_NO_SHAPE = _Shape(_NONE, _NONE, _NONE, _NONE, Struct("0s0s").unpack, b"", 0)


class EspOpen:
    """The receiver's side of an ESP SA."""

    def __init__(self, sa: Sa, *, top: int = 0) -> None:
        """Prepare ``sa``; raises ValueError (a key's length, the window's size), LegacyRefused, NotSupported.

        ``top`` is the greatest number received, for an SA that is taken over.
        """
        cipher = _cipher(sa)
        self.window = ReplayWindow(sa.replay_window, top=top)
        self._spi = _WORD(sa.spi)
        self._esn = sa.esn
        self._align = _align(sa)
        self._icv_octets = _icv_octets(sa)
        self._around = HEADER_OCTETS + cipher.row.iv_octets + self._icv_octets
        self._decrypt: Callable[[bytes, int], bytes]
        self._into: CryptInto | None = None
        if sa.authenticator is None:
            mode = combined(cipher, sa.cipher_key)
            self._salt, self._open_combined = mode.salt, mode.decrypt
            self._decrypt = self._decrypt_combined
            if sa.replay_window and not sa.esn:
                self._into = mode.decrypt_into
        else:
            self._cipher = separate(cipher, sa.cipher_key, legacy=sa.legacy)
            self._icv = integrity(sa.authenticator, sa.authenticator_key, legacy=sa.legacy)
            self._decrypt = self._decrypt_separate
        self._shapes: dict[int, _Shape] = {}
        self._arrived, self._plain = (memoryview(bytearray(MOST_OCTETS if self._into else 0)) for _ in range(2))

    def open(self, packet: bytes) -> Opened | Drop:
        """Verify and decrypt one ESP packet, SPI to ICV (§3.4)."""
        if refusal := self._misshapen(len(packet)):
            return refusal
        number: int = _SEQUENCE(packet, 4)[0]
        if self._esn:
            number = self.window.locate(number)
        if refusal := self.window.check(number):
            return refusal
        try:
            plain = self._decrypt(packet, number)
        except BadIcv:
            resynchronised = self._resync(packet, number) if self._esn else None
            if resynchronised is None:
                return Drop.BAD_ICV
            number, plain = resynchronised
        self.window.accept(number)
        return _strip(plain)

    def open_many(self, packets: Iterable[bytes]) -> list[Opened | Drop]:
        """What each packet carried, in order, as ``open`` has it."""
        if self._into is None:
            return [self.open(packet) for packet in packets]
        return self._open_run(packets, self._into)

    def _open_run(self, packets: Iterable[bytes], decrypt_into: CryptInto) -> list[Opened | Drop]:
        """The short way for packets that come in order; it leaves everything else to ``open``.

        Packets of one length share the octets that they are decrypted in, and the struct that cuts their payload out.
        """
        opened: list[Opened | Drop] = []
        add, salt, window, cells, size = opened.append, self._salt, self.window, self.window.cells, self.window.size
        octets, top = -1, window.top
        whole, header, sealed, plain, cut, trailer, next_header = _NO_SHAPE
        for packet in packets:
            if len(packet) != octets:
                if self._misshapen(len(packet)):
                    add(self.open(packet))
                    continue
                octets = len(packet)
                whole, header, sealed, plain, cut, trailer, next_header = self._shape(octets)
            number, iv = _SEQUENCE_AND_IV(packet)
            if number <= top:
                window.top = top
                add(self.open(packet))
                continue
            whole[:] = packet
            try:
                decrypt_into(salt + iv, sealed, header, plain)
            except BadIcv:
                add(Drop.BAD_ICV)
                continue
            cells[number % size] = top = number
            payload, end = cut(plain)
            if end == trailer:
                add(_new(Opened, (next_header, payload)))
            else:
                add(_strip(bytes(plain)))
                whole, header, sealed, plain, cut, trailer, next_header = self._new_shape(octets, plain[-2:])
        window.top = top
        return opened

    def _shape(self, octets: int) -> _Shape:
        return self._shapes.get(octets) or self._new_shape(octets, b"\0\0")

    def _new_shape(self, octets: int, last: Sequence[int]) -> _Shape:
        """For packets of ``octets`` whose pad length and next header are ``last``; those of a dummy never match."""
        inside = octets - self._around
        padding, next_header = last
        if padding > inside - TRAILER_OCTETS or next_header == NO_NEXT_HEADER:
            padding = next_header = 0
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        tail = padding + TRAILER_OCTETS
        shape = self._shapes[octets] = _Shape(
            self._arrived[:octets],
            self._arrived[:HEADER_OCTETS],
            self._arrived[16:octets],
            self._plain[:inside],
            Struct(f"!{inside - tail}s{tail}s").unpack,
            PADDING[padding] + bytes((padding, next_header)),
            next_header,
        )
        return shape

    def _misshapen(self, octets: int) -> Drop | None:
        """Why no packet of this length can be one of the SA's."""
        inside = octets - self._around
        if inside < self._align:
            return Drop.TOO_SHORT
        if inside % self._align or octets > MOST_OCTETS:
            return Drop.MALFORMED
        return None

    def _resync(self, packet: bytes, number: int) -> tuple[int, bytes] | None:
        """Another high half that makes the ICV right, with what it gives (RFC 4303 §A3)."""
        for candidate in self.window.resync(number):
            try:
                return candidate, self._decrypt(packet, candidate)
            except BadIcv:
                continue
        return None

    def _decrypt_combined(self, packet: bytes, number: int) -> bytes:
        aad = self._spi + _LONG(number) if self._esn else packet[:8]
        return self._open_combined(self._salt + packet[8:16], packet[16:], aad)

    def _decrypt_separate(self, packet: bytes, number: int) -> bytes:
        body, icv = packet[: -self._icv_octets], packet[-self._icv_octets :]
        if not same(self._icv(body + _WORD(number >> 32) if self._esn else body), icv):
            raise BadIcv
        return self._cipher.decrypt(body[HEADER_OCTETS:])


def _strip(plain: bytes) -> Opened | Drop:
    """Take padding and trailer off what was decrypted (§2.4 to §2.6)."""
    padding, next_header = plain[-2], plain[-1]
    end = len(plain) - TRAILER_OCTETS - padding
    if end < 0 or plain[end:-2] != PADDING[padding]:
        return Drop.BAD_PADDING
    if next_header == NO_NEXT_HEADER:
        return Drop.DUMMY
    return Opened(next_header, plain[:end])
