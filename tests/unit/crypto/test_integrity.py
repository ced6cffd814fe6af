# SPDX-License-Identifier: Apache-2.0
"""Integrity algorithms against RFC 2202, 3566, 4231, 4494 and 4868, NIST SP 800-38B and NIST's GCM vectors."""

import tomllib
from pathlib import Path

import cryptography_vectors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.crypto.integrity import gmac, integrity, same
from ringfence.crypto.suites import Authenticator, Integrity
from ringfence.errors import LegacyRefused, NotSupported
from ringfence.secret import Secret
from ringfence.testing.associations import AUTHENTICATORS
from ringfence.testing.nist import records

OURS = tomllib.loads((Path(__file__).parents[2] / "vectors" / "integrity.toml").read_text())["mac"]


def vectors(name: str) -> list[dict[str, str]]:
    with cryptography_vectors.open_vector_file(name, "r") as lines:
        return list(records(lines))


@pytest.mark.parametrize("case", OURS, ids=lambda case: f"{case['source']} {case['algorithm']}")
def test_published_macs(case):
    authenticator = Authenticator(Integrity(case["algorithm"]))
    icv = integrity(authenticator, Secret(bytes.fromhex(case["key"])))
    expected = bytes.fromhex(case["mac"])[: authenticator.row.icv_octets]
    for _ in range(2):  # what the first packet leaves behind must not reach the second
        assert icv(bytes.fromhex(case["data"])) == expected


@pytest.mark.parametrize(
    ("algorithm", "name", "fields"),
    [
        (Integrity.HMAC_MD5_96, "HMAC/rfc-2202-md5.txt", ("key", "msg", "md")),
        (Integrity.HMAC_SHA1_96, "HMAC/rfc-2202-sha1.txt", ("key", "msg", "md")),
        (Integrity.AES_CMAC_96, "CMAC/nist-800-38b-aes128.txt", ("key", "message", "output")),
    ],
)
def test_macs_of_the_vector_package(algorithm, name, fields):
    """RFC 2202 for the keys that ESP has; for AES-CMAC RFC 4494 cuts what SP 800-38B gives."""
    authenticator, tried = Authenticator(algorithm), 0
    for record in vectors(name):
        key, data, mac = (bytes.fromhex(record[field]) for field in fields)
        if len(key) == authenticator.key_octets:
            tried += 1
            assert integrity(authenticator, Secret(key), legacy=True)(data) == mac[: authenticator.row.icv_octets]
    assert tried >= 3


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_gmac_is_gcm_of_nothing(bits):
    tried = 0
    for record in vectors(f"ciphers/AES/GCM/gcmEncryptExtIV{bits}.rsp"):
        if (record["ivlen"], record["ptlen"], record["taglen"]) == ("96", "0", "128"):
            tried += 1
            key, nonce, data, tag = (bytes.fromhex(record[name]) for name in ("key", "iv", "aad", "tag"))
            icv = gmac(Authenticator(Integrity.AES_GMAC, bits // 8), Secret(key + nonce[:4]))
            assert icv(nonce[4:], data) == tag
    assert tried >= 75


@pytest.mark.parametrize("authenticator", AUTHENTICATORS, ids=str)
@given(data=st.binary(max_size=80), bit=st.integers(0, 639))
def test_every_bit_counts_and_the_length_too(authenticator, data, bit):
    icv = integrity(authenticator, Secret(bytes(range(authenticator.key_octets))), legacy=True)
    assert len(icv(data)) == authenticator.row.icv_octets
    assert not same(icv(data), icv(data + b"\0"))
    if bit < len(data) * 8:
        bent = bytearray(data)
        bent[bit // 8] ^= 1 << bit % 8
        assert not same(icv(data), icv(bytes(bent)))


def test_what_is_refused():
    with pytest.raises(LegacyRefused):
        integrity(Authenticator(Integrity.HMAC_MD5_96), Secret(bytes(16)))
    with pytest.raises(NotSupported):
        integrity(Authenticator(Integrity.AES_GMAC), Secret(bytes(36)))
    for authenticator in AUTHENTICATORS:
        with pytest.raises(ValueError, match="octets of key"):
            integrity(authenticator, Secret(bytes(authenticator.key_octets + 1)), legacy=True)
    with pytest.raises(ValueError, match="octets of key"):
        gmac(Authenticator(Integrity.AES_GMAC), Secret(bytes(32)))
