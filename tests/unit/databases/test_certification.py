# SPDX-License-Identifier: Apache-2.0
"""What a PAD entry has of certificates."""

from lab.authority import authority

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind
from ringfence.databases.certification import CertificateAuth, OwnCertificate

ROOT = authority()
MIDDLE = ROOT.issue("CN=Middle CA", ca=True)
ALICE = MIDDLE.issue()


def test_our_certificate_knows_who_vouches_for_it():
    own = OwnCertificate("alice", (ALICE.der, MIDDLE.der))
    assert own.leaf.subject_text == "CN=alice,O=Lab"
    assert own.id == Certificate.read(ALICE.der).thumbprint()
    assert own.issuers == (Certificate.read(MIDDLE.der).subject, Certificate.read(ROOT.der).subject)


def test_an_authority_has_its_names_once():
    way = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der, ROOT.der, MIDDLE.der))
    assert way.names == (Certificate.read(ROOT.der).subject, Certificate.read(MIDDLE.der).subject)
    assert str(way) == "certificate CN=Lab CA"
