# SPDX-License-Identifier: Apache-2.0
"""ESP: every suite round trip, every bit counts, nothing from the network raises."""

import tomllib
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher as BlockMode
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.crypto.suites import Authenticator, Cipher, Encryption, Integrity
from ringfence.databases.proposal import Protocol, Transform
from ringfence.databases.sa import Mode
from ringfence.datapath.esp import EspOpen, EspSeal, Opened, overhead
from ringfence.datapath.verdict import Drop
from ringfence.errors import LegacyRefused, NotSupported
from ringfence.secret import Secret
from ringfence.testing.associations import ESP_SUITES, esp_suite, make_sa

GCM = esp_suite(Encryption.AES_GCM_16)
CBC = esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128)
CTR = esp_suite(Encryption.AES_CTR, Integrity.AES_XCBC_96)
GMAC = esp_suite(Encryption.NULL_AES_GMAC)
CHACHA = esp_suite(Encryption.CHACHA20_POLY1305)
NULL = esp_suite(Encryption.NULL, Integrity.HMAC_SHA1_96)
FEW = (GCM, CBC, CTR, GMAC, CHACHA, NULL, esp_suite(Encryption.AES_GCM_8), esp_suite(Encryption.AES_CCM_12))

every_suite = pytest.mark.parametrize("suite", ESP_SUITES, ids=str)
few_suites = pytest.mark.parametrize("suite", FEW, ids=str)
next_headers = st.integers(0, 255).filter(lambda number: number != 59)


def random(seed: int = 1):
    return Random(seed).randbytes


@every_suite
@settings(max_examples=8, deadline=None)
@given(next_header=next_headers, payload=st.binary(max_size=300), esn=st.booleans(), seed=st.integers(0, 2**32))
def test_what_one_side_seals_the_other_opens(suite, next_header, payload, esn, seed):
    sa = make_sa(replace(suite, esn=esn))
    packet = EspSeal(sa, random(seed)).seal(next_header, payload)
    assert packet[:8] == sa.spi.to_bytes(4) + (1).to_bytes(4)
    assert len(packet) == overhead(sa, len(payload))
    assert EspOpen(sa).open(packet) == Opened(next_header, payload)


def test_weak_algorithms_are_refused_unless_asked_for():
    weak = make_sa(esp_suite(Encryption.TRIPLE_DES, Integrity.HMAC_SHA1_96))
    for build in (lambda sa: EspSeal(sa, random()), EspOpen):
        build(weak)
        with pytest.raises(LegacyRefused):
            build(replace(weak, legacy=False))
        with pytest.raises(LegacyRefused):
            build(replace(make_sa(esp_suite(Encryption.NULL, Integrity.HMAC_MD5_96)), legacy=False))


