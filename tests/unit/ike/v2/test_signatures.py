# SPDX-License-Identifier: Apache-2.0
"""Signatures in AUTH payloads, octet by octet; whole exchanges are in tests/protocol/test_ikev2_certificates.py."""

import pytest
from lab.authority import authority

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import SCHEMES, KeyKind, PrivateKey, Scheme
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import AuthPayload, NotifyPayload
from ringfence.ike.v2.signatures import announced, announcement, check, encoded, way_to_sign

ROOT = authority()
ALICE, RSA = ROOT.issue(), ROOT.issue(kind="rsa")
HASHES = frozenset((2, 3, 4, 5))
NOTHING = frozenset[int]()


def chain(*payloads):
    return Chain(tuple(Decoded(payload, b"") for payload in payloads))


def checked(issued, payload, hashes=HASHES, *, sha1=False):
    check(payload, Certificate.read(issued.der), b"octets", hashes, sha1=sha1)


def test_hashes_are_announced_by_their_numbers():
    """RFC 7427 §4, RFC 8420 §2."""
    assert announcement().data.hex() == "0002000300040005"
    assert announced(chain(announcement())) == HASHES
    odd = NotifyPayload(Notify.SIGNATURE_HASH_ALGORITHMS, bytes.fromhex("00010002ffff00"))
    assert announced(chain(odd)) == {2}
    assert announced(chain()) == NOTHING


def test_the_best_way_that_the_peer_verifies():
    for kind, hashes, found in (
        (KeyKind.RSA, HASHES, (AuthMethod.SIGNATURE, Scheme.PSS_SHA256)),
        (KeyKind.P384, HASHES, (AuthMethod.SIGNATURE, Scheme.ECDSA_SHA384)),
        (KeyKind.P256, (4,), (AuthMethod.SIGNATURE, Scheme.ECDSA_SHA512)),
        (KeyKind.ED25519, (5,), (AuthMethod.SIGNATURE, Scheme.ED25519)),
        (KeyKind.P256, (), (AuthMethod.ECDSA_256, Scheme.ECDSA)),
        (KeyKind.P521, (5,), (AuthMethod.ECDSA_521, Scheme.ECDSA)),
    ):
        assert way_to_sign(kind, hashes, sha1=False) == found
        assert way_to_sign(kind, hashes, sha1=True) == found
    assert way_to_sign(KeyKind.RSA, (), sha1=True) == (AuthMethod.RSA, Scheme.RSA_SHA1)
    for kind, sha1 in ((KeyKind.RSA, False), (KeyKind.ED25519, True)):
        with pytest.raises(Aborted) as raised:
            way_to_sign(kind, (), sha1=sha1)
        assert raised.value.reason is Reason.WRONG_METHOD


@pytest.mark.parametrize("scheme", [Scheme.ECDSA_SHA256, Scheme.ECDSA_SHA512])
def test_the_algorithm_stands_before_the_signature(scheme):
    """RFC 7427 §3."""
    payload = encoded(AuthMethod.SIGNATURE, scheme, PrivateKey(ALICE.key).sign(scheme, b"octets"))
    identifier = SCHEMES[scheme].identifier
    assert payload.data[: len(identifier) + 1] == bytes([len(identifier)]) + identifier
    checked(ALICE, payload)
    for wrong in (b"", b"\xff\x30", b"\x02\x30\x00" + payload.data[len(identifier) + 1 :], payload.data[:-1]):
        with pytest.raises(Aborted) as raised:
            checked(ALICE, AuthPayload(AuthMethod.SIGNATURE, wrong))
        assert raised.value.reason is Reason.WRONG_SIGNATURE


def test_ecdsa_by_the_old_methods_is_for_its_curve():
    payload = encoded(AuthMethod.ECDSA_256, Scheme.ECDSA, PrivateKey(ALICE.key).sign(Scheme.ECDSA, b"octets"))
    assert len(payload.data) == 64
    checked(ALICE, payload)
    for issued, method in ((ALICE, AuthMethod.ECDSA_384), (RSA, AuthMethod.ECDSA_256)):
        with pytest.raises(Aborted) as raised:
            checked(issued, AuthPayload(method, payload.data))
        assert raised.value.reason is Reason.WRONG_SIGNATURE


def test_sha1_is_taken_where_the_policy_allows_it_from_who_knows_nothing_else():
    payload = AuthPayload(AuthMethod.RSA, PrivateKey(RSA.key).sign(Scheme.RSA_SHA1, b"octets"))
    checked(RSA, payload, NOTHING, sha1=True)
    for hashes, sha1, words in ((NOTHING, False, "legacy = true"), (HASHES, True, "better hashes")):
        with pytest.raises(Aborted, match=words) as raised:
            checked(RSA, payload, hashes, sha1=sha1)
        assert raised.value.reason is Reason.WRONG_METHOD
