# SPDX-License-Identifier: Apache-2.0
"""AH: every suite on every kind of packet; what routers change is free, every other bit counts."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.crypto.suites import Authenticator, Integrity
from ringfence.databases.proposal import Protocol, Transform
from ringfence.datapath.ah import AhOpen, AhSeal, OpenedAh, overhead
from ringfence.datapath.verdict import Drop
from ringfence.errors import LegacyRefused
from ringfence.net.address import parse_address
from ringfence.testing.associations import AH_SUITES, make_sa

SHA1 = Transform(Protocol.AH, authenticator=Authenticator(Integrity.HMAC_SHA1_96))
SHA256 = Transform(Protocol.AH, authenticator=Authenticator(Integrity.HMAC_SHA256_128))
GMAC = Transform(Protocol.AH, authenticator=Authenticator(Integrity.AES_GMAC))
V4 = {"source": "192.0.2.1", "destination": "192.0.2.2"}
V6 = {"source": "2001:db8::1", "destination": "2001:db8::2"}

every_suite = pytest.mark.parametrize("suite", AH_SUITES, ids=str)
payloads = st.binary(max_size=200)

OPTIONS_V4 = [
    b"\x01", b"\x94\x04\0\0", b"\x82\x0b\0\0\0\0\0\0\0\0\0", b"\x85\x03\x01", b"\x86\x06\0\0\0\x01", b"\x95\x03\x01",
    b"\x44\x0c\x05\0\0\0\0\0\0\0\0\0", b"\x07\x07\x04\0\0\0\0", b"\x52\x0c\0\0\0\0\0\0\0\0\0\0", b"\x1e\x04\x01\x02",
    b"\x83\x07\x08\x0a\0\0\x01", b"\x89\x0b\x0c\x0a\0\0\x01\x0a\0\0\x02",
]  # fmt: skip
"""One of each class; the source routes have come to their end."""


def random(seed: int = 1):
    return Random(seed).randbytes


def ipv4(payload: bytes, options: bytes = b"", protocol: int = 17) -> bytes:
    options += bytes(-len(options) % 4)
    head = bytearray(20) + options
    head[0] = 0x40 | len(head) // 4
    head[1:10] = bytes([0xB9]) + (len(head) + len(payload)).to_bytes(2) + b"\x12\x34\x40\0" + bytes([63, protocol])
    head[12:20] = parse_address(V4["source"]) + parse_address(V4["destination"])
    head[10:12] = (-int.from_bytes(head) % 0xFFFF).to_bytes(2)
    return bytes(head) + payload


def ipv6(payload: bytes, *headers: tuple[int, bytes], protocol: int = 17) -> bytes:
    """``headers`` are numbers and contents without the first octet, which is the next one's number."""
    numbers = [number for number, _ in headers] + [protocol]
    chain = b"".join(bytes([after]) + content for (_, content), after in zip(headers, numbers[1:], strict=True))
    head = b"\x6b\x91\x23\x45" + (len(chain) + len(payload)).to_bytes(2) + bytes([numbers[0], 61])
    return head + parse_address(V6["source"]) + parse_address(V6["destination"]) + chain + payload


def options_v6(*options: bytes) -> bytes:
    """Length and options of a hop-by-hop or destination options header, filled up with one PadN."""
    body = b"".join(options)
    room = -(len(body) + 2) % 8
    body += b"" if not room else b"\0" if room == 1 else bytes([1, room - 2]) + bytes(room - 2)
    return bytes([(len(body) + 2) // 8 - 1]) + body


def route_v6(left: int, *stops: str, kind: int = 0) -> bytes:
    return bytes([len(stops) * 2, kind, left, 0, 0, 0, 0]) + b"".join(map(parse_address, stops))


@every_suite
@settings(max_examples=8, deadline=None)
@given(
    payload=payloads, options=st.lists(st.sampled_from(OPTIONS_V4), max_size=3), esn=st.booleans(), wide=st.booleans()
)
def test_round_trip_over_ipv4(suite, payload, options, esn, wide):
    sa = make_sa(replace(suite, esn=esn), align_64=wide, **V4)
    packet = ipv4(payload, b"".join(options))
    sealed = AhSeal(sa, random()).seal(packet)
    assert len(sealed) == len(packet) + overhead(sa)
    assert sealed[9] == 51
    assert AhOpen(sa).open(sealed) == OpenedAh(17, packet)


@every_suite
@settings(max_examples=8, deadline=None)
@given(payload=payloads, esn=st.booleans(), data=st.data())
def test_round_trip_over_ipv6(suite, payload, esn, data):
    sa = make_sa(replace(suite, esn=esn), **V6)
    headers = data.draw(st.lists(st.sampled_from([
        (0, options_v6(b"\x05\x02\0\0")), (0, options_v6(b"\x3e\x04abcd", b"\0")), (60, options_v6(b"\x1e\x03abc")),
        (43, route_v6(0, "2001:db8::7", "2001:db8::8")), (44, bytes(7)),
    ]), max_size=3))  # fmt: skip
    packet = ipv6(payload, *headers)
    sealed = AhSeal(sa, random()).seal(packet)
    assert len(sealed) == len(packet) + overhead(sa)
    assert overhead(sa) % 8 == 0
    assert AhOpen(sa).open(sealed)[1] == packet


def test_weak_algorithms_are_refused_unless_asked_for():
    weak = make_sa(Transform(Protocol.AH, authenticator=Authenticator(Integrity.HMAC_MD5_96)))
    for build in (lambda sa: AhSeal(sa, random()), AhOpen):
        build(weak)
        with pytest.raises(LegacyRefused):
            build(replace(weak, legacy=False))


@pytest.mark.parametrize("suite", [SHA1, SHA256, GMAC], ids=str)
def test_over_ipv4_every_bit_counts_but_those_that_routers_change(suite):
    packet = AhSeal(sa := make_sa(suite, **V4), random()).seal(ipv4(b"eight oc", OPTIONS_V4[1] + OPTIONS_V4[7]))
    mutable = {1, 6, 7, 8, 10, 11, *range(24, 31)}  # TOS, flags and offset, TTL, checksum, record route
    for bit in range(len(packet) * 8):
        bent = bytearray(packet)
        bent[bit // 8] ^= 1 << bit % 8
        outcome = AhOpen(sa).open(bytes(bent))
        if bit // 8 not in mutable:
            assert isinstance(outcome, Drop), bit
        elif bit // 8 in (6, 7) and (bit // 8, bit % 8) not in ((6, 6), (6, 7)):
            assert outcome is Drop.FRAGMENT
        elif bit // 8 not in (24, 25):  # an option whose type or length changed is another option
            assert isinstance(outcome, OpenedAh), bit


@pytest.mark.parametrize("suite", [SHA1, SHA256, GMAC], ids=str)
def test_over_ipv6_every_bit_counts_but_those_that_routers_change(suite):
    sa = make_sa(suite, **V6)
    packet = AhSeal(sa, random()).seal(ipv6(b"eight oc", (0, options_v6(b"\x3e\x04abcd", b"\x1e\x04abcd"))))
    mutable = {*range(1, 4), 7, *range(44, 48)}
    for bit in range(len(packet) * 8):
        bent = bytearray(packet)
        bent[bit // 8] ^= 1 << bit % 8
        outcome = AhOpen(sa).open(bytes(bent))
        if bit // 8 in mutable or bit < 4:  # the traffic class begins in the first octet
            assert isinstance(outcome, OpenedAh), bit
        else:
            assert isinstance(outcome, Drop), bit
