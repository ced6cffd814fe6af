# SPDX-License-Identifier: Apache-2.0
"""Two engines prove themselves by certificates in IKEv2; and how somebody else does not."""

from dataclasses import replace

import pytest
from lab.authority import CODE, DAY, NOW, authority

from protocol.pairs import POLICY, A, B, assert_one_pair
from protocol.test_certificates import ALICE, BOB, KEY, OTHER, ROOT, meet, own, reasons, way
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged
from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import KeyKind, PrivateKey
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.certification import Revocation
from ringfence.databases.identity import Identity
from ringfence.databases.pad import Pad, PresharedKey
from ringfence.ike.effects import Sign, Signed, Trusted, Validate
from ringfence.ike.errors import Reason
from ringfence.ike.v2 import signatures
from ringfence.secret import Secret
from ringfence.testing.network import Link, path_between

V2 = POLICY.with_(keying=(2,))
KINDS = {
    "rsa": KeyKind.RSA, "ecdsa-p256": KeyKind.P256, "ecdsa-p384": KeyKind.P384, "ecdsa-p521": KeyKind.P521,
    "ed25519": KeyKind.ED25519, "ed448": KeyKind.ED448,
}  # fmt: skip


def meet2(a, b, **terms):
    return meet(a, b, **{"policy": V2, "other": V2.mirrored(), **terms})


def both_prove(both):
    [a], [b] = both.a.of(MainModeEstablished), both.b.of(MainModeEstablished)
    assert (a.local_identity, a.remote_identity) == (b.remote_identity, b.local_identity)
    return a.local_identity, a.remote_identity


def nobody(both):
    assert both.a.using() is both.b.using() is None
    assert not [one for host in (both.a, both.b) for one in host.engine.ike_sas() if one.remote_identity is not None]


def test_both_prove_themselves_and_call_themselves_as_their_certificates_do():
    both = meet2((way(own(ALICE)),), (way(own(BOB)),))
    assert_one_pair(both)
    assert both_prove(both) == ("CN=alice,O=Lab", "CN=bob,O=Lab")
    said = [one.payloads for one in both.a.of(MessageExchanged)]
    assert "N(SIGNATURE_HASH_ALGORITHMS)" in said[0]
    assert "CERTREQ" in said[1]
    assert said[2].startswith("IDi CERT AUTH CERTREQ")
    assert said[3].startswith("IDr CERT AUTH SA")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_key(kind, monkeypatch):
    """The path of an EdDSA certificate is vouched for by an ECDSA authority, as paths go."""
    signing = KINDS[kind]
    alice, bob = ROOT.issue(kind=kind, number=1), ROOT.issue("CN=bob,O=Lab", kind=kind, number=2)
    schemes = []
    monkeypatch.setattr(signatures, "encoded", _noting(schemes))
    terms = {"alice": alice, "bob": bob}
    assert_one_pair(meet2((way(own(alice), signing=signing),), (way(own(bob), signing=signing),), **terms))
    assert {method for method, _ in schemes} == {14}
    best = {"rsa": "rsa-pss-sha256", "ecdsa-p521": "ecdsa-sha512", "ecdsa-p384": "ecdsa-sha384"}
    assert {scheme.value for _, scheme in schemes} == {best.get(kind, kind.replace("p256", "sha256"))}


def _noting(schemes, encoded=signatures.encoded):
    def noting(method, scheme, signature):
        schemes.append((method, scheme))
        return encoded(method, scheme, signature)

    return noting


OLD = {"rsa": 1, "ecdsa-p256": 9, "ecdsa-p384": 10, "ecdsa-p521": 11}


