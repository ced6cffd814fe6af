# SPDX-License-Identifier: Apache-2.0
"""First the computers prove themselves, then the user of the one that begins (RFC 4739); and how nobody skips that."""

from dataclasses import replace

import pytest
from lab.authority import authority

from protocol.pairs import A, assert_one_pair, pair
from protocol.test_certificates import ALICE, BOB, KEY, NOW, own, way
from protocol.test_ikev2_certificates import V2, nobody
from protocol.test_ikev2_eap import client, server
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged
from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import PrivateKey
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant, Lack
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import NullAuth, Pad
from ringfence.ike.errors import Reason
from ringfence.ike.v2 import further

USERS = authority("CN=Users CA,O=Lab")
CAROL = USERS.issue("CN=carol,O=Lab", names=("carol@lab",))
USER, GATE = way(own(CAROL), root=USERS), way(root=USERS)
EAP_USER = replace(client(gateway=None), users_of=None)
EAP_GATE = replace(server(gateway=None), users_of=None)
CERTIFICATES = (way(own(ALICE)),), (way(own(BOB)),)
EACH = pytest.mark.parametrize(
    ("user", "gate", "name"),
    [(EAP_USER, EAP_GATE, "alice"), (USER, GATE, "carol@lab")],
    ids=["EAP", "certificate"],
)
FIRST = pytest.mark.parametrize("first", [CERTIFICATES, ((KEY,), (KEY,))], ids=["certificates", "key"])


def meet(a=(), b=(), first=CERTIFICATES, terms_a=None, terms_b=None, more_b=(), seconds=30, change=None):
    """Two hosts; ``a`` begins, and proves its user by ``a`` where ``b`` asks for it."""
    both = pair(replace(V2, auth=first[0]), replace(V2, auth=first[1]).mirrored())
    signers = {Certificate.read(one.der).thumbprint(): PrivateKey(one.key) for one in (ALICE, BOB, CAROL)}
    for host in (both.a, both.b):
        host.keeper = LocalKeeper(lambda: NOW)
        host.keeper.hold(signers)
    for host, auth, policy, second, terms, more in (
        (both.a, first[0], V2, a, terms_a, ()), (both.b, first[1], V2.mirrored(), b, terms_b, more_b),
    ):  # fmt: skip
        spd, pad = replace(policy, auth=auth).compiled()
        entries = [replace(one, second=second, **(terms or {})) for one in pad]
        entries = [*(replace(entries[0], name="another", **one) for one in more), *entries]
        both.network.do(host, host.engine.apply(spd, Pad(tuple(entries)), both.network.now))
    if change is not None:
        change(both)
    both.wish(both.a)
    both.run(seconds)
    return both


def reasons(host):
    return {one.reason for one in host.of(MainModeFailed)}


def users(*patterns):
    return (Admission(tuple(Pattern(one, user=True) for one in patterns)),)


@EACH
@FIRST
def test_the_user_comes_after_the_computers(user, gate, name, first):
    both = meet((user,), (gate,), first)
    assert_one_pair(both)
    [b] = both.b.of(MainModeEstablished)
    assert b.remote_identity == ("CN=alice,O=Lab" if first is CERTIFICATES else A)
    assert Identity(IdentityKind.USER, name.encode()) in both.b.using().proved
    assert Identity(IdentityKind.USER, name.encode()) not in both.a.using().proved
    said = [one.payloads for one in both.a.of(MessageExchanged)]
    assert "N(MULTIPLE_AUTH_SUPPORTED)" in said[1]
    assert "N(ANOTHER_AUTH_FOLLOWS)" in said[2]
    assert "SA" in said[2].split()
    assert said[3].startswith("IDr")
    assert "SA" not in said[3].split()
    assert said[4] == ("IDi" if user is EAP_USER else "IDi CERT AUTH")
    assert "SA" in said[-1].split()


def test_where_it_is_optional_nobody_needs_it_and_who_can_does_it():
    optional = {"second_optional": True}
    assert_one_pair(meet((), (EAP_GATE,), terms_b=optional))
    assert_one_pair(meet((EAP_USER,), (), terms_a=optional))
    both = meet((EAP_USER,), (EAP_GATE,), terms_a=optional, terms_b=optional)
    assert_one_pair(both)
    assert Identity(IdentityKind.USER, b"alice") in both.b.using().proved


@EACH
def test_which_users_are_let_in_is_asked_of_the_second_proof(user, gate, name):
    assert_one_pair(meet((user,), (gate,), terms_b={"users": users("bob", name)}))
    both = meet((user,), (gate,), terms_b={"users": users("bob")})
    nobody(both)
    assert reasons(both.b) == {Reason.NOT_AUTHORIZED.value}


def test_a_user_is_no_computer_and_a_computer_no_user():
    """Each list is about its own kind; nobody's computer is let in for being called like a user."""
    both = meet((EAP_USER,), (EAP_GATE,), terms_b={"users": users("CN=alice,O=Lab", "alice.lab")})
    nobody(both)
    both = meet((EAP_USER,), (EAP_GATE,), terms_b={"admissions": (Admission((Pattern("alice"),)),)})
    nobody(both)


