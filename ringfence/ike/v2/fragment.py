# SPDX-License-Identifier: Apache-2.0
"""Messages in pieces (RFC 7383): for networks that lose IP fragments, and for certificates, which make messages long.

Both sides announce it in IKE_SA_INIT, whose own messages stay whole. Any other message whose packet would be too large
is cut before it is encrypted: each piece has the header of the whole and one payload, with its number, how many there
are, and a slice, protected by itself. So a forged piece is seen at once, and only the peer can fill the store, which
has bounds all the same, for before IKE_AUTH anybody may be the peer.

A packet that is too large for the path is lost without a word. So who has to ask a second time asks in smaller pieces;
who gets more pieces of a message than it knew forgets the larger ones (§2.5.2, §2.6).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ringfence.databases.pad import PadEntry
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import HEADER_OCTETS, Header
from ringfence.ike.payload import GENERIC_OCTETS, NONE, GenericHeader, Payload, encode_chain
from ringfence.ike.v2.channel import Frame, seal
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import FRAGMENT, NotifyPayload
from ringfence.ike.v2.protection import Protection
from ringfence.net.address import Path
from ringfence.net.ip import IPV4_OCTETS, IPV6_OCTETS
from ringfence.wire import U16, DecodeError, Wire, wire

NUMBERS_OCTETS = 4
HEAD_OCTETS = HEADER_OCTETS + GENERIC_OCTETS + NUMBERS_OCTETS
UDP_OCTETS = 8
MARKER_OCTETS = 4
"""In front of IKE on port 4500."""

WIDE_OCTETS = 1280
"""Larger IP packets than this are not sent to a peer that takes pieces."""
NARROW_OCTETS = {4: 576, 16: 1280}
"""Nor than this where the larger ones may have been lost; by the octets of an address."""

MOST_PIECES = 64
MOST_OCTETS = 32 << 10
"""Of all pieces of one message."""


@wire
class _Numbers(Wire):
    """Which piece it is, from 1, and of how many (§2.5)."""

    number: U16
    total: U16


class Gathering(Ignored):
    """A piece is kept until the others are there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece, authentic and decrypted."""

    number: int
    total: int
    first: int
    """Type of the first payload of the whole, where it is the first piece."""
    plain: bytes


def announcement(entries: Sequence[PadEntry]) -> tuple[NotifyPayload, ...]:
    """What we say in IKE_SA_INIT, where the policy lets messages go in pieces (§2.3)."""
    joins = any(entry.fragmentation for entry in entries)
    return (NotifyPayload(Notify.IKEV2_FRAGMENTATION_SUPPORTED),) if joins else ()


def is_piece(header: Header) -> bool:
    """Whether a message is one."""
    return header.next_payload == FRAGMENT


def cut(
    frame: Frame, payloads: Sequence[Payload], keys: Protection, random: Callable[[int], bytes], path: Path, most: int
) -> tuple[bytes, ...]:
    """The datagrams that say ``payloads``: one if its IP packet has at most ``most`` octets, else the pieces."""
    first, octets = encode_chain(payloads)
    room = _room(keys, path, most)
    slices = [octets[at : at + room] for at in range(0, len(octets), room)]
    around = _around(path) + HEADER_OCTETS + GENERIC_OCTETS
    if around + keys.sealed_octets(len(octets)) <= most or len(slices) > MOST_PIECES:
        return (seal(frame, payloads, keys, random(keys.seed_octets)),)
    return tuple(
        _piece(frame, Piece(number, len(slices), first if number == 1 else NONE, part), keys, random(keys.seed_octets))
        for number, part in enumerate(slices, 1)
    )


def _around(path: Path) -> int:
    """What stands in front of IKE in a packet."""
    return (IPV4_OCTETS if len(path.local.address) == 4 else IPV6_OCTETS) + UDP_OCTETS + MARKER_OCTETS


def _room(keys: Protection, path: Path, most: int) -> int:
    """Octets of a slice whose piece has at most so many as packet."""
    return keys.plain_octets(most - _around(path) - HEAD_OCTETS)


def _piece(frame: Frame, piece: Piece, keys: Protection, seed: bytes) -> bytes:
    size = keys.sealed_octets(len(piece.plain))
    payload = GenericHeader(piece.first, GENERIC_OCTETS + NUMBERS_OCTETS + size).encode()
    numbers = _Numbers(piece.number, piece.total).encode()
    head = frame.header(FRAGMENT).over(payload + numbers + bytes(size))[:HEAD_OCTETS]
    return head + keys.seal(head, piece.plain, seed)


def open_piece(datagram: bytes, keys: Protection) -> Piece:
    """What a datagram holds that is a piece; raises Ignored unless it is authentic and all there is."""
    try:
        generic = GenericHeader.decode(datagram[HEADER_OCTETS : HEADER_OCTETS + GENERIC_OCTETS])
        said = _Numbers.decode(datagram[HEADER_OCTETS + GENERIC_OCTETS : HEAD_OCTETS])
    except DecodeError as error:
        raise Ignored(Reason.MALFORMED, f"a fragment of a message is malformed: {error.message}") from error
    if HEADER_OCTETS + generic.length != len(datagram) or not 1 <= said.number <= said.total <= MOST_PIECES:
        raise Ignored(Reason.MALFORMED, "a fragment of a message is malformed, or one of too many")
    plain = keys.open(datagram[:HEAD_OCTETS], datagram[HEAD_OCTETS:])
    return Piece(said.number, said.total, generic.next_payload, plain)


@dataclass(slots=True)
class Pieces:
    """Those of the one message that one side is waiting for."""

    message_id: int = -1
    total: int = 0
    parts: dict[int, Piece] = field(default_factory=dict)
    octets: int = 0
    """On the wire, with those that came more than once."""

    def take(self, header: Header, piece: Piece, octets: int) -> tuple[int, bytes]:
        """Type of the first payload, and all payloads, of the message that a piece completes.

        Raises Gathering while others are missing, and Ignored for one that is too much.
        """
        if header.message_id != self.message_id or piece.total > self.total:
            self.message_id, self.total, self.parts, self.octets = header.message_id, piece.total, {}, 0
        if piece.total < self.total:
            raise Ignored(Reason.UNEXPECTED, "a fragment of a message that comes in smaller ones by now")
        self.octets += octets
        self.parts.setdefault(piece.number, piece)
        if sum(len(one.plain) for one in self.parts.values()) > MOST_OCTETS:
            self.forget()
            raise Ignored(Reason.MALFORMED, f"fragments of a message have more than {MOST_OCTETS} octets")
        if len(self.parts) < self.total:
            raise Gathering(Reason.UNEXPECTED, f"{len(self.parts)} of {self.total} fragments of a message are there")
        parts = self.parts
        plain = b"".join(parts[number].plain for number in range(1, self.total + 1))
        self.parts = {}
        return parts[1].first, plain

    def forget(self) -> None:
        """Let all go."""
        self.message_id, self.total, self.parts, self.octets = -1, 0, {}, 0
