# SPDX-License-Identifier: Apache-2.0
"""What ISAKMP's protocols share, IKEv1 and AuthIP: identities' and protocols' numbers, attributes, the SA payload.

An SA payload is a chain of proposals, each with a chain of transforms, each with attributes. All counts and lengths are
exact: whoever announces three transforms sends three, and the last one ends where the proposal does. Which numbers we
know is the negotiation's matter; others come out as they went in, for the responder sends back what it chose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Annotated, ClassVar, Self

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import NONE, Payload, generic_header, read_generic_header
from ringfence.wire import U8, DecodeError, Pad, Reader, Wire, wire

IPSEC_DOI = 1
IDENTITY_ONLY = 1
"""The only situation without labels behind it (RFC 2407 §4.2.1)."""
MAX_PROPOSALS = 64


class IdType(IntEnum):
    """Forms of an identity (RFC 2407 §4.6.2.1)."""

    IPV4_ADDR = 1
    FQDN = 2
    USER_FQDN = 3
    IPV4_ADDR_SUBNET = 4
    IPV6_ADDR = 5
    IPV6_ADDR_SUBNET = 6
    IPV4_ADDR_RANGE = 7
    IPV6_ADDR_RANGE = 8
    DER_ASN1_DN = 9
    DER_ASN1_GN = 10
    KEY_ID = 11
    LIST = 12
    """RFC 3554."""
    NULL = 13
    """RFC 7619."""
    IPV6_CGA = 250
    """Windows."""


class ProtocolId(IntEnum):
    """Protocols of proposals, notifies and deletes (RFC 2407 §4.4.1)."""

    ISAKMP = 1
    AH = 2
    ESP = 3
    IPCOMP = 4


# Attributes --------------------------------------------------------------------------------------------------------

SHORT = 0x8000
"""The bit of an attribute's type that says: two octets of value follow, and no length."""
_ATTRIBUTE = Struct(">HH")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One data attribute (RFC 2408 §3.3)."""

    kind: int
    value: int | bytes
    """A number where it is short (TV), octets where it is long (TLV)."""

    @property
    def as_number(self) -> int:
        """The value as a number, however it was sent: a lifetime may come both ways."""
        return self.value if isinstance(self.value, int) else int.from_bytes(self.value)

    @classmethod
    def of_number(cls, kind: int, number: int, *, octets: int = 4) -> "Attribute":
        """Short where ``number`` fits into two octets, otherwise ``octets`` long."""
        return cls(kind, number if number < 1 << 16 else number.to_bytes(octets))

    def encode(self) -> bytes:
        """Raises ValueError where the type or value does not fit."""
        short = isinstance(self.value, int)
        number = self.value if isinstance(self.value, int) else len(self.value)
        if not (0 <= self.kind < SHORT and 0 <= number < 1 << 16):
            raise ValueError(f"{self} does not fit into an attribute")
        head = _ATTRIBUTE.pack(self.kind | (SHORT if short else 0), number)
        return head if isinstance(self.value, int) else head + self.value


def encode_attributes(attributes: Sequence[Attribute]) -> bytes:
    """All of them, one behind the other."""
    return b"".join(attribute.encode() for attribute in attributes)


def decode_attributes(reader: Reader) -> tuple[Attribute, ...]:
    """The attributes up to the reader's end; raises DecodeError."""
    found = []
    while reader.left:
        kind, number = reader.u16(), reader.u16()
        found.append(Attribute(kind & ~SHORT, number if kind & SHORT else reader.take(number)))
    return tuple(found)


# Security association ----------------------------------------------------------------------------------------------


@wire
class _ProposalHead(Wire):
    number: U8
    protocol: U8
    spi_octets: U8
    transforms: U8


@wire
class _TransformHead(Wire):
    number: U8
    transform: Annotated[int, U8, Pad(2)]


PROPOSAL = 2
TRANSFORM = 3


@dataclass(frozen=True, slots=True)
class TransformPayload:
    """One choice of algorithms (RFC 2408 §3.6)."""

    number: int
    id: int
    attributes: tuple[Attribute, ...] = ()

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        return _TransformHead(self.number, self.id).encode() + encode_attributes(self.attributes)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _TransformHead.read(reader)
        return cls(head.number, head.transform, decode_attributes(reader))


@dataclass(frozen=True, slots=True)
class ProposalPayload:
    """One protocol and its transforms, one of which is to be chosen; equal numbers belong together (RFC 2408 §4.2).

    There may be none of them: strongSwan offers that where a policy names a suite that IKEv1 has no number for.
    """

    number: int
    protocol: int
    spi: bytes
    transforms: tuple[TransformPayload, ...]

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        head = _ProposalHead(self.number, self.protocol, len(self.spi), len(self.transforms))
        return head.encode() + self.spi + nested(TRANSFORM, [each.encode() for each in self.transforms])

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _ProposalHead.read(reader)
        spi = reader.take(head.spi_octets)
        start = reader.offset
        parts = split_nested(TRANSFORM, reader, head.transforms)
        if len(parts) != head.transforms:
            raise DecodeError(start, f"{len(parts)} transforms where {head.transforms} are announced")
        return cls(head.number, head.protocol, spi, tuple(map(TransformPayload.read, parts)))


@dataclass(frozen=True, slots=True)
class SaPayload(Payload):
    """What may be agreed on, or what was chosen (RFC 2408 §3.4, RFC 2407 §4.6.1)."""

    NUMBER: ClassVar[int] = 1
    OFTEN_THE_SAME: ClassVar[bool] = True

    doi: int
    situation: int
    proposals: tuple[ProposalPayload, ...]

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        body = nested(PROPOSAL, [each.encode() for each in self.proposals])
        return self.doi.to_bytes(4) + self.situation.to_bytes(4) + body

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Also raises Refused: behind a DOI or situation that we do not know may stand anything."""
        doi = reader.u32()
        if doi != IPSEC_DOI:
            raise Refused(Reason.DOI, f"the domain of interpretation {doi} is not IPsec's")
        situation = reader.u32()
        if situation != IDENTITY_ONLY:
            raise Refused(Reason.SITUATION, f"the situation {situation:#x} has labels, which nobody checks here")
        parts = split_nested(PROPOSAL, reader, MAX_PROPOSALS)
        if not parts:
            raise DecodeError(reader.offset, "no proposal")
        return cls(doi, situation, tuple(map(ProposalPayload.read, parts)))


def nested(kind: int, bodies: Sequence[bytes]) -> bytes:
    """A chain of one kind of payload inside another."""
    following = [kind] * (len(bodies) - 1) + [NONE]
    return b"".join(generic_header(after, len(body)) + body for after, body in zip(following, bodies, strict=False))


def split_nested(kind: int, reader: Reader, most: int) -> list[Reader]:
    """A reader of each body in a chain of one kind, which ends exactly where the reader does."""
    found: list[Reader] = []
    while reader.left:
        if len(found) == most:
            raise DecodeError(reader.offset, f"more than {most} of payload {kind}")
        start = reader.offset
        following, octets = read_generic_header(reader)
        found.append(reader.part(octets))
        if following != (kind if reader.left else NONE):
            raise DecodeError(start, f"payload {following} is announced behind a {kind}")
    return found
