# SPDX-License-Identifier: Apache-2.0
"""CERT and CERTREQ payloads, and which certificate of ours is shown."""

from dataclasses import replace

import pytest
from lab.authority import authority

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind
from ringfence.databases.certification import CertificateAuth, OwnCertificate, Revocation
from ringfence.databases.identity import Identity
from ringfence.ike.claims import X509_SIGNATURE
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.certificates import (
    MOST_ANSWERS,
    asked_for,
    asks,
    asks_status,
    brought,
    choose,
    fits,
    is_called,
    payloads,
    requests,
    shown,
    status_payloads,
    with_issuer,
)
from ringfence.ike.v2.payloads import CertPayload, CertRequestPayload

ROOT, OTHER = authority(), authority("CN=Other CA")
MIDDLE = ROOT.issue("CN=Middle CA", ca=True)
ALICE = OwnCertificate("alice", (MIDDLE.issue(names=("alice.lab",)).der, MIDDLE.der))
BOB = OwnCertificate("bob", (OTHER.issue("CN=bob", names=("bob.lab",)).der,))
WAY = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,), (ALICE,))
ELSE = CertificateAuth("CN=Other CA", KeyKind.P256, (OTHER.der,), (BOB,))


def chain(*said):
    return Chain(tuple(Decoded(payload, b"") for payload in said))


def ids(*issued):
    return frozenset(Certificate.read(one.der).key_id for one in issued)


def test_a_request_names_authorities_by_their_keys():
    """RFC 7296 §3.7."""
    (request,) = requests((WAY, ELSE, WAY))
    assert request.encoding == X509_SIGNATURE
    assert len(request.authorities) == 40
    asked = chain(request)
    assert asked_for(asked) == ids(ROOT, OTHER)
    assert asks(asked)
    hidden = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,), asks_by_name=False)
    assert requests((hidden,)) == (CertRequestPayload(X509_SIGNATURE, b""),)
    assert requests(()) == ()
    other = chain(CertRequestPayload(12, bytes(20)))
    assert not asks(other)
    assert asked_for(other) == frozenset()


def test_the_word_of_an_authority_is_asked_for_and_brought():
    """RFC 4806 §2."""
    strict = replace(WAY, revocation=Revocation.STRICT)
    asked = chain(*requests((strict, ELSE)))
    assert asks_status(asked)
    assert asked_for(asked) == ids(ROOT, OTHER)
    assert not asks_status(chain(*requests((WAY,))))
    assert brought(chain(*payloads(ALICE), *status_payloads(b"answer"))) == (b"answer",)
    assert status_payloads(b"") == ()
    assert len(brought(chain(*status_payloads(b"answer") * 20))) == MOST_ANSWERS


def test_the_issuer_of_ours_stands_beside_it_or_is_an_authority():
    assert with_issuer(ALICE, ()) == (ALICE.chain[0], MIDDLE.der)
    assert with_issuer(BOB, (WAY, ELSE)) == (BOB.chain[0], OTHER.der)
    assert with_issuer(BOB, (WAY,)) == ()


def test_the_first_certificate_is_the_one_that_signs():
    """RFC 7296 §3.6; whoever puts another one first has to have its key."""
    both = [one.der for one in shown(chain(*payloads(ALICE)))]
    assert both == [*ALICE.chain]
    turned = [CertPayload(X509_SIGNATURE, one) for one in reversed(ALICE.chain)]
    assert shown(chain(*turned))[0].der == MIDDLE.der
    with pytest.raises(Aborted) as caught:
        shown(chain())
    assert caught.value.reason is Reason.BAD_CERTIFICATE


def test_ours_fits_by_any_authority_above_it():
    assert fits(ALICE, WAY, ids(ROOT))
    assert fits(ALICE, WAY, ids(MIDDLE))
    assert not fits(ALICE, WAY, ids(OTHER))
    assert not fits(BOB, WAY, ids(ROOT))


def test_which_of_ours_is_shown():
    """The name counts more than the authority, and the order of the policy least."""
    assert choose((WAY, ELSE), ids(), None) is ALICE
    assert choose((WAY, ELSE), ids(OTHER), None) is BOB
    assert choose((WAY, ELSE), ids(ROOT), Identity.parse("bob.lab")) is BOB
    assert choose((WAY, ELSE), ids(OTHER), Identity.parse("carol.lab")) is BOB
    assert choose((), ids(ROOT), None) is None
    assert is_called(ALICE, Identity.parse("Alice.Lab"))
    assert not is_called(ALICE, Identity.parse("bob.lab"))
