# SPDX-License-Identifier: Apache-2.0
"""Fragments, cut as scapy cuts them and made whole in any order; hostile ones refused."""

from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP, IPOption, IPOption_Router_Alert, IPOption_RR
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    defragment6,
)
from scapy.packet import Raw

from ringfence.net.fragment import Fate, Reassembler, ReassemblyLimits, fragment
from ringfence.net.ip import view

DATA = Random(1).randbytes(4000)
V4 = IP(src="192.0.2.1", dst="192.0.2.2", id=77) / UDP(sport=1, dport=2) / Raw(DATA)
V4_OPTIONS = IP(
    src="192.0.2.1", dst="192.0.2.2", id=78,
    options=[IPOption_Router_Alert(), IPOption(b"\x01"), IPOption_RR(pointer=4, routers=["0.0.0.0"] * 2)],
) / UDP(sport=1, dport=2) / Raw(DATA)  # fmt: skip
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP(sport=1, dport=2) / Raw(DATA)
V6_HEADERS = (
    IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop()
    / IPv6ExtHdrRouting(addresses=["2001:db8::9"], segleft=0) / IPv6ExtHdrDestOpt() / UDP(sport=1, dport=2) / Raw(DATA)
)  # fmt: skip
PACKETS = {"v4": V4, "v4 options": V4_OPTIONS, "v6": V6, "v6 headers": V6_HEADERS}
every_packet = pytest.mark.parametrize("packet", [bytes(packet) for packet in PACKETS.values()], ids=PACKETS)


def cut(packet, mtu=1280):
    return fragment(packet, mtu, count(1000).__next__)


def put_together(reassembler, pieces, now=0.0):
    return [reassembler.add(piece, view(piece), now) for piece in pieces]


@every_packet
@pytest.mark.parametrize("mtu", [576, 1280, 1500])
def test_pieces_fit_and_become_the_packet_again(packet, mtu):
    pieces = cut(packet, mtu)
    assert len(pieces) > 2
    assert max(map(len, pieces)) <= mtu
    assert all(view(piece).is_fragment for piece in pieces)
    for order in (pieces, pieces[::-1], pieces[1:] + pieces[:1]):
        reassembler = Reassembler()
        *kept, whole = put_together(reassembler, order)
        assert kept == [Fate.KEPT] * (len(pieces) - 1)
        assert whole == packet
        assert (len(reassembler), reassembler.octets) == (0, 0)


@every_packet
def test_what_fits_stays_whole(packet):
    assert cut(packet, len(packet)) == [packet]
    assert Reassembler().add(packet, view(packet), 0.0) == packet


def test_ipv4_pieces_are_scapys():
    pieces = [IP(piece) for piece in cut(bytes(V4), 1500)]
    assert [bytes(piece) for piece in pieces] == [bytes(piece) for piece in V4.fragment(fragsize=1480)]


def test_only_options_with_the_copied_bit_go_along():
    first, *later = [IP(piece) for piece in cut(bytes(V4_OPTIONS), 576)]
    assert [option.option for option in first.options] == [20, 1, 7]
    for piece in later:
        assert [option.option for option in piece.options] == [20]
        assert piece.chksum == IP(bytes(piece)[:8] + bytes(piece)[8:]).chksum
        del piece.chksum
    assert [bytes(piece) for piece in later] == cut(bytes(V4_OPTIONS), 576)[1:]


def test_ipv6_pieces_are_put_together_by_scapy():
    for packet in (V6, V6_HEADERS):
        pieces = [IPv6(piece) for piece in cut(bytes(packet))]
        assert {piece[IPv6ExtHdrFragment].id for piece in pieces} == {1000}
        assert bytes(defragment6(pieces)) == bytes(packet)
    assert [IPv6ExtHdrFragment in piece and piece[IPv6ExtHdrRouting].nh for piece in pieces] == [44] * len(pieces)


def test_a_fragment_is_cut_again_in_ipv4_only():
    piece = cut(bytes(V4), 1500)[1]
    again = cut(piece, 576)
    assert len(again) > 1
    *_, whole = put_together(Reassembler(), [cut(bytes(V4), 1500)[0], *again, *cut(bytes(V4), 1500)[2:]])
    assert whole == bytes(V4)
    piece = cut(bytes(V6), 1500)[1]
    assert cut(piece, 1280) == [piece]


@pytest.mark.parametrize("packet", [bytes(V4), bytes(V6)])
def test_no_room_for_a_piece(packet):
    assert cut(packet, 24 if packet[0] == 0x45 else 50) == [packet]


def test_what_is_no_packet_is_not_cut():
    assert cut(b"x" * 2000) == [b"x" * 2000]


@every_packet
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_any_order_with_duplicates(packet, data):
    pieces = cut(packet, data.draw(st.sampled_from([600, 1280])))
    order = data.draw(st.permutations(pieces + pieces[:2]))
    reassembler = Reassembler()
    results = put_together(reassembler, order)
    assert results.count(packet) == 1
    assert Fate.REFUSED not in results