def test_another_rule_that_is_alike_may_let_in_the_user():
    both = meet((EAP_USER,), (EAP_GATE,), terms_b={"users": users("alice")}, more_b=({"users": users("bob")},))
    assert_one_pair(both)
    [info] = [one for one in both.b.engine.ike_sas() if one.remote_identity is not None]
    assert info.entry != "another"


def test_filters_know_the_user_too():
    both = meet((EAP_USER,), (EAP_GATE,))
    child = both.b.using()
    for pattern, lack in ((Pattern("alice", user=True), None), (Pattern("bob", user=True), Lack.AUTHORITY)):
        assert Demand((Grant("f", admission=Admission((pattern,))),)).lack(child, inward=True) is lack


# How nobody skips that -----------------------------------------------------------------------------------------------


def test_a_computer_alone_is_not_enough():
    both = meet((), (EAP_GATE,))
    nobody(both)
    assert reasons(both.b) == {Reason.WRONG_METHOD.value}


def test_who_has_to_prove_a_user_does_not_go_without():
    """A gateway that does not ask for it, whoever it is, gets nothing."""
    both = meet((EAP_USER,), ())
    nobody(both)
    assert reasons(both.a) == {Reason.WRONG_METHOD.value}


def test_a_user_alone_is_not_enough():
    both = meet((), (EAP_GATE,), first=((client(),), CERTIFICATES[1]))
    nobody(both)


@pytest.mark.parametrize("password", [b"wrong", b""])
def test_another_password(password):
    both = meet((replace(client(gateway=None, password=password), users_of=None),), (EAP_GATE,))
    nobody(both)
    assert reasons(both.a) == reasons(both.b) == {Reason.EAP_FAILED.value}


def test_a_certificate_of_another_authority_is_no_user():
    both = meet((USER,), (way(),))
    nobody(both)
    assert reasons(both.b) == {Reason.UNTRUSTED.value}


def test_the_computers_certificate_is_no_user_even_where_one_authority_has_both():
    """Neither does ours offer it, nor is it taken of who does."""
    both = meet((way(own(ALICE)),), (way(),))
    nobody(both)
    assert reasons(both.a) == {Reason.NO_CERTIFICATE.value}
    greedy = replace(own(ALICE), name="the same by another name")
    both = meet((way(greedy),), (way(),))
    nobody(both)
    assert reasons(both.b) == {Reason.WRONG_IDENTITY.value}


def test_whoever_wants_another_way_is_refused():
    for user, gate in ((EAP_USER, GATE), (USER, EAP_GATE)):
        both = meet((user,), (gate,))
        nobody(both)
        assert reasons(both.b) == {Reason.WRONG_METHOD.value}


def test_nothing_is_granted_before_the_second_proof(monkeypatch):
    """An initiator that stops behind the first has nothing, and neither side keeps anything."""

    def stop(way, entry, first, begun, said):
        del way, entry, first, begun
        yield from ()
        return said.chain

    monkeypatch.setattr(further, "introduce", stop)
    both = meet((EAP_USER,), (EAP_GATE,), seconds=90)
    assert both.b.using() is None
    assert not [one for one in both.b.engine.ike_sas() if one.remote_identity is not None]


def test_who_says_that_no_other_proof_follows_is_taken_at_his_word(monkeypatch):
    """ANOTHER_AUTH_FOLLOWS left out: the first proof alone is judged, and not enough."""
    monkeypatch.setattr(further, "FOLLOWS", further.FOLLOWS[:1])
    both = meet((EAP_USER,), (EAP_GATE,))
    nobody(both)
    assert reasons(both.b) == {Reason.WRONG_METHOD.value}


def test_a_third_proof_is_refused(monkeypatch):
    real = further.initiator_id

    def thrice(identity):
        del identity
        return real(Identity.parse("alice"))

    monkeypatch.setattr(further, "initiator_id", thrice)
    prove = further.prove

    def saying_more(*terms, **words):
        shown = yield from prove(*terms, **words)
        return *shown, further.FOLLOWS[1]

    monkeypatch.setattr(further, "prove", saying_more)
    both = meet((USER,), (GATE,))
    nobody(both)
    assert reasons(both.b) == {Reason.PAYLOAD_MISSING.value}


def test_a_rule_that_lets_in_users_is_not_begun_by_who_cannot_prove_the_other_sides():
    both = meet((EAP_USER,), (EAP_GATE,), terms_a={"users": users("alice")})
    nobody(both)
    assert reasons(both.a) == {Reason.NOT_AUTHORIZED.value}


def test_an_ike_sa_without_a_user_serves_no_rule_that_wants_one():
    """Nor does one with another user; one with the right user serves the rule that wants none."""
    both = meet((), ())
    [first] = [one.entry for one in both.b.engine.ike_sas()]
    assert first
    spd, pad = replace(V2.mirrored(), auth=CERTIFICATES[1]).compiled()
    [entry] = pad
    wanting = replace(entry, second=(EAP_GATE,))
    both.network.do(both.b, both.b.engine.apply(spd, Pad((wanting,)), both.network.now))
    both.run(5)
    assert both.b.using() is None


def test_strangers_prove_no_user():
    both = meet((EAP_USER,), (EAP_GATE,), first=((NullAuth(),), (NullAuth(),)))
    for child in (both.a.using(), both.b.using()):
        if child is not None:
            assert Demand((Grant("f"),)).lack(child, inward=True) is Lack.AUTHORITY