@pytest.mark.parametrize("kind", OLD)
def test_with_who_announces_no_hashes_the_old_methods_serve(kind, monkeypatch):
    """RSA then signs SHA-1, which the policy has to allow."""
    signing = KINDS[kind]
    alice, bob = ROOT.issue(kind=kind, number=1), ROOT.issue("CN=bob,O=Lab", kind=kind, number=2)
    monkeypatch.setattr(signatures, "announced", lambda _first: frozenset())
    schemes = []
    monkeypatch.setattr(signatures, "encoded", _noting(schemes))
    ways = (way(own(alice), signing=signing),), (way(own(bob), signing=signing),)
    both = meet2(*ways, alice=alice, bob=bob)
    if kind == "rsa":
        assert set(reasons(both.a)) == {Reason.WRONG_METHOD.value}
        assert "legacy = true" in both.a.of(MainModeFailed)[0].detail
        nobody(both)
        both = meet2(*ways, alice=alice, bob=bob, begin=False)
        for host, policy, auth in ((both.a, V2, ways[0]), (both.b, V2.mirrored(), ways[1])):
            spd, pad = replace(policy, auth=auth).compiled()
            weak = Pad(tuple(replace(entry, sha1=True) for entry in pad))
            both.network.do(host, host.engine.apply(spd, weak, both.network.now))
        both.wish(both.a)
        both.run(10)
    assert_one_pair(both)
    assert {int(method) for method, _ in schemes} == {OLD[kind]}


def test_a_chain_of_three_is_sent_and_followed():
    middle = ROOT.issue("CN=Middle CA", ca=True)
    low = middle.issue("CN=Low CA", ca=True)
    bob = low.issue("CN=bob")
    assert_one_pair(meet2((way(own(ALICE)),), (way(own(bob, low, middle)),), bob=bob))


def test_loss_and_doubling_change_nothing():
    for seed in range(3):
        link = Link((0.01, 0.2), loss=0.2, double=0.3)
        both = meet2((way(own(ALICE)),), (way(own(BOB)),), link=link, seconds=120 + seed)
        assert both.a.using() is not None
        assert both.b.using() is not None


def test_the_peers_request_chooses_among_ours():
    """Of two certificates the one is shown whose authority the peer asks for, whatever stands first."""
    rich = way(own(OTHER.issue()), root=OTHER), way(own(ALICE))
    assert_one_pair(meet2(rich, (way(own(BOB)),)))
    both = meet2((way(own(ALICE)),), (way(own(OTHER.issue("CN=bob")), root=OTHER), way(own(BOB))))
    assert_one_pair(both)
    hidden = meet2(rich[1:], (way(own(BOB), asks_by_name=False),))
    assert_one_pair(hidden)


def test_a_key_serves_where_nobody_asks_for_certificates():
    both = meet2((way(own(ALICE)), KEY), (KEY,))
    assert_one_pair(both)
    assert both_prove(both) == (A, B)
    both = meet2((way(own(ALICE)), KEY), (KEY, way(own(BOB))))
    assert_one_pair(both)
    assert both_prove(both) == ("CN=alice,O=Lab", "CN=bob,O=Lab")


def test_the_name_that_is_wanted_is_the_one_that_is_said():
    policy = replace(V2, remote_identity=Identity.parse("bob.lab"))
    both = meet2((way(own(ALICE)),), (way(own(BOB)),), policy=policy)
    assert_one_pair(both)
    assert both_prove(both) == ("CN=alice,O=Lab", "bob.lab")


