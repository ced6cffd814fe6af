# SPDX-License-Identifier: Apache-2.0
"""What is sealed opens again, and nothing else does."""

import pytest

from ringfence.crypto.suites import Authenticator, Cipher, Encryption, Integrity
from ringfence.ike.errors import Ignored
from ringfence.ike.v2.protection import Protection
from ringfence.secret import Secret

SHA256 = Authenticator(Integrity.HMAC_SHA256_128)
SUITES = [
    (Cipher(Encryption.AES_CBC, 256), SHA256),
    (Cipher(Encryption.AES_CTR, 128), SHA256),
    (Cipher(Encryption.TRIPLE_DES, 192), Authenticator(Integrity.HMAC_MD5_96)),
    (Cipher(Encryption.AES_GCM_16, 256), None),
    (Cipher(Encryption.AES_CCM_8, 128), None),
    (Cipher(Encryption.CHACHA20_POLY1305, 256), None),
]


def protection(cipher, authenticator):
    key = Secret(bytes(range(cipher.key_material_octets)))
    return Protection(
        cipher, authenticator, key, Secret(bytes(authenticator.key_material_octets if authenticator else 0))
    )


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: str(suite[0]))
@pytest.mark.parametrize("octets", [0, 1, 15, 16, 17, 300])
def test_round_trip(suite, octets):
    ours, theirs = protection(*suite), protection(*suite)
    for number in range(3):
        plain = bytes([number]) * octets
        sealed = ours.seal(b"head", plain, bytes([number]) * ours.seed_octets)
        assert len(sealed) == ours.sealed_octets(octets)
        assert theirs.open(b"head", sealed) == plain


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: str(suite[0]))
def test_one_changed_bit_anywhere_is_seen(suite):
    ours, theirs = protection(*suite), protection(*suite)
    sealed = ours.seal(b"head", b"a message", bytes(ours.seed_octets))
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Ignored):
            theirs.open(b"head", bytes(changed))
    with pytest.raises(Ignored):
        theirs.open(b"haed", sealed)
    for size in range(len(sealed)):
        with pytest.raises(Ignored):
            theirs.open(b"head", sealed[:size])
    assert theirs.open(b"head", sealed) == b"a message"


def test_an_iv_of_a_combined_mode_does_not_come_twice():
    ours = protection(Cipher(Encryption.AES_GCM_16, 256), None)
    assert len({ours.seal(b"", b"same", b"")[:8] for _ in range(100)}) == 100


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: str(suite[0]))
def test_one_that_waits_keeps_no_more_than_its_keys(suite):
    """Twenty thousand IKE SAs wait most of the time."""
    ours, theirs = protection(*suite), protection(*suite)
    for number in range(3):
        sealed = ours.seal(b"head", b"payloads", bytes([number]) * ours.seed_octets)
        assert theirs.open(b"head", sealed) == b"payloads"
        assert ours._ready is theirs._ready is None


def test_keys_of_the_wrong_length_are_refused_at_once():
    with pytest.raises(ValueError, match="octets of key"):
        Protection(Cipher(Encryption.AES_GCM_16, 256), None, Secret(bytes(3)), Secret(b""))


def test_more_padding_than_octets_is_refused():
    cipher = Cipher(Encryption.AES_GCM_16, 128)
    ours = protection(cipher, None)
    mode = ours._mode()
    sealed = mode.encrypt(mode.salt + bytes(8), b"ab\x09", b"")
    with pytest.raises(Ignored, match="more padding"):
        ours.open(b"", bytes(8) + sealed)