@few_suites
def test_every_bit_of_a_packet_is_protected(suite):
    sa = make_sa(suite)
    packet = EspSeal(sa, random()).seal(17, b"eight oc")
    for bit in range(len(packet) * 8):
        bent = bytearray(packet)
        bent[bit // 8] ^= 1 << bit % 8
        # a sequence number that falls out of the window is refused before its ICV is looked at
        assert EspOpen(sa).open(bytes(bent)) in (Drop.BAD_ICV, Drop.TOO_OLD)


def test_tunnel_mode_hides_lengths_and_transport_mode_cannot():
    sa = make_sa(GCM, mode=Mode.TUNNEL, tfc_octets=500)
    seal, opens = EspSeal(sa, random()), EspOpen(sa)
    lengths = set()
    for octets in (0, 20, 499, 500):
        (packet,) = seal.seal_many([(4, bytes([7]) * octets)])
        lengths.add(len(packet))
        assert opens.open(packet) == Opened(4, (bytes([7]) * octets).ljust(500, b"\0"))
    assert lengths == {overhead(sa, 0)}
    assert len(seal.seal(4, b"inner", pad_to=1000)) == overhead(sa, 1000)
    plain = make_sa(GCM)
    assert len(EspSeal(plain, random()).seal(4, b"inner", pad_to=1000)) == overhead(plain, 5)


@every_suite
def test_a_dummy_packet_is_dropped_as_one(suite):
    sa = make_sa(suite)
    assert EspOpen(sa).open(EspSeal(sa, random()).seal(59, bytes(90))) is Drop.DUMMY


@few_suites
@pytest.mark.parametrize("esn", [False, True])
def test_an_exhausted_counter_stops_the_sa(suite, esn):
    sa = make_sa(replace(suite, esn=esn))
    last = 2**64 - 1 if esn else 2**32 - 1
    seal = EspSeal(sa, random(), last_sequence=last - 2)
    first, second, *others = seal.seal_many([(17, b"x")] * 5)
    assert others == [Drop.SEQUENCE_EXHAUSTED] * 3
    assert seal.seal(17, b"x") is Drop.SEQUENCE_EXHAUSTED
    assert EspOpen(sa, top=last - 2).open_many([first, second]) == [Opened(17, b"x")] * 2


@few_suites
def test_extended_numbers_over_the_wrap_of_the_low_half(suite):
    sa = make_sa(replace(suite, esn=True))
    packets = EspSeal(sa, random(), last_sequence=2**32 - 20).seal_many([(17, bytes([n])) for n in range(40)])
    assert {packet[4:6] for packet in packets} == {b"\xff\xff", b"\0\0"}
    order = [*range(0, 40, 2), *range(39, 0, -2)]
    opened = EspOpen(sa, top=2**32 - 20).open_many([packets[n] for n in order])
    assert [result.payload[0] for result in opened] == order
    # the same octets with the high half of another subspace are not the same packet
    assert EspOpen(sa, top=2**33 - 20).open(packets[0]) is Drop.BAD_ICV


@few_suites
def test_a_receiver_that_missed_whole_subspaces_finds_back(suite):
    sa = make_sa(replace(suite, esn=True))
    opens = EspOpen(sa, top=100)
    packets = EspSeal(sa, random(), last_sequence=3 * 2**32 + 50).seal_many([(17, b"here")] * 70)
    results = opens.open_many(packets)
    assert results == [Drop.BAD_ICV] * 63 + [Opened(17, b"here")] * 7
    assert opens.window.top == 3 * 2**32 + 120


def test_ivs_are_never_repeated_and_those_of_cbc_not_foreseeable():
    for suite in (GCM, CTR, CHACHA, GMAC, CBC):
        packets = [
            packet
            for seed, esn in ((1, False), (2, False), (3, True))
            for packet in EspSeal(make_sa(replace(suite, esn=esn)), random(seed)).seal_many([(4, bytes(8))] * 200)
        ]
        octets = suite.cipher.row.iv_octets
        assert len({packet[8 : 8 + octets] for packet in packets}) == 600
    first, second = (EspSeal(make_sa(CBC), random(seed)).seal_many([(4, bytes(8))] * 3) for seed in (1, 2))
    assert {packet[8:24] for packet in first}.isdisjoint(packet[8:24] for packet in second)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_short_way_and_the_plain_way_agree(data):
    """Batches with everything in them: reordered, repeated, bent, cut, dummies, wrong padding, many lengths."""
    sa = make_sa(data.draw(st.sampled_from([GCM, CHACHA, esp_suite(Encryption.AES_CCM_16)])), replay_window=32)
    items = data.draw(st.lists(st.tuples(st.sampled_from([4, 6, 59]), st.binary(max_size=40)), min_size=1, max_size=30))
    packets = EspSeal(sa, random()).seal_many(items)
    arriving = data.draw(st.lists(st.sampled_from(packets), max_size=60)) + packets
    for place in data.draw(st.lists(st.integers(0, len(arriving) - 1), max_size=5, unique=True)):
        bent = bytearray(arriving[place])
        bent[data.draw(st.integers(0, len(bent) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        arriving[place] = bytes(bent)[: data.draw(st.integers(0, len(bent)) | st.just(len(bent)))]
    short, plain = EspOpen(sa), EspOpen(sa)
    cut = data.draw(st.integers(0, len(arriving)))
    results = short.open_many(arriving[:cut]) + short.open_many(arriving[cut:])
    assert results == [plain.open(packet) for packet in arriving]
    assert (short.window.top, short.window.seen()) == (plain.window.top, plain.window.seen())


@few_suites
@given(noise=st.binary(max_size=120), cut=st.integers(0, 200), extra=st.binary(max_size=20))
@settings(max_examples=40, deadline=None)
def test_nothing_from_the_network_raises(suite, noise, cut, extra):
    sa = make_sa(suite)
    packet = EspSeal(sa, random()).seal(17, b"payload of no great length")
    octets = [noise, packet[:8] + noise, packet[:cut] if cut < len(packet) else b"", packet + extra + b"!"]
    for opens in (EspOpen(sa), EspOpen(replace(sa, esn=True)), EspOpen(replace(sa, replay_window=0))):
        assert all(isinstance(result, Drop) for result in opens.open_many(octets))


@few_suites
def test_lengths_that_no_packet_has(suite):
    sa = make_sa(suite)
    opens = EspOpen(sa)
    least = overhead(sa, 0)
    assert {opens.open(bytes(octets)) for octets in range(least)} == {Drop.TOO_SHORT}
    assert opens.open(bytes(least + 1)) is Drop.MALFORMED
    assert opens.open(bytes(70000)) is Drop.MALFORMED
    assert opens.open_many([b"", bytes(least + 1), bytes(least)]) == [Drop.TOO_SHORT, Drop.MALFORMED, Drop.TOO_OLD]


def sealed_by_hand(sa, plain: bytes, number: int) -> bytes:
    """A packet of AES-GCM whose sender padded as it liked."""
    key = sa.cipher_key.reveal()
    header, iv = sa.spi.to_bytes(4) + number.to_bytes(4), number.to_bytes(8)
    return header + iv + AESGCM(key[:32]).encrypt(key[32:] + iv, plain, header)


@pytest.mark.parametrize("plain", [
    b"abcdef\x00\x00\x02\x04", b"abcdef\x02\x01\x02\x04", b"abcde\x01\x02\x04\x03\x04", b"\x07\x04" * 2,
    b"\x01\x02\xff\x04", b"abc\x00\x00\x00\x03\x11",
], ids=bytes.hex)  # fmt: skip
def test_padding_is_checked(plain):
    sa = make_sa(GCM)
    packets = [sealed_by_hand(sa, plain.rjust((len(plain) + 3) // 4 * 4, b"x"), number) for number in (1, 2)]
    assert EspOpen(sa).open_many(packets) == [Drop.BAD_PADDING] * 2
    assert EspOpen(sa).open(packets[0]) is Drop.BAD_PADDING


def test_a_sender_may_pad_more_than_it_must():
    sa = make_sa(GCM)
    for number, padding in enumerate((2, 6, 254), 1):
        plain = b"" + bytes(range(1, padding + 1)) + bytes([padding, 17])
        assert EspOpen(sa).open(sealed_by_hand(sa, plain, number)) == Opened(17, b"")
        assert EspOpen(sa).open_many([sealed_by_hand(sa, plain, number)]) == [Opened(17, b"")]


def test_a_replayed_packet_and_a_late_one_are_told_apart():
    sa = make_sa(GCM, replay_window=32)
    packets = EspSeal(sa, random()).seal_many([(17, b"x")] * 40)
    opens = EspOpen(sa)
    assert opens.open_many([packets[0], packets[0], packets[39], packets[5], packets[8], packets[8]]) == [
        Opened(17, b"x"), Drop.REPLAYED, Opened(17, b"x"), Drop.TOO_OLD, Opened(17, b"x"), Drop.REPLAYED,
    ]  # fmt: skip


def test_a_forged_packet_does_not_move_the_window():
    sa = make_sa(GCM)
    opens = EspOpen(sa)
    (packet,) = EspSeal(sa, random()).seal_many([(17, b"x")])
    forged = packet[:4] + (2**31).to_bytes(4) + packet[8:]
    assert opens.open_many([forged, packet]) == [Drop.BAD_ICV, Opened(17, b"x")]


def test_without_anti_replay_a_packet_opens_twice():
    sa = make_sa(GCM, replay_window=0)
    packet = EspSeal(sa, random()).seal(17, b"x")
    assert EspOpen(sa).open_many([packet, packet]) == [Opened(17, b"x")] * 2


def test_a_key_of_the_wrong_length_is_refused_at_once():
    for suite in (GCM, CBC, CTR):
        sa = make_sa(suite)
        for wrong in (replace(sa, cipher_key=Secret(b"short")), replace(sa, cipher=None)):
            with pytest.raises(ValueError, match=r"key|cipher"):
                EspSeal(wrong, random())
            with pytest.raises(ValueError, match=r"key|cipher"):
                EspOpen(wrong)
    with pytest.raises(NotSupported):
        EspSeal(make_sa(esp_suite(Encryption.NULL, Integrity.AES_GMAC)), random())


VECTORS = Path(__file__).parents[2] / "vectors"
COMBINED_PACKETS = tomllib.loads((VECTORS / "esp-combined.toml").read_text())["packet"]
CBC_PACKETS = tomllib.loads((VECTORS / "esp-aes-cbc.toml").read_text())["packet"]


@pytest.mark.parametrize("case", COMBINED_PACKETS, ids=lambda case: f"{case['source']} {case['header']}")
def test_published_packets_of_combined_modes(case):
    key, nonce, header, plain, sealed, icv = (
        bytes.fromhex(case[name]) for name in ("key", "nonce", "header", "plain", "sealed", "icv")
    )
    number, esn = int.from_bytes(header[4:]), len(header) == 12
    suite = Transform(Protocol.ESP, Cipher(Encryption(case["cipher"]), len(key) * 8), esn=esn)
    sa = replace(make_sa(suite, spi=int.from_bytes(header[:4])), cipher_key=Secret(key + nonce[:4]))
    packet = header[:4] + header[-4:] + nonce[4:] + sealed + icv
    payload, next_header = plain[: -2 - plain[-2]], plain[-1]

    def mask(octets: int) -> bytes:
        return (int.from_bytes(nonce[4:]) ^ number).to_bytes(octets)

    assert EspSeal(sa, mask, last_sequence=number - 1).seal(next_header, payload) == packet
    for opens in (EspOpen(sa, top=number - 1), EspOpen(sa, top=max(0, number - 9))):
        assert opens.open_many([packet, packet]) == [Opened(next_header, payload), Drop.REPLAYED]


@pytest.mark.parametrize("case", CBC_PACKETS, ids=lambda case: f"RFC 3602 case {case['case']}")
def test_published_packets_of_aes_cbc(case):
    """They have no ICV; ours is cut off, and one is put behind them."""
    key, payload, packet = (bytes.fromhex(case[name]) for name in ("key", "payload", "packet"))
    suite = Transform(Protocol.ESP, Cipher(Encryption.AES_CBC, 128), Authenticator(Integrity.HMAC_SHA1_96))
    sa = replace(make_sa(suite, spi=int.from_bytes(packet[:4])), cipher_key=Secret(key))
    aes = BlockMode(AES(key), ECB()).decryptor()  # the seed that becomes the IV of the case
    draws = iter([bytes(8), aes.update(packet[8:24])])
    sealed = EspSeal(sa, lambda _: next(draws), last_sequence=packet[7] - 1).seal(case["next_header"], payload)
    assert sealed[:-12] == packet
    mac = HMAC(sa.authenticator_key.reveal(), SHA1())
    mac.update(packet)
    assert EspOpen(sa).open(packet + mac.finalize()[:12]) == Opened(case["next_header"], payload)
