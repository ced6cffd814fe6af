# SPDX-License-Identifier: Apache-2.0
"""A reader gives what is inside its bounds, or says where it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.wire import DecodeError, Reader

DATA = bytes(range(1, 21))


def test_numbers_and_octets_in_order():
    reader = Reader(DATA)
    assert reader.u8() == 0x01
    assert reader.u16() == 0x0203
    assert reader.u32() == 0x04050607
    assert reader.u64() == 0x08090A0B0C0D0E0F
    assert reader.take(2) == b"\x10\x11"
    assert (reader.offset, reader.left) == (17, 3)
    assert reader.rest() == b"\x12\x13\x14"
    reader.done()


@given(start=st.integers(0, 20), octets=st.integers(0, 20))
def test_nothing_comes_from_outside(start, octets):
    end = min(start + octets, 20)
    for name, size in (("u8", 1), ("u16", 2), ("u32", 4), ("u64", 8)):
        reader = Reader(DATA, start, end)
        if size <= end - start:
            assert getattr(reader, name)() == int.from_bytes(DATA[start : start + size])
        else:
            with pytest.raises(DecodeError) as error:
                getattr(reader, name)()
            assert (error.value.offset, reader.offset) == (start, start)
            assert error.value.what == f"{size} octets wanted, {end - start} left"


def test_a_part_keeps_its_bounds_and_its_place():
    reader = Reader(DATA)
    reader.take(4)
    part = reader.part(3)
    assert part.u16() == 0x0506
    with pytest.raises(DecodeError, match="1 octets left over at octet 6"):
        part.done()
    with pytest.raises(DecodeError):
        part.u16()
    assert part.u8() == 7
    part.done()
    assert reader.u8() == 8
    with pytest.raises(DecodeError, match="13 octets wanted, 12 left at octet 8"):
        reader.part(13)


def test_nobody_reads_backwards():
    reader = Reader(DATA, 4)
    for read in (reader.take, reader.part):
        with pytest.raises(DecodeError, match="-1 octets wanted"):
            read(-1)
    assert reader.offset == 4
