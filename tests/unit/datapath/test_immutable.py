# SPDX-License-Identifier: Apache-2.0
"""What AH sees of the headers in front of it: RFC 4302's appendix A, field by field, and headers that are none."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.datapath.immutable import Front, find_front, picture
from ringfence.datapath.verdict import Drop
from ringfence.net.address import parse_address

HEAD_V4 = bytes.fromhex("45b90054 1234 4000 3f11 abcd c0000201 c0000202")
HEAD_V6 = bytes.fromhex("6b912345 0000 33 3d") + parse_address("2001:db8::1") + parse_address("2001:db8::2")


def with_options(options: bytes) -> bytes:
    options += bytes(-len(options) % 4)
    return bytes([0x40 | 5 + len(options) // 4]) + HEAD_V4[1:] + options


def with_headers(first: int, chain: bytes) -> bytes:
    return HEAD_V6[:4] + len(chain).to_bytes(2) + bytes([first]) + HEAD_V6[7:] + chain


def test_ipv4_fields():
    assert picture(HEAD_V4, departing=True) == bytes.fromhex("45000054 1234 0000 0011 0000 c0000201 c0000202")


@pytest.mark.parametrize(
    ("option", "seen"),
    [
        # appendix A1: immutable
        ("94040000", "94040000"), ("820b0000000000000000ff", "820b0000000000000000ff"), ("850401ff", "850401ff"),
        ("860600000001", "860600000001"), ("950401ff", "950401ff"), ("01010101", "01010101"),
        # mutable: type and length are zeroed too
        ("44080500deadbeef", "0000000000000000"), ("070704c0000209", "00000000000000"),
        ("520c0000000000000000c0ff", "000000000000000000000000"), ("830704c0000209", "00000000000000"),
        # not listed: counts as mutable
        ("1e040102", "00000000"), ("0b04ffff", "00000000"),
        # what follows the end of the options is no option
        ("00940400", "00940400"),
    ],
)  # fmt: skip
def test_ipv4_options(option, seen):
    option, seen = bytes.fromhex(option), bytes.fromhex(seen)
    drawn = picture(with_options(b"\x01" + option), departing=False)
    assert drawn[20:] == (b"\x01" + seen).ljust(len(drawn) - 20, b"\0")


@pytest.mark.parametrize("kind", [131, 137])
def test_a_source_route_to_come_ends_at_the_receiver(kind):
    route = bytes([kind, 11, 4]) + parse_address("198.51.100.1") + parse_address("198.51.100.2")
    assert picture(with_options(route), departing=True)[16:20] == parse_address("198.51.100.2")
    assert picture(with_options(route), departing=False)[16:20] == HEAD_V4[16:20]
    ended = route[:2] + b"\x0c" + route[3:]
    assert picture(with_options(ended), departing=True)[16:20] == HEAD_V4[16:20]


@pytest.mark.parametrize("options", ["44", "4401", "4400", "44ff0000", "830204", "01010144", "8302"])
def test_ipv4_options_that_are_none(options):
    octets = bytes.fromhex(options)
    whole = bytes([0x40 | 5 + -(-len(octets) // 4)]) + HEAD_V4[1:] + octets.rjust(-(-len(octets) // 4) * 4, b"\x01")
    assert picture(whole, departing=True) is None


def test_ipv6_fields():
    assert picture(HEAD_V6, departing=True) == b"\x60\0\0\0" + HEAD_V6[4:7] + b"\0" + HEAD_V6[8:]


def test_ipv6_options_that_may_change_keep_type_and_length():
    options = bytes.fromhex("3302") + bytes.fromhex("3e04aabbccdd1e04aabbccdd00010001003e0200ff")
    options = options.ljust(24, b"\0")
    for number in (0, 60):
        drawn = picture(with_headers(number, options), departing=True)
        assert drawn[40:] == options.replace(b"\x3e\x04\xaa\xbb\xcc\xdd", b"\x3e\x04\0\0\0\0").replace(
            b"\x3e\x02\0\xff", b"\x3e\x02\0\0"
        )


@pytest.mark.parametrize("options", ["33 00 050500000000", "33 00 010200003e01", "33 00 00000000003e"])
def test_ipv6_options_that_are_none(options):
    """Longer than the header that they stand in, or without a length."""
    assert picture(with_headers(0, bytes.fromhex(options)), departing=True) is None


STOPS = ["2001:db8::7", "2001:db8::8", "2001:db8::9"]


@pytest.mark.parametrize(("left", "kind"), [(3, 0), (2, 0), (1, 0), (0, 0), (1, 2)])
def test_a_routing_header_is_seen_as_at_its_last_stop(left, kind):
    """Drive it through its stops as RFC 8200 §4.4 says, and compare with what was foretold at the start."""
    stops = STOPS[:1] if kind == 2 else STOPS
    packet = bytearray(with_headers(43, bytes([51, 2 * len(stops), kind, left]) + bytes(4)))
    packet += b"".join(map(parse_address, stops))
    foretold = picture(bytes(packet), departing=True)
    for back in range(left, 0, -1):
        at = len(packet) - back * 16
        packet[24:40], packet[at : at + 16] = packet[at : at + 16], packet[24:40]
        packet[43] -= 1
    packet[7] -= left
    assert picture(bytes(packet), departing=False) == foretold


@pytest.mark.parametrize(("left", "kind", "words"), [(1, 4, 2), (2, 0, 2), (255, 0, 2), (1, 0, 0)])
def test_a_route_that_nobody_can_foretell(left, kind, words):
    chain = bytes([51, words, kind, left]) + bytes(4 + 8 * words)
    assert picture(with_headers(43, chain), departing=True) is None


def chain_of(*numbers: int) -> bytes:
    """IPv6 extension headers of 8 octets each; the last number is that of what follows them."""
    body = b"".join(
        bytes([after, 0]) + (b"\0\0" if number in (43, 44) else b"\x01\x04") + bytes(4)
        for number, after in pairwise(numbers)
    )
    return with_headers(numbers[0], body)


@pytest.mark.parametrize(
    ("numbers", "passed"),
    [
        ((17,), 0), ((0, 17), 1), ((0, 43, 17), 2), ((0, 43, 44, 17), 3), ((60, 17), 0), ((0, 60, 17), 1),
        ((0, 60, 43, 17), 3), ((0, 60, 43, 60, 17), 3), ((43, 60, 17), 1), ((44, 60, 17), 1), ((51,), 0), ((50,), 0),
    ],
)  # fmt: skip
def test_where_ah_goes(numbers, passed):
    """Behind what routers and stops on the way look at; options for the receiver alone stay behind it."""
    packet = chain_of(*numbers)
    assert find_front(packet, with_ah=False) == Front(
        40 + 8 * passed, 6 if not passed else 32 + 8 * passed, len(packet)
    )


@pytest.mark.parametrize("numbers", [(51,), (0, 51), (60, 51), (0, 60, 43, 44, 60, 51)])
def test_where_ah_is_found(numbers):
    packet = chain_of(*numbers)
    assert find_front(packet, with_ah=True).end == len(packet)


def test_fragments_are_told_apart():
    assert find_front(HEAD_V4[:6] + b"\x20\0" + HEAD_V4[8:] + bytes(64), with_ah=False) is Drop.FRAGMENT
    assert find_front(HEAD_V4[:6] + b"\0\x07" + HEAD_V4[8:] + bytes(64), with_ah=False) is Drop.FRAGMENT
    for bits, outcome in ((b"\0\x01", Drop.FRAGMENT), (b"\0\x08", Drop.FRAGMENT), (b"\0\0", None)):
        found = find_front(with_headers(44, b"\x11\0" + bits + bytes(4)), with_ah=False)
        assert found is outcome if outcome else found.end == 48


@pytest.mark.parametrize(
    "packet",
    [
        b"", b"\x45", b"\x60" * 39, b"\x55" * 60, HEAD_V4, HEAD_V4 + bytes(63), b"\x44" + HEAD_V4[1:] + bytes(64),
        b"\x4f" + HEAD_V4[1:] + bytes(30), HEAD_V4[:2] + b"\0\x13" + HEAD_V4[4:] + bytes(64),
        with_headers(0, b"\x33\x01" + bytes(6)), with_headers(0, b"\x33"), with_headers(17, bytes(8))[:-1],
        with_headers(60, bytes(7)), with_headers(44, bytes(4)),
    ],
)  # fmt: skip
def test_packets_that_are_none(packet):
    assert find_front(packet, with_ah=False) in (Drop.MALFORMED, Drop.TOO_SHORT)
    assert find_front(packet, with_ah=True) in (Drop.MALFORMED, Drop.TOO_SHORT)


@given(
    st.binary(max_size=120),
    st.sampled_from([b"\x45\0\0\x30", b"\x4a\0\0\x40", b"\x60\0\0\0\0\x10\0\x40", b""]),
    st.booleans(),
)
def test_nothing_raises(noise, begin, with_ah):
    packet = begin + noise
    front = find_front(packet, with_ah=with_ah)
    if not isinstance(front, Drop):
        assert front.end <= front.whole <= len(packet)
        for departing in (True, False):
            drawn = picture(packet[: front.end], departing=departing)
            assert drawn is None or len(drawn) == front.end
