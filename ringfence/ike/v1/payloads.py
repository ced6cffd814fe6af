# SPDX-License-Identifier: Apache-2.0
"""The payloads of IKEv1 (RFC 2408 §3, RFC 2407 §4.6, RFC 3947): one class each, and ``PAYLOADS`` with all of them.

Most are declarations. Three shapes depend on themselves and are read by hand: the SA payload, whose proposals and
transforms are chains inside it, with exact counts and lengths; attributes, which are short or long by a bit of their
type; and the SPIs of Notify and Delete, whose size stands apart from them. Numbers stay numbers: which ones we know is
the negotiation's matter, and others come out as they went in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Annotated, ClassVar, Self

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import GENERIC_OCTETS, NONE, GenericHeader, Payload, registry
from ringfence.ike.v1.notifies import Notify
from ringfence.wire import U8, U16, U32, Between, DecodeError, Pad, Reader, Rest, Wire, wire

IPSEC_DOI = 1
GENERIC_DOI = 0
"""ISAKMP's own, for notifies in phase 1."""
IDENTITY_ONLY = 1
"""The only situation without labels behind it (RFC 2407 §4.2.1)."""
MAX_PROPOSALS = 64
NONCE_OCTETS = (8, 256)


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
    """One protocol and its transforms, one of which is to be chosen; equal numbers belong together (RFC 2408 §4.2)."""

    number: int
    protocol: int
    spi: bytes
    transforms: tuple[TransformPayload, ...]

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        head = _ProposalHead(self.number, self.protocol, len(self.spi), len(self.transforms))
        return head.encode() + self.spi + _nested(TRANSFORM, [each.encode() for each in self.transforms])

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _ProposalHead.read(reader)
        spi = reader.take(head.spi_octets)
        start = reader.offset
        parts = _parts(TRANSFORM, reader, head.transforms)
        if not 0 < len(parts) == head.transforms:
            raise DecodeError(start, f"{len(parts)} transforms where {head.transforms} are announced")
        return cls(head.number, head.protocol, spi, tuple(map(TransformPayload.read, parts)))


@dataclass(frozen=True, slots=True)
class SaPayload(Payload):
    """What may be agreed on, or what was chosen (RFC 2408 §3.4, RFC 2407 §4.6.1)."""

    NUMBER: ClassVar[int] = 1

    doi: int
    situation: int
    proposals: tuple[ProposalPayload, ...]

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        body = _nested(PROPOSAL, [each.encode() for each in self.proposals])
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
        parts = _parts(PROPOSAL, reader, MAX_PROPOSALS)
        if not parts:
            raise DecodeError(reader.offset, "no proposal")
        return cls(doi, situation, tuple(map(ProposalPayload.read, parts)))


def _nested(kind: int, bodies: Sequence[bytes]) -> bytes:
    """A chain of one kind of payload inside another."""
    following = [kind] * (len(bodies) - 1) + [NONE]
    heads = (GenericHeader(after, GENERIC_OCTETS + len(body)) for after, body in zip(following, bodies, strict=False))
    return b"".join(head.encode() + body for head, body in zip(heads, bodies, strict=False))


def _parts(kind: int, reader: Reader, most: int) -> list[Reader]:
    """A reader of each body in a chain of one kind, which ends exactly where the reader does."""
    found: list[Reader] = []
    while reader.left:
        if len(found) == most:
            raise DecodeError(reader.offset, f"more than {most} of payload {kind}")
        start = reader.offset
        header = GenericHeader.read(reader)
        if header.length < GENERIC_OCTETS:
            raise DecodeError(start, f"a payload of {header.length} octets")
        found.append(reader.part(header.length - GENERIC_OCTETS))
        if header.next_payload != (kind if reader.left else NONE):
            raise DecodeError(start, f"payload {header.next_payload} is announced behind a {kind}")
    return found


# The others --------------------------------------------------------------------------------------------------------


@wire
class KePayload(Payload):
    """A Diffie-Hellman value (RFC 2408 §3.7)."""

    NUMBER: ClassVar[int] = 4

    public: Rest


