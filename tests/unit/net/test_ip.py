# SPDX-License-Identifier: Apache-2.0
"""Headers and flows, held to scapy's; octets that are no packet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.ipsec import AH, ESP
from scapy.layers.sctp import SCTP
from scapy.packet import Raw

from ringfence.net.address import parse_address
from ringfence.net.flow import FlowKey
from ringfence.net.ip import (
    MOST_HEADERS,
    build,
    build_v4,
    build_v6,
    fitted,
    fix_header_checksum,
    flow_of,
    may_fragment,
    spi_of,
    traffic_class,
    view,
    with_traffic_class,
)

A4, B4, A6, B6 = map(parse_address, ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"))
V4 = IP(src="192.0.2.1", dst="192.0.2.2")
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
OPTIONS = IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(addresses=["2001:db8::9"], segleft=0)

FLOWS = [
    (V4 / TCP(sport=1025, dport=80), (6, 1025, 80)),
    (V4 / UDP(sport=53, dport=54), (17, 53, 54)),
    (V4 / SCTP(sport=9, dport=10), (132, 9, 10)),
    (V4 / ICMP(type=8, code=0), (1, 0x800, 0x800)),
    (V4 / ICMP(type=3, code=4), (1, 0x304, 0x304)),
    (V4 / ESP(spi=0x1234, seq=1, data=b"1234"), (50, None, None)),
    (V4 / AH(spi=0x1234, icv=b"1" * 12) / UDP(), (51, None, None)),
    (IP(src="192.0.2.1", dst="192.0.2.2", options=[IPOption_Router_Alert()]) / UDP(sport=1, dport=2), (17, 1, 2)),
    (V6 / TCP(sport=1025, dport=80), (6, 1025, 80)),
    (V6 / ICMPv6EchoRequest(), (58, 0x8000, 0x8000)),
    (V6 / OPTIONS / UDP(sport=1, dport=2), (17, 1, 2)),
    (V6 / IPv6ExtHdrFragment(offset=0, m=1) / UDP(sport=1, dport=2), (17, 1, 2)),
    (V6 / IPv6ExtHdrFragment(offset=2, m=1, nh=17) / Raw(b"12345678"), (17, None, None)),
    (IP(src="192.0.2.1", dst="192.0.2.2", frag=3, proto=6) / Raw(b"12345678"), (6, None, None)),
    (V6 / OPTIONS / ESP(spi=9, seq=1, data=b"1234"), (50, None, None)),
    (IPv6(src="2001:db8::1", dst="2001:db8::2", nh=59), (59, None, None)),
    (IPv6(src="2001:db8::1", dst="2001:db8::2", nh=135) / Raw(b"\x3b\0\5\0\0\0\0\0"), (135, 0x500, 0x500)),
]


@pytest.mark.parametrize(("packet", "expected"), FLOWS, ids=[packet.summary()[:60] for packet, _ in FLOWS])
def test_the_flow_is_what_a_policy_can_see(packet, expected):
    ends = (A6, B6) if packet.version == 6 else (A4, B4)
    assert flow_of(bytes(packet)) == FlowKey(*ends, *expected)
    assert flow_of(bytes(packet) + b"padding of a short frame") == FlowKey(*ends, *expected)


def test_where_the_parts_stand():
    parts = view(bytes(V6 / OPTIONS / ESP(spi=0x55, seq=1, data=b"1234")))
    assert (parts.version, parts.protocol, parts.at, parts.next_at) == (6, 50, 80, 56)
    assert not parts.is_fragment
    packet = bytes(V6 / IPv6ExtHdrFragment(offset=4, m=1, nh=50) / Raw(b"12345678"))
    parts = view(packet)
    assert (parts.offset, parts.more, parts.fragment_at, parts.is_fragment) == (32, True, 40, True)
    assert spi_of(packet, parts) == 0
    first = view(bytes(IP(src="192.0.2.1", dst="192.0.2.2", flags="MF") / UDP()))
    assert first.is_fragment
    assert first.offset == 0


@pytest.mark.parametrize("packet", [V4 / ESP(spi=0xABCD, seq=1), V4 / AH(spi=0xABCD), V6 / OPTIONS / AH(spi=0xABCD)])
def test_the_spi(packet):
    assert spi_of(bytes(packet), view(bytes(packet))) == 0xABCD


BAD = {
    "nothing": b"", "version 5": b"\x55" + bytes(30), "short v4": bytes(V4)[:19], "short v6": bytes(V6)[:39],
    "header of 4 octets": b"\x41" + bytes(V4)[1:], "header longer than the packet": b"\x4f" + bytes(V4)[1:],
    "length of zero": bytes(V4)[:2] + b"\0\0" + bytes(V4)[4:],
    "v4 cut off": bytes(V4 / UDP())[:-1], "v6 cut off": bytes(V6 / UDP())[:-1],
    "no room for ports": bytes(V4 / Raw(b"123"))[:9] + b"\x11" + bytes(V4 / Raw(b"123"))[10:],
    "no room for a kind": bytes(IPv6(nh=58) / Raw(b"1")),
    "options run out": bytes(IPv6(nh=0) / Raw(b"\x11\x05" + bytes(14))),
    "options cut off": bytes(IPv6(nh=60) / Raw(b"\x11\0\0\0")),
    "two fragment headers": bytes(IPv6() / IPv6ExtHdrFragment(m=0) / IPv6ExtHdrFragment(m=0) / UDP()),
    "headers without end": bytes(IPv6(nh=60) / Raw((b"\x3c\0" + bytes(6)) * (MOST_HEADERS + 1))),
}  # fmt: skip


@pytest.mark.parametrize("packet", BAD.values(), ids=BAD)
def test_what_is_no_packet_has_no_flow(packet):
    assert flow_of(packet) is None


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=120), st.sampled_from([b"", b"\x45", b"\x46", b"\x60", bytes(V6)[:40], bytes(V4)[:20]]))
def test_no_octets_raise(octets, front):
    flow_of(front + octets)
    flow_of(octets[: len(octets) // 2])


def test_headers_are_scapys():
    ours = build_v4(A4, B4, 17, 3, ttl=9, tos=0x2A, dont_fragment=True, identification=77) + b"abc"
    assert ours == bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=17, ttl=9, tos=0x2A, flags="DF", id=77) / b"abc")
    ours = build_v6(A6, B6, 17, 3, hop_limit=9, traffic_class=0x2A, flow_label=0x12345) + b"abc"
    assert ours == bytes(IPv6(src="2001:db8::1", dst="2001:db8::2", nh=17, hlim=9, tc=0x2A, fl=0x12345) / b"abc")
    assert build(A4, B4, 99, b"x") == bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=99, id=0) / b"x")
    assert build(A6, B6, 99, b"x") == bytes(IPv6(src="2001:db8::1", dst="2001:db8::2", nh=99) / b"x")


@pytest.mark.parametrize("old", [0, 0x2A, 0xFF])
@pytest.mark.parametrize("new", [0, 3, 0xB8, 0xFF])
def test_another_traffic_class(old, new):
    v4, v6 = V4.copy() / UDP(), V6.copy() / UDP()
    v4.tos = v6.tc = old
    v6.fl = 0xABCDE
    before = bytes(v4), bytes(v6)
    v4.tos = v6.tc = new
    assert [with_traffic_class(packet, new) for packet in before] == [bytes(v4), bytes(v6)]
    assert [traffic_class(packet) for packet in before] == [old, old]


def test_a_header_made_to_fit():
    packet = IP(src="192.0.2.1", dst="192.0.2.2", options=[IPOption_Router_Alert()], proto=17, id=5) / b"abcd"
    sealed = packet.copy()
    sealed.proto = 50
    assert fitted(bytes(packet)[:24], 9, 50, 28) + b"abcd" == bytes(sealed)
    assert fix_header_checksum(bytes(packet)[:10] + b"\xde\xad" + bytes(packet)[12:]) == bytes(packet)
    longer = IPv6(bytes(V6 / OPTIONS / UDP()))
    assert fitted(bytes(longer)[:80], 56, 50, 180)[4:6] == (140).to_bytes(2)


def test_only_ipv4_without_df_may_be_cut_on_its_way():
    assert may_fragment(bytes(V4))
    assert not may_fragment(bytes(IP(flags="DF")))
    assert not may_fragment(bytes(V6))
