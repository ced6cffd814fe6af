# SPDX-License-Identifier: Apache-2.0
"""scapy as an independent ESP and AH: with the same keys, numbers and IVs both make the same octets."""

from dataclasses import replace
from random import Random

import pytest
from scapy.layers.inet import ICMP, IP, UDP, IPOption, IPOption_Router_Alert, IPOption_RR
from scapy.layers.inet6 import (
    HBHOptUnknown,
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
    RouterAlert,
)
from scapy.layers.ipsec import AH, ESP, SecurityAssociation
from scapy.packet import Raw

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.sa import Mode, Sa
from ringfence.datapath.ah import AhOpen, AhSeal, OpenedAh
from ringfence.datapath.esp import EspOpen, EspSeal, Opened
from ringfence.testing.associations import AH_SUITES, ESP_SUITES, make_sa

CIPHERS = {
    Encryption.NULL: "NULL", Encryption.AES_CBC: "AES-CBC", Encryption.AES_CTR: "AES-CTR",
    Encryption.AES_GCM_16: "AES-GCM", Encryption.NULL_AES_GMAC: "AES-NULL-GMAC",
    Encryption.AES_CCM_8: "AES-CCM", Encryption.AES_CCM_12: "AES-CCM", Encryption.AES_CCM_16: "AES-CCM",
    Encryption.CHACHA20_POLY1305: "CHACHA20-POLY1305", Encryption.TRIPLE_DES: "3DES", Encryption.DES: "DES",
}  # fmt: skip
INTEGRITY = {
    Integrity.HMAC_MD5_96: "HMAC-MD5-96", Integrity.HMAC_SHA1_96: "HMAC-SHA1-96",
    Integrity.HMAC_SHA256_128: "SHA2-256-128", Integrity.HMAC_SHA384_192: "SHA2-384-192",
    Integrity.HMAC_SHA512_256: "SHA2-512-256", Integrity.AES_CMAC_96: "AES-CMAC-96",
}  # fmt: skip


def known(suite) -> bool:
    return (suite.cipher is None or suite.cipher.algorithm in CIPHERS) and (
        suite.authenticator is None or suite.authenticator.algorithm in INTEGRITY
    )


esp_suites = pytest.mark.parametrize("suite", [*filter(known, ESP_SUITES)], ids=str)
ah_suites = pytest.mark.parametrize("suite", [*filter(known, AH_SUITES)], ids=str)
numbers = pytest.mark.parametrize("last", [0, 2**32 - 6, 2**32 + 4], ids=["32 bits", "the wrap", "beyond it"])
"""The number before the first one."""

DATA = bytes(range(113))
V4 = IP(src="192.0.2.1", dst="192.0.2.2", id=7, ttl=61, tos=0x28, flags="DF")
V6 = IPv6(src="2001:db8::1", dst="2001:db8::2", tc=0x28, fl=0x12345, hlim=61)


def random(seed: int = 1):
    return Random(seed).randbytes


def scapy_sa(sa: Sa, **words) -> SecurityAssociation:
    if sa.cipher is not None:
        words.update(crypt_algo=CIPHERS[sa.cipher.algorithm], crypt_key=sa.cipher_key.reveal() or None)
        words.update(crypt_icv_size=sa.cipher.row.icv_octets or None)
    if sa.authenticator is not None:
        words.update(auth_algo=INTEGRITY[sa.authenticator.algorithm], auth_key=sa.authenticator_key.reveal())
    return SecurityAssociation(AH if sa.cipher is None else ESP, spi=sa.spi, esn_en=sa.esn, **words)


@esp_suites
@numbers
def test_esp_is_the_same_octets(suite, last):
    sa = make_sa(replace(suite, esn=last > 0))
    peer = scapy_sa(sa)
    seal, opens = EspSeal(sa, random(), last_sequence=last), EspOpen(sa, top=last)
    for number, octets in enumerate((0, 1, 2, 3, 13, 100, 1400), last + 1):
        payload = bytes(UDP(sport=1, dport=2) / Raw(random(octets)(octets)))
        ours = seal.seal(17, payload)
        iv = ours[8 : 8 + sa.cipher.row.iv_octets]
        peer.seq_num = number % 2**32  # its own argument takes 0 for "none given"
        at = {"seq_num": peer.seq_num, "esn": number >> 32}
        clear = IP(bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=17) / payload))
        assert bytes(peer.encrypt(clear.copy(), iv=iv, **at)[ESP]) == ours
        theirs = peer.encrypt(clear.copy(), **at)
        assert opens.open(bytes(theirs[ESP])) == Opened(17, payload)
        outer = IP(bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=50) / Raw(ours)))
        assert bytes(peer.decrypt(outer, esn=number >> 32)[IP].payload) == payload


