# SPDX-License-Identifier: Apache-2.0
"""Messages in pieces ([MS-IKEE] §2.2.3, as Cisco and everybody does it): for networks that lose IP fragments.

A piece is a message with the header of the whole, in clear, and one payload: an id that all pieces share, a number from
1, whether it is the last, and a slice of the whole message, its header included. (The text of [MS-IKEE] leaves the
header out, which cannot be: that of a piece says neither the first payload nor whether there is encryption.)

Nobody authenticates a piece, so they only fill a store with bounds; what they amount to is taken as any other datagram.
Of two pieces with one number the first counts. A forged one spoils that one message, which its sender repeats.
"""

from dataclasses import dataclass, field, replace

from ringfence.ike.dispatch import header_of
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import HEADER_OCTETS, Flags, Header
from ringfence.ike.payload import GENERIC_OCTETS, NONE, GenericHeader
from ringfence.net.address import Path
from ringfence.net.ip import IPV4_OCTETS, IPV6_OCTETS
from ringfence.wire import U8, U16, DecodeError, Rest, Wire, wire

FRAGMENT = 132
"""The payload's type."""
LAST = 1
HEAD_OCTETS = HEADER_OCTETS + GENERIC_OCTETS + 4
UDP_OCTETS = 8
MARKER_OCTETS = 4
"""In front of IKE on port 4500."""

WHOLE_OCTETS = 1280
"""Larger IP packets than this are not sent whole to a peer that takes pieces."""
PIECE_OCTETS = {4: 576, 16: 1280}
"""Of the IP packet with a piece, by the octets of an address."""

MOST_PARTS = 64
"""Windows has been seen to send 29."""
MOST_OCTETS = 32 << 10
"""Of all pieces that one IKE SA keeps."""
MOST_MESSAGES = 2
LASTS_S = 30.0
"""Pieces wait so long for the others."""


@wire
class Piece(Wire):
    """The payload's body."""

    message: U16
    number: U8
    flags: U8
    data: Rest


def inner(header: Header, whole: bytes) -> tuple[Header, bytes]:
    """The message that pieces with ``header`` made, and its own header; raises Ignored for another than they say."""
    found = header_of(whole)
    cookies = found.initiator_cookie, found.responder_cookie
    if found.next_payload == FRAGMENT or cookies != (header.initiator_cookie, header.responder_cookie):
        raise Ignored(Reason.MALFORMED, "fragments make another message than they say")
    return found, whole


def cut(datagram: bytes, message: int, path: Path, most: int) -> list[bytes]:
    """The datagrams to send for ``datagram``: itself if its IP packet has ``most`` octets, else its pieces."""
    ip_octets = IPV4_OCTETS if len(path.local.address) == 4 else IPV6_OCTETS
    around = ip_octets + UDP_OCTETS + MARKER_OCTETS
    if len(datagram) + around <= most:
        return [datagram]
    room = min(most, PIECE_OCTETS[len(path.local.address)]) - around - HEAD_OCTETS
    slices = [datagram[at : at + room] for at in range(0, len(datagram), room)]
    if len(slices) > MOST_PARTS:
        return [datagram]
    header = replace(Header.decode(datagram[:HEADER_OCTETS]), next_payload=FRAGMENT, flags=Flags(0))
    return [
        header.over(
            GenericHeader(NONE, GENERIC_OCTETS + 4 + len(data)).encode()
            + Piece(message, number, LAST if number == len(slices) else 0, data).encode()
        )
        for number, data in enumerate(slices, 1)
    ]


def piece_of(header: Header, datagram: bytes) -> Piece:
    """What a datagram with a piece holds; raises Ignored unless that is all it holds."""
    try:
        generic = GenericHeader.decode(datagram[HEADER_OCTETS : HEADER_OCTETS + GENERIC_OCTETS])
        piece = Piece.decode(datagram[HEADER_OCTETS + GENERIC_OCTETS :])
    except DecodeError as error:
        raise Ignored(Reason.MALFORMED, f"a fragment of a message is malformed: {error.message}") from error
    alone = generic.next_payload == NONE and HEADER_OCTETS + generic.length == len(datagram)
    if header.encrypted or not alone or not 1 <= piece.number <= MOST_PARTS or not piece.data:
        raise Ignored(Reason.MALFORMED, "a fragment of a message is malformed, or does not come alone")
    return piece


@dataclass(slots=True)
class _Pile:
    """The pieces of one message."""

    since: float
    parts: dict[int, bytes] = field(default_factory=dict)
    last: int | None = None

    @property
    def octets(self) -> int:
        return sum(map(len, self.parts.values()))

    def add(self, piece: Piece) -> bool:
        """Whether it fits what is there."""
        last = piece.number if piece.flags & LAST else self.last
        if self.last not in (None, last) or (last is not None and max([piece.number, *self.parts]) > last):
            return False
        self.last = last
        self.parts.setdefault(piece.number, piece.data)
        return True

    def whole(self) -> bytes | None:
        """The message, once all pieces are there."""
        if self.last is None or len(self.parts) < self.last:
            return None
        return b"".join(self.parts[number] for number in range(1, self.last + 1))


class Pieces:
    """Those that one IKE SA has got."""

    def __init__(self) -> None:
        self._piles: dict[int, _Pile] = {}

    def __len__(self) -> int:
        return len(self._piles)

    def take(self, header: Header, datagram: bytes, now: float) -> bytes | None:
        """The message that a piece completes; raises Ignored for one that is wrong, or too much."""
        piece = piece_of(header, datagram)
        self._piles = {number: pile for number, pile in self._piles.items() if now - pile.since < LASTS_S}
        pile = self._piles.setdefault(piece.message, _Pile(now))
        if len(self._piles) > MOST_MESSAGES:
            del self._piles[next(iter(self._piles))]
        if not pile.add(piece):
            del self._piles[piece.message]
            raise Ignored(Reason.MALFORMED, "fragments of a message do not fit each other")
        if sum(each.octets for each in self._piles.values()) > MOST_OCTETS:
            self._piles.clear()
            raise Ignored(Reason.MALFORMED, f"fragments of messages have more than {MOST_OCTETS} octets")
        whole = pile.whole()
        if whole is not None:
            del self._piles[piece.message]
        return whole
