# SPDX-License-Identifier: Apache-2.0
"""UDP encapsulation: what shares port 4500, checksums behind NAT, keepalives."""

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.packet import Raw

from ringfence.datapath.udp import Keepalives, is_ike, transport_packet
from ringfence.net.address import Endpoint, Path, parse_address

US, PEER = parse_address("192.0.2.1"), parse_address("198.51.100.9")
PATH = Path(Endpoint(US, 4500), Endpoint(PEER, 40123))
OTHER = Path(Endpoint(US, 4500), Endpoint(PEER, 40124))
PATH_V6 = Path(Endpoint(parse_address("2001:db8::1"), 4500), Endpoint(parse_address("2001:db8::9"), 4500))


def test_the_non_esp_marker():
    assert is_ike(bytes(4) + b"cookies")
    assert not is_ike(b"\0\0\1\0" + b"esp")
    assert not is_ike(b"\xff")
    assert not is_ike(b"\0\0")


@pytest.mark.parametrize("layer", [TCP(sport=1, dport=2), UDP(sport=1, dport=2)])
def test_a_checksum_made_for_other_addresses_is_made_right(layer):
    private = IP(src="10.0.0.7", dst="192.0.2.1") / layer / Raw(b"data")
    seen = IP(src="198.51.100.9", dst="192.0.2.1", id=0) / layer / Raw(b"data")
    assert transport_packet(PATH, private.proto, bytes(IP(bytes(private)).payload)) == bytes(seen)


def test_icmpv6_too_and_what_has_none_is_left_alone():
    private = IPv6(src="fd00::7", dst="2001:db8::1") / ICMPv6EchoRequest(data=b"data")
    seen = IPv6(src="2001:db8::9", dst="2001:db8::1") / ICMPv6EchoRequest(data=b"data")
    assert transport_packet(PATH_V6, 58, bytes(IPv6(bytes(private)).payload)) == bytes(seen)
    bare = IP(src="198.51.100.9", dst="192.0.2.1", id=0) / UDP(sport=1, dport=2, chksum=0) / Raw(b"data")
    assert transport_packet(PATH, 17, bytes(bare[UDP])) == bytes(bare)


def test_keepalives_come_after_silence():
    keepalives = Keepalives(20)
    assert keepalives.next_timer() is None
    keepalives.watch(PATH, 0.0)
    keepalives.watch(OTHER, 5.0)
    keepalives.watch(PATH, 9.0)  # watched already
    assert keepalives.next_timer() == 20.0
    keepalives.sent(PATH, 10.0)
    assert keepalives.due(20.0) == []
    assert keepalives.due(29.0) == [OTHER]
    assert keepalives.due(30.0) == [PATH]
    assert keepalives.next_timer() == 49.0
    keepalives.keep({PATH})
    keepalives.sent(OTHER, 30.0)
    assert keepalives.due(100.0) == [PATH]