@wire
class IdPayload(Payload):
    """Who, or in phase 2 whose traffic (RFC 2407 §4.6.2)."""

    NUMBER: ClassVar[int] = 5

    id_type: Annotated[IdType | int, U8]
    protocol: U8
    """IP protocol; 0 for any."""
    port: U16
    """0 for any."""
    data: Rest


@wire
class CertPayload(Payload):
    """A certificate (RFC 2408 §3.9)."""

    NUMBER: ClassVar[int] = 6

    encoding: U8
    data: Rest


@wire
class CertRequestPayload(Payload):
    """Which certificates somebody would accept (RFC 2408 §3.10)."""

    NUMBER: ClassVar[int] = 7

    encoding: U8
    authority: Rest


@wire
class HashPayload(Payload):
    """Proof of a key (RFC 2408 §3.11)."""

    NUMBER: ClassVar[int] = 8

    data: Rest


@wire
class SigPayload(Payload):
    """Proof by a signature (RFC 2408 §3.12)."""

    NUMBER: ClassVar[int] = 9

    data: Rest


@wire
class NoncePayload(Payload):
    """Fresh random octets (RFC 2408 §3.13, RFC 2409 §5)."""

    NUMBER: ClassVar[int] = 10

    data: Annotated[bytes, Rest, Between(*NONCE_OCTETS)]


@dataclass(frozen=True, slots=True)
class NotifyPayload(Payload):
    """Something is wrong, or just so (RFC 2408 §3.14)."""

    NUMBER: ClassVar[int] = 11

    doi: int
    protocol: int
    spi: bytes
    kind: Notify | int
    data: bytes = b""

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        return _NotifyHead(self.doi, self.protocol, len(self.spi), self.kind).encode() + self.spi + self.data

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _NotifyHead.read(reader)
        return cls(head.doi, head.protocol, reader.take(head.spi_octets), head.kind, reader.rest())


@wire
class _NotifyHead(Wire):
    doi: U32
    protocol: U8
    spi_octets: U8
    kind: Annotated[Notify | int, U16]


@dataclass(frozen=True, slots=True)
class DeletePayload(Payload):
    """SAs that the sender has deleted (RFC 2408 §3.15)."""

    NUMBER: ClassVar[int] = 12

    doi: int
    protocol: int
    spis: tuple[bytes, ...]
    """All of one length: 4 octets, or 16 with both cookies for an IKE SA."""

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        sizes = {len(spi) for spi in self.spis}
        if len(sizes) > 1:
            raise ValueError("SPIs of one Delete have one length")
        return _DeleteHead(self.doi, self.protocol, max(sizes, default=0), len(self.spis)).encode() + b"".join(
            self.spis
        )

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _DeleteHead.read(reader)
        if not head.spi_octets or not head.spis:
            raise DecodeError(reader.offset, f"{head.spis} SPIs of {head.spi_octets} octets")
        return cls(head.doi, head.protocol, tuple(reader.take(head.spi_octets) for _ in range(head.spis)))


@wire
class _DeleteHead(Wire):
    doi: U32
    protocol: U8
    spi_octets: U8
    spis: U16


@wire
class VendorPayload(Payload):
    """Who made the sender, or what it can do (RFC 2408 §3.16)."""

    NUMBER: ClassVar[int] = 13

    data: Rest


@wire
class NatDPayload(Payload):
    """Hash of an address and port, to detect NAT (RFC 3947 §3.2)."""

    NUMBER: ClassVar[int] = 20

    data: Rest


@wire
class NatOaPayload(Payload):
    """An address as it was before NAT (RFC 3947 §5.2)."""

    NUMBER: ClassVar[int] = 21

    id_type: Annotated[int, U8, Pad(3)]
    address: Rest


PAYLOADS: tuple[type[Payload], ...] = (
    SaPayload,
    KePayload,
    IdPayload,
    CertPayload,
    CertRequestPayload,
    HashPayload,
    SigPayload,
    NoncePayload,
    NotifyPayload,
    DeletePayload,
    VendorPayload,
    NatDPayload,
    NatOaPayload,
)

REGISTRY = registry(PAYLOADS)
