# SPDX-License-Identifier: Apache-2.0
"""The tables are whole, unambiguous and refuse what is weak."""

import pytest

from ringfence.crypto.suites import (
    ENCRYPTION,
    GROUPS,
    HASH,
    INTEGRITY,
    Authenticator,
    Cipher,
    DhGroup,
    Encryption,
    Hash,
    Integrity,
    is_legacy,
    refuse_legacy,
)
from ringfence.errors import LegacyRefused


def test_every_algorithm_has_a_row() -> None:
    assert set(ENCRYPTION) == set(Encryption)
    assert set(INTEGRITY) == set(Integrity)
    assert set(HASH) == set(Hash)
    assert set(GROUPS) == set(DhGroup)


@pytest.mark.parametrize("numbers", ["esp_v1", "ike_v1", "ike_v2"])
def test_no_number_means_two_things(numbers: str) -> None:
    used = [getattr(row, numbers) for row in ENCRYPTION.values() if getattr(row, numbers) is not None]
    assert len(used) == len(set(used))


def test_words() -> None:
    assert str(Cipher(Encryption.AES_GCM_16, 256)) == "aes256-gcm"
    assert str(Cipher(Encryption.TRIPLE_DES, 192)) == "3des"
    assert str(Cipher(Encryption.NULL_AES_GMAC, 128)) == "null-aes128-gmac"
    assert str(Authenticator(Integrity.AES_GMAC, 16)) == "aes128-gmac"
    assert str(Authenticator(Integrity.HMAC_SHA1_96)) == "sha1"


def test_key_material() -> None:
    assert Cipher(Encryption.AES_GCM_16, 128).key_material_octets == 20
    assert Cipher(Encryption.CHACHA20_POLY1305, 256).key_material_octets == 36
    assert Authenticator(Integrity.HMAC_SHA512_256).key_material_octets == 64
    assert Cipher(Encryption.NULL, 0).key_material_octets == 0


@pytest.mark.parametrize(
    "make", [lambda: Cipher(Encryption.AES_CBC, 64), lambda: Authenticator(Integrity.HMAC_SHA1_96, 21)]
)
def test_wrong_key_sizes(make) -> None:
    with pytest.raises(ValueError):
        make()


@pytest.mark.parametrize("weak", [Encryption.DES, Encryption.TRIPLE_DES, Integrity.HMAC_MD5_96, Hash.MD5, DhGroup(2)])
def test_weak_ones_need_the_word(weak) -> None:
    assert is_legacy(weak)
    refuse_legacy(weak, allowed=True)
    with pytest.raises(LegacyRefused, match="legacy = true"):
        refuse_legacy(weak, allowed=False)


@pytest.mark.parametrize("strong", [Encryption.AES_GCM_16, Integrity.HMAC_SHA1_96, Hash.SHA1, DhGroup(14)])
def test_others_do_not(strong) -> None:
    refuse_legacy(strong, allowed=False)
