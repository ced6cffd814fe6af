# SPDX-License-Identifier: Apache-2.0
import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from ringfence.capture.pcap import Frame
from ringfence.demo.packets import Seen, dump, read, text_of
from ringfence.demo.picture import Kind
from ringfence.ike.header import VERSION_1, Exchange, Flags, Header

HEAD = IP(src="10.77.1.1", dst="10.77.2.1")


def seen(packet: Packet) -> Seen:
    found = read(Frame(7.0, bytes(Ether() / packet)))
    assert found is not None
    return found


def ike(exchange: Exchange, flags: Flags) -> bytes:
    return Header(b"initiate", bytes(8), 1, VERSION_1, exchange, flags, 0).over(bytes(10))


@pytest.mark.parametrize(
    ("packet", "kind", "label"),
    [
        (HEAD / TCP(flags="S"), Kind.CLEAR, "TCP SYN"),
        (HEAD / TCP(flags="SA"), Kind.CLEAR, "TCP SYN ACK"),
        (HEAD / TCP(flags="FA"), Kind.CLEAR, "TCP FIN ACK"),
        (HEAD / TCP() / Raw(b"GET /x HTTP/1.1\r\nHost: y"), Kind.CLEAR, "GET /x HTTP/1.1"),
        (HEAD / TCP() / Raw(b"\x1b" + b"z" * 99), Kind.CLEAR, "." + "z" * 50 + "…"),
        (HEAD / ICMP(), Kind.CLEAR, "ICMP"),
        (HEAD / UDP(dport=53, sport=9) / Raw(b"abc"), Kind.CLEAR, "UDP, 3 octets"),
        (IP(proto=47) / Raw(b"abc"), Kind.CLEAR, "gre"),
        (IP(proto=50) / Raw(bytes(6)), Kind.CLEAR, "esp"),
        (HEAD / UDP(sport=500, dport=500) / Raw(ike(Exchange.MAIN, Flags(0))), Kind.IKE, "IKE main mode, 38 octets"),
        (HEAD / UDP(sport=500, dport=500) / Raw(ike(Exchange.QUICK, Flags.ENCRYPTED)), Kind.IKE,
         "IKE quick mode, encrypted, 38 octets"),
        (HEAD / UDP(sport=500, dport=500) / Raw(ike(Exchange.AGGRESSIVE, Flags(0))), Kind.IKE,
         "IKE exchange 4, 38 octets"),
        (HEAD / UDP(sport=4500, dport=4500) / Raw(bytes(4) + ike(Exchange.MAIN, Flags(0))), Kind.IKE,
         "IKE main mode, 38 octets"),
        (HEAD / UDP(sport=4500, dport=4500) / Raw(b"\1" * 40), Kind.PROTECTED, "ESP in UDP, 40 octets"),
    ],
)  # fmt: skip
def test_what_a_stranger_sees(packet: Packet, kind: Kind, label: str) -> None:
    found = seen(packet)
    assert (found.kind, found.label, found.at) == (kind, label, 7.0)


def test_esp() -> None:
    found = seen(IP(src="10.77.1.1", dst="10.77.2.1", proto=50) / Raw(bytes.fromhex("0000123400000007") + b"secret"))
    assert (found.source, found.destination) == ("10.77.1.1", "10.77.2.1")
    assert (found.kind, found.spi, found.sequence, found.payload) == (Kind.PROTECTED, 0x1234, 7, b"secret")
    assert found.label == "ESP 0x00001234 number 7, 14 octets"
    assert seen(IPv6(nh=51) / Raw(b"\6\4\0\0" + bytes(20))).label.startswith("AH")


def test_what_is_no_ip() -> None:
    assert read(Frame(0.0, bytes(Ether() / ARP()))) is None
    assert read(Frame(0.0, b"")) is None


def test_how_it_is_shown() -> None:
    assert text_of(b"GET /\r\nHost: \xff\x1b\r\n\r\nx", 3) == ["GET /", "Host: ..", ""]
    assert text_of(b"") == [""]
    assert dump(b"ab\x00\xff" + bytes(99), 4) == "61 62 00 ff  ab.."
