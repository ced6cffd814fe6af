# SPDX-License-Identifier: Apache-2.0
"""Path MTU: exact sizes, ICMP as scapy reads it, routers believed within bounds."""

from itertools import product

import pytest
from scapy.layers.inet import ICMP, IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6, IPv6ExtHdrDestOpt
from scapy.layers.ipsec import AH, ESP
from scapy.packet import Raw

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.pmtu import PathMtu, TooBigNotice, most_inside, read_notice, too_big
from ringfence.net.address import parse_address
from ringfence.net.ip import build, view
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import joined, make_child

GCM = esp_suite(Encryption.AES_GCM_16)
CBC = esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128)
TRIPLE_DES = esp_suite(Encryption.TRIPLE_DES, Integrity.HMAC_SHA1_96)
AH_SUITE = AH_SUITES[2]
T, X = Mode.TUNNEL, Mode.TRANSPORT
PEER = parse_address("192.0.2.2")

CONTRACTS = [
    make_child(*suites, mode=modes, local=local, remote=remote)
    for (suites, modes), (local, remote) in product(
        [
            ((GCM,), (X,)), ((CBC,), (X,)), ((TRIPLE_DES,), (T,)), ((GCM,), (T,)), ((AH_SUITE,), (X,)),
            ((AH_SUITE,), (T,)), ((CBC, AH_SUITE), (X, X)), ((CBC, AH_SUITE), (T, X)), ((CBC, AH_SUITE), (T, T)),
            ((GCM, AH_SUITE), (X, T)),
        ],
        [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")],
    )
]  # fmt: skip
CONTRACTS.append(make_child(GCM, mode=T, udp=True))
CONTRACTS.append(make_child(CBC, udp=True))


@pytest.mark.parametrize("child", CONTRACTS, ids=str)
@pytest.mark.parametrize("mtu", [1280, 1400, 1499, 1500])
def test_the_largest_packet_inside_fits_and_one_octet_more_does_not(child, mtu):
    selector = child.selector
    front = 20 if selector.source.version == 4 else 40
    most = most_inside(child.outbound, mtu, front)
    path, _ = joined(child, limits=PathLimits(mtu=9000))
    ends = selector.source.first, selector.destination.first
    wire = [
        len(path.outbound([build(*ends, 17, bytes(octets - front))], 0.0)[0].packets[0])
        + (28 if child.outbound[-1].encapsulation else 0)
        for octets in (most, most + 1)
    ]
    assert wire[0] <= mtu < wire[1]


def test_headers_that_stay_in_front_are_counted():
    child = make_child(GCM)
    assert most_inside(child.outbound, 1500, 20) == 1500 - 8 - 8 - 16 - 2
    assert most_inside(child.outbound, 1500, 24) == 1500 - 8 - 8 - 16 - 2
    child = make_child(CBC)  # 16 octets of alignment count from the end of the front
    assert most_inside(child.outbound, 1500, 20) == 20 + 1440 - 2
    assert most_inside(child.outbound, 1500, 28) == 28 + 1424 - 2
    assert most_inside(child.outbound, 1500, 60) == 60 + 1392 - 2


V4 = IP(src="10.1.0.1", dst="10.2.0.1", flags="DF", tos=4) / UDP(sport=1, dport=2) / Raw(bytes(1500))
V6 = IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1, dport=2) / Raw(bytes(1500))


def answer(packet, mtu=1400):
    return too_big(bytes(packet), view(bytes(packet)), mtu)


def test_fragmentation_needed_is_what_scapy_would_send():
    message = IP(answer(V4, 1438))
    assert (message.src, message.dst, message[ICMP].type, message[ICMP].code) == ("10.2.0.1", "10.1.0.1", 3, 4)
    assert message[ICMP].nexthopmtu == 1438
    quoted = bytes(V4)[:548]
    assert bytes(message) == bytes(
        IP(src="10.2.0.1", dst="10.1.0.1", id=0) / ICMP(type=3, code=4, nexthopmtu=1438) / Raw(quoted)
    )


def test_packet_too_big_is_what_scapy_would_send():
    message = answer(V6, 1438)
    assert len(message) == 1280
    assert message == bytes(
        IPv6(src="fd00::2", dst="fd00::1") / ICMPv6PacketTooBig(mtu=1438) / Raw(bytes(V6)[: 1280 - 48])
    )


@pytest.mark.parametrize(
    "packet",
    [
        IP(src="10.1.0.1", dst="224.0.0.1") / UDP(), IP(src="0.0.0.0", dst="10.2.0.1") / UDP(),
        IP(src="255.255.255.255", dst="10.2.0.1") / UDP(), IP(src="10.1.0.1", dst="10.2.0.1", frag=5) / UDP(),
        IP(src="10.1.0.1", dst="10.2.0.1") / ICMP(type=3, code=4), IP(src="10.1.0.1", dst="10.2.0.1") / ICMP(type=11),
        IPv6(src="::", dst="fd00::2") / UDP(), IPv6(src="ff02::1", dst="fd00::2") / UDP(),
        IPv6(src="fd00::1", dst="fd00::2") / ICMPv6PacketTooBig(),
    ],
    ids=lambda packet: packet.summary(),
)  # fmt: skip
def test_no_error_about_errors_or_to_nobody(packet):
    assert answer(packet) is None


