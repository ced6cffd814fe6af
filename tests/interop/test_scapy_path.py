# SPDX-License-Identifier: Apache-2.0
"""scapy as the peer of the whole packet path: tunnel headers, transport mode, bundles, fragments, UDP.

scapy signs AH wrongly when there is an ESP inside (it would sign that), so its algorithm is wrapped for bundles.
"""

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_Router_Alert, defragment, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, defragment6, fragment6
from scapy.layers.ipsec import AH, ESP, SecurityAssociation
from scapy.packet import Raw

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode, Sa, TunnelOptions
from ringfence.databases.selector import Selector
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.verdict import Deliver, Send
from ringfence.net.address import format_address
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import make_child, make_path

CIPHERS = {Encryption.AES_GCM_16: "AES-GCM", Encryption.AES_CBC: "AES-CBC"}
INTEGRITY = {Integrity.HMAC_SHA256_128: "SHA2-256-128"}
GCM = esp_suite(Encryption.AES_GCM_16)
CBC = esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128)
SHA = next(suite for suite in AH_SUITES if suite.authenticator.algorithm is Integrity.HMAC_SHA256_128)
T, X = Mode.TUNNEL, Mode.TRANSPORT

FORMS = {
    "esp": ((GCM,), (X,)), "esp tunnel": ((CBC,), (T,)), "ah": ((SHA,), (X,)), "ah tunnel": ((SHA,), (T,)),
    "esp + ah": ((CBC, SHA), (X, X)), "esp tunnel + ah": ((GCM, SHA), (T, X)),
    "esp tunnel + ah tunnel": ((CBC, SHA), (T, T)), "esp + ah tunnel": ((CBC, SHA), (X, T)),
}  # fmt: skip
ENDS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}
CASES = [
    (form, outer, inner) for form in FORMS for outer in (4, 6) for inner in (4, 6)
    if outer == inner or FORMS[form][1][0] is T
]  # fmt: skip
every_form = pytest.mark.parametrize(("form", "outer", "inner"), CASES)


class SignsAh:
    """scapy's algorithm for AH, whatever is inside."""

    def __init__(self, original):
        self.original = original

    def __getattr__(self, name):
        return getattr(self.original, name)

    def sign(self, packet, key, **esn):
        inside = bytes(packet[AH].payload)
        packet[AH].remove_payload()
        return self.original.sign(packet / Raw(inside), key, **esn)


def association(sa: Sa) -> SecurityAssociation:
    words = {}
    if sa.cipher is not None:
        words.update(crypt_algo=CIPHERS[sa.cipher.algorithm], crypt_key=sa.cipher_key.reveal())
    if sa.authenticator is not None:
        words.update(auth_algo=INTEGRITY[sa.authenticator.algorithm], auth_key=sa.authenticator_key.reveal())
    if sa.mode is T:
        layer = IP if len(sa.source) == 4 else IPv6
        words["tunnel_header"] = layer(src=format_address(sa.source), dst=format_address(sa.destination))
    made = SecurityAssociation(ESP if sa.protocol is Protocol.ESP else AH, spi=sa.spi, **words)
    if sa.protocol is Protocol.AH:
        made.auth_algo = SignsAh(made.auth_algo)
    return made


def contract(form, outer, inner, **words):
    suites, modes = FORMS[form]
    if modes[0] is T:
        words["selector"] = Selector.between(EVERYTHING[inner], EVERYTHING[inner])
    return make_child(*suites, mode=modes, local=ENDS[outer][0], remote=ENDS[outer][1], **words)


def clear(child, octets=113, **words):
    inner = child.selector.source.version
    if child.mode is T:
        source, destination = ("10.1.0.1", "10.2.0.1") if inner == 4 else ("fd00::1", "fd00::2")
    else:
        source, destination = ENDS[inner]
    layer = IP(src=source, dst=destination, id=7, **words) if inner == 4 else IPv6(src=source, dst=destination)
    return bytes(layer / TCP(sport=1025, dport=80) / Raw((bytes(range(256)) * 8)[:octets]))


def parse(octets):
    return (IP if octets[0] >> 4 == 4 else IPv6)(octets)


def opened(child, packet):
    """What scapy finds in a packet that ``child`` sent."""
    packet = parse(packet)
    for sa in reversed(child.outbound):
        packet = parse(bytes(association(sa).decrypt(packet)))
    return bytes(packet)


def sealed(child, packet, number=1):
    """What scapy sends to the host that receives by ``child``."""
    packet = parse(packet)
    for sa in child.inbound:
        packet = parse(bytes(association(sa).encrypt(packet, seq_num=number)))
    return bytes(packet)


def packets_of(verdicts, kind):
    assert all(type(verdict) is kind for verdict in verdicts), verdicts
    return [packet for verdict in verdicts for packet in verdict.packets]


def without_number(packet):
    """scapy numbers a tunnel's packets 1, we by a counter; nothing else may differ."""
    head = parse(packet)
    if head.version == 4:
        head.id = 0
        del head.chksum
    return bytes(head)


