# SPDX-License-Identifier: Apache-2.0
"""Cut IP packets into fragments, and make them whole again.

Cutting: RFC 791 (options that have the copied bit go into every fragment) and RFC 8200 §4.5 (headers up to the last
one that routers read stand in front of every fragment).

Making whole is where attackers live, so it is strict and bounded:

- fragments that overlap end their packet, and every later fragment of it is refused (RFC 5722; for IPv4 as well, where
  no honest sender makes any); a fragment that comes twice just as it was is ignored;
- what never becomes whole is forgotten after ``seconds``;
- octets and packets under way are limited, the oldest goes first.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from ringfence.net.ip import (
    DESTINATION_OPTIONS,
    FRAGMENT,
    HOP_BY_HOP,
    IPV4_OCTETS,
    IPV6_OCTETS,
    MORE_FRAGMENTS,
    MOST_OCTETS,
    ROUTING,
    UNIT,
    View,
    fix_header_checksum,
    view,
)

COPIED = 0x80
"""Bit of an IPv4 option's type."""
END_OF_OPTIONS, NO_OPERATION = 0, 1

LEAST_PIECE = UNIT


def fragment(packet: bytes, mtu: int, identification: Callable[[], int]) -> list[bytes]:
    """``packet`` in pieces of at most ``mtu`` octets, or as it is when it fits or its headers leave no room.

    ``identification`` gives a number for an IPv6 packet, or an IPv4 one that has none; its low bits are used.
    """
    parts = view(packet)
    if parts is None or parts.whole <= mtu:
        return [packet]
    return _fragment_v4(packet, parts, mtu, identification) if parts.version == 4 else _fragment_v6(
        packet, parts, mtu, identification
    )  # fmt: skip


