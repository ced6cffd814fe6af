# SPDX-License-Identifier: Apache-2.0
"""Keys without certificates as a PAD entry has them."""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.authority import new_key

from ringfence.crypto.rawkeys import fingerprint
from ringfence.crypto.signature import KeyKind
from ringfence.databases.rawkeys import KnownKey, OwnKey, PublicKeyAuth

INFO, OTHER = (
    new_key("ecdsa-p384").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for _ in range(2)
)


def test_a_key_is_known_by_itself_or_by_its_fingerprint():
    for known in (KnownKey("bob.pub", INFO), KnownKey("sha256:…", mark=fingerprint(INFO))):
        assert known.is_key(INFO)
        assert not known.is_key(OTHER)
    assert not KnownKey("nothing").is_key(INFO)


def test_ours_has_a_kind_and_a_name_for_the_keeper():
    own = OwnKey("alice.key", INFO)
    assert own.kind is KeyKind.P384
    assert own.id == f"key:{fingerprint(INFO).hex()}"


def test_in_words():
    own = OwnKey("alice.key", INFO)
    assert str(PublicKeyAuth((KnownKey("bob.pub", OTHER), KnownKey("carol.pub", INFO)), own)) == (
        "public key bob.pub or carol.pub"
    )
    assert str(PublicKeyAuth((), own)) == "public key alice.key"
