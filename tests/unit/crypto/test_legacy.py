# SPDX-License-Identifier: Apache-2.0
"""Weak algorithms are there for who asks, and single DES is what FIPS 81 says."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ringfence.crypto.legacy import is_weak_des, md5, triple_des
from ringfence.crypto.suites import Encryption
from ringfence.errors import LegacyRefused


def test_single_des():
    """FIPS 81, table C1 (CBC)."""
    des = triple_des(Encryption.DES, bytes.fromhex("0123456789abcdef"), legacy=True)
    encryptor = Cipher(des, CBC(bytes.fromhex("1234567890abcdef"))).encryptor()
    expected = "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"
    assert encryptor.update(b"Now is the time for all ").hex() == expected


def test_nobody_gets_them_unasked():
    for algorithm, octets in ((Encryption.DES, 8), (Encryption.TRIPLE_DES, 24)):
        with pytest.raises(LegacyRefused):
            triple_des(algorithm, bytes(octets), legacy=False)
    with pytest.raises(LegacyRefused):
        md5(legacy=False)
    assert md5(legacy=True).digest_size == 16


# Each undoes what its partner does; the first four are their own (RFC 2409 appendix A).
PAIRS = """
0101010101010101 0101010101010101  fefefefefefefefe fefefefefefefefe
1f1f1f1f0e0e0e0e 1f1f1f1f0e0e0e0e  e0e0e0e0f1f1f1f1 e0e0e0e0f1f1f1f1
01fe01fe01fe01fe fe01fe01fe01fe01  1fe01fe00ef10ef1 e01fe01ff10ef10e  01e001e001f101f1 e001e001f101f101
1ffe1ffe0efe0efe fe1ffe1ffe0efe0e  011f011f010e010e 1f011f010e010e01  e0fee0fef1fef1fe fee0fee0fef1fef1
"""


def test_weak_keys_are_those_that_undo_each_other():
    keys = PAIRS.split()
    for one, other in zip(keys[::2], keys[1::2], strict=True):
        data = b"8 octets"
        for key in (one, other):
            assert is_weak_des(bytes.fromhex(key))
            mode = CBC(bytes(8))
            data = Cipher(triple_des(Encryption.DES, bytes.fromhex(key), legacy=True), mode).encryptor().update(data)
        assert data == b"8 octets"


def test_parity_makes_no_key_strong_and_a_bit_of_key_does():
    for text in PAIRS.split():
        key = int(text, 16)
        assert is_weak_des((key ^ 0x0101010101010101).to_bytes(8))
        for bit in range(64):
            assert is_weak_des((key ^ 1 << bit).to_bytes(8)) == (bit % 8 == 0)
