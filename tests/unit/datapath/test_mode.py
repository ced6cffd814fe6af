# SPDX-License-Identifier: Apache-2.0
"""Tunnel headers against RFC 4301 §5.1.2 and RFC 6040, made by scapy where it can."""

from dataclasses import replace
from itertools import count, product

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from ringfence.crypto.suites import Encryption
from ringfence.databases.sa import DfPolicy, Mode, TunnelOptions
from ringfence.datapath.mode import OuterHeader, decapsulate, inner_packet, refit_v4, refit_v6
from ringfence.datapath.verdict import Drop
from ringfence.testing.associations import esp_suite, make_sa

GCM = esp_suite(Encryption.AES_GCM_16)
V4 = IP(src="10.1.0.1", dst="10.2.0.1", tos=0xBA, id=9) / UDP() / (b"x" * 20)
V6 = IPv6(src="fd00::1", dst="fd00::2", tc=0xBA, fl=0x12345) / UDP() / (b"x" * 20)
V4_DF = IP(src="10.1.0.1", dst="10.2.0.1", tos=0xBA, flags="DF") / UDP() / (b"x" * 20)
V6_LARGE = IPv6(src="fd00::1", dst="fd00::2", tc=0xBA) / UDP() / (b"x" * 1300)


def maker(options=None, *, v6=False):
    ends = {"source": "2001:db8::1", "destination": "2001:db8::2"} if v6 else {}
    sa = replace(make_sa(GCM, mode=Mode.TUNNEL, **ends), tunnel=options or TunnelOptions())
    return OuterHeader(sa, count(5).__next__)


def outer(packet, options=None, *, v6=False):
    wrapped = maker(options, v6=v6).put(bytes(packet), b"sealed")
    return (IPv6 if v6 else IP)(wrapped)


@pytest.mark.parametrize("inner", [V4, V6, V4_DF, V6_LARGE])
@pytest.mark.parametrize("v6", [False, True])
def test_the_outer_header_is_a_correct_one(inner, v6):
    made = outer(inner, TunnelOptions(ttl=17), v6=v6)
    assert bytes(made)[-6:] == b"sealed"
    if v6:
        made_by_scapy = IPv6(src="2001:db8::1", dst="2001:db8::2", nh=50, hlim=17, tc=0xBA) / b"sealed"
        assert bytes(made) == bytes(made_by_scapy)
        return
    flags, number = ("DF", 0) if inner in (V4_DF, V6_LARGE) else ("", 5)
    assert bytes(made) == bytes(
        IP(src="192.0.2.1", dst="192.0.2.2", proto=50, ttl=17, tos=0xBA, flags=flags, id=number) / b"sealed"
    )


@pytest.mark.parametrize(
    ("policy", "inner", "df"),
    [
        (DfPolicy.COPY, V4, False), (DfPolicy.COPY, V4_DF, True), (DfPolicy.COPY, V6, False),
        (DfPolicy.COPY, V6_LARGE, True), (DfPolicy.SET, V4, True), (DfPolicy.SET, V4_DF, True),
        (DfPolicy.SET, V6_LARGE, True), (DfPolicy.SET, V6, False), (DfPolicy.CLEAR, V4, False),
        (DfPolicy.CLEAR, V4_DF, False), (DfPolicy.CLEAR, V6_LARGE, False),
    ],
)  # fmt: skip
def test_df(policy, inner, df):
    assert ("DF" in outer(inner, TunnelOptions(df=policy)).flags) == df


@pytest.mark.parametrize("inner", [V4, V6])
@pytest.mark.parametrize("v6", [False, True])
def test_dscp_and_ecn(inner, v6):
    def tos(**options):
        made = outer(inner, TunnelOptions(**options), v6=v6)
        return made.tc if v6 else made.tos

    assert tos() == 0xBA
    assert tos(copy_dscp=False) == 0x02
    assert tos(copy_dscp=False, dscp=46) == 46 << 2 | 2
    assert tos(ecn=False) == 0xB8
    assert tos(ecn=False, copy_dscp=False, dscp=1) == 4


