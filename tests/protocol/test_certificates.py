# SPDX-License-Identifier: Apache-2.0
"""Two engines prove themselves by certificates: what they agree on, and why they do not."""

from dataclasses import replace

import pytest
from lab.authority import CODE, DAY, NOW, authority

from protocol.pairs import POLICY, A, B, assert_one_pair, pair
from ringfence.audit import MainModeEstablished, MainModeFailed
from ringfence.credentials.keeper import LocalKeeper
from ringfence.credentials.revocation import RevocationLists
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind, PrivateKey
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.certification import CertificateAuth, OwnCertificate, Revocation
from ringfence.databases.demand import Demand, Grant, Lack
from ringfence.databases.identity import Identity
from ringfence.databases.pad import PresharedKey
from ringfence.ike.effects import Signed
from ringfence.ike.errors import Reason
from ringfence.secret import Secret
from ringfence.testing.network import Link

ROOT, OTHER = authority(), authority("CN=Other CA")
RSA = authority("CN=RSA CA", "rsa")
ALICE, BOB = ROOT.issue(names=("alice.lab", A)), ROOT.issue("CN=bob,O=Lab", names=("bob.lab", B))
KEY = PresharedKey(Secret(b"a key of no value"))


def own(issued, *above):
    return OwnCertificate("own", (issued.der, *(one.der for one in above)))


def way(*have, root=ROOT, signing=KeyKind.P256, **terms):
    return CertificateAuth(root.subject, signing, (root.der,), tuple(have), **terms)


def meet(a, b, *, alice=ALICE, bob=BOB, policy=POLICY, other=None, begin=True, at=NOW, link=None, seconds=30):
    """Two hosts with these ways; ``a`` begins."""
    policy = replace(policy, auth=a)
    other = replace(other or POLICY.mirrored(), auth=b)
    both = pair(policy, other, **({"link": link} if link else {}))
    for host, issued in ((both.a, alice), (both.b, bob)):
        host.keeper = LocalKeeper(lambda: at, RevocationLists(_no_web))
        host.keeper.hold({Certificate.read(one.der).thumbprint(): PrivateKey(one.key) for one in [issued]})
    if begin:
        both.wish(both.a)
        both.run(seconds)
    return both


def _no_web(url):
    raise OSError(url)


def reasons(host):
    return [one.reason for one in host.of(MainModeFailed)]


def test_both_prove_themselves_and_call_themselves_as_their_certificates_do():
    both = meet((way(own(ALICE)),), (way(own(BOB)),))
    assert_one_pair(both)
    [a], [b] = both.a.of(MainModeEstablished), both.b.of(MainModeEstablished)
    assert (a.local_identity, a.remote_identity) == ("CN=alice,O=Lab", "CN=bob,O=Lab")
    assert (b.local_identity, b.remote_identity) == ("CN=bob,O=Lab", "CN=alice,O=Lab")


@pytest.mark.parametrize(("kind", "signing"), [("rsa", KeyKind.RSA), ("ecdsa-p384", KeyKind.P384),
                                               ("ecdsa-p521", KeyKind.P521)])  # fmt: skip
def test_each_kind_of_key(kind, signing):
    alice = ROOT.issue(kind=kind, number=1)
    bob = ROOT.issue("CN=bob,O=Lab", kind=kind, number=2)
    both = meet((way(own(alice), signing=signing),), (way(own(bob), signing=signing),), alice=alice, bob=bob)
    assert_one_pair(both)


def test_a_chain_of_three_is_sent_and_followed():
    middle = ROOT.issue("CN=Middle CA", ca=True)
    low = middle.issue("CN=Low CA", ca=True)
    bob = low.issue("CN=bob")
    both = meet((way(own(ALICE)),), (way(own(bob, low, middle)),), bob=bob)
    assert_one_pair(both)


@pytest.mark.parametrize("version", [1, 2])
def test_filters_ask_all_names_of_a_certificate(version):
    """The peer calls itself by its distinguished name; a filter that lets in or keeps out its host name means it."""
    policy = POLICY.with_(keying=(version,))
    both = meet((way(own(ALICE)),), (way(own(BOB)),), policy=policy, other=policy.mirrored())
    alice, bob = both.b.using(), both.a.using()
    assert (str(alice.peer), str(bob.peer)) == ("CN=alice,O=Lab", "CN=bob,O=Lab")
    for child, name in ((alice, "alice.lab"), (bob, "bob.lab")):
        may, other = (Admission((Pattern(one),)) for one in (name, "carol.lab"))
        assert Demand((Grant("f", admission=may),)).lack(child, inward=True) is None
        assert Demand((Grant("f", admission=other),)).lack(child, inward=True) is Lack.AUTHORITY
        out = Admission(deny=(Pattern(name),))
        assert Demand((Grant("f", admission=out),)).lack(child, inward=True) is Lack.AUTHORITY


def test_loss_and_doubling_change_nothing():
    for seed in range(3):
        link = Link((0.01, 0.2), loss=0.2, double=0.3)
        both = meet((way(own(ALICE)),), (way(own(BOB)),), link=link, seconds=60 + seed)
        assert both.a.using() is not None
        assert both.b.using() is not None


def test_keys_and_certificates_stand_in_one_list_in_any_order():
    """The responder's list decides, as on Windows."""
    certificate_a, certificate_b = way(own(ALICE)), way(own(BOB))
    by_key = meet((certificate_a, KEY), (KEY, certificate_b))
    assert by_key.a.of(MainModeEstablished)[0].remote_identity == B
    by_certificate = meet((KEY, certificate_a), (certificate_b, KEY))
    assert by_certificate.a.of(MainModeEstablished)[0].remote_identity == "CN=bob,O=Lab"
    only_key = meet((certificate_a, KEY), (KEY,))
    assert only_key.b.of(MainModeEstablished)[0].remote_identity == A
    for both in (by_key, by_certificate, only_key):
        assert_one_pair(both)


