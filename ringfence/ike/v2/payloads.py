# SPDX-License-Identifier: Apache-2.0
"""The payloads of IKEv2 (RFC 7296 §3): one class each, and ``PAYLOADS`` with all of them.

Numbers that we do not know stay numbers. Encrypted payloads are no values: ``channel`` seals and opens them.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from ringfence.ike.isakmp import Attribute, IdType, decode_attributes, encode_attributes, nested, split_nested
from ringfence.ike.payload import Payload, registry
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.solution import SolutionPayload
from ringfence.wire import U8, U16, Between, DecodeError, Pad, Reader, Rest, Wire, wire

NONCE_OCTETS = (16, 256)
MAX_PROPOSALS = 64
MAX_TRANSFORMS = 128
PROPOSAL, TRANSFORM = 2, 3
ENCRYPTED, FRAGMENT = 46, 53
"""The payloads that hold all others (§3.14, RFC 7383 §2.5)."""


# Security association ----------------------------------------------------------------------------------------------


@wire
class _TransformHead(Wire):
    kind: Annotated[int, U8, Pad(1)]
    number: U16


@dataclass(frozen=True, slots=True)
class Transform:
    """One algorithm that may be taken (§3.3.2)."""

    kind: int
    """``TransformType``'s value."""
    number: int
    attributes: tuple[Attribute, ...] = ()

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        return _TransformHead(self.kind, self.number).encode() + encode_attributes(self.attributes)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _TransformHead.read(reader)
        return cls(head.kind, head.number, decode_attributes(reader))


@wire
class _ProposalHead(Wire):
    number: U8
    protocol: U8
    spi_octets: U8
    transforms: U8


@dataclass(frozen=True, slots=True)
class Proposal:
    """One protocol; of each type of transform, one is to be taken (§3.3.1)."""

    number: int
    protocol: int
    spi: bytes
    transforms: tuple[Transform, ...]

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
        found = split_nested(TRANSFORM, reader, MAX_TRANSFORMS)
        if len(found) != head.transforms:
            raise DecodeError(start, f"{len(found)} transforms where {head.transforms} are announced")
        return cls(head.number, head.protocol, spi, tuple(map(Transform.read, found)))


@dataclass(frozen=True, slots=True)
class SaPayload(Payload):
    """What may be agreed on, or what was chosen (§3.3)."""

    NUMBER: ClassVar[int] = 33
    OFTEN_THE_SAME: ClassVar[bool] = True

    proposals: tuple[Proposal, ...]

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        return nested(PROPOSAL, [each.encode() for each in self.proposals])

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        found = split_nested(PROPOSAL, reader, MAX_PROPOSALS)
        if not found:
            raise DecodeError(reader.offset, "no proposal")
        return cls(tuple(map(Proposal.read, found)))


# Keys and identities -----------------------------------------------------------------------------------------------


@wire
class KePayload(Payload):
    """A Diffie-Hellman value (§3.4)."""

    NUMBER: ClassVar[int] = 34

    group: Annotated[int, U16, Pad(2)]
    public: Rest


@wire
class IdInitiatorPayload(Payload):
    """Who the initiator is (§3.5)."""

    NUMBER: ClassVar[int] = 35

    id_type: Annotated[IdType | int, U8, Pad(3)]
    data: Rest


@wire
class IdResponderPayload(Payload):
    """Who the responder is, or should be."""

    NUMBER: ClassVar[int] = 36

    id_type: Annotated[IdType | int, U8, Pad(3)]
    data: Rest


@wire
class CertPayload(Payload):
    """A certificate (§3.6)."""

    NUMBER: ClassVar[int] = 37

    encoding: U8
    data: Rest


@wire
class CertRequestPayload(Payload):
    """Which certificates somebody would accept (§3.7)."""

    NUMBER: ClassVar[int] = 38

    encoding: U8
    authorities: Rest


@wire
class AuthPayload(Payload):
    """Proof of who sent it (§3.8)."""

    NUMBER: ClassVar[int] = 39

    method: Annotated[AuthMethod | int, U8, Pad(3)]
    data: Rest


@wire
class NoncePayload(Payload):
    """Fresh random octets (§3.9)."""

    NUMBER: ClassVar[int] = 40

    data: Annotated[bytes, Rest, Between(*NONCE_OCTETS)]


# Notify, delete, vendor --------------------------------------------------------------------------------------------


@wire
class _NotifyHead(Wire):
    protocol: U8
    spi_octets: U8
    kind: Annotated[Notify | int, U16]


@dataclass(frozen=True, slots=True)
class NotifyPayload(Payload):
    """Something is wrong, or just so (§3.10)."""

    NUMBER: ClassVar[int] = 41

    kind: Notify | int
    data: bytes = b""
    protocol: int = 0
    """Of the SPI; 0 without one."""
    spi: bytes = b""

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        return _NotifyHead(self.protocol, len(self.spi), self.kind).encode() + self.spi + self.data

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _NotifyHead.read(reader)
        spi = reader.take(head.spi_octets)
        return cls(head.kind, reader.rest(), head.protocol, spi)


@wire
class _DeleteHead(Wire):
    protocol: U8
    spi_octets: U8
    spis: U16


