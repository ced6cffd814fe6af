# SPDX-License-Identifier: Apache-2.0
"""registry.pol against octets written by hand after [MS-GPREG] §2.2.1, and against Samba's reader and writer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.transfer.grouppolicy import preg
from ringfence.transfer.grouppolicy.preg import HEADER, Instruction, Kind, decode, dword, encode, multi_sz, sz
from ringfence.wire import DecodeError

BY_HAND = bytes.fromhex(
    "50526567 01000000"
    "5b00 4100 5c00 4200 0000 3b00 5600 0000 3b00 04000000 3b00 04000000 3b00 07000000 5d00"
    "5b00 4100 0000 3b00 2a002a00640065006c002e005800 0000 3b00 01000000 3b00 04000000 3b00 20000000 5d00"
)
SAID = (dword("A\\B", "V", 7), Instruction("A", "**del.X", Kind.SZ, b" \0\0\0"))


def test_octets_written_by_hand() -> None:
    assert decode(BY_HAND) == SAID
    assert encode(SAID) == BY_HAND


def test_each_type_says_what_it_is() -> None:
    assert sz("K", "V", "é€").text == "é€"
    assert Instruction("K", "V", Kind.EXPAND_SZ, "%x%\0junk".encode("utf-16-le")).text == "%x%"
    assert multi_sz("K", "V", ["one", "two"]).texts == ("one", "two")
    assert multi_sz("K", "V", []).data == b"\0\0"
    assert dword("K", "V", 0x80000001).number == 0x80000001
    assert Instruction("K", "V", Kind.DWORD_BIG_ENDIAN, b"\0\0\0\x05").number == 5
    assert Instruction("K", "V", Kind.QWORD, b"\5" + bytes(7)).number == 5


def test_what_is_of_another_type_or_length_says_nothing() -> None:
    assert dword("K", "V", 1).text is None
    assert sz("K", "V", "1").number is None
    assert sz("K", "V", "1").texts is None
    assert Instruction("K", "V", Kind.DWORD, b"\1\0\0").number is None
    assert Instruction("K", "V", Kind.SZ, b"\0\xd8").text is None
    assert Instruction("K", "V", Kind.MULTI_SZ, b"\0\xd8").texts is None


def test_an_unknown_type_keeps_its_octets() -> None:
    odd = Instruction("K", "V", 0xFFFF0012, b"any ; ] [ octets")
    assert decode(encode([odd])) == (odd,)


@pytest.mark.parametrize(
    "body", ["5b00 4b00 0000 3b00 5d00", "5b00 4b00 0000 3b00 3b00 3b00 3b00 5d00", "5b004b0000003b0000003b0000000000 3b00 00000000 3b00 5d00"]  # noqa: E501
)  # fmt: skip
def test_an_instruction_may_make_the_key_alone(body: str) -> None:
    assert decode(HEADER + bytes.fromhex(body)) == (Instruction("K"),)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", 'no registry.pol: it does not begin with "PReg" at octet 0'),
        (b"PReg\x02\0\0\0", "a version of registry.pol other than 1 at octet 4"),
        (b"PReg\x01\0", "a version of registry.pol other than 1 at octet 4"),
        (BY_HAND[:-2], 'no "]" where an instruction ends at octet 86'),
        (BY_HAND[:-6], "data of 4 octets where the file has 0 left at octet 82"),
        (HEADER + b"x\0", 'no "[" where an instruction has to begin at octet 8'),
        (HEADER + b"[\0K\0", "a name without an end at octet 10"),
        (HEADER + b"[\0\0\0;\0", "a key without a name at octet 10"),
        (HEADER + b"[\0\0\xd8\0\0;\0", "a name that is no UTF-16 at octet 10"),
        (HEADER + b"[\0K\0\0\0V\0", 'no ";" where a key ends at octet 14'),
        (HEADER + b"[\0K\0\0\0;\0V\0\0\0;\0\1\0", "a type of 4 octets where the file has 2 left at octet 22"),
    ],
)
def test_what_is_wrong_is_told_with_its_offset(octets: bytes, said: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(octets)
    assert str(caught.value) == said


def test_what_no_file_holds_is_not_written() -> None:
    with pytest.raises(ValueError, match="holds 65535"):
        encode([Instruction("K", "V", Kind.BINARY, bytes(65536))])
    for one in (Instruction(""), Instruction("K", "a\0b")):
        with pytest.raises(ValueError, match="without a name"):
            encode([one])


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
instructions = st.builds(Instruction, names, names, st.integers(0, 2**32 - 1), st.binary(max_size=20))


@settings(deadline=None, max_examples=200)
@given(st.lists(instructions, max_size=4))
def test_what_is_written_is_read(some: list[Instruction]) -> None:
    assert list(decode(encode(some))) == some


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80).map(lambda tail: HEADER + tail) | st.tuples(
    st.integers(8, len(BY_HAND) - 1), st.binary(max_size=3)).map(lambda at: BY_HAND[: at[0]] + at[1] + BY_HAND[at[0] + 1 :]))  # fmt: skip # noqa: E501
def test_broken_octets_are_refused_or_written_back(octets: bytes) -> None:
    try:
        found = decode(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)  # noqa: PT017
        return
    assert decode(encode(found)) == found


def test_header_is_that_of_the_specification() -> None:
    assert preg.is_registry_pol(BY_HAND)
    assert not preg.is_registry_pol(b"regf")