def piece_v4(offset, payload, more=True, number=9):
    flags = "MF" if more else 0
    return bytes(IP(src="192.0.2.1", dst="192.0.2.2", id=number, proto=17, flags=flags, frag=offset // 8) / payload)


def piece_v6(offset, payload, more=True, number=9):
    return bytes(
        IPv6(src="2001:db8::1", dst="2001:db8::2")
        / IPv6ExtHdrFragment(nh=17, offset=offset // 8, m=more, id=number)
        / payload
    )


@pytest.mark.parametrize("make", [piece_v4, piece_v6])
@pytest.mark.parametrize(
    "pieces",
    [
        [(0, b"a" * 16, True), (8, b"b" * 16, False)],
        [(8, b"b" * 16, False), (0, b"a" * 16, True)],
        [(0, b"a" * 16, True), (0, b"b" * 16, True)],
        [(0, b"a" * 32, True), (8, b"b" * 8, True)],
        [(16, b"a" * 8, False), (0, b"b" * 8, True), (8, b"c" * 16, True)],
        [(16, b"a" * 8, False), (24, b"b" * 8, True)],
        [(16, b"a" * 8, False), (24, b"b" * 8, False)],
        [(24, b"a" * 8, True), (8, b"b" * 8, False)],
    ],
    ids=["end", "begin", "same place", "inside", "over the end", "behind the end", "two ends", "end before"],
)
def test_fragments_that_contradict_end_their_packet(make, pieces):
    reassembler = Reassembler()
    results = put_together(reassembler, [make(*piece) for piece in pieces])
    assert results[-1] is Fate.REFUSED
    assert reassembler.octets == 0
    rest = [make(0, b"a" * 8), make(8, b"b" * 8), make(16, b"c" * 8, False)]
    assert put_together(reassembler, rest) == [Fate.REFUSED] * 3
    assert put_together(reassembler, [make(0, b"a" * 8, True, 10), make(8, b"b", False, 10)])[1] is not Fate.REFUSED


@pytest.mark.parametrize("make", [piece_v4, piece_v6])
def test_pieces_of_wrong_sizes(make):
    for piece in (make(0, b"a" * 9), make(8, b"", False), make(65528, b"a" * 64, False)):
        assert Reassembler().add(piece, view(piece), 0.0) is Fate.REFUSED


def test_a_packet_that_would_be_too_long():
    reassembler = Reassembler()
    pieces = [piece_v4(at, b"a" * 8192) for at in range(0, 57344, 8192)]
    last = piece_v4(57344, b"a" * 8180, False)
    assert put_together(reassembler, [*pieces, last])[-1] is Fate.REFUSED


def test_an_atomic_fragment_needs_nothing_else():
    whole = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop() / UDP(sport=1, dport=2) / b"abc")
    atomic = IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop() / IPv6ExtHdrFragment(id=5)
    packet = bytes(atomic / whole[48:])
    packet = packet[:48] + b"\x11" + packet[49:]
    assert Reassembler().add(packet, view(packet), 0.0) == whole


def test_what_waits_is_forgotten_in_time():
    reassembler = Reassembler(ReassemblyLimits(seconds=30))
    first, second = piece_v4(0, b"a" * 8), piece_v4(0, b"a" * 8, True, 10)
    put_together(reassembler, [first], 0.0)
    put_together(reassembler, [second], 5.0)
    assert reassembler.next_timer() == 30.0
    assert reassembler.tick(29.9) == 0
    assert reassembler.tick(30.0) == 1
    assert (reassembler.next_timer(), reassembler.octets) == (35.0, 8)
    late = piece_v4(8, b"b" * 8, False, 10)
    assert put_together(reassembler, [late], 36.0) == [Fate.KEPT]  # what it belongs to is over, ticked or not
    assert reassembler.tick(100.0) == 1
    assert (len(reassembler), reassembler.octets, reassembler.next_timer()) == (0, 0, None)


def test_what_waits_is_bounded():
    reassembler = Reassembler(ReassemblyLimits(packets=4, octets=100, pieces=3))
    for number in range(1, 20):
        put_together(reassembler, [piece_v4(0, b"a" * 8, True, number)])
    assert (len(reassembler), reassembler.octets) == (4, 32)
    put_together(reassembler, [piece_v4(0, b"a" * 88, True, 30)])
    assert reassembler.octets <= 100
    assert len(reassembler) == 2  # the oldest went first
    put_together(reassembler, [piece_v4(0, b"a" * 104, True, 31)])
    assert len(reassembler) == 0
    pieces = [piece_v4(at, b"a" * 8, True, 40) for at in range(0, 32, 8)]
    assert put_together(reassembler, pieces)[-1] is Fate.REFUSED


@pytest.mark.parametrize("options", [b"\x94\0\0\0", b"\x94\xff\0\0", b"\1\1\1\x94", b"\0\x94\4\0"])
def test_options_that_are_none(options):
    packet = b"\x46\0" + (1424).to_bytes(2) + bytes(V4)[4:20] + options + bytes(1400)
    pieces = cut(packet, 600)
    assert max(map(len, pieces)) <= 600
    assert all(view(piece) is not None for piece in pieces)
    assert put_together(Reassembler(), pieces)[-1][20:] == packet[20:]
