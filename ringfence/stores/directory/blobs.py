# SPDX-License-Identifier: Apache-2.0
"""``ipsecData`` of the five classes: records in their frames, and whatever else stands there ([MS-GPIPSEC] §2.2.1).

A frame is a GUID that tells the kind of record, and a length that leaves out the last octet, a pad. Records are walked
by their counts; lengths are only held against what is there, since writers have counted differently. What a blob holds
besides its record is kept: foreign records before it (the version record of the store), optional parts, the pad, and
octets behind that. So encoding gives the octets that were decoded; a part in a place where it is not expected is
refused, since leaving it out could leave out traffic.
"""

from dataclasses import dataclass
from struct import pack, unpack
from typing import Generic, TypeVar

from ringfence.stores.directory.records import (
    AlternateAuth,
    FiltersV1,
    FiltersV2,
    Frame,
    IsakmpRecord,
    NegotiationRecord,
    NfaRecord,
    PolicyRecord,
    TunnelV6,
    guid_octets,
)
from ringfence.wire import DecodeError, Reader, Wire

R = TypeVar("R", bound=Wire)

POLICY = guid_octets("{22202163-4F4C-11D1-863B-00A0248D3021}")
ISAKMP = guid_octets("{80DC20B8-2EC8-11D1-A89E-00A0248D3021}")
NFA = guid_octets("{11BBAC00-498D-11D1-8639-00A0248D3021}")
NEGOTIATION = guid_octets("{80DC20B9-2EC8-11D1-A89E-00A0248D3021}")
FILTER_V1 = guid_octets("{80DC20B5-2EC8-11D1-A89E-00A0248D3021}")
FILTER_V2 = guid_octets("{35FECD3D-AE29-4373-8A6A-C5D8FAB2FB08}")
ALTERNATE = b"\1" * 16
FLAGS = b"\1" * 15 + b"\2"
TUNNEL_V6 = b"\1" * 15 + b"\3"

KIND_OCTETS = 16
PAD = b"\0"
MOST_OCTETS = 1 << 22
"""Of one blob; a directory server takes no larger value by default (10 MiB for a whole message)."""


@dataclass(frozen=True, slots=True)
class Blob(Generic[R]):
    """A record and all that stands around it."""

    record: R
    length: int | None = None
    """As the frame has it, where that is not the record's own."""
    before: bytes = b""
    after: bytes = PAD


@dataclass(frozen=True, slots=True)
class NfaBlob:
    """The record of a rule with its optional parts, in the order in which Windows Vista writes them."""

    record: NfaRecord
    alternate: AlternateAuth | None = None
    flags: tuple[int, ...] | None = None
    """One for each way to authenticate."""
    flags_zero: int = 0
    tunnel_v6: TunnelV6 | None = None
    length: int | None = None
    before: bytes = b""
    after: bytes = PAD


@dataclass(frozen=True, slots=True)
class FilterBlob:
    """The filters of a list, in both forms."""

    old: FiltersV1
    new: FiltersV2 | None = None
    length: int | None = None
    new_length: int | None = None
    between: bytes = b""
    """What stands between both parts, perhaps a pad."""
    after: bytes = PAD


def decode_policy(data: bytes) -> Blob[PolicyRecord]:
    """``ipsecData`` of an ``ipsecPolicy``; raises DecodeError."""
    return _decode(data, POLICY, PolicyRecord)


def decode_isakmp(data: bytes) -> Blob[IsakmpRecord]:
    """``ipsecData`` of an ``ipsecISAKMPPolicy``; raises DecodeError."""
    return _decode(data, ISAKMP, IsakmpRecord)


def decode_negotiation(data: bytes) -> Blob[NegotiationRecord]:
    """``ipsecData`` of an ``ipsecNegotiationPolicy``; raises DecodeError."""
    return _decode(data, NEGOTIATION, NegotiationRecord)


def encode_policy(blob: Blob[PolicyRecord]) -> bytes:
    """The octets of the attribute."""
    return _encode(POLICY, blob)


def encode_isakmp(blob: Blob[IsakmpRecord]) -> bytes:
    """The octets of the attribute."""
    return _encode(ISAKMP, blob)


def encode_negotiation(blob: Blob[NegotiationRecord]) -> bytes:
    """The octets of the attribute."""
    return _encode(NEGOTIATION, blob)


def decode_nfa(data: bytes) -> NfaBlob:
    """``ipsecData`` of an ``ipsecNFA``; raises DecodeError."""
    reader = _reader(data)
    before = _foreign(reader, data)
    record, length = _framed(reader, NFA, NfaRecord)
    alternate, flags, zero, tunnel = None, None, 0, None
    if _next(reader, data, ALTERNATE):
        alternate = AlternateAuth.read(reader)
    if _next(reader, data, FLAGS):
        zero, count = _u32(reader), len((alternate or record).auth)
        flags = unpack(f"<{count}I", reader.take(4 * count))
    if _next(reader, data, TUNNEL_V6):
        tunnel = TunnelV6.read(reader)
    after = _unread(reader, (ALTERNATE, FLAGS, TUNNEL_V6))
    return NfaBlob(record, alternate, flags, zero, tunnel, length, before, after)


