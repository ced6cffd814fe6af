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


def test_a_source_route_is_signed_for_its_end():
    """What leaves for the first stop is right when it comes to the last, and not before."""
    sa = make_sa(SHA256, **V4)
    stops = parse_address("198.51.100.1") + parse_address(V4["destination"])
    packet = bytearray(ipv4(b"payload", b"\x83\x0b\x04" + stops))
    packet[16:20] = parse_address("198.51.100.9")
    sealed = bytearray(AhSeal(sa, random()).seal(bytes(packet)))
    assert AhOpen(sa).open(bytes(sealed)) is Drop.BAD_ICV
    sealed[16:20], sealed[23:31] = stops[4:], parse_address("198.51.100.9") + stops[:4]  # recorded by the stops
    sealed[22], sealed[8] = 12, sealed[8] - 2
    assert isinstance(AhOpen(sa).open(bytes(sealed)), OpenedAh)


@every_suite
def test_numbers_replay_and_exhaustion(suite):
    last = 2**32 - 3
    sa = make_sa(suite, **V4)
    first, second, third = AhSeal(sa, random(), last_sequence=last).seal_many([ipv4(b"x")] * 3)
    assert third is Drop.SEQUENCE_EXHAUSTED
    opens = AhOpen(sa, top=last)
    results = opens.open_many([second, first, first, second])
    assert [type(result) for result in results[:2]] == [OpenedAh] * 2
    assert results[2:] == [Drop.REPLAYED] * 2
    assert AhOpen(sa, top=2**32 + 100).open(first) is Drop.TOO_OLD


def test_extended_numbers_wrap_and_resynchronise():
    sa = make_sa(replace(SHA256, esn=True), **V6)
    packets = AhSeal(sa, random(), last_sequence=2**32 - 3).seal_many([ipv6(b"x")] * 70)
    opens = AhOpen(sa, top=2**32 - 3)
    assert all(isinstance(result, OpenedAh) for result in opens.open_many(reversed(packets[:60])))
    lost = AhOpen(sa, top=1)
    later = AhSeal(sa, random(), last_sequence=2**33).seal_many([ipv6(b"x")] * 66)
    assert [isinstance(result, OpenedAh) for result in lost.open_many(later)] == [False] * 63 + [True] * 3


def test_either_alignment_is_accepted_over_ipv4_and_one_over_ipv6():
    wide, narrow = (make_sa(SHA256, align_64=flag, **V4) for flag in (True, False))
    assert (overhead(wide), overhead(narrow)) == (32, 28)
    for sender, receiver in ((wide, narrow), (narrow, wide)):
        assert isinstance(AhOpen(receiver).open(AhSeal(sender, random()).seal(ipv4(b"payload"))), OpenedAh)
    assert overhead(make_sa(GMAC, **V4)) == 36
    assert overhead(make_sa(GMAC, **V6)) == 40


@pytest.mark.parametrize("packet", [ipv4(b"some payload"), ipv6(b"some payload")], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("suite", [SHA1, SHA256, GMAC], ids=str)
def test_lengths_that_ah_cannot_have(packet, suite):
    sa = make_sa(suite, **(V4 if packet[0] >> 4 == 4 else V6))
    sealed = AhSeal(sa, random()).seal(packet)
    at = 20 if packet[0] >> 4 == 4 else 40
    for words in range(256):
        bent = sealed[: at + 1] + bytes([words]) + sealed[at + 2 :]
        outcome = AhOpen(sa).open(bent)
        if words == sealed[at + 1]:
            assert isinstance(outcome, OpenedAh)
        else:
            assert outcome in (Drop.MALFORMED, Drop.BAD_ICV)


@pytest.mark.parametrize("packet", [ipv4(b"payload", OPTIONS_V4[6]), ipv6(b"payload", (0, options_v6(b"\x3e\x02ab")))])
def test_cut_packets_and_lengthened_ones(packet):
    sa = make_sa(SHA1, **(V4 if packet[0] >> 4 == 4 else V6))
    sealed = AhSeal(sa, random()).seal(packet)
    for octets in range(len(sealed)):
        assert isinstance(AhOpen(sa).open(sealed[:octets]), Drop)
    assert AhOpen(sa).open(sealed + b"padding of the link").packet == packet


def test_what_cannot_be_sealed():
    seal = AhSeal(make_sa(SHA1, **V4), random())
    fragment = bytearray(ipv4(b"payload"))
    fragment[6] = 0x20
    assert seal.seal(bytes(fragment)) is Drop.FRAGMENT
    assert seal.seal(ipv4(bytes(65535 - 20 - 23))) is Drop.TOO_BIG
    assert isinstance(seal.seal(ipv4(bytes(65535 - 20 - 24))), bytes)
    assert isinstance(AhSeal(make_sa(SHA1, **V6), random()).seal(ipv6(bytes(65535 - 24))), bytes)
    assert AhSeal(make_sa(SHA1, **V6), random()).seal(ipv6(bytes(65535 - 23))) is Drop.TOO_BIG
    assert seal.seal(ipv4(b"payload", b"\x44\x01\0\0")) is Drop.MALFORMED
    assert seal.seal(b"") is Drop.MALFORMED
    assert seal.sequence.last == 1  # what was not sealed took no number


@given(
    noise=st.binary(max_size=150),
    begin=st.sampled_from([b"\x45\0\0\x50", b"\x4b\0\0\x50", b"\x60\0\0\0\0\x20\x33\x40", b""]),
)
def test_nothing_from_the_network_raises(noise, begin):
    packet = begin + noise
    for suite in (SHA1, GMAC, replace(SHA256, esn=True)):
        assert isinstance(AhOpen(make_sa(suite, **V4)).open(packet), Drop)
        assert isinstance(AhSeal(make_sa(suite, **V4), random()).seal(packet), bytes | Drop)


def test_an_sa_without_an_algorithm_is_refused():
    for build in (lambda sa: AhSeal(sa, random()), AhOpen):
        with pytest.raises(ValueError, match="integrity"):
            build(replace(make_sa(SHA1), authenticator=None))
        with pytest.raises(ValueError, match="octets"):
            build(replace(make_sa(SHA1), authenticator_key=make_sa(SHA256).authenticator_key))
