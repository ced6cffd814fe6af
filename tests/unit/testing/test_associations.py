# SPDX-License-Identifier: Apache-2.0
"""The suites are all suites, and SAs made of them have keys of the right length and of their own."""

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.testing.associations import AH_SUITES, ESP_SUITES, esp_suite, make_sa


def test_every_algorithm_is_in_some_suite():
    assert {suite.cipher.algorithm for suite in ESP_SUITES} == set(Encryption)
    assert {suite.authenticator.algorithm for suite in AH_SUITES} == set(Integrity)
    assert len(set(ESP_SUITES)) == len(ESP_SUITES)


def test_keys():
    suite = esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128)
    first, second, other = make_sa(suite), make_sa(suite), make_sa(suite, seed="other")
    assert first == second
    assert first.cipher_key != other.cipher_key
    assert (len(first.cipher_key), len(first.authenticator_key)) == (32, 32)
    assert not first.legacy
    assert make_sa(esp_suite(Encryption.DES, Integrity.HMAC_SHA1_96)).legacy
