# SPDX-License-Identifier: Apache-2.0
"""The cipher of IKEv1 against NIST's CBC vectors, for AES and for 3DES."""

import cryptography_vectors
import pytest

from ringfence.crypto.ikecipher import IkeCipher
from ringfence.crypto.suites import Cipher, Encryption
from ringfence.errors import LegacyRefused
from ringfence.testing.nist import records

DES = Cipher(Encryption.DES, 64)
TRIPLE_DES = Cipher(Encryption.TRIPLE_DES, 192)


def vectors(name: str) -> list[dict[str, str]]:
    with cryptography_vectors.open_vector_file(name, "r") as lines:
        return list(records(lines))


def check(cipher: IkeCipher, record: dict[str, str]) -> None:
    iv, plain, data = (bytes.fromhex(record[name]) for name in ("iv", "plaintext", "ciphertext"))
    for _ in range(2):  # nothing is left behind
        assert cipher.encrypt(iv, plain) == data
        assert cipher.decrypt(iv, data) == plain
    assert cipher.encrypt(iv, b"") == cipher.decrypt(iv, b"") == b""


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("name", ["CBCMMT", "CBCKeySbox"])
def test_aes(bits, name):
    cases = vectors(f"ciphers/AES/CBC/{name}{bits}.rsp")
    assert len(cases) >= 10
    for record in cases:
        cipher = IkeCipher(Cipher(Encryption.AES_CBC, bits), bytes.fromhex(record["key"]))
        assert cipher.block == 16
        check(cipher, record)


def test_triple_des():
    cases = vectors("ciphers/3DES/CBC/TCBCMMT3.rsp")
    assert len(cases) >= 10
    for record in cases:
        key = bytes.fromhex(record["key1"] + record["key2"] + record["key3"])
        cipher = IkeCipher(TRIPLE_DES, key, legacy=True)
        assert cipher.block == 8
        check(cipher, record)


def test_single_des():
    """FIPS 81, table C1 (CBC)."""
    record = {
        "iv": "1234567890abcdef",
        "plaintext": b"Now is the time for all ".hex(),
        "ciphertext": "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    }
    check(IkeCipher(DES, bytes.fromhex("0123456789abcdef"), legacy=True), record)


def test_what_is_refused():
    for cipher in (DES, TRIPLE_DES):
        with pytest.raises(LegacyRefused):
            IkeCipher(cipher, bytes(cipher.key_bits // 8))
    with pytest.raises(ValueError, match="weak key"):
        IkeCipher(DES, bytes.fromhex("1f1f1f1f0e0e0e0e"), legacy=True)
    with pytest.raises(ValueError, match="octets of key"):
        IkeCipher(Cipher(Encryption.AES_CBC, 128), bytes(17))
    with pytest.raises(ValueError, match="IKEv1 has no"):
        IkeCipher(Cipher(Encryption.AES_GCM_16, 128), bytes(16))
    cipher = IkeCipher(Cipher(Encryption.AES_CBC, 128), bytes(16))
    for crypt in (cipher.encrypt, cipher.decrypt):
        with pytest.raises(ValueError):
            crypt(bytes(16), bytes(15))
        with pytest.raises(ValueError):
            crypt(bytes(8), bytes(16))
