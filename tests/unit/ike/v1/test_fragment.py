# SPDX-License-Identifier: Apache-2.0
"""Messages cut and joined: the octets, every order, every bound."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import HEADER_OCTETS, Exchange, Flags, Header
from ringfence.ike.v1.fragment import FRAGMENT, LASTS_S, MOST_MESSAGES, MOST_OCTETS, MOST_PARTS, Piece, Pieces, cut
from ringfence.testing.network import path_between

PATH, PATH_6 = path_between("192.0.2.1", "192.0.2.2"), path_between("2001:db8::1", "2001:db8::2")
HEADER = Header(b"initiate", b"response", 5, 0x10, Exchange.MAIN, Flags.ENCRYPTED, 7)
AROUND = 20 + 8 + 4
CLEAR = Flags(0)


def message(octets):
    return HEADER.over(bytes(number % 251 for number in range(octets - HEADER_OCTETS)))


def piece(number, data=b"data", *, last=False, message=1, flags=CLEAR, next_payload=0, behind=b""):
    body = bytes([next_payload, 0]) + (8 + len(data)).to_bytes(2) + Piece(message, number, int(last), data).encode()
    header = Header(b"initiate", b"response", FRAGMENT, 0x10, Exchange.MAIN, flags, 7)
    return header.over(body + behind)


def take(pieces, datagram, now=0.0):
    return pieces.take(Header.decode(datagram[:HEADER_OCTETS]), datagram, now)


def test_the_octets_of_a_piece():
    first, second = cut(message(600), 0x0102, PATH, 576)
    assert len(first) == 576 - AROUND, "with IP, UDP and the marker of port 4500 the packet has 576 octets"
    header = Header.decode(first[:HEADER_OCTETS])
    assert (header.next_payload, header.flags, header.message_id, header.length) == (132, 0, 7, len(first))
    assert first[28:36] == bytes([0, 0]) + (len(first) - 28).to_bytes(2) + b"\x01\x02\x01\x00"
    assert first[36:] == message(600)[: len(first) - 36], "the header of the whole is in it"
    assert second[32:36] == b"\x01\x02\x02\x01"


def test_only_what_is_too_large_is_cut():
    assert cut(message(576 - AROUND), 1, PATH, 576) == [message(576 - AROUND)]
    assert len(cut(message(577 - AROUND), 1, PATH, 576)) == 2
    assert len(cut(message(1300), 1, PATH, 1280)) == 3, "into small pieces, once it is"
    assert [len(one) for one in cut(message(1300), 1, PATH_6, 1280)] == [1228, 144]
    assert cut(message(40000), 1, PATH, 576) == [message(40000)], "in too many pieces nobody would take it"


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_order_and_any_doubles_make_the_whole(data):
    whole = message(data.draw(st.integers(1300, 9000)))
    sent = cut(whole, data.draw(st.integers(1, 0xFFFF)), PATH, 576)
    order = data.draw(st.permutations(sent))
    doubles = data.draw(st.lists(st.sampled_from(order[:-1]), max_size=5))
    pieces = Pieces()
    for one in [*order[:-1], *doubles]:
        assert take(pieces, one) is None
    assert take(pieces, order[-1]) == whole
    assert len(pieces) == 0


@pytest.mark.parametrize(
    "datagram",
    [
        piece(0),
        piece(MOST_PARTS + 1),
        piece(1, b""),
        piece(1, flags=Flags.ENCRYPTED),
        piece(1, next_payload=13),
        piece(1, behind=b"more"),
        piece(1)[: HEADER_OCTETS + 6],
        piece(1)[:HEADER_OCTETS],
    ],
)
def test_what_is_no_piece(datagram):
    pieces = Pieces()
    with pytest.raises(Ignored) as error:
        take(pieces, datagram)
    assert error.value.reason is Reason.MALFORMED
    assert len(pieces) == 0


@pytest.mark.parametrize(
    "row",
    [
        (piece(3, last=True), piece(4)),
        (piece(3), piece(2, last=True)),
        (piece(2, last=True), piece(3, last=True)),
    ],
)
def test_pieces_that_do_not_fit_are_all_forgotten(row):
    pieces = Pieces()
    assert take(pieces, row[0]) is None
    with pytest.raises(Ignored, match="do not fit"):
        take(pieces, row[1])
    assert len(pieces) == 0


def test_the_first_of_two_with_one_number_counts():
    pieces = Pieces()
    take(pieces, piece(1, b"first"))
    take(pieces, piece(1, b"other"))
    assert take(pieces, piece(2, b" and last", last=True)) == b"first and last"


def test_what_is_kept_is_bounded_in_number_size_and_time():
    pieces = Pieces()
    for number in range(1, 10):
        take(pieces, piece(1, message=number))
        assert len(pieces) <= MOST_MESSAGES
    take(pieces, piece(2, message=9, last=True))
    pieces = Pieces()
    for number in range(1, 11):
        take(pieces, piece(number, bytes(MOST_OCTETS // 10)))
    with pytest.raises(Ignored, match="more than 32768 octets"):
        take(pieces, piece(11, bytes(MOST_OCTETS // 10)))
    assert len(pieces) == 0
    take(pieces, piece(1))
    assert take(pieces, piece(2, last=True), LASTS_S) is None, "too late"
