# SPDX-License-Identifier: Apache-2.0
"""Ciphers against NIST's vectors and the RFCs' (3602, 3686, 4106, 7634), and over packet after packet."""

import tomllib
from pathlib import Path

import cryptography_vectors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.crypto.cipher import BadIcv, combined, separate
from ringfence.crypto.suites import Cipher, Encryption
from ringfence.errors import LegacyRefused
from ringfence.secret import Secret
from ringfence.testing.associations import CIPHERS
from ringfence.testing.nist import records

PACKETS = tomllib.loads((Path(__file__).parents[2] / "vectors" / "esp-combined.toml").read_text())["packet"]
COMBINED = [cipher for cipher in CIPHERS if cipher.row.combined]
SEPARATE = [cipher for cipher in CIPHERS if not cipher.row.combined]
KEY_BITS = pytest.mark.parametrize("bits", [128, 192, 256])


def vectors(name: str) -> list[dict[str, str]]:
    with cryptography_vectors.open_vector_file(name, "r") as lines:
        return list(records(lines))


def octets(record: dict[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(record[name]) for name in names]


def key_for(cipher: Cipher) -> Secret:
    return Secret(bytes(range(cipher.key_material_octets)))


@KEY_BITS
@pytest.mark.parametrize(
    ("algorithm", "tag"), [(Encryption.AES_GCM_16, 16), (Encryption.AES_GCM_12, 12), (Encryption.AES_GCM_8, 8)]
)
def test_gcm_of_nist(bits, algorithm, tag):
    sealed = opened = 0
    for record in vectors(f"ciphers/AES/GCM/gcmEncryptExtIV{bits}.rsp"):
        if record["ivlen"] == "96" and int(record["taglen"]) == tag * 8 and record["ptlen"] in ("0", "128", "408"):
            key, iv, plain, aad, ct, icv = octets(record, "key", "iv", "pt", "aad", "ct", "tag")
            mode = combined(Cipher(algorithm, bits), Secret(key + iv[:4]))
            assert mode.encrypt(iv, plain, aad) == ct + icv
            sealed += 1
    for record in vectors(f"ciphers/AES/GCM/gcmDecrypt{bits}.rsp"):
        if record["ivlen"] == "96" and int(record["taglen"]) == tag * 8 and record["ptlen"] in ("0", "128"):
            key, iv, aad, ct, icv = octets(record, "key", "iv", "aad", "ct", "tag")
            mode = combined(Cipher(algorithm, bits), Secret(key + iv[:4]))
            if record.get("mark") == "FAIL":
                with pytest.raises(BadIcv):
                    mode.decrypt(iv, ct + icv, aad)
            else:
                assert mode.decrypt(iv, ct + icv, aad) == bytes.fromhex(record["pt"])
            opened += 1
    assert sealed >= 75
    assert opened >= 75


@KEY_BITS
@pytest.mark.parametrize(
    ("algorithm", "tag"), [(Encryption.AES_CCM_16, 16), (Encryption.AES_CCM_12, 12), (Encryption.AES_CCM_8, 8)]
)
def test_ccm_of_nist(bits, algorithm, tag):
    """With a nonce of 13 octets there are vectors for every tag, with ESP's 11 for tags of 16 only."""
    tried = 0
    for record in vectors(f"ciphers/AES/CCM/VTT{bits}.rsp") + vectors(f"ciphers/AES/CCM/VNT{bits}.rsp"):
        if int(record["tlen"]) == tag and record["nlen"] in ("11", "13"):
            key, nonce, aad, plain, ct = octets(record, "key", "nonce", "adata", "payload", "ct")
            mode = combined(Cipher(algorithm, bits), Secret(key + nonce[:3]))
            assert mode.encrypt(nonce, plain, aad) == ct
            assert mode.decrypt(nonce, ct, aad) == plain
            tried += 1
    assert tried >= 10


@pytest.mark.parametrize("case", PACKETS, ids=lambda case: case["source"])
def test_published_packets(case):
    key, nonce, header, plain, sealed, icv = octets(case, "key", "nonce", "header", "plain", "sealed", "icv")
    mode = combined(Cipher(Encryption(case["cipher"]), len(key) * 8), Secret(key + nonce[:4]))
    assert mode.encrypt(nonce, plain, header) == sealed + icv
    assert mode.decrypt(nonce, sealed + icv, header) == plain
    into = memoryview(bytearray(len(plain)))
    mode.decrypt_into(nonce, memoryview(sealed + icv), memoryview(header), into)
    assert bytes(into) == plain


@KEY_BITS
def test_ctr_of_rfc_3686(bits):
    tried = 0
    for record in vectors(f"ciphers/AES/CTR/aes-{bits}-ctr.txt"):
        key, block, plain, ct = octets(record, "key", "iv", "plaintext", "ciphertext")
        cipher = separate(Cipher(Encryption.AES_CTR, bits), Secret(key + block[:4]))
        assert cipher.encrypt(block[4:12], plain) == block[4:12] + ct
        assert cipher.decrypt(block[4:12] + ct) == plain
        tried += 1
    assert tried == 3


@pytest.mark.parametrize(
    ("algorithm", "bits", "name"),
    [(Encryption.AES_CBC, bits, f"ciphers/AES/CBC/CBCMMT{bits}.rsp") for bits in (128, 192, 256)]
    + [(Encryption.TRIPLE_DES, 192, "ciphers/3DES/CBC/TCBCMMT3.rsp")],
)
def test_cbc_of_nist(algorithm, bits, name):
    tried = 0
    for record in vectors(name):
        parts = ("key",) if "key" in record else ("key1", "key2", "key3")
        key = b"".join(octets(record, *parts))
        iv, plain, ct = octets(record, "iv", "plaintext", "ciphertext")
        cipher = separate(Cipher(algorithm, bits), Secret(key), legacy=True)
        for _ in range(2):
            assert cipher.decrypt(iv + ct) == plain
        sealed = cipher.encrypt(seed_for(algorithm, bits, key, iv), plain)
        assert sealed == iv + ct
        tried += 1
    assert tried >= 10


def seed_for(algorithm: Encryption, bits: int, key: bytes, iv: bytes) -> bytes:
    """What a fresh cipher must be given to make ``iv``: it encrypts the seed after a zero block."""
    return separate(Cipher(algorithm, bits), Secret(key), legacy=True).decrypt(bytes(len(iv)) + iv)


@pytest.mark.parametrize("cipher", SEPARATE, ids=str)
@given(plains=st.lists(st.binary(max_size=8), max_size=6), order=st.randoms(use_true_random=False))
def test_packet_after_packet_in_any_order(cipher, plains, order):
    sender, receiver = (separate(cipher, key_for(cipher), legacy=True) for _ in range(2))
    block = cipher.row.block_octets
    plains = [(plain * block)[: len(plain) * 16 // block * block] for plain in plains]
    sealed = [
        (sender.encrypt(number.to_bytes(cipher.row.iv_octets) if cipher.row.iv_octets else b"", plain), plain)
        for number, plain in enumerate(plains)
    ]
    order.shuffle(sealed)
    for data, plain in sealed:
        assert len(data) == cipher.row.iv_octets + len(plain)
        assert receiver.decrypt(data) == plain


@pytest.mark.parametrize("cipher", [cipher for cipher in SEPARATE if cipher.row.block_octets > 1], ids=str)
def test_broken_blocks_do_not_shift_later_packets(cipher):
    mode = separate(cipher, key_for(cipher), legacy=True)
    block = cipher.row.block_octets
    with pytest.raises(ValueError, match="whole blocks"):
        mode.encrypt(bytes(block), b"odd")
    with pytest.raises(ValueError, match="whole blocks"):
        mode.decrypt(bytes(block + 1))
    assert mode.decrypt(mode.encrypt(b"s" * block, b"p" * block)) == b"p" * block


@pytest.mark.parametrize("cipher", COMBINED, ids=str)
@given(plain=st.binary(max_size=40), aad=st.binary(min_size=8, max_size=12), data=st.data())
def test_every_bit_of_a_combined_mode_counts(cipher, plain, aad, data):
    mode = combined(cipher, key_for(cipher))
    nonce = mode.salt + bytes(range(8))
    sealed = mode.encrypt(nonce, plain, aad)
    assert len(sealed) == len(plain) + cipher.row.icv_octets
    assert mode.decrypt(nonce, sealed, aad) == plain
    parts = [nonce, sealed, aad]
    which = data.draw(st.integers(0, 2))
    bent = bytearray(parts[which])
    bent[data.draw(st.integers(0, len(bent) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[which] = bytes(bent)
    with pytest.raises(BadIcv):
        mode.decrypt(*parts)


def test_what_is_refused():
    for cipher in CIPHERS:
        prepare, other = (combined, separate) if cipher.row.combined else (separate, combined)
        with pytest.raises(ValueError, match="octets of key"):
            prepare(cipher, Secret(bytes(cipher.key_material_octets + 1)))
        with pytest.raises(ValueError, match=r"combined|integrity"):
            other(cipher, key_for(cipher))
    for algorithm, bits in ((Encryption.DES, 64), (Encryption.TRIPLE_DES, 192)):
        with pytest.raises(LegacyRefused):
            separate(Cipher(algorithm, bits), Secret(bytes(bits // 8)))