def _fragment_v4(packet: bytes, parts: View, mtu: int, identification: Callable[[], int]) -> list[bytes]:
    first = bytearray(packet[: parts.at])
    if first[4:6] == b"\0\0":
        first[4:6] = (identification() & 0xFFFF).to_bytes(2)
    later = _later_header(bytes(first))
    if mtu - len(first) < LEAST_PIECE:
        return [packet]
    pieces, header, at = [], bytes(first), parts.at
    while at < parts.whole:
        end = min(at + (mtu - len(header)) // UNIT * UNIT, parts.whole)
        if parts.whole - at <= mtu - len(header):
            end = parts.whole
        flags = (parts.offset + at - parts.at) // UNIT
        if end < parts.whole or parts.more:
            flags |= MORE_FRAGMENTS
        pieces.append(_piece_v4(header, flags, packet[at:end]))
        header, at = later, end
    return pieces


def _piece_v4(header: bytes, flags: int, payload: bytes) -> bytes:
    octets = len(header) + len(payload)
    return fix_header_checksum(
        header[:2] + octets.to_bytes(2) + header[4:6] + flags.to_bytes(2) + header[8:] + payload
    )  # fmt: skip


def _later_header(first: bytes) -> bytes:
    """The header of all fragments but the first: with the options that are to be copied."""
    kept, at = b"", IPV4_OCTETS
    while at < len(first) and first[at] != END_OF_OPTIONS:
        octets = 1 if first[at] == NO_OPERATION else first[at + 1] if at + 1 < len(first) else 0
        if not octets:
            break
        if first[at] & COPIED:
            kept += first[at : at + octets]
        at += octets
    kept = kept[:40].ljust(-(-len(kept) // 4) * 4, b"\0")
    return bytes((0x40 | (IPV4_OCTETS + len(kept)) // 4,)) + first[1:IPV4_OCTETS] + kept


def _unfragmentable(packet: bytes, parts: View) -> tuple[int, int]:
    """Where the part that stands in every fragment ends, and where the number of what follows it stands."""
    kind, next_at, at = packet[6], 6, IPV6_OCTETS
    end, number_at = at, next_at
    while kind in (HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS) and at < parts.at:
        octets = (packet[at + 1] + 1) * UNIT
        last, kind, next_at, at = kind, packet[at], at, at + octets
        if last in (HOP_BY_HOP, ROUTING):
            end, number_at = at, next_at
    return end, number_at


def _fragment_v6(packet: bytes, parts: View, mtu: int, identification: Callable[[], int]) -> list[bytes]:
    if parts.fragment_at:  # it is one already, and only its source may cut it
        return [packet]
    end, number_at = _unfragmentable(packet, parts)
    room = (mtu - end - UNIT) // UNIT * UNIT
    if room < LEAST_PIECE:
        return [packet]
    number = identification() & 0xFFFFFFFF
    front, kind = packet[:number_at] + bytes((FRAGMENT,)) + packet[number_at + 1 : end], packet[number_at]
    pieces = []
    for at in range(end, parts.whole, room):
        payload = packet[at : min(at + room, parts.whole)]
        word = at - end | (at + room < parts.whole)
        header = bytes((kind, 0)) + word.to_bytes(2) + number.to_bytes(4)
        octets = end + UNIT + len(payload) - IPV6_OCTETS
        pieces.append(front[:4] + octets.to_bytes(2) + front[6:] + header + payload)
    return pieces


class Fate(Enum):
    """What became of a fragment that made nothing whole."""

    KEPT = "kept"
    """The rest is awaited."""
    REFUSED = "refused"
    """It, and its packet with it, is gone."""


@dataclass(frozen=True, slots=True)
class ReassemblyLimits:
    """How much may wait for its rest."""

    seconds: float = 30.0
    packets: int = 256
    octets: int = 4 << 20
    pieces: int = 128
    """Of one packet."""


@dataclass(slots=True)
class _Partial:
    """A packet of which some fragments came."""

    until: float
    pieces: dict[int, bytes] = field(default_factory=dict)
    """Payload by its offset."""
    octets: int = 0
    total: int | None = None
    """Octets of the whole payload, once the last fragment came."""
    front: bytes | None = None
    """Headers of the first fragment."""
    number_at: int = 0
    """Where in them the number of the payload's protocol stands."""
    protocol: int = 0
    spoilt: bool = False
    """Refused; kept to refuse what still comes."""


Key = tuple[bytes, bytes, int, bytes]


class Reassembler:
    """Makes packets whole from their fragments."""

    def __init__(self, limits: ReassemblyLimits = ReassemblyLimits()) -> None:
        self._limits = limits
        self._partials: OrderedDict[Key, _Partial] = OrderedDict()
        """Oldest first."""
        self.octets = 0
        """That wait in all."""

    def __len__(self) -> int:
        return len(self._partials)

    def add(self, packet: bytes, parts: View, now: float) -> bytes | Fate:
        """The whole packet that ``packet`` completes, or what became of it. A packet that is whole comes back."""
        if not parts.is_fragment:
            return _without_fragment_header(packet, parts) if parts.fragment_at else packet
        key = _key(packet, parts)
        partial = self._partials.get(key)
        if partial is None or partial.until <= now:
            if partial is not None:
                self._forget(key)
            partial = self._partials[key] = _Partial(now + self._limits.seconds)
        if partial.spoilt:
            return Fate.REFUSED
        fate = self._enter(partial, packet, parts)
        if fate is Fate.REFUSED:
            self._spoil(partial)
            return fate
        if partial.total is not None and partial.octets == partial.total and partial.front is not None:
            self._forget(key)
            return _joined(partial)
        self._evict(key)
        return fate

    def tick(self, now: float) -> int:
        """Forget what waited too long; how many packets that were."""
        gone = 0
        for key, partial in [*self._partials.items()]:
            if partial.until > now:
                break
            gone += not partial.spoilt
            self._forget(key)
        return gone

    def next_timer(self) -> float | None:
        """When ``tick`` has something to do."""
        return next((partial.until for partial in self._partials.values()), None)

    def _enter(self, partial: _Partial, packet: bytes, parts: View) -> Fate:
        begin = _front_end(parts)
        payload = packet[begin : parts.whole]
        end = parts.offset + len(payload)
        if not payload or (parts.more and len(payload) % UNIT) or begin + end > MOST_OCTETS + IPV6_OCTETS:
            return Fate.REFUSED
        if partial.pieces.get(parts.offset) == payload:
            return Fate.KEPT
        if any(_touch(parts.offset, end, at, at + len(piece)) for at, piece in partial.pieces.items()):
            return Fate.REFUSED
        if not self._fits_end(partial, end, more=parts.more) or len(partial.pieces) >= self._limits.pieces:
            return Fate.REFUSED
        if not parts.offset:
            partial.front, partial.number_at, partial.protocol = _front(packet, parts)
        partial.pieces[parts.offset] = payload
        partial.octets += len(payload)
        self.octets += len(payload)
        return Fate.KEPT

    @staticmethod
    def _fits_end(partial: _Partial, end: int, *, more: bool) -> bool:
        """Whether a fragment that ends there agrees with the packet's end; notes the end."""
        if more:
            return partial.total is None or end <= partial.total
        if partial.total is not None or any(at + len(piece) > end for at, piece in partial.pieces.items()):
            return False
        partial.total = end
        return True

    def _spoil(self, partial: _Partial) -> None:
        self.octets -= partial.octets
        partial.pieces.clear()
        partial.octets, partial.spoilt, partial.front = 0, True, None

    def _forget(self, key: Key) -> None:
        self.octets -= self._partials.pop(key).octets

    def _evict(self, newest: Key) -> None:
        while len(self._partials) > self._limits.packets or self.octets > self._limits.octets:
            oldest = next(iter(self._partials))
            self._forget(oldest)
            if oldest == newest:
                return


def _key(packet: bytes, parts: View) -> Key:
    if parts.version == 4:
        return parts.source, parts.destination, parts.protocol, packet[4:6]
    at = parts.fragment_at
    return parts.source, parts.destination, -1, packet[at + 4 : at + 8]


def _touch(begin: int, end: int, other_begin: int, other_end: int) -> bool:
    return begin < other_end and other_begin < end


def _front_end(parts: View) -> int:
    """Where a fragment's payload begins; in IPv6 right behind the fragment header."""
    return parts.at if parts.version == 4 else parts.fragment_at + UNIT


def _number_at(packet: bytes) -> int:
    """Where the number of the fragment header stands in front of it."""
    kind, next_at, at = packet[6], 6, IPV6_OCTETS
    while kind != FRAGMENT:
        kind, next_at, at = packet[at], at, at + (packet[at + 1] + 1) * UNIT
    return next_at


def _front(packet: bytes, parts: View) -> tuple[bytes, int, int]:
    """Headers in front of the payload, where in them its number goes, and that number."""
    if parts.version == 4:
        return packet[: parts.at], 9, parts.protocol
    return packet[: parts.fragment_at], _number_at(packet), packet[parts.fragment_at]


def _without_fragment_header(packet: bytes, parts: View) -> bytes:
    """An atomic fragment (RFC 6946) without the header that says nothing."""
    front, number_at, protocol = _front(packet, parts)
    return _assembled(front, number_at, protocol, packet[parts.fragment_at + UNIT : parts.whole])


def _joined(partial: _Partial) -> bytes | Fate:
    front = partial.front or b""
    if len(front) + partial.octets - (IPV6_OCTETS if front[0] >> 4 == 6 else 0) > MOST_OCTETS:
        return Fate.REFUSED
    return _assembled(front, partial.number_at, partial.protocol, b"".join(_in_order(partial)))


def _in_order(partial: _Partial) -> Iterator[bytes]:
    return (partial.pieces[at] for at in sorted(partial.pieces))


def _assembled(front: bytes, number_at: int, protocol: int, payload: bytes) -> bytes:
    octets = len(front) + len(payload)
    head = front[:number_at] + bytes((protocol,)) + front[number_at + 1 :]
    if front[0] >> 4 == 6:
        return head[:4] + (octets - IPV6_OCTETS).to_bytes(2) + head[6:] + payload
    return fix_header_checksum(head[:2] + octets.to_bytes(2) + head[4:6] + b"\0\0" + head[8:] + payload)
