# SPDX-License-Identifier: Apache-2.0
"""Captures that scapy wrote, of several kinds of link."""

import random
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Dot1Q, Ether
from scapy.packet import Packet, Raw
from scapy.utils import wrpcap

from ringfence.capture.packets import conversations, ip_packets
from ringfence.capture.pcap import BadCapture
from ringfence.net.conversation import Conversation

A, B = {"src": "10.0.0.1", "dst": "10.0.0.2"}, {"src": "10.0.0.2", "dst": "10.0.0.1"}
SIX = {"src": "fd00::1", "dst": "fd00::2"}


def seen(packets: Sequence[Packet]) -> list[str]:
    """The conversations, marked where nobody answered."""
    return [shown(one) for one in conversations(bytes(packet) for packet in packets)]


def shown(one: Conversation) -> str:
    return f"{one.asks}{'' if one.answered else ' ?'}"


@pytest.mark.parametrize(
    "link", [Ether(), Ether() / Dot1Q(vlan=7), Ether() / Dot1Q() / Dot1Q(), CookedLinux(), CookedLinuxV2(), None]
)
def test_each_link_and_both_families(link: Packet | None, tmp_path: Path) -> None:
    inside = [IP(**A) / UDP(sport=40000, dport=53) / b"who?", IPv6(**SIX) / TCP(sport=40001, dport=443, flags="S")]
    frames = inside if link is None else [link / one for one in inside]
    if isinstance(link, Ether):
        frames.insert(1, Ether() / ARP())
    wrpcap(str(tmp_path / "c.pcap"), frames)
    found = list(ip_packets(BytesIO((tmp_path / "c.pcap").read_bytes())))
    assert found == [bytes(one) for one in inside]
    assert seen(found) == ["udp 10.0.0.1:40000 -> 10.0.0.2:53 ?", "tcp [fd00::1]:40001 -> [fd00::2]:443 ?"]


def test_what_was_cut_short_is_filled_up(tmp_path: Path) -> None:
    frames = [
        Ether() / IP(**A) / UDP(sport=1, dport=2) / Raw(bytes(900)),
        Ether() / IPv6(**SIX) / UDP() / Raw(bytes(900)),
    ]
    wrpcap(str(tmp_path / "c.pcap"), frames, snaplen=64)
    found = list(ip_packets(BytesIO((tmp_path / "c.pcap").read_bytes())))
    assert [len(packet) for packet in found] == [928, 948]
    assert seen(found)[0] == "udp 10.0.0.1:1 -> 10.0.0.2:2 ?"


def test_a_strange_link_and_a_broken_file(tmp_path: Path) -> None:
    wrpcap(str(tmp_path / "c.pcap"), [IP(**A)], linktype=147)
    octets = (tmp_path / "c.pcap").read_bytes()
    with pytest.raises(BadCapture, match="type 147"):
        list(ip_packets(BytesIO(octets)))
    with pytest.raises(BadCapture, match="no capture"):
        list(ip_packets(BytesIO(b"hello")))
    with pytest.raises(BadCapture, match="middle"):
        list(ip_packets(BytesIO(octets[:20] + (101).to_bytes(4, "little") + octets[24:-1])))


def test_the_first_segment_tells_who_began() -> None:
    syn = IP(**A) / TCP(sport=5000, dport=6000, flags="S")
    answer = IP(**B) / TCP(sport=6000, dport=5000, flags="SA")
    assert seen([syn, answer]) == seen([answer, syn]) == ["tcp 10.0.0.1:5000 -> 10.0.0.2:6000"]
    assert seen([syn]) == ["tcp 10.0.0.1:5000 -> 10.0.0.2:6000 ?"]
    assert seen([syn, syn]) == ["tcp 10.0.0.1:5000 -> 10.0.0.2:6000 ?"]


def test_in_the_middle_the_port_of_clients_tells() -> None:
    later = IP(**B) / TCP(sport=1433, dport=51234, flags="A")
    assert seen([later]) == ["tcp 10.0.0.1:51234 -> 10.0.0.2:1433"]
    assert seen([IP(**B) / UDP(sport=53, dport=51234)]) == ["udp 10.0.0.1:51234 -> 10.0.0.2:53"]
    assert seen([IP(**B) / TCP(sport=40000, dport=50000, flags="A")]) == ["tcp 10.0.0.2:40000 -> 10.0.0.1:50000"]


def test_pings() -> None:
    both = [IP(**A) / ICMP(type=8), IP(**B) / ICMP(type=8), IP(**B) / ICMP(type=0)]
    assert seen(both) == ["icmp 10.0.0.1 -> 10.0.0.2", "icmp 10.0.0.2 -> 10.0.0.1 ?"]
    assert seen(both[2:]) == ["icmp 10.0.0.1 -> 10.0.0.2"]
    back = {"src": SIX["dst"], "dst": SIX["src"]}
    assert seen([IPv6(**SIX) / ICMPv6EchoRequest(), IPv6(**back) / ICMPv6EchoReply()]) == ["icmpv6 fd00::1 -> fd00::2"]


def test_later_fragments_and_rubbish_are_left_out() -> None:
    random.seed(4)
    rubbish = [random.randbytes(random.randrange(80)) for _ in range(300)]
    assert seen([IP(**A, frag=100, proto=17) / Raw(bytes(40)), IPv6(**SIX) / IPv6ExtHdrFragment(offset=9)]) == []
    assert len(conversations(rubbish)) < 300