def encode_nfa(blob: NfaBlob) -> bytes:
    """The octets of the attribute; raises ValueError where there are not as many flags as ways to authenticate."""
    parts = [blob.before, _frame(NFA, blob.record, blob.length)]
    if blob.alternate is not None:
        parts += [ALTERNATE, blob.alternate.encode()]
    if blob.flags is not None:
        if len(blob.flags) != len((blob.alternate or blob.record).auth):
            raise ValueError("there is one flag for each way to authenticate")
        parts += [FLAGS, pack(f"<{1 + len(blob.flags)}I", blob.flags_zero, *blob.flags)]
    if blob.tunnel_v6 is not None:
        parts += [TUNNEL_V6, blob.tunnel_v6.encode()]
    return b"".join([*parts, blob.after])


def decode_filters(data: bytes) -> FilterBlob:
    """``ipsecData`` of an ``ipsecFilter``; raises DecodeError."""
    reader = _reader(data)
    old, length = _framed(reader, FILTER_V1, FiltersV1)
    between = b""
    for gap in (b"", PAD):
        if data.startswith(gap + FILTER_V2, reader.offset):
            between = reader.take(len(gap))
            new, new_length = _framed(reader, FILTER_V2, FiltersV2)
            if new.count_v1 not in (0, len(old.filters)):
                raise DecodeError(
                    reader.offset,
                    f"the second part says {new.count_v1} filters of the first, which has {len(old.filters)}",
                )
            return FilterBlob(old, new, length, new_length, between, _unread(reader, (FILTER_V2,)))
    return FilterBlob(old, None, length, after=_unread(reader, (FILTER_V2,)))


def encode_filters(blob: FilterBlob) -> bytes:
    """The octets of the attribute."""
    parts = [_frame(FILTER_V1, blob.old, blob.length)]
    if blob.new is not None:
        parts += [blob.between, _frame(FILTER_V2, blob.new, blob.new_length)]
    return b"".join([*parts, blob.after])


def _decode(data: bytes, kind: bytes, record: type[R]) -> Blob[R]:
    reader = _reader(data)
    found, length = _framed(reader, kind, record)
    return Blob(found, length, after=reader.rest())


def _encode(kind: bytes, blob: Blob[R]) -> bytes:
    return blob.before + _frame(kind, blob.record, blob.length) + blob.after


def _reader(data: bytes) -> Reader:
    if len(data) > MOST_OCTETS:
        raise DecodeError(0, f"more than {MOST_OCTETS} octets")
    return Reader(data)


def _framed(reader: Reader, kind: bytes, record: type[R]) -> tuple[R, int | None]:
    """A record behind its frame, and the length of the frame where that is not the record's."""
    at = reader.offset
    frame = Frame.read(reader)
    if frame.kind != kind:
        raise DecodeError(at, "no record of the kind that belongs here")
    if frame.length > reader.left:
        raise DecodeError(at + KIND_OCTETS, f"a length of {frame.length} octets, but only {reader.left} follow")
    begin = reader.offset
    found = record.read(reader)
    return found, None if frame.length == reader.offset - begin else frame.length


def _frame(kind: bytes, record: Wire, length: int | None) -> bytes:
    octets = record.encode()
    return Frame(kind, len(octets) if length is None else length).encode() + octets


def _foreign(reader: Reader, data: bytes) -> bytes:
    """Records of other kinds before that of the rule, with the octet that may be between them."""
    begin = reader.offset
    while not data.startswith(NFA, reader.offset):
        if data.startswith(NFA, reader.offset + 1):
            reader.take(1)
        else:
            reader.take(Frame.read(reader).length)
    return data[begin : reader.offset]


def _next(reader: Reader, data: bytes, kind: bytes) -> bool:
    """Pass over ``kind`` if it stands next."""
    found = data.startswith(kind, reader.offset)
    if found:
        reader.take(KIND_OCTETS)
    return found


def _u32(reader: Reader) -> int:
    return int.from_bytes(reader.take(4), "little")


def _unread(reader: Reader, kinds: tuple[bytes, ...]) -> bytes:
    """All that is left; raises DecodeError where one of ``kinds`` is in it."""
    at, rest = reader.offset, reader.rest()
    for kind in kinds:
        if kind in rest:
            raise DecodeError(at + rest.index(kind), "a part that does not belong in this place")
    return rest
