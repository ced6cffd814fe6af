# SPDX-License-Identifier: Apache-2.0
"""Messages in pieces: cut, opened, put together, and what is none of that."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.ike.v2.test_keys import CBC, ENDS, GCM, SECRET

from ringfence.databases.pad import PadEntry
from ringfence.ike.dispatch import header_of
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.v2.channel import Frame, decrypted
from ringfence.ike.v2.fragment import (
    MOST_OCTETS,
    MOST_PIECES,
    NARROW_OCTETS,
    WIDE_OCTETS,
    Gathering,
    Piece,
    Pieces,
    announcement,
    cut,
    is_piece,
    open_piece,
)
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import VendorPayload
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

FRAME = Frame((ENDS.initiator_spi, ENDS.responder_spi), Kind.IKE_AUTH, 1, initiator=True, response=False)
PATH, PATH6 = path_between("192.0.2.1", "192.0.2.2"), path_between("2001:db8::1", "2001:db8::2")
KEYS = {suite: derive(suite, SECRET, ENDS) for suite in (CBC, GCM)}
AROUND = {4: 20 + 8 + 4, 16: 40 + 8 + 4}


def protection(suite=GCM):
    return KEYS[suite].protection(initiator=True)


def pieces_of(octets, most=WIDE_OCTETS, suite=GCM, path=PATH):
    said = (VendorPayload(bytes(number % 251 for number in range(octets))),)
    return said, cut(FRAME, said, protection(suite), SeededRandom(0), path, most)


def taken(pieces, datagram, suite=GCM):
    return pieces.take(header_of(datagram), open_piece(datagram, protection(suite)), len(datagram))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 20000), st.sampled_from([CBC, GCM]), st.sampled_from([PATH, PATH6]), st.booleans(), st.randoms())
def test_what_is_cut_comes_together_in_any_order_and_no_packet_is_larger(octets, suite, path, narrow, random):
    most = NARROW_OCTETS[len(path.local.address)] if narrow else WIDE_OCTETS
    said, found = pieces_of(octets, most, suite, path)
    if len(found) == 1:
        assert not is_piece(header_of(found[0]))
        return
    assert all(len(each) + AROUND[len(path.local.address)] <= most for each in found)
    pieces, shuffled = Pieces(), [*found, found[0], found[-1]]
    random.shuffle(shuffled)
    whole = None
    for datagram in shuffled:
        assert is_piece(header_of(datagram))
        try:
            whole = whole or taken(pieces, datagram, suite)
        except Gathering:
            continue
    assert tuple(decrypted(*whole)) == said


def test_only_the_first_piece_says_what_comes_first():
    """RFC 7383 §2.5."""
    _, found = pieces_of(5000)
    opened = [open_piece(each, protection()) for each in found]
    assert [(one.number, one.total, one.first) for one in opened] == [
        (number, 5, VendorPayload.NUMBER if number == 1 else 0) for number in range(1, 6)
    ]
    heads = {datagram[:16] + datagram[17:24] for datagram in found}
    assert len(heads) == 1, "the header is that of the whole"


def test_a_message_that_fits_or_would_be_too_many_is_sent_whole():
    assert len(pieces_of(1000)[1]) == 1
    assert len(pieces_of(MOST_PIECES * 480, 576)[1]) == MOST_PIECES
    assert len(pieces_of(MOST_PIECES * 576, 576)[1]) == 1


@pytest.mark.parametrize("at", [16, 20, 27, 28, 31, 33, 35, 40, -1])
def test_a_changed_octet_anywhere_is_seen(at):
    """Also in the numbers, which stand in clear: nobody else can put a message together otherwise."""
    for datagram in pieces_of(3000)[1]:
        changed = bytearray(datagram)
        changed[at] ^= 1
        with pytest.raises(Ignored) as raised:
            open_piece(bytes(changed), protection())
        assert not isinstance(raised.value, Gathering)


@pytest.mark.parametrize("datagram", [b"", bytes(27), bytes(31), bytes(60)])
def test_what_is_no_piece(datagram):
    with pytest.raises(Ignored) as raised:
        open_piece(datagram, protection())
    assert raised.value.reason is Reason.MALFORMED


def test_smaller_pieces_take_the_place_of_larger_ones():
    """RFC 7383 §2.6: never the other way round."""
    said, wide = pieces_of(3000)
    _, narrow = pieces_of(3000, 576)
    pieces = Pieces()
    for datagram in (wide[0], narrow[0]):
        with pytest.raises(Gathering):
            taken(pieces, datagram)
    with pytest.raises(Ignored, match="smaller ones by now"):
        taken(pieces, wide[1])
    for datagram in narrow[1:-1]:
        with pytest.raises(Gathering):
            taken(pieces, datagram)
    assert tuple(decrypted(*taken(pieces, narrow[-1]))) == said


def test_one_message_at_a_time_is_kept_and_not_too_much_of_it():
    header = header_of(pieces_of(3000)[1][0])
    pieces = Pieces()
    with pytest.raises(Gathering):
        pieces.take(header, Piece(1, 3, 43, b"x"), 1)
    assert len(pieces.parts) == 1
    share = MOST_OCTETS // 2 + 1
    with pytest.raises(Gathering):
        pieces.take(header, Piece(2, 4, 0, bytes(share)), share)
    with pytest.raises(Ignored, match="more than") as raised:
        pieces.take(header, Piece(3, 4, 0, bytes(share)), share)
    assert not isinstance(raised.value, Gathering)
    assert not pieces.parts


def test_it_is_announced_where_the_policy_lets_messages_go_in_pieces():
    (entry,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
    (said,) = announcement((entry,))
    assert (said.kind, said.data) == (Notify.IKEV2_FRAGMENTATION_SUPPORTED, b"")
    off = PadEntry(entry.name, entry.ends, entry.auth, entry.proposals, entry.origin, fragmentation=False)
    assert announcement((off,)) == ()
