# SPDX-License-Identifier: Apache-2.0
"""Weak algorithms are there for who asks, and single DES is what FIPS 81 says."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ringfence.crypto.legacy import md5, triple_des
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