@every_form
def test_scapy_opens_what_we_send(form, outer, inner):
    child = contract(form, outer, inner)
    path = make_path(child)
    for _ in range(3):
        (packet,) = packets_of(path.outbound([clear(child)], 0.0), Send)
        head = parse(packet)
        assert (head.src, head.dst) == ENDS[outer]
        if head.version == 4:
            right = parse(packet)
            del right.chksum
            assert bytes(right) == packet
        assert opened(child, packet) == clear(child)


@every_form
def test_we_open_what_scapy_sends(form, outer, inner):
    child = contract(form, outer, inner)
    path = make_path(child)
    answer = whole_answer(clear(child))
    for number in (1, 2, 3):
        packet = sealed(child, answer, number)
        assert packets_of(path.inbound([packet], 0.0), Deliver) == [answer]


@every_form
def test_large_packets_in_fragments_that_scapy_cuts_and_joins(form, outer, inner):
    child = contract(form, outer, inner)
    path, wide = make_path(child), make_path(child, limits=PathLimits(mtu=9000))
    large = clear(child, 1500)
    (whole,) = packets_of(wide.outbound([large], 0.0), Send)
    assert opened(child, whole) == large
    if inner == 4:  # ours to cut
        pieces = packets_of(path.outbound([large], 0.0), Send)
        assert len(pieces) == 2
        joined = defragment([IP(p) for p in pieces]) if outer == 4 else [defragment6([IPv6(p) for p in pieces])]
        assert opened(child, bytes(joined[0])) == large
    answer = whole_answer(large)
    packet = parse(sealed(child, answer, 5))
    if outer == 4:
        pieces = fragment(packet, 1000)
    else:
        head = packet.copy()
        front, rest = bytes(head)[:40], bytes(head)[40:]
        headed = IPv6(front) / IPv6ExtHdrFragment(nh=head.nh, id=9) / Raw(rest)
        headed.nh = 44
        del headed.plen
        pieces = fragment6(headed, 1000)
    verdicts = make_path(child).inbound([bytes(piece) for piece in pieces], 0.0)
    assert packets_of(verdicts[-1:], Deliver) == [answer]


def whole_answer(packet):
    """``packet`` from the other end, its sums right."""
    answer = parse(packet)
    answer.src, answer.dst = answer.dst, answer.src
    del answer[TCP].chksum
    if answer.version == 4:
        del answer.chksum
    return bytes(answer)


@pytest.mark.parametrize("form", ["esp tunnel", "ah tunnel"])
@pytest.mark.parametrize("tos", [0, 0xB8, 0x2A, 3])
def test_tunnel_headers_say_what_the_inner_one_does(form, tos):
    child = contract(form, 4, 4, tunnel=TunnelOptions(ttl=33))
    path = make_path(child)
    for flags in ("DF", 0):
        (packet,) = packets_of(path.outbound([clear(child, tos=tos, flags=flags)], 0.0), Send)
        head = IP(packet)
        assert (head.tos, head.ttl, head.flags, head.options) == (tos, 33, IP(flags=flags).flags, [])


@pytest.mark.parametrize("form", ["esp", "ah", "esp + ah"])
def test_headers_in_front_stay_in_front(form):
    child = contract(form, 6, 6)
    packet = bytes(IPv6(src=ENDS[6][0], dst=ENDS[6][1]) / IPv6ExtHdrHopByHop() / UDP(sport=1, dport=2) / Raw(b"data"))
    (sent,) = packets_of(make_path(child).outbound([packet], 0.0), Send)
    if form != "esp":  # scapy puts ESP in front of all extension headers
        assert opened(child, sent) == packet
    assert IPv6(sent).nh == 0
    child = contract(form, 4, 4)
    packet = bytes(
        IP(src=ENDS[4][0], dst=ENDS[4][1], id=7, options=[IPOption_Router_Alert()]) / UDP(sport=1, dport=2) / b"data"
    )
    (sent,) = packets_of(make_path(child).outbound([packet], 0.0), Send)
    assert opened(child, sent) == packet


@pytest.mark.parametrize("mode", [T, X])
def test_esp_in_udp(mode):
    child = make_child(GCM, mode=mode, udp=True)
    path = make_path(child)
    packet = clear(child)
    (sent,) = path.outbound([packet], 0.0)
    outer = IP(src=ENDS[4][0], dst=ENDS[4][1], proto=50) / Raw(sent.packets[0])
    found = association(child.outbound[0]).decrypt(IP(bytes(outer)))
    assert bytes(found.payload if mode is X else found) == packet[20 if mode is X else 0 :]
    answer = whole_answer(packet)
    theirs = sealed(child, answer)[20:]
    way = child.inbound[0].encapsulation
    (delivered,) = packets_of(path.inbound_udp([theirs], way, 0.0), Deliver)
    assert without_number(delivered) == without_number(answer)