def test_the_right_one_of_several_authorities_is_found():
    rich = way(own(OTHER.issue()), root=OTHER), way(own(ALICE))
    both = meet(rich, (way(own(BOB)),))
    assert_one_pair(both)


WRONG = {
    "another authority": (OTHER.issue("CN=bob"), {}, Reason.UNTRUSTED),
    "expired": (ROOT.issue("CN=bob", ends=NOW - DAY / 2), {}, Reason.CERTIFICATE_EXPIRED),
    "too early": (ROOT.issue("CN=bob", starts=NOW + DAY), {}, Reason.CERTIFICATE_EARLY),
    "for code": (ROOT.issue("CN=bob", usages=(CODE,)), {}, Reason.WRONG_USAGE),
    "not as described": (BOB, {"name_kind": "dns", "name": "carol.lab"}, Reason.WRONG_USAGE),
    "revoked": (BOB, {"revocation": Revocation.REVOKED, "lists": (ROOT.crl(BOB),)}, Reason.REVOKED),
    "no list": (BOB, {"revocation": Revocation.STRICT}, Reason.NO_REVOCATION_LIST),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_the_peers_certificate_has_a_name(what):
    bob, terms, reason = WRONG[what]
    both = meet((way(own(ALICE), **terms),), (way(own(bob)),), bob=bob)
    assert set(reasons(both.a)) == {reason.value}
    assert both.a.using() is both.b.using() is None
    other = meet((way(own(bob)),), (way(own(ALICE), **terms),), alice=bob, bob=ALICE)
    assert set(reasons(other.b)) == {reason.value}
    assert other.a.using() is other.b.using() is None


def test_who_has_no_certificate_says_so_and_sends_nothing():
    both = meet((way(),), (way(own(BOB)),))
    assert set(reasons(both.a)) == {Reason.NO_CERTIFICATE.value}
    assert both.network.seen == []
    answering = meet((way(own(ALICE)),), (way(),))
    assert set(reasons(answering.b)) == {Reason.NO_CERTIFICATE.value}


def test_a_key_that_is_not_there_says_so():
    both = meet((way(own(ALICE)),), (way(own(BOB)),), alice=BOB)
    assert set(reasons(both.a)) == {Reason.NO_PRIVATE_KEY.value}


def test_a_signature_by_another_key_proves_nothing():
    both = meet((way(own(ALICE)),), (way(own(BOB)),), begin=False)

    class Liar(LocalKeeper):
        def answer(self, question):
            answer = super().answer(question)
            return Signed(bytes(len(answer.signature))) if isinstance(answer, Signed) else answer

    both.b.keeper.__class__ = Liar
    both.wish(both.a)
    both.run(30)
    assert Reason.WRONG_SIGNATURE.value in reasons(both.a)
    assert both.a.using() is None


@pytest.mark.parametrize("bob_first", [True, False])
def test_who_shows_somebody_elses_certificate_beside_his_own_is_nobody_else(bob_first):
    """Eve, a member of the same authority, signs by her own key and calls herself bob."""
    eve = ROOT.issue("CN=eve,O=Lab", names=("eve.lab",))
    shown = (BOB, eve) if bob_first else (eve, BOB)
    other = replace(POLICY.mirrored(), local_identity=Identity.parse("bob.lab"))
    both = meet((way(own(ALICE)),), (way(own(*shown)),), bob=shown[0], other=other, begin=False)
    both.b.keeper.hold({Certificate.read(shown[0].der).thumbprint(): PrivateKey(eve.key)})
    both.wish(both.a)
    both.run(30)
    assert set(reasons(both.a)) == {(Reason.WRONG_SIGNATURE if bob_first else Reason.WRONG_IDENTITY).value}
    assert both.a.using() is None
    assert not both.a.of(MainModeEstablished)


def test_an_identity_that_is_not_in_the_certificate_is_refused():
    other = replace(POLICY.mirrored(), local_identity=Identity.parse("carol.lab"))
    both = meet((way(own(ALICE)),), (way(own(BOB)),), other=other)
    assert set(reasons(both.a)) == {Reason.WRONG_IDENTITY.value}
    assert "carol.lab" in both.a.of(MainModeFailed)[0].detail


@pytest.mark.parametrize(("wanted", "good"), [("bob.lab", True), ("CN=Bob, O=Lab", True), (B, True),
                                              ("carol.lab", False), ("CN=carol", False), (A, False)])  # fmt: skip
def test_any_name_of_the_certificate_will_do_for_the_policy(wanted, good):
    policy = replace(POLICY, remote_identity=Identity.parse(wanted))
    both = meet((way(own(ALICE)),), (way(own(BOB)),), policy=policy)
    assert (both.a.using() is not None) is good
    if not good:
        assert set(reasons(both.a)) == {Reason.WRONG_IDENTITY.value}


@pytest.mark.parametrize(("admission", "good"), [
    (Admission(allow=(Pattern("*.lab"),)), True), (Admission(allow=(Pattern("*.corp"),)), False),
    (Admission(deny=(Pattern("bob.lab"),)), False), (Admission(deny=(Pattern("alice.lab"),)), True),
])  # fmt: skip
def test_who_is_let_in_is_said_by_the_names_of_the_certificate(admission, good):
    policy = replace(POLICY, admissions=(admission,))
    both = meet((way(own(ALICE)),), (way(own(BOB)),), policy=policy)
    assert (both.a.using() is not None) is good
    if not good:
        assert set(reasons(both.a)) == {Reason.NOT_AUTHORIZED.value}
