# SPDX-License-Identifier: Apache-2.0
"""Payloads one behind the other: each begins with the type of the next, a reserved octet and its own length.

A chain is read exactly: types are followed from the header on, each payload keeps its octets as they came (hashes cover
those, not what we would have written), and what stands behind the last one is padding. Types that the registry does not
know become ``UnknownPayload`` and survive a round trip. Every payload has at least its header, and there may be only so
many, so that no message keeps us busy.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import Annotated, ClassVar, TypeVar

from ringfence.wire import U8, U16, DecodeError, Pad, Reader, Wire, wire

GENERIC_OCTETS = 4
MAX_PAYLOADS = 64
"""In one message; Windows sends the most, some 15."""
MOST_KNOWN, MOST_KNOWN_OCTETS = 64, 1024
"""Payloads that are remembered, and how large one may be: no stranger makes us keep more."""
NONE = 0
"""The type that ends a chain."""


class Payload(Wire):
    """Base of all payloads: a body, without the generic header."""

    __slots__ = ()

    NUMBER: ClassVar[int]
    OFTEN_THE_SAME: ClassVar[bool] = False
    """Whether many peers say the same in it, so that what was read is worth remembering."""

    @property
    def number(self) -> int:
        """The payload's type."""
        return self.NUMBER


@dataclass(frozen=True, slots=True)
class UnknownPayload(Payload):
    """A payload whose type nobody here knows."""

    kind: int
    """Its type."""
    body: bytes

    @property
    def number(self) -> int:
        """The payload's type."""
        return self.kind

    def encode(self) -> bytes:
        """The body."""
        return self.body


Registry = Mapping[int, type[Payload]]

P = TypeVar("P", bound=Payload)


def registry(payloads: Sequence[type[Payload]]) -> Registry:
    """The payloads by their types."""
    return {payload.NUMBER: payload for payload in payloads}


@wire
class GenericHeader(Wire):
    """What every payload begins with (RFC 2408 §3.2)."""

    next_payload: Annotated[int, U8, Pad(1)]
    length: U16
    """With this header."""


_GENERIC = Struct(">BxH")
MOST_BODY_OCTETS = 0xFFFF - GENERIC_OCTETS


def generic_header(following: int, body_octets: int) -> bytes:
    """The octets of one, before a body of so many; raises ValueError where that is too long."""
    if not (0 <= following <= 0xFF and body_octets <= MOST_BODY_OCTETS):
        raise ValueError(f"a payload of {body_octets} octets before type {following} cannot be written")
    return _GENERIC.pack(following, GENERIC_OCTETS + body_octets)


def read_generic_header(reader: Reader) -> tuple[int, int]:
    """The type that follows, and how many octets the body has; raises DecodeError."""
    start = reader.offset
    following, octets = _GENERIC.unpack(reader.take(GENERIC_OCTETS))
    if octets < GENERIC_OCTETS:
        raise DecodeError(start, f"a payload of {octets} octets")
    return following, octets - GENERIC_OCTETS


@dataclass(frozen=True, slots=True)
class Decoded:
    """A payload and the octets that it came in."""

    payload: Payload
    raw: bytes
    """With the generic header."""

    @property
    def body(self) -> bytes:
        """Without the generic header: what RFC 2409 writes as ``<P>_b``."""
        return self.raw[GENERIC_OCTETS:]


@dataclass(frozen=True, slots=True)
class Chain:
    """The payloads of one message, in order."""

    items: tuple[Decoded, ...]
    padding: bytes = b""
    """Octets behind the last payload."""
    first: int = NONE
    """The type of the first payload that came."""
    octets: bytes = b""
    """All that came, even what is passed over."""

    def __iter__(self) -> Iterator[Payload]:
        return (item.payload for item in self.items)

    def __len__(self) -> int:
        return len(self.items)

    def all(self, kind: type[P]) -> tuple[P, ...]:
        """Every payload of that kind."""
        return tuple(item.payload for item in self.items if isinstance(item.payload, kind))

    def one(self, kind: type[P]) -> P:
        """The first payload of that kind; the message's rule says that it is there."""
        return next(payload for payload in self if isinstance(payload, kind))

    def maybe(self, kind: type[P]) -> P | None:
        """The first payload of that kind, if any."""
        return next(iter(self.all(kind)), None)

    def body(self, kind: type[Payload]) -> bytes:
        """The body of the first payload of that kind as it came."""
        return next(item.body for item in self.items if isinstance(item.payload, kind))

    def behind_first(self) -> bytes:
        """All payloads but the first, headers and all, without padding: what a phase 2 HASH covers (RFC 2409 §5.5)."""
        return b"".join(item.raw for item in self.items[1:])


def encode_chain(payloads: Sequence[Payload]) -> tuple[int, bytes]:
    """The type of the first payload and the octets of all; raises ValueError where one is too long."""
    numbers = [*(payload.number for payload in payloads), NONE]
    pieces = []
    for payload, following in zip(payloads, numbers[1:], strict=True):
        body = payload.encode()
        pieces += [generic_header(following, len(body)), body]
    return numbers[0], b"".join(pieces)


def decode_chain(first: int, octets: bytes, known: Registry, *, most_padding: int = 255) -> Chain:
    """The payloads in ``octets``, of which the first has type ``first``; raises DecodeError and what a payload raises.

    Behind the last one may stand padding: up to the cipher's block in an encrypted message, or as much as the sender
    liked; up to 3 octets in others, for some align those.
    """
    reader, number, items = Reader(octets), first, list[Decoded]()
    while number != NONE:
        if len(items) == MAX_PAYLOADS:
            raise DecodeError(reader.offset, f"more than {MAX_PAYLOADS} payloads")
        number, item = _take(number, reader, octets, known)
        items.append(item)
    if reader.left > most_padding:
        raise DecodeError(reader.offset, f"{reader.left} octets behind the last payload")
    return Chain(tuple(items), reader.rest(), first, octets)


@lru_cache(maxsize=MOST_KNOWN)
def _known(kind: type[Payload], body: bytes) -> Payload:
    return kind.decode(body)


def _take(number: int, reader: Reader, octets: bytes, known: Registry) -> tuple[int, Decoded]:
    """The type of the next payload, and this one."""
    start = reader.offset
    following, size = read_generic_header(reader)
    body = reader.take(size)
    raw = octets[start : reader.offset]
    kind = known.get(number)
    if kind is None:
        return following, Decoded(UnknownPayload(number, body), raw)
    try:
        if kind.OFTEN_THE_SAME and size <= MOST_KNOWN_OCTETS:
            return following, Decoded(_known(kind, body), raw)  # type: ignore[arg-type]  # a class is hashable
        return following, Decoded(kind.decode(body), raw)
    except DecodeError as error:
        place = start + GENERIC_OCTETS + error.offset
        raise DecodeError(place, f"{kind.__name__}: {error.what}") from error