WRONG = {
    "another authority": (OTHER.issue("CN=bob"), {}, Reason.UNTRUSTED),
    "expired": (ROOT.issue("CN=bob", ends=NOW - DAY / 2), {}, Reason.CERTIFICATE_EXPIRED),
    "too early": (ROOT.issue("CN=bob", starts=NOW + DAY), {}, Reason.CERTIFICATE_EARLY),
    "for code": (ROOT.issue("CN=bob", usages=(CODE,)), {}, Reason.WRONG_USAGE),
    "for no signatures": (ROOT.issue("CN=bob", key_usage=False), {}, Reason.WRONG_USAGE),
    "not as described": (BOB, {"name_kind": "dns", "name": "carol.lab"}, Reason.WRONG_USAGE),
    "another kind of key": (ROOT.issue("CN=bob", kind="ecdsa-p384"), {}, Reason.WRONG_USAGE),
    "revoked": (BOB, {"revocation": Revocation.REVOKED, "lists": (ROOT.crl(BOB),)}, Reason.REVOKED),
    "no list": (BOB, {"revocation": Revocation.STRICT}, Reason.NO_REVOCATION_LIST),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_the_peers_certificate_has_a_name_and_leaves_nothing(what):
    """On neither side: the initiator tells a responder that has an IKE SA already."""
    bob, terms, reason = WRONG[what]
    both = meet2((way(own(ALICE), **terms),), (way(own(bob)),), bob=bob)
    assert set(reasons(both.a)) == {reason.value}
    nobody(both)
    other = meet2((way(own(bob)),), (way(own(ALICE), **terms),), alice=bob, bob=ALICE)
    assert set(reasons(other.b)) == {reason.value}
    assert set(reasons(other.a)) == {Reason.PEER_REFUSED.value}
    nobody(other)


def test_who_has_no_certificate_says_so_and_sends_nothing():
    both = meet2((way(),), (way(own(BOB)),))
    assert set(reasons(both.a)) == {Reason.NO_CERTIFICATE.value}
    assert both.network.seen == []
    answering = meet2((way(own(ALICE)),), (way(),))
    assert set(reasons(answering.b)) == {Reason.NO_CERTIFICATE.value}
    nobody(answering)


def test_a_key_that_is_not_there_says_so():
    both = meet2((way(own(ALICE)),), (way(own(BOB)),), alice=BOB)
    assert set(reasons(both.a)) == {Reason.NO_PRIVATE_KEY.value}
    nobody(both)


# Who is somebody else ----------------------------------------------------------------------------------------------


class Liar(LocalKeeper):
    """Signs what nobody asked for."""

    def answer(self, question):
        answer = super().answer(question)
        return Signed(bytes(len(answer.signature))) if isinstance(answer, Signed) else answer


class Parrot(LocalKeeper):
    """Signs what the other side was asked to sign."""

    heard: tuple[Sign, ...] = ()

    def answer(self, question):
        if isinstance(question, Sign) and self.heard:
            question = replace(self.heard[-1], certificate=question.certificate)
        return super().answer(question)


@pytest.mark.parametrize("begins", ["liar", "other"])
def test_a_signature_by_another_key_proves_nothing(begins):
    both = meet2((way(own(ALICE)),), (way(own(BOB)),), begin=False)
    both.b.keeper.__class__ = Liar
    both.wish(both.b if begins == "liar" else both.a)
    both.run(30)
    assert set(reasons(both.a)) == {Reason.WRONG_SIGNATURE.value}
    nobody(both)


def test_what_one_side_signs_is_no_proof_of_the_other():
    """Bob, whose key signs the very octets that alice has signed, says nothing of himself by it."""
    both = meet2((way(own(ALICE)),), (way(own(BOB)),), begin=False)
    both.b.keeper.__class__ = Parrot
    asked = []
    answer = both.a.keeper.answer
    both.a.keeper.answer = lambda question: (asked.append(question), answer(question))[1]
    both.b.keeper.heard = asked
    both.wish(both.a)
    both.run(30)
    assert Reason.WRONG_SIGNATURE.value in reasons(both.a)
    nobody(both)


def test_who_sends_everything_back_is_nobody():
    """An attacker in bob's place gives alice her own octets, as they are and as answers."""
    both = meet2((way(own(ALICE)),), (way(own(ALICE)),), alice=ALICE, bob=ALICE, begin=False)
    both.network.passes = lambda _datagram, path: path.local.address != both.a.address
    both.wish(both.a)
    back = path_between(A, B)
    for _ in range(200):
        for datagram in both.a.sent[-3:]:
            flags = datagram[19] & ~0x08 | 0x20
            for again in (datagram, datagram[:19] + bytes([flags]) + datagram[20:]):
                both.network.do(both.a, both.a.engine.receive(again, back, both.network.now))
        both.run(1)
    assert both.a.of(MainModeFailed)
    assert not both.a.of(MainModeEstablished)


@pytest.mark.parametrize("bob_first", [True, False])
@pytest.mark.parametrize("begins", ["eve", "alice"])
def test_who_shows_somebody_elses_certificate_beside_his_own_is_nobody_else(bob_first, begins):
    """Eve, a member of the same authority, signs by her own key and calls herself bob."""
    eve = ROOT.issue("CN=eve,O=Lab", names=("eve.lab",))
    shown = (BOB, eve) if bob_first else (eve, BOB)
    other = replace(V2.mirrored(), local_identity=Identity.parse("bob.lab"))
    both = meet2((way(own(ALICE)),), (way(own(*shown)),), bob=shown[0], other=other, begin=False)
    both.b.keeper.hold({Certificate.read(shown[0].der).thumbprint(): PrivateKey(eve.key)})
    both.wish(both.b if begins == "eve" else both.a)
    both.run(30)
    assert set(reasons(both.a)) == {(Reason.WRONG_SIGNATURE if bob_first else Reason.WRONG_IDENTITY).value}
    assert not both.a.of(MainModeEstablished)
    nobody(both)


@pytest.mark.parametrize("begins", ["eve", "alice"])
def test_a_member_is_not_the_member_whom_a_rule_names(begins):
    """Eve's certificate is good and so is her name; the rule is for bob."""
    eve = ROOT.issue("CN=eve,O=Lab", names=("eve.lab", B))
    policy = replace(V2, remote_identity=Identity.parse("bob.lab"))
    both = meet2((way(own(ALICE)),), (way(own(eve)),), bob=eve, policy=policy, begin=False)
    both.wish(both.b if begins == "eve" else both.a)
    both.run(30)
    assert set(reasons(both.a)) == {Reason.WRONG_IDENTITY.value}
    nobody(both)


def test_an_identity_that_is_not_in_the_certificate_is_refused():
    other = replace(V2.mirrored(), local_identity=Identity.parse("carol.lab"))
    both = meet2((way(own(ALICE)),), (way(own(BOB)),), other=other)
    assert set(reasons(both.a)) == {Reason.WRONG_IDENTITY.value}
    assert "carol.lab" in both.a.of(MainModeFailed)[0].detail
    nobody(both)


@pytest.mark.parametrize(("admission", "good"), [
    (Admission(allow=(Pattern("*.lab"),)), True), (Admission(allow=(Pattern("*.corp"),)), False),
    (Admission(deny=(Pattern("bob.lab"),)), False), (Admission(deny=(Pattern("alice.lab"),)), True),
])  # fmt: skip
def test_who_is_let_in_is_said_by_the_names_of_the_certificate(admission, good):
    policy = replace(V2, admissions=(admission,))
    both = meet2((way(own(ALICE)),), (way(own(BOB)),), policy=policy)
    assert (both.a.using() is not None) is good
    if not good:
        assert set(reasons(both.a)) == {Reason.NOT_AUTHORIZED.value}
        nobody(both)


# Who proves himself otherwise than the policy says -----------------------------------------------------------------


@pytest.mark.parametrize("begins", ["key", "certificate"])
def test_a_key_is_no_certificate_and_a_certificate_no_key(begins):
    both = meet2((way(own(ALICE)),), (KEY,), begin=False)
    first, second = (both.b, both.a) if begins == "key" else (both.a, both.b)
    both.wish(first)
    both.run(30)
    assert set(reasons(second)) == {Reason.WRONG_METHOD.value}
    nobody(both)


def test_both_prove_themselves_alike_where_the_policy_says_nothing_else():
    """Bob answers alice's certificate by a key that she has as well, but not for that."""
    both = meet2((way(own(ALICE)), KEY), (way(own(BOB)),), begin=False)
    spd, pad = replace(V2.mirrored(), auth=(way(own(BOB)),)).compiled()
    asymmetric = Pad(tuple(replace(entry, local_auth=(KEY,)) for entry in pad))
    both.network.do(both.b, both.b.engine.apply(spd, asymmetric, both.network.now))
    both.wish(both.a)
    both.run(30)
    assert set(reasons(both.a)) == {Reason.WRONG_METHOD.value}
    nobody(both)


@pytest.mark.parametrize("begins", ["a", "b"])
def test_each_side_may_prove_itself_in_its_own_way_where_both_policies_name_it(begins):
    both = meet2((KEY,), (way(),), begin=False)
    wanted = {both.a: (V2, KEY, way(own(ALICE))), both.b: (V2.mirrored(), way(), KEY)}
    for host, (policy, theirs, ours) in wanted.items():
        spd, pad = replace(policy, auth=(theirs,)).compiled()
        each_its_own = Pad(tuple(replace(entry, local_auth=(ours,)) for entry in pad))
        both.network.do(host, host.engine.apply(spd, each_its_own, both.network.now))
    both.wish(both.a if begins == "a" else both.b)
    both.run(30)
    assert_one_pair(both)
    assert both.b.of(MainModeEstablished)[0].remote_identity == "CN=alice,O=Lab"
    assert both.a.of(MainModeEstablished)[0].remote_identity == B


def test_rsa_with_sha1_is_not_taken_from_who_could_do_better(monkeypatch):
    """Somebody in between takes away what alice announces, so that bob signs SHA-1; his own words betray it."""
    alice, bob = ROOT.issue(kind="rsa", number=1), ROOT.issue("CN=bob,O=Lab", kind="rsa", number=2)
    ways = (way(own(alice), signing=KeyKind.RSA),), (way(own(bob), signing=KeyKind.RSA),)
    both = meet2(*ways, alice=alice, bob=bob, begin=False)
    for host, policy, auth in ((both.a, V2, ways[0]), (both.b, V2.mirrored(), ways[1])):
        spd, pad = replace(policy, auth=auth).compiled()
        weak = Pad(tuple(replace(entry, sha1=True) for entry in pad))
        both.network.do(host, host.engine.apply(spd, weak, both.network.now))
    choose = signatures.way_to_sign
    monkeypatch.setattr(signatures, "way_to_sign", lambda kind, _hashes, *, sha1: choose(kind, (), sha1=sha1))
    both.wish(both.a)
    both.run(30)
    assert Reason.WRONG_METHOD.value in reasons(both.a) + reasons(both.b)
    nobody(both)


def test_the_host_is_asked_whether_to_trust_only_who_has_signed():
    both = meet2((way(own(ALICE)),), (way(own(BOB)),), begin=False)
    both.b.keeper.__class__ = Liar
    asked, answer = [], both.a.keeper.answer
    both.a.keeper.answer = lambda question: (asked.append(question), answer(question))[1]
    both.wish(both.a)
    both.run(30)
    assert asked
    assert not any(isinstance(one, Validate) for one in asked)


def test_an_answer_that_comes_too_late_or_twice_changes_nothing():
    both = meet2((way(own(ALICE)),), (way(own(BOB)),))
    before = both.a.engine.ike_sas()
    for ticket in range(20):
        for answer in (Signed(b""), Trusted(way(own(ALICE)))):
            both.network.do(both.a, both.a.engine.answered(ticket, answer, both.network.now))
    assert both.a.engine.ike_sas() == before
    assert_one_pair(both)


def test_another_key_of_the_same_name_is_another_way():
    """A rule that wants a certificate is not served by an IKE SA that a key has made."""
    strict = PresharedKey(Secret(b"another"))
    both = meet2((KEY,), (KEY,))
    spd, pad = replace(V2, auth=(strict,)).compiled()
    both.network.do(both.a, both.a.engine.apply(spd, pad, both.network.now))
    assert both.a.engine.ike_sas() == () or all(one.state.value != "established" for one in both.a.engine.ike_sas())


def test_an_authority_that_only_ended_is_no_authority():
    gone = authority("CN=Gone CA", ends=NOW - DAY / 4)
    bob = gone.issue("CN=bob", ends=NOW + DAY)
    both = meet2((way(own(ALICE)), way(root=gone)), (way(own(bob), root=gone),), bob=bob)
    assert both.a.using() is None
