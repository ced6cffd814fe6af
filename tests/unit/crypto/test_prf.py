# SPDX-License-Identifier: Apache-2.0
"""The PRF against RFC 2202 and 4231 and NIST's hash vectors; key material against NIST's for IKEv1 (SP 800-135)."""

import hashlib
import hmac

import cryptography_vectors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import HASH, Hash
from ringfence.errors import LegacyRefused
from ringfence.testing.nist import records


def vectors(name: str) -> list[dict[str, str]]:
    with cryptography_vectors.open_vector_file(name, "r") as lines:
        return list(records(lines))


@pytest.mark.parametrize("name", Hash)
def test_macs(name):
    file = f"rfc-2202-{name.value}" if name in (Hash.MD5, Hash.SHA1) else f"rfc-4231-{name.value}"
    prf, tried = Prf(name, legacy=True), 0
    for record in vectors(f"HMAC/{file}.txt"):
        tried += 1
        mac = prf.mac(bytes.fromhex(record["key"]), bytes.fromhex(record["msg"]))
        assert mac.hex().startswith(record["md"].lower())  # one of RFC 4231's is cut short
        assert len(mac) == prf.octets == HASH[name].octets
    assert tried >= 5


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (Hash.MD5, "MD5/rfc-1321"),
        (Hash.SHA1, "SHA1/SHA1ShortMsg"),
        (Hash.SHA256, "SHA2/SHA256ShortMsg"),
        (Hash.SHA384, "SHA2/SHA384ShortMsg"),
        (Hash.SHA512, "SHA2/SHA512ShortMsg"),
    ],
)
def test_hashes(name, file):
    tried = 0
    suffix = "txt" if name is Hash.MD5 else "rsp"
    for record in vectors(f"hashes/{file}.{suffix}"):
        if "md" in record:
            tried += 1
            data = b"" if record.get("len") == "0" else bytes.fromhex(record["msg"])
            assert Prf(name, legacy=True).hash(data).hex() == record["md"].lower()
    assert tried >= 5


def test_skeyid_of_nist():
    """The CAVS vector for pre-shared keys with SHA-1: Ni, Nr and cookies of 8 octets, g^xy of 32, key of one."""
    prf = Prf(Hash.SHA1)
    nonces = bytes.fromhex("b9a2d0e922dc66dd2130166863b5ddef")
    cookies = bytes.fromhex("83d374c30b3b50825afc0da06c728029")
    shared = bytes.fromhex("739003ba2c11c982946c65e26acf661fbf8ebb78011a9fead79efa12fe3e71cc")
    skeyid = prf.mac(bytes.fromhex("75"), nonces)
    d = prf.mac(skeyid, shared + cookies + b"\0")
    a = prf.mac(skeyid, d + shared + cookies + b"\1")
    e = prf.mac(skeyid, a + shared + cookies + b"\2")
    assert skeyid.hex() == "62b04d112877e442fc3282fc37c076997718a0b9"
    assert d.hex() == "369e5aad1bdb5faf6a3d929d500cdc236710a9ab"
    assert a.hex() == "588e957d8d790d093b3a39f121473473af78e9bb"
    assert e.hex() == "cd74b0c048219db81384d3fda8f6cda51e398a2b"


@given(key=st.binary(max_size=80), seed=st.binary(max_size=80), octets=st.integers(0, 200))
def test_expansion_written_out(key, seed, octets):
    blocks = [hmac.digest(key, seed, "sha256")]
    for _ in range(6):
        blocks.append(hmac.digest(key, blocks[-1] + seed, "sha256"))
    assert Prf(Hash.SHA256).expand_v1(key, seed, octets) == b"".join(blocks)[:octets]


@given(key=st.binary(min_size=16, max_size=20), octets=st.integers(0, 80))
def test_stretching_written_out(key, octets):
    blocks = [hmac.digest(key, b"\0", "sha1")]
    for _ in range(4):
        blocks.append(hmac.digest(key, blocks[-1], "sha1"))
    wanted = key[:octets] if octets <= len(key) else b"".join(blocks)[:octets]
    assert Prf(Hash.SHA1).stretch_v1(key, octets) == wanted


def test_md5_is_for_who_asks():
    with pytest.raises(LegacyRefused):
        Prf(Hash.MD5)
    assert Prf(Hash.MD5, legacy=True).hash(b"") == hashlib.md5(b"", usedforsecurity=False).digest()