def test_packets_that_may_be_cut_have_numbers_of_their_own():
    header = maker()
    assert [IP(header.put(bytes(V4), b"")).id for _ in range(3)] == [5, 6, 7]
    assert [IP(header.put(bytes(V4_DF), b"")).id for _ in range(3)] == [0, 0, 0]


def test_what_does_not_fit_a_header():
    assert maker().put(bytes(V4), bytes(65516)) is Drop.TOO_BIG
    assert len(maker().put(bytes(V4), bytes(65515))) == 65535
    assert maker(v6=True).put(bytes(V4), bytes(65536)) is Drop.TOO_BIG
    assert len(maker(v6=True).put(bytes(V4), bytes(65535))) == 65575


def test_kept_headers_are_bounded():
    header = maker()
    for octets in range(5000):
        assert len(header.put(bytes(V4_DF), bytes(octets))) == octets + 20


N, ONE, ZERO, CE = range(4)
RFC_6040 = {  # figure 4: inner (down), outer: Not-ECT, ECT(0), ECT(1), CE
    N: {N: N, ZERO: N, ONE: N, CE: None},
    ZERO: {N: ZERO, ZERO: ZERO, ONE: ONE, CE: CE},
    ONE: {N: ONE, ZERO: ONE, ONE: ONE, CE: CE},
    CE: {N: CE, ZERO: CE, ONE: CE, CE: CE},
}


@pytest.mark.parametrize(("inner", "outer_ecn"), [*product(range(4), range(4))])
@pytest.mark.parametrize("template", [V4, V6])
def test_congestion_comes_back_as_rfc_6040_says(template, inner, outer_ecn):
    packet = template.copy()
    field = "tos" if packet.version == 4 else "tc"
    setattr(packet, field, 0xB8 | inner)
    before, expected = bytes(packet), RFC_6040[inner][outer_ecn]
    if expected is None:
        assert decapsulate(outer_ecn, before) is Drop.BAD_ECN
        return
    setattr(packet, field, 0xB8 | expected)
    assert decapsulate(outer_ecn, before) == bytes(packet)


@pytest.mark.parametrize("packet", [V4, V6])
def test_tfc_padding_is_cut_off(packet):
    number = 4 if packet.version == 4 else 41
    assert inner_packet(number, bytes(packet) + bytes(300)) == bytes(packet)
    assert inner_packet(number, bytes(packet)) == bytes(packet)


@pytest.mark.parametrize(
    ("number", "payload", "reason"),
    [
        (17, bytes(V4), Drop.BAD_NEXT_HEADER), (6, b"", Drop.BAD_NEXT_HEADER),
        (41, bytes(V4), Drop.MALFORMED), (4, bytes(V6), Drop.MALFORMED), (4, b"", Drop.MALFORMED),
        (4, bytes(V4)[:-1], Drop.MALFORMED), (41, bytes(V6)[:-1], Drop.MALFORMED),
        (4, bytes(V4)[:3], Drop.MALFORMED), (41, bytes(V6)[:5], Drop.MALFORMED),
    ],
)  # fmt: skip
def test_what_is_no_inner_packet(number, payload, reason):
    assert inner_packet(number, payload) is reason


def test_transport_headers_are_made_to_fit():
    packet = IP(src="192.0.2.1", dst="192.0.2.2", id=7, tos=0x2A, ttl=9) / UDP() / b"four"
    sealed = IP(src="192.0.2.1", dst="192.0.2.2", id=7, tos=0x2A, ttl=9, proto=50) / (b"e" * 40)
    assert refit_v4(bytes(packet), 50, b"e" * 40) == bytes(sealed)
    assert refit_v4(bytes(sealed), 17, bytes(packet)[20:]) == bytes(packet)
    sealed = IPv6(src="fd00::1", dst="fd00::2", tc=0xBA, fl=0x12345, nh=50) / (b"e" * 40)
    assert refit_v6(bytes(V6), 50, b"e" * 40) == bytes(sealed)
    assert refit_v6(bytes(sealed), 17, bytes(V6)[40:]) == bytes(V6)
