# SPDX-License-Identifier: Apache-2.0
"""The header: every bit where RFC 2408 §3.1 has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ike.header import HEADER_OCTETS, NO_COOKIE, VERSION_1, Exchange, Flags, Header
from ringfence.wire import DecodeError

QUICK = bytes.fromhex("0102030405060708 1112131415161718 08 10 20 03 deadbeef 0000001c")


def test_octets_by_hand():
    header = Header(
        bytes(range(1, 9)), bytes(range(17, 25)), 8, VERSION_1, Exchange.QUICK,
        Flags.ENCRYPTED | Flags.COMMIT, 0xDEADBEEF,
    )  # fmt: skip
    assert header.encode() == QUICK
    assert Header.decode(QUICK) == header
    assert (header.major, header.minor, header.encrypted) == (1, 0, True)


def test_a_message_has_its_length():
    message = Header(b"abcdefgh", NO_COOKIE, 1, VERSION_1, Exchange.MAIN, Flags(0), 0).over(b"x" * 100)
    assert message[HEADER_OCTETS:] == b"x" * 100
    assert Header.decode(message[:HEADER_OCTETS]).length == 128
    assert not Header.decode(message[:HEADER_OCTETS]).encrypted


@given(st.binary(min_size=28, max_size=28))
def test_all_headers_survive(octets):
    assert Header.decode(octets).encode() == octets


def test_a_header_is_28_octets():
    for octets in (b"", QUICK[:-1], QUICK + b"\0"):
        with pytest.raises(DecodeError):
            Header.decode(octets)
    with pytest.raises(ValueError, match="initiator_cookie has 8 octets"):
        Header(b"short", NO_COOKIE, 0, VERSION_1, 2, Flags(0), 0).encode()
