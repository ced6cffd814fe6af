# SPDX-License-Identifier: Apache-2.0
"""Access control lists octet by octet: who may apply a GPO."""

from struct import pack
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.stores.directory.acl import APPLY_GROUP_POLICY, AUTHENTICATED, may_apply, sid_text
from ringfence.wire import DecodeError

OTHER = UUID("1131f6aa-9c07-11d1-f79f-00c04fc2dcd2")
COMPUTERS, ALICE = "S-1-5-21-1-2-3-515", "S-1-5-21-1-2-3-1104"


def sid(text: str) -> bytes:
    _, revision, authority, *numbers = text.split("-")
    octets = bytes([int(revision), len(numbers)]) + int(authority).to_bytes(6)
    return octets + b"".join(pack("<I", int(one)) for one in numbers)


def ace(kind: int, who: str, *, mask: int = 0x100, flags: int = 0, about: UUID | None = None) -> bytes:
    body = pack("<I", mask)
    if kind in (5, 6):
        body += pack("<I", 0 if about is None else 1) + (b"" if about is None else about.bytes_le)
    body += sid(who)
    return bytes([kind, flags]) + pack("<H", 4 + len(body)) + body


def descriptor(*aces: bytes) -> bytes:
    acl = b"".join(aces)
    head = bytes([1, 0]) + pack("<H", 0x8004) + pack("<IIII", 0, 0, 0, 20)
    return head + bytes([4, 0]) + pack("<HHH", 8 + len(acl), len(aces), 0) + acl


APPLY = ace(5, AUTHENTICATED, about=APPLY_GROUP_POLICY)


def test_a_sid_by_hand():
    assert sid_text(bytes.fromhex("01050000000000051500000001000000020000000300000050040000")) == ALICE
    assert sid(ALICE) == bytes.fromhex("01050000000000051500000001000000020000000300000050040000")


@pytest.mark.parametrize(
    ("aces", "granted"),
    [
        ([APPLY], True),
        ([], False),
        ([ace(5, AUTHENTICATED, about=OTHER)], False),
        ([ace(0, AUTHENTICATED)], True),
        ([ace(5, AUTHENTICATED)], True),
        ([ace(0, AUTHENTICATED, mask=0x10)], False),
        ([ace(0, AUTHENTICATED, mask=0x10000000)], True),
        ([ace(0, AUTHENTICATED, flags=0x08)], False),
        ([ace(0, AUTHENTICATED, flags=0x10)], True),
        ([ace(6, ALICE, about=APPLY_GROUP_POLICY), APPLY], False),
        ([ace(1, COMPUTERS), APPLY], False),
        ([APPLY, ace(1, COMPUTERS)], True),
        ([ace(6, ALICE, about=OTHER), APPLY], True),
        ([ace(6, "S-1-5-21-1-2-3-9", about=APPLY_GROUP_POLICY), APPLY], True),
        ([ace(7, ALICE), APPLY], True),
    ],
)
def test_the_first_entry_about_it_decides(aces, granted):
    assert may_apply(descriptor(*aces), {ALICE, COMPUTERS, AUTHENTICATED}) is granted


def test_without_a_list_everybody_may():
    assert may_apply(bytes([1, 0]) + pack("<H", 0x8000) + bytes(16), ())
    assert may_apply(bytes([1, 0]) + pack("<H", 0x8004) + bytes(16), ())


@settings(deadline=None)
@given(st.binary(max_size=80) | st.integers(0, 200).map(lambda end: descriptor(APPLY, ace(0, ALICE))[:end]))
def test_octets_that_are_no_descriptor_are_refused_by_name(octets):
    try:
        may_apply(octets, {ALICE})
        sid_text(octets)
    except DecodeError:
        return
