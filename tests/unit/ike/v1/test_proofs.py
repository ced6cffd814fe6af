# SPDX-License-Identifier: Apache-2.0
"""What messages 5 and 6 prove, piece by piece; whole main modes are in tests/protocol/test_certificates.py."""

import pytest
from lab.authority import authority

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind
from ringfence.databases.certification import CertificateAuth
from ringfence.databases.identity import Identity
from ringfence.databases.pad import PresharedKey
from ringfence.ike.errors import IkeError, Reason
from ringfence.ike.v1.authentication import Authentication
from ringfence.ike.v1.identities import main_id
from ringfence.ike.v1.payloads import CertPayload, CertRequestPayload
from ringfence.ike.v1.proofs import X509_SIGNATURE, proof_for
from ringfence.secret import Secret
from ringfence.testing.script import message

ROOT = authority()
MIDDLE = ROOT.issue("CN=Middle CA", ca=True)
ALICE = MIDDLE.issue(names=("alice.lab", "a@lab", "10.0.0.1"))
WAY = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,))
P256 = Authentication.ECDSA_P256


def cert(*issued):
    return tuple(CertPayload(X509_SIGNATURE, one.der) for one in issued)


def test_requests_name_each_authority_once_or_none():
    subject = Certificate.read(ROOT.der).subject
    assert proof_for(P256, (WAY, WAY)).requests() == (CertRequestPayload(X509_SIGNATURE, subject),)
    silent = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,), asks_by_name=False)
    assert proof_for(P256, (silent,)).requests() == (CertRequestPayload(X509_SIGNATURE, b""),)
    assert proof_for(Authentication.PRESHARED_KEY, (PresharedKey(Secret(b"k")),)).requests() == ()


def test_the_one_that_issued_no_other_is_the_peers():
    mine = main_id(Identity.parse("alice.lab"))
    claim = proof_for(P256, (WAY,)).claim(message(mine, *cert(MIDDLE, ALICE)).chain)
    assert claim.chain == (ALICE.der, MIDDLE.der)
    assert claim.certificate == "CN=alice,O=Lab"


def test_an_identity_has_to_be_in_the_certificate():
    """RFC 4945 §3.1."""
    for text in ("alice.lab", "ALICE.lab", "a@lab", "10.0.0.1", "CN=alice, O=Lab"):
        claim = proof_for(P256, (WAY,)).claim(message(main_id(Identity.parse(text)), *cert(ALICE)).chain)
        assert len(claim.names) == 4
    for text in ("eve.lab", "10.0.0.2", "CN=eve", "eve@lab"):
        with pytest.raises(IkeError) as caught:
            proof_for(P256, (WAY,)).claim(message(main_id(Identity.parse(text)), *cert(ALICE)).chain)
        assert caught.value.reason is Reason.WRONG_IDENTITY


def test_without_a_key_there_is_no_proof_by_key():
    with pytest.raises(IkeError):
        proof_for(Authentication.PRESHARED_KEY, (WAY,))
