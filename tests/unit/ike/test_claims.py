# SPDX-License-Identifier: Apache-2.0
"""What a peer claims: by its certificate, and against the policy."""

from dataclasses import replace

import pytest
from lab.authority import authority

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind, PrivateKey, Scheme
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.ike.claims import (
    PKCS7,
    X509_KEY_EXCHANGE,
    X509_SIGNATURE,
    Claim,
    check_identity,
    check_signature,
    claim_of,
    identities,
    in_words,
    is_named,
    is_ours,
    is_wanted,
    judge,
    leaf_first,
    own_identity,
    read_shown,
    same_algorithms,
    signature,
)
from ringfence.ike.effects import Sign, Signed, Trusted, Unfit, Validate
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import Consult, Finished, Stepper
from ringfence.testing.hosts import FAST_MAIN, HostPolicy
from ringfence.testing.network import path_between

ROOT = authority()
MIDDLE = ROOT.issue("CN=Middle CA", ca=True)
ALICE = MIDDLE.issue(names=("alice.lab", "a@lab", "10.0.0.1"))
LEAF = Certificate.read(ALICE.der)
WAY = CertificateAuth("CN=Lab CA", KeyKind.P256, (ROOT.der,))
OWN = OwnCertificate("own", (ALICE.der,))
(ENTRY,) = HostPolicy("192.0.2.1", "192.0.2.2").compiled()[1]
PATH = path_between("192.0.2.1", "192.0.2.2")
THEM, OTHER = Identity.parse("192.0.2.2"), Identity.parse("192.0.2.3")


def says(identity):
    return Claim(identity, (identity,))


def test_a_certificate_proves_all_its_names():
    read = Certificate.read(ALICE.der)
    assert [str(one) for one in identities(read)] == ["CN=alice,O=Lab", "alice.lab", "a@lab", "10.0.0.1"]
    assert own_identity(read).kind is IdentityKind.DN
    nameless = Certificate.read(ROOT.issue("", names=("bob.lab",)).der)
    assert str(own_identity(nameless)) == "bob.lab"


def test_certificates_come_one_by_one_or_in_a_bag():
    one_by_one = [(X509_SIGNATURE, ALICE.der), (X509_KEY_EXCHANGE, MIDDLE.der), (7, b"a list of revoked ones")]
    assert [one.der for one in read_shown(one_by_one)] == [ALICE.der, MIDDLE.der]
    assert {one.der for one in read_shown([(PKCS7, ALICE.bag(MIDDLE))])} == {ALICE.der, MIDDLE.der}
    for encoding in (X509_SIGNATURE, PKCS7):
        with pytest.raises(Aborted) as caught:
            read_shown([(encoding, b"x")])
        assert caught.value.reason is Reason.BAD_CERTIFICATE


def test_the_one_that_issued_no_other_is_the_senders():
    middle = Certificate.read(MIDDLE.der)
    assert leaf_first([middle, LEAF]) == [LEAF, middle]
    with pytest.raises(Aborted) as caught:
        leaf_first([])
    assert caught.value.reason is Reason.BAD_CERTIFICATE


def test_a_name_has_to_be_in_the_certificate():
    """RFC 4945 §3.1."""
    claim = claim_of(Identity.parse("ALICE.lab"), [LEAF])
    assert (len(claim.names), claim.chain, claim.certificate) == (4, (ALICE.der,), "CN=alice,O=Lab")
    with pytest.raises(Aborted) as caught:
        claim_of(Identity.parse("eve.lab"), [LEAF])
    assert caught.value.reason is Reason.WRONG_IDENTITY
    assert says(THEM).certificate == ""


def test_a_signature_is_by_the_key_of_the_certificate():
    good = PrivateKey(ALICE.key).sign(Scheme.ECDSA, b"octets")
    check_signature(LEAF, Scheme.ECDSA, b"octets", good)
    for scheme, octets in ((Scheme.ECDSA, b"others"), (Scheme.PSS_SHA256, b"octets")):
        with pytest.raises(Aborted) as caught:
            check_signature(LEAF, scheme, octets, good)
        assert caught.value.reason is Reason.WRONG_SIGNATURE


def asked(exchange, answer):
    stepper = Stepper(exchange)
    command = stepper.step()
    assert isinstance(command, Consult)
    finished = stepper.step(answer)
    assert isinstance(finished, Finished)
    return command.question, finished.result


def test_the_host_signs_and_judges():
    question, made = asked(signature(OWN, Scheme.ECDSA, b"octets"), Signed(b"made"))
    assert (question, made) == (Sign(OWN.id, Scheme.ECDSA, b"octets"), b"made")
    claim = claim_of(Identity.parse("alice.lab"), [LEAF])
    question, way = asked(judge(claim, (object(), WAY)), Trusted(WAY))
    assert (question, way) == (Validate((ALICE.der,), (WAY,)), WAY)


@pytest.mark.parametrize("exchange", [lambda: signature(OWN, Scheme.ECDSA, b""), lambda: judge(says(THEM), ())])
def test_a_host_that_refuses_or_answers_something_else_ends_it(exchange):
    for answer, reason in (
        (Unfit(Reason.UNTRUSTED, "no"), Reason.UNTRUSTED),
        (Trusted(WAY) if exchange().__name__ == "signature" else Signed(b""), Reason.NO_PRIVATE_KEY),
    ):
        with pytest.raises(Aborted) as caught:
            asked(exchange(), answer)
        assert caught.value.reason is reason


def test_who_is_wanted():
    assert is_named(ENTRY, says(THEM), PATH, inner=False)
    assert not is_named(ENTRY, says(OTHER), PATH, inner=False)
    assert is_named(ENTRY, says(OTHER), PATH, inner=True)
    named = replace(ENTRY, remote_identity=OTHER)
    assert is_wanted(named, says(OTHER), PATH, inner=False)
    assert not is_wanted(named, says(THEM), PATH, inner=True)
    with pytest.raises(Aborted, match=r"is 192\.0\.2\.2, not 192\.0\.2\.3") as caught:
        check_identity(named, says(THEM), PATH, inner=False)
    assert caught.value.comparison is not None


def test_who_has_a_certificate_need_not_be_called_by_an_address():
    claim = claim_of(Identity.parse("alice.lab"), [LEAF])
    assert is_named(ENTRY, claim, PATH, inner=False)
    assert not is_named(replace(ENTRY, remote_identity=OTHER), claim, PATH, inner=False)
    assert is_named(replace(ENTRY, remote_identity=Identity.parse("a@lab")), claim, PATH, inner=False)
    shut = replace(ENTRY, admissions=(Admission(deny=(Pattern("*@lab"),)),))
    with pytest.raises(Aborted) as caught:
        check_identity(shut, claim, PATH, inner=False)
    assert caught.value.reason is Reason.NOT_AUTHORIZED


def test_what_we_are_called():
    assert is_ours(ENTRY, WAY, OTHER, PATH)
    assert not is_ours(replace(ENTRY, local_identity=THEM), WAY, OTHER, PATH)
    assert not is_ours(ENTRY, ENTRY.auth[0], OTHER, PATH)


def test_how_a_peer_has_proved_itself_in_words():
    assert in_words(WAY, claim_of(Identity.parse("alice.lab"), [LEAF])) == "certificate CN=Lab CA: CN=alice,O=Lab"
    assert in_words(ENTRY.auth[0], says(THEM)) == str(ENTRY.auth[0])
    assert in_words(None) == ""


def test_lifetimes_are_no_algorithms():
    assert same_algorithms(FAST_MAIN, replace(FAST_MAIN, limits=replace(FAST_MAIN.limits, seconds=7)))