@esp_suites
def test_esp_tunnel_both_ways(suite):
    sa = make_sa(suite, mode=Mode.TUNNEL)
    outer, inner = IP(src="192.0.2.1", dst="192.0.2.2"), bytes(V6 / ICMPv6EchoRequest(data=DATA))
    peer = scapy_sa(sa, tunnel_header=outer)
    ours = EspSeal(sa, random()).seal(41, inner)
    assert bytes(peer.decrypt(IP(bytes(outer.__class__(bytes(outer / ESP(ours))))))) == inner
    assert EspOpen(sa).open(bytes(peer.encrypt(IPv6(inner))[ESP])) == Opened(41, inner)


PACKETS = {
    "ipv4": V4 / ICMP() / Raw(DATA),
    "ipv4 with options": IP(
        src="192.0.2.1", dst="192.0.2.2", ttl=3,
        options=[
            IPOption_Router_Alert(), IPOption(b"\x01"), IPOption_RR(pointer=4, routers=["0.0.0.0"] * 2),
            IPOption(b"\x82\x0b" + bytes(9)), IPOption(b"\x44\x08\x05\0" + bytes(4)),
        ],
    ) / ICMP() / Raw(DATA),
    "ipv6": V6 / ICMPv6EchoRequest(data=DATA),
    "ipv6 hop-by-hop": V6 / IPv6ExtHdrHopByHop(options=[RouterAlert(), PadN(optdata=b"\0\0")])
    / ICMPv6EchoRequest(data=DATA),
    "ipv6 options that may change": V6 / IPv6ExtHdrHopByHop(options=[HBHOptUnknown(otype=0x3E, optdata=b"abcd")])
    / ICMPv6EchoRequest(data=DATA),
    "ipv6 routing header to come": V6 / IPv6ExtHdrHopByHop(options=[RouterAlert(), PadN(optdata=b"\0\0")])
    / IPv6ExtHdrRouting(addresses=["2001:db8::7", "2001:db8::8"], segleft=2) / ICMPv6EchoRequest(data=DATA),
    "ipv6 destination options for the stops to come": V6
    / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1E, optdata=b"abcd")])
    / IPv6ExtHdrRouting(addresses=["2001:db8::7"], segleft=1) / ICMPv6EchoRequest(data=DATA),
}  # fmt: skip


@ah_suites
@pytest.mark.parametrize("name", PACKETS)
def test_ah_is_the_same_octets(suite, name):
    clear = PACKETS[name]
    addresses = {"source": clear.src, "destination": clear.dst}
    sa = make_sa(suite, **addresses)
    peer, seal, opens = scapy_sa(sa), AhSeal(sa, random()), AhOpen(sa)
    packet = bytes(clear)
    for _ in range(2):
        ours, theirs = seal.seal(packet), bytes(peer.encrypt(clear.__class__(packet)))
        assert ours == theirs
        if "to come" not in name:  # for that packet has not arrived yet
            assert opens.open(theirs) == OpenedAh(clear.__class__(ours)[AH].nh, packet)
            assert bytes(peer.decrypt(clear.__class__(ours))) == packet


@ah_suites
@numbers
def test_ah_with_long_numbers(suite, last):
    sa = make_sa(replace(suite, esn=True))
    ours = AhSeal(sa, random(), last_sequence=last).seal(bytes(PACKETS["ipv4"]))
    at = {"seq_num": (last + 1) % 2**32, "esn": last + 1 >> 32}
    theirs = bytes(scapy_sa(sa).encrypt(IP(bytes(PACKETS["ipv4"])), **at))
    assert ours == theirs
    assert AhOpen(sa, top=last).open(theirs) == OpenedAh(1, bytes(PACKETS["ipv4"]))


def test_a_routed_packet_is_right_at_its_last_stop_only():
    packet = PACKETS["ipv6 routing header to come"]
    sa = make_sa(next(filter(known, AH_SUITES)), source=packet.src, destination="2001:db8::8")
    sealed = IPv6(AhSeal(sa, random()).seal(bytes(packet)))
    route = sealed[IPv6ExtHdrRouting]
    sealed.dst, route.addresses, route.segleft = "2001:db8::8", ["2001:db8::2", "2001:db8::7"], 0
    sealed.hlim -= 2
    assert isinstance(AhOpen(sa).open(bytes(sealed)), OpenedAh)
    route.addresses = ["2001:db8::7", "2001:db8::2"]
    assert not isinstance(AhOpen(sa).open(bytes(sealed)), OpenedAh)