@dataclass(frozen=True, slots=True)
class DeletePayload(Payload):
    """SAs that the sender has deleted (§3.11); without SPIs the IKE SA that it comes by."""

    NUMBER: ClassVar[int] = 42

    protocol: int
    spis: tuple[bytes, ...] = ()
    """All of one length."""

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        sizes = {len(spi) for spi in self.spis} or {0}
        if len(sizes) != 1:
            raise ValueError("SPIs of one Delete have one length")
        return _DeleteHead(self.protocol, sizes.pop(), len(self.spis)).encode() + b"".join(self.spis)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        head = _DeleteHead.read(reader)
        if head.spis and not head.spi_octets:
            raise DecodeError(reader.offset, f"{head.spis} SPIs without an octet")
        return cls(head.protocol, tuple(reader.take(head.spi_octets) for _ in range(head.spis)))


@wire
class VendorPayload(Payload):
    """Who made the sender (§3.12)."""

    NUMBER: ClassVar[int] = 43

    data: Rest


# Traffic selectors -------------------------------------------------------------------------------------------------


class TsType:
    """Forms of a traffic selector (§3.13.1), with the octets of an address in each."""

    IPV4, IPV6 = 7, 8
    OCTETS: ClassVar[dict[int, int]] = {IPV4: 4, IPV6: 16}


@wire
class _TsHead(Wire):
    kind: U8
    protocol: U8
    length: U16


TS_HEAD_OCTETS = 4


@dataclass(frozen=True, slots=True)
class TrafficSelector:
    """Addresses and ports of one side (§3.13.1)."""

    kind: int
    protocol: int
    """0 for any."""
    body: bytes
    """First and last port, then first and last address; of an unknown kind anything."""

    def encode(self) -> bytes:
        """With its header; raises ValueError."""
        return _TsHead(self.kind, self.protocol, TS_HEAD_OCTETS + len(self.body)).encode() + self.body

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The next one; raises DecodeError."""
        start = reader.offset
        head = _TsHead.read(reader)
        octets = TsType.OCTETS.get(head.kind)
        if head.length < TS_HEAD_OCTETS or (octets is not None and head.length != 2 * TS_HEAD_OCTETS + 2 * octets):
            raise DecodeError(start, f"a traffic selector of {head.length} octets")
        return cls(head.kind, head.protocol, reader.take(head.length - TS_HEAD_OCTETS))


@wire
class _TsCount(Wire):
    count: Annotated[int, U8, Pad(3)]


@dataclass(frozen=True, slots=True)
class _TsPayload(Payload):
    selectors: tuple[TrafficSelector, ...]

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        return _TsCount(len(self.selectors)).encode() + b"".join(each.encode() for each in self.selectors)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        count = _TsCount.read(reader).count
        if not count:
            raise DecodeError(reader.offset, "no traffic selector")
        found = tuple(TrafficSelector.read(reader) for _ in range(count))
        reader.done()
        return cls(found)


@dataclass(frozen=True, slots=True)
class TsInitiatorPayload(_TsPayload):
    """Traffic at the initiator's side (§3.13)."""

    NUMBER: ClassVar[int] = 44


@dataclass(frozen=True, slots=True)
class TsResponderPayload(_TsPayload):
    """Traffic at the responder's side."""

    NUMBER: ClassVar[int] = 45


# Configuration and EAP ---------------------------------------------------------------------------------------------


@wire
class ConfigAttribute(Wire):
    """One thing asked for or given (§3.15.1)."""

    kind: U16
    """The highest bit is reserved."""
    length: U16


MAX_CONFIG = 128


@dataclass(frozen=True, slots=True)
class ConfigPayload(Payload):
    """Configuration of a host by the other (§3.15)."""

    NUMBER: ClassVar[int] = 47

    kind: int
    """1 request, 2 reply, 3 set, 4 acknowledgement."""
    attributes: tuple[tuple[int, bytes], ...] = ()

    def encode(self) -> bytes:
        """The body; raises ValueError."""
        pieces = (ConfigAttribute(kind, len(value)).encode() + value for kind, value in self.attributes)
        return _TsCount(self.kind).encode() + b"".join(pieces)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """All that a reader holds; raises DecodeError."""
        kind, found = _TsCount.read(reader).count, list[tuple[int, bytes]]()
        while reader.left:
            if len(found) == MAX_CONFIG:
                raise DecodeError(reader.offset, f"more than {MAX_CONFIG} attributes")
            head = ConfigAttribute.read(reader)
            found.append((head.kind & 0x7FFF, reader.take(head.length)))
        return cls(kind, tuple(found))


@wire
class EapPayload(Payload):
    """An EAP message (§3.16)."""

    NUMBER: ClassVar[int] = 48

    message: Annotated[bytes, Rest, Between(4, 65535)]


PAYLOADS: tuple[type[Payload], ...] = (
    SaPayload, KePayload, IdInitiatorPayload, IdResponderPayload, CertPayload, CertRequestPayload, AuthPayload,
    NoncePayload, NotifyPayload, DeletePayload, VendorPayload, TsInitiatorPayload, TsResponderPayload, ConfigPayload,
    EapPayload, SolutionPayload,
)  # fmt: skip

REGISTRY = registry(PAYLOADS)
