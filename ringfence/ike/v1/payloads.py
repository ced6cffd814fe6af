# SPDX-License-Identifier: Apache-2.0
"""The payloads of IKEv1 (RFC 2408 §3, RFC 2407 §4.6, RFC 3947): one class each, and ``PAYLOADS`` with all of them.

Those that AuthIP has as well are in ``ringfence.ike.isakmp``, and can be imported from here too. Notify and Delete are
read by hand, for the size of their SPIs stands apart from them. Numbers that we do not know stay numbers.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from ringfence.ike.isakmp import (
    IDENTITY_ONLY,
    IPSEC_DOI,
    Attribute,
    IdType,
    ProposalPayload,
    ProtocolId,
    SaPayload,
    TransformPayload,
    decode_attributes,
    encode_attributes,
)
from ringfence.ike.payload import Payload, registry
from ringfence.ike.v1.notifies import Notify
from ringfence.wire import U8, U16, U32, Between, DecodeError, Pad, Reader, Rest, Wire, wire

GENERIC_DOI = 0
"""ISAKMP's own, which some use for notifies in phase 1."""
NONCE_OCTETS = (8, 256)


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
        if len(sizes) != 1 or 0 in sizes:
            raise ValueError("SPIs of one Delete have one length")
        head = _DeleteHead(self.doi, self.protocol, sizes.pop(), len(self.spis))
        return head.encode() + b"".join(self.spis)

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


ATTRIBUTE_OCTETS = 4


@dataclass(frozen=True, slots=True)
class AttributesPayload(Payload):
    """What one host tells or asks the other (draft-dukes-ike-mode-cfg §3.2).

    Libreswan fills it up to a multiple of four octets with zeros; those say nothing.
    """

    NUMBER: ClassVar[int] = 14

    kind: int
    """Request, reply, set or acknowledgement."""
    identifier: int
    attributes: tuple[Attribute, ...]

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        return _AttributesHead(self.kind, self.identifier).encode() + encode_attributes(self.attributes)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _AttributesHead.read(reader)
        return cls(head.kind, head.identifier, decode_attributes(Reader(_unfilled(reader.rest()))))


def _unfilled(octets: bytes) -> bytes:
    """Attributes without the zeros behind them, too few to be another one."""
    at = 0
    while len(octets) - at >= ATTRIBUTE_OCTETS:
        short = octets[at] & 0x80
        at += ATTRIBUTE_OCTETS + (0 if short else int.from_bytes(octets[at + 2 : at + ATTRIBUTE_OCTETS]))
    return octets if at > len(octets) or any(octets[at:]) else octets[:at]


@wire
class _AttributesHead(Wire):
    kind: Annotated[int, U8, Pad(1)]
    identifier: U16


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


@wire
class NatDDraftPayload(NatDPayload):
    """Likewise with the number of the drafts -02 and -03."""

    NUMBER: ClassVar[int] = 130


@wire
class NatOaDraftPayload(NatOaPayload):
    """Likewise."""

    NUMBER: ClassVar[int] = 131


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
    AttributesPayload,
    VendorPayload,
    NatDPayload,
    NatOaPayload,
    NatDDraftPayload,
    NatOaDraftPayload,
)

REGISTRY = registry(PAYLOADS)

__all__ = [
    "GENERIC_DOI",
    "IDENTITY_ONLY",
    "IPSEC_DOI",
    "PAYLOADS",
    "REGISTRY",
    "Attribute",
    "AttributesPayload",
    "CertPayload",
    "CertRequestPayload",
    "DeletePayload",
    "HashPayload",
    "IdPayload",
    "IdType",
    "KePayload",
    "NatDDraftPayload",
    "NatDPayload",
    "NatOaDraftPayload",
    "NatOaPayload",
    "NoncePayload",
    "NotifyPayload",
    "ProposalPayload",
    "ProtocolId",
    "SaPayload",
    "SigPayload",
    "TransformPayload",
    "VendorPayload",
]
