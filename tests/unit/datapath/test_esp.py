# SPDX-License-Identifier: Apache-2.0
"""ESP: every suite round trip, every bit counts, nothing from the network raises."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.sa import Mode
from ringfence.datapath.esp import EspOpen, EspSeal, Opened, overhead
from ringfence.datapath.verdict import Drop
from ringfence.errors import LegacyRefused
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
