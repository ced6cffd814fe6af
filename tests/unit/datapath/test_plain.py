# SPDX-License-Identifier: Apache-2.0
"""The common packet read in one go says the same as the long way, and declines whatever is not common."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop
from scapy.layers.ipsec import ESP
from scapy.packet import Raw

from ringfence.datapath.plain import plain_flow, plain_name
from ringfence.net.ip import flow_of, spi_of, view

V4, V6 = IP(src="192.0.2.1", dst="192.0.2.2"), IPv6(src="2001:db8::1", dst="2001:db8::2")


def key_of(packet):
    flow = flow_of(packet)
    return flow.source + flow.destination + flow.source_port.to_bytes(2) + flow.destination_port.to_bytes(2)


@pytest.mark.parametrize("packet", [V4 / UDP(sport=1, dport=2), V4 / TCP(sport=1), V6 / UDP(), V6 / TCP(dport=3)])
def test_the_key_is_the_flow(packet):
    octets = bytes(packet)
    assert plain_flow(octets) == (flow_of(octets).protocol, key_of(octets))
    assert plain_flow(octets + b"x") is None
    assert plain_flow(octets[:-1]) is None
    assert plain_name(octets) is None


@pytest.mark.parametrize("front", [V4, V6])
def test_the_name_is_destination_and_spi(front):
    octets = bytes(front / ESP(spi=0x12345678, seq=9, data=b"x" * 30))
    parts = view(octets)
    assert plain_name(octets) == parts.destination + spi_of(octets, parts).to_bytes(4)
    assert plain_name(octets + b"x") is None
    assert plain_name(octets[:-1]) is None


@pytest.mark.parametrize(
    "packet",
    [
        IP(src="192.0.2.1", dst="192.0.2.2", options=[IPOption_Router_Alert()]) / ESP(spi=0x500),
        IP(flags="MF") / ESP(spi=0x500), IP(frag=1, proto=50) / Raw(b"x" * 50), V6 / IPv6ExtHdrHopByHop() / ESP(),
        IP(flags="MF") / UDP(), IP(frag=1, proto=17) / Raw(b"x" * 50),
    ],
    ids=lambda packet: packet.summary(),
)  # fmt: skip
def test_what_is_not_common(packet):
    assert plain_name(bytes(packet)) is None
    plain = plain_flow(bytes(packet))
    assert plain is None or plain[0] == 0  # an extension header is no protocol that is cached


@settings(deadline=None)
@given(st.binary(max_size=60), st.sampled_from([b"", b"\x45", b"\x60"]))
def test_any_octets(octets, first):
    plain = plain_flow(first + octets)
    plain_name(first + octets)
    if plain is not None and plain[0] in (6, 17):
        assert view(first + octets) is not None
