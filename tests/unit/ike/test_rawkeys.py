# SPDX-License-Identifier: Apache-2.0
"""What a signature by a key without a certificate proves, and why not."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.authority import new_key

from ringfence.crypto.rawkeys import fingerprint
from ringfence.databases.identity import Identity
from ringfence.databases.rawkeys import KnownKey, PublicKeyAuth
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.rawkeys import RAW_KEY, RAW_RSA, of, prove, shown

ALICE, BOB = Identity.parse("alice.lab"), Identity.parse("bob.lab")


def info_of(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


KEY, OTHER, THIRD = (info_of(new_key("ed25519")) for _ in range(3))


def by(info):
    """A signature by that key."""

    def verify(key):
        if key._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != info:
            raise Aborted(Reason.WRONG_SIGNATURE, "no")

    return verify


def way(*keys):
    return PublicKeyAuth(tuple(KnownKey("file", info, identity=name) for info, name in keys))


def reason(*terms):
    with pytest.raises(Aborted) as caught:
        prove(*terms)
    return caught.value.reason


@pytest.mark.parametrize("info", [b"", KEY], ids=["not shown", "shown"])
def test_the_key_that_signed_is_found(info):
    ways = way((OTHER, None)), way((KEY, None), (THIRD, BOB)), way((KEY, ALICE))
    found = prove(ALICE, info, ways, by(KEY))
    assert found.ways == ways[1:] or found.ways == ways[2:]
    assert found.claim.names == (ALICE,)
    assert found.claim.vouched


def test_a_key_that_nobody_is_named_for_vouches_for_no_name():
    assert not prove(ALICE, b"", (way((KEY, None)),), by(KEY)).claim.vouched


def test_a_fingerprint_takes_the_key_that_is_shown():
    ways = (PublicKeyAuth((KnownKey("mark", mark=fingerprint(KEY)),)),)
    assert prove(ALICE, KEY, ways, by(KEY)).ways == ways
    assert reason(ALICE, b"", ways, by(KEY)) is Reason.BAD_CERTIFICATE
    assert reason(ALICE, OTHER, ways, by(OTHER)) is Reason.UNTRUSTED


def test_the_signature_comes_first():
    """Only who holds the key that is shown can be refused for anything else."""
    assert reason(ALICE, KEY, (way((KEY, BOB)),), by(OTHER)) is Reason.WRONG_SIGNATURE
    assert reason(ALICE, OTHER, (way((KEY, None)),), by(KEY)) is Reason.WRONG_SIGNATURE


def test_each_key_is_for_its_own_name():
    assert reason(ALICE, KEY, (way((KEY, BOB)),), by(KEY)) is Reason.WRONG_IDENTITY
    assert reason(ALICE, b"", (way((KEY, BOB)),), by(KEY)) is Reason.WRONG_IDENTITY
    assert reason(ALICE, b"", (way((KEY, None)), way((OTHER, ALICE))), by(KEY)) is Reason.WRONG_IDENTITY
    assert reason(ALICE, b"", (way((OTHER, ALICE)),), by(KEY)) is Reason.WRONG_SIGNATURE


def test_what_is_shown():
    rsa = new_key("rsa")
    pkcs1 = rsa.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert shown([(RAW_KEY, KEY), (RAW_KEY, OTHER)]) == KEY
    assert shown([(RAW_RSA, pkcs1)]) == info_of(rsa)
    assert shown([(4, b"x")]) == b""
    for encoding in (RAW_KEY, RAW_RSA):
        with pytest.raises(Aborted) as caught:
            shown([(encoding, b"no key")])
        assert caught.value.reason is Reason.BAD_CERTIFICATE


def test_only_such_ways():
    assert of((way(),)) == (way(),)
    assert of(()) == ()
