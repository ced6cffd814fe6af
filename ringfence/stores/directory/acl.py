# SPDX-License-Identifier: Apache-2.0
"""Whether a security descriptor grants a right to somebody ([MS-DTYP] §2.4, [MS-ADTS] §5.1.3).

Entries are asked in their order, and the first that is about the right and about one of the SIDs decides; if none is,
nothing is granted. Only inherited-by-others entries do not count for the object itself.
"""

from collections.abc import Collection, Iterator
from typing import Annotated
from uuid import UUID

from ringfence.wire import U8, U16, U32, Fixed, Reader, Wire, little

APPLY_GROUP_POLICY = UUID("edacfd8f-ffb3-11d1-b41d-00a0c968f939")
EVERYBODY, AUTHENTICATED = "S-1-1-0", "S-1-5-11"
"""Everyone, and whoever has proved who he is: groups of every computer of a domain."""
CONTROL_ACCESS, GENERIC_ALL = 0x100, 0x10000000
ALLOW, DENY, ALLOW_OBJECT, DENY_OBJECT = 0, 1, 5, 6
HAS_TYPE, HAS_INHERITED_TYPE = 1, 2
ONLY_INHERITED = 0x08
DACL_PRESENT = 0x0004


@little
class Descriptor(Wire):
    """The head of a self-relative security descriptor; offsets are from its beginning."""

    revision: U8
    unused: U8
    control: U16
    owner: U32
    group: U32
    sacl: U32
    dacl: U32


@little
class AclHead(Wire):
    """The head of an access control list."""

    revision: U8
    unused: U8
    octets: U16
    entries: U16
    unused_too: U16


@little
class EntryHead(Wire):
    """What every entry begins with; its size counts itself."""

    kind: U8
    flags: U8
    octets: U16


@little
class SidHead(Wire):
    """What a SID begins with; ``count`` numbers of 32 bits follow."""

    revision: U8
    count: U8
    authority: Annotated[bytes, Fixed(6)]


def sid_text(octets: bytes) -> str:
    """``S-1-5-21-…`` of a SID as directories keep it; raises DecodeError."""
    return _sid(Reader(octets))


def may_apply(descriptor: bytes, sids: Collection[str]) -> bool:
    """Whether one of ``sids`` is granted the right to apply a GPO; raises DecodeError."""
    head = Descriptor.read(Reader(descriptor))
    if not head.control & DACL_PRESENT or not head.dacl:
        return True
    return next((allowed for allowed, sid in _about(descriptor, head.dacl) if sid in sids), False)


def _about(descriptor: bytes, at: int) -> Iterator[tuple[bool, str]]:
    """The entries about the right, in their order: whether they allow, and whom."""
    reader = Reader(descriptor, min(at, len(descriptor)))
    acl = AclHead.read(reader)
    for _ in range(acl.entries):
        head = EntryHead.read(reader)
        body = reader.part(max(0, head.octets - 4))
        if head.flags & ONLY_INHERITED or head.kind not in (ALLOW, DENY, ALLOW_OBJECT, DENY_OBJECT):
            continue
        mask, kind = _u32(body), None
        if head.kind in (ALLOW_OBJECT, DENY_OBJECT):
            flags = _u32(body)
            kind = UUID(bytes_le=body.take(16)) if flags & HAS_TYPE else None
            body.take(16 if flags & HAS_INHERITED_TYPE else 0)
        if mask & (CONTROL_ACCESS | GENERIC_ALL) and kind in (None, APPLY_GROUP_POLICY):
            yield head.kind in (ALLOW, ALLOW_OBJECT), _sid(body)


def _sid(reader: Reader) -> str:
    head = SidHead.read(reader)
    numbers = [_u32(reader) for _ in range(head.count)]
    return "-".join(map(str, ["S", head.revision, int.from_bytes(head.authority), *numbers]))


def _u32(reader: Reader) -> int:
    return int.from_bytes(reader.take(4), "little")
