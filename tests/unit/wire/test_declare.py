# SPDX-License-Identifier: Apache-2.0
"""Declarations against octets written by hand, and every value through its octets and back."""

from dataclasses import FrozenInstanceError
from enum import Enum, IntEnum, IntFlag
from typing import Annotated, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.wire import (
    U8,
    U16,
    U32,
    U64,
    Between,
    Counted,
    DecodeError,
    Fixed,
    Many,
    Pad,
    Reader,
    Rest,
    Times,
    Wire,
    little,
    wire,
)


class Colour(Enum):
    RED = 1
    BLUE = 7


class Size(IntEnum):
    SMALL = 2


class Traits(IntFlag):
    LOUD = 1
    FAST = 2


@wire
class Everything(Wire):
    """One field of each kind that may stand before others."""

    KIND: ClassVar[int] = 5

    one: U8
    two: Annotated[int, U16, Pad(2)]
    four: U32
    eight: U64
    colour: Annotated[Colour, U8]
    name: Annotated[bytes, Fixed(3), Pad(1)]
    label: Annotated[bytes, Counted(U8)]
    size: Annotated[Size | int, U16]
    blob: Annotated[bytes, Counted(U16), Pad(1)]
    traits: Annotated[Traits, U8] = Traits(0)


@wire
class Bounded(Wire):
    """A tail with bounds."""

    kind: U8
    data: Annotated[bytes, Rest, Between(2, 4)]


@wire
class Item(Wire):
    """Says its own length."""

    key: U8
    value: Annotated[bytes, Counted(U8)]


@wire
class Label(Wire):
    """Ends with nothing but reserved octets."""

    text: Annotated[bytes, Counted(U8), Pad(2)]


@wire
class Items(Wire):
    """Up to three."""

    head: U16
    items: Annotated[tuple[Item, ...], Many(3)]


@wire
class Nothing(Wire):
    """No field at all."""


VALUE = Everything(1, 0x0203, 0x04050607, 0x08090A0B0C0D0E0F, Colour.BLUE, b"abc", b"xy", Size.SMALL, b"z", Traits.FAST)
OCTETS = bytes.fromhex("01 0203 0000 04050607 08090a0b0c0d0e0f 07 616263 00 02 7879 0002 0001 7a 00 02")


def test_octets_by_hand():
    assert VALUE.encode() == OCTETS
    assert Everything.decode(OCTETS) == VALUE
    assert Everything.KIND == 5
    assert Nothing().encode() == b""
    assert Nothing.decode(b"") == Nothing()
    assert Label(b"x").encode() == b"\1x\0\0"
    assert Label.decode(b"\1x\xee\xee") == Label(b"x")


def test_a_value_is_frozen_and_has_only_its_fields():
    with pytest.raises(FrozenInstanceError):
        VALUE.one = 2
    assert not hasattr(VALUE, "__dict__")
    assert hash(VALUE) == hash(Everything.decode(OCTETS))


def test_padding_is_ignored_coming_in():
    dirty = bytearray(OCTETS)
    for place in (3, 4, 21, -2):
        dirty[place] = 0xEE
    assert Everything.decode(bytes(dirty)) == VALUE


def test_unknown_numbers():
    octets = bytearray(OCTETS)
    octets[25:27] = b"\xff\x01"
    octets[-1] = 0xFF
    value = Everything.decode(bytes(octets))
    assert value.size == 0xFF01
    assert not isinstance(value.size, Size)
    assert value.traits == 0xFF
    assert value.encode() == bytes(octets)
    octets[17] = 2
    with pytest.raises(DecodeError, match="2 is no colour"):
        Everything.decode(bytes(octets))


def test_every_cut_and_every_addition_is_noticed():
    for end in range(len(OCTETS)):
        with pytest.raises(DecodeError):
            Everything.decode(OCTETS[:end])
    with pytest.raises(DecodeError, match="1 octets left over"):
        Everything.decode(OCTETS + b"\0")


def test_a_reader_is_left_where_the_value_ends():
    reader = Reader(b"\1\2ab\3\0rest")
    assert [Item.read(reader), Item.read(reader)] == [Item(1, b"ab"), Item(3, b"")]
    assert reader.rest() == b"rest"


@pytest.mark.parametrize("octets", [2, 4])
def test_bounds_hold_both_ways(octets):
    value = Bounded(9, b"x" * octets)
    assert Bounded.decode(value.encode()) == value
    beyond = Bounded(9, b"x" * (octets + (1 if octets == 4 else -1)))
    with pytest.raises(ValueError, match="data has 2 to 4 octets"):
        beyond.encode()
    with pytest.raises(DecodeError, match="data has 2 to 4 octets"):
        Bounded.decode(b"\t" + beyond.data)


def test_many():
    value = Items(1, (Item(1, b"a"), Item(2, b""), Item(3, b"ccc")))
    assert Items.decode(value.encode()) == value
    assert Items.decode(b"\0\1") == Items(1, ())
    with pytest.raises(DecodeError, match="more than 3 items at octet 12"):
        Items.decode(value.encode() + b"\4\0")
    with pytest.raises(DecodeError):
        Items.decode(value.encode()[:-1])


def test_what_does_not_fit_is_not_sent():
    for value in (Item(256, b""), Item(-1, b""), Item(1, bytes(256))):
        with pytest.raises(ValueError):
            value.encode()
    with pytest.raises(ValueError, match="name has 3 octets"):
        Everything(1, 2, 4, 8, Colour.RED, b"ab", b"", 1, b"").encode()


def test_what_is_no_declaration():
    with pytest.raises(TypeError, match="says no format"):

        @wire
        class _Plain(Wire):
            number: int

    with pytest.raises(TypeError, match="goes to the end"):

        @wire
        class _Behind(Wire):
            data: Rest
            more: U8

    with pytest.raises(TypeError, match="no mark of a format"):

        @wire
        class _Odd(Wire):
            number: Annotated[int, "big"]

    with pytest.raises(NotImplementedError):
        Wire.decode(b"")
    with pytest.raises(NotImplementedError):
        Wire().encode()


@given(
    st.builds(
        Everything,
        st.integers(0, 255), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1),
        st.sampled_from(Colour), st.binary(min_size=3, max_size=3), st.binary(max_size=255),
        st.sampled_from(Size) | st.integers(0, 65535), st.binary(max_size=300), st.integers(0, 255).map(Traits),
    )
)  # fmt: skip
def test_round_trip(value):
    assert Everything.decode(value.encode()) == value


@given(st.binary(max_size=60))
def test_any_octets_decode_or_raise(octets):
    for kind in (Everything, Bounded, Item, Items, Label, Nothing):
        try:
            value = kind.decode(octets)
        except DecodeError:
            continue
        assert len(value.encode()) == len(octets)


@little
class Little(Wire):
    """Numbers the other way round, items by number, a value inside."""

    head: U16
    inner: Item
    items: Annotated[tuple[Item, ...], Times(U32)]
    pair: Annotated[tuple[Item, ...], Times(2)]


def test_little_endian_numbers_counted_items_and_values_inside():
    value = Little(0x0102, Item(7, b"x"), (Item(1, b""),), (Item(2, b""), Item(3, b"yz")))
    octets = bytes.fromhex("0201 0701 78 01000000 0100 0200 0302 797a")
    assert value.encode() == octets
    assert Little.decode(octets) == value
    with pytest.raises(DecodeError, match="wanted"):
        Little.decode(octets.replace(b"\1\0\0\0", b"\xff\xff\xff\xff"))
    with pytest.raises(ValueError, match="there are 2 of pair"):
        Little(1, Item(1, b""), (), (Item(1, b""),)).encode()