def test_echo_requests_are_answered():
    assert answer(IP(src="10.1.0.1", dst="10.2.0.1") / ICMP(type=8)) is not None


def notice(packet):
    return read_notice(bytes(packet), view(bytes(packet)))


def icmp(quoted, mtu=1400):
    return IP(src="203.0.113.1", dst="192.0.2.1") / ICMP(type=3, code=4, nexthopmtu=mtu) / Raw(bytes(quoted))


OURS = IP(src="192.0.2.1", dst="192.0.2.2")
OURS_V6 = IPv6(src="2001:db8::1", dst="2001:db8::2")
V6_PEER = parse_address("2001:db8::2")


def test_notices_are_read():
    esp = ESP(spi=0x1234, seq=7, data=b"x" * 1400)
    assert notice(icmp(OURS / esp)) == TooBigNotice(PEER, Protocol.ESP, 0x1234, 1400, 1428)
    assert notice(icmp(bytes(OURS / esp)[:28])) == TooBigNotice(PEER, Protocol.ESP, 0x1234, 1400, 1428)
    assert notice(icmp(OURS / AH(spi=0x1234, icv=b"1" * 12) / UDP())).protocol is Protocol.AH
    assert notice(icmp(OURS / UDP(sport=4500, dport=4500) / esp)) == TooBigNotice(
        PEER, Protocol.ESP, 0x1234, 1400, 1436
    )
    options = IP(src="192.0.2.1", dst="192.0.2.2", options=[IPOption_Router_Alert()])
    assert notice(icmp(options / esp)).spi == 0x1234
    big = IPv6(dst="2001:db8::1") / ICMPv6PacketTooBig(mtu=1300)
    assert notice(big / Raw(bytes(OURS_V6 / esp))) == TooBigNotice(V6_PEER, Protocol.ESP, 0x1234, 1300, 1448)
    assert notice(big / Raw(bytes(OURS_V6 / IPv6ExtHdrDestOpt() / esp))).spi == 0x1234


@pytest.mark.parametrize(
    "packet",
    [
        icmp(b""), icmp(bytes(OURS)), icmp(bytes(OURS / ESP(spi=1))[:23]), icmp(OURS / UDP()), icmp(OURS_V6 / ESP()),
        IP() / ICMP(type=3, code=1) / Raw(bytes(OURS / ESP(spi=1))), IP() / ICMP(type=8) / Raw(bytes(OURS / ESP())),
        IPv6() / ICMPv6PacketTooBig() / Raw(bytes(OURS / ESP())), IPv6() / ICMPv6PacketTooBig() / Raw(b"\x60"),
        IPv6() / ICMPv6PacketTooBig() / Raw(bytes(IPv6(nh=60)) + b"\0" * 5), IP(proto=1) / Raw(b"\3\4"),
        icmp(OURS / AH(spi=1, icv=b"")) / Raw(b""), icmp(bytes(OURS / UDP(sport=4500, dport=4500)) + b"\0\0\1"),
    ],
    ids=lambda packet: packet.summary(),
)  # fmt: skip
def test_what_is_no_notice(packet):
    found = notice(packet)
    assert found is None or found.protocol is Protocol.AH


def say(mtu, octets=1500):
    return TooBigNotice(PEER, Protocol.ESP, 1, mtu, octets)


def test_a_narrow_path_is_believed_for_a_while():
    path = PathMtu(1500, 4, 600)
    assert path.learn(say(1400), 0.0)
    assert (path.mtu, path.until) == (1400, 600.0)
    assert not path.learn(say(1450), 10.0)
    assert not path.learn(say(1400), 20.0)
    assert path.until == 620.0
    assert path.learn(say(1000), 30.0)
    assert not path.age(629.0)
    assert path.age(630.0)
    assert (path.mtu, path.until) == (1500, None)
    assert not path.age(1e6)


def test_nobody_is_believed_beyond_reason():
    path = PathMtu(1500, 4, 600)
    assert not path.learn(say(1500), 0.0)
    assert not path.learn(say(9000), 0.0)
    assert path.learn(say(68), 0.0)
    assert path.mtu == 576
    path = PathMtu(1500, 6, 600)
    assert path.learn(say(100), 0.0)
    assert path.mtu == 1280
    assert not PathMtu(500, 4, 600).learn(say(400), 0.0)


@pytest.mark.parametrize(("octets", "mtu"), [(1500, 1492), (1492, 1006), (1000, 576), (576, 576), (20, 576)])
def test_an_old_router_names_no_size(octets, mtu):
    path = PathMtu(1500, 4, 600)
    path.learn(say(0, octets), 0.0)
    assert path.mtu == mtu
