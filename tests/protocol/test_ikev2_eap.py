# SPDX-License-Identifier: Apache-2.0
"""Two engines of which one proves itself by EAP (RFC 7296 §2.16); and how somebody else is not let in."""

from dataclasses import replace

import pytest
from lab.authority import NOW
from lab.eap import USERS

from protocol.pairs import B, assert_one_pair
from protocol.test_certificates import ALICE, BOB, KEY, OTHER, meet, own, reasons, way
from protocol.test_ikev2_certificates import V2, nobody
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged
from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.signature import PrivateKey
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.eap import EapAuth, EapMethod, EapUser, Users
from ringfence.databases.identity import Identity
from ringfence.databases.pad import Ppk
from ringfence.ike.effects import Converse, Conversed, Unfit
from ringfence.ike.errors import Reason
from ringfence.ike.v2 import mixing
from ringfence.secret import Secret
from ringfence.testing.network import Link

GATEWAY = way(own(BOB))
TRUSTING = way()


def client(*methods, name="alice", password=b"correct horse", gateway=TRUSTING, users_of=None):
    user = EapUser(name, None if password is None else Secret(password))
    return EapAuth(methods or (EapMethod.MSCHAPV2,), gateway, user, None, users_of or gateway)


def server(*methods, gateway=GATEWAY, users_of=None):
    return EapAuth(methods or (EapMethod.MSCHAPV2,), gateway, None, Users("users", USERS), users_of or gateway)


def let_in(a, b, **terms):
    changes = terms.pop("changes", {})
    return meet((a,), (b,), **{"policy": V2, "other": V2.mirrored().with_(**changes), **terms})


@pytest.mark.parametrize("method", [EapMethod.MSCHAPV2, EapMethod.GTC, EapMethod.MD5])
def test_a_user_comes_in_by_his_password(method):
    both = let_in(client(method), server(method))
    assert_one_pair(both)
    [a], [b] = both.a.of(MainModeEstablished), both.b.of(MainModeEstablished)
    assert a.remote_identity == "CN=bob,O=Lab"
    assert (a.local_identity, b.remote_identity) == ("alice", "user:alice")
    said = [one.payloads for one in both.a.of(MessageExchanged)]
    assert said[2].startswith("IDi CERTREQ")
    assert "AUTH" not in said[2]
    assert said[3] == "IDr CERT AUTH EAP"
    assert said[-2] == "AUTH"
    assert said[-1].startswith("AUTH SA")


def test_a_user_comes_in_by_his_certificate():
    user, gateway = way(own(ALICE)), way(own(BOB))
    both = let_in(
        client(EapMethod.TLS, name="alice.lab", password=None, users_of=user),
        server(EapMethod.TLS, gateway=gateway, users_of=gateway),
    )
    assert_one_pair(both)
    [b] = both.b.of(MainModeEstablished)
    assert b.remote_identity == "user:alice.lab"


def test_a_method_that_proves_both_will_do_alone():
    user, gateway, method = way(own(ALICE)), way(own(BOB)), EapMethod.TLS
    both = let_in(
        client(method, name="alice.lab", gateway=None, users_of=user), server(method, gateway=None, users_of=gateway)
    )
    assert_one_pair(both)
    assert both.a.of(MainModeEstablished)[0].remote_identity == B
    said = [one.payloads for one in both.a.of(MessageExchanged)]
    assert "EAP_ONLY_AUTHENTICATION" in said[2]
    assert said[3] == "IDr EAP"


QUANTUM = Ppk("quantum", Secret(b"a postquantum key that both know"))


def test_a_user_comes_in_with_a_postquantum_key_that_is_mixed_in_early():
    terms = {"policy": V2.with_(ppk=QUANTUM), "changes": {"ppk": QUANTUM}}
    both = let_in(client(), server(), **terms)
    assert_one_pair(both)
    assert {each.made.proved.ppk for host in (both.a, both.b) for each in host.engine._sessions} == {QUANTUM}


@pytest.mark.parametrize("who", ["policy", "changes"])
def test_a_user_without_the_key_is_not_let_in_where_one_side_insists(who):
    terms = {"policy": V2.with_(ppk=QUANTUM)} if who == "policy" else {"changes": {"ppk": QUANTUM}}
    both = let_in(client(), server(), **terms)
    assert Reason.NO_PPK.value in {*reasons(both.a), *reasons(both.b)}
    nobody(both)


def test_the_older_form_does_not_go_with_eap(monkeypatch):
    monkeypatch.setattr(mixing, "offered", lambda _entries: ())
    both = let_in(client(), server(), policy=V2.with_(ppk=QUANTUM), changes={"ppk": QUANTUM})
    assert set(reasons(both.a)) == {Reason.NO_PPK.value}
    nobody(both)


@pytest.mark.parametrize("method", [EapMethod.MSCHAPV2, EapMethod.GTC, EapMethod.MD5])
def test_a_method_that_proves_only_the_user_will_not(method):
    both = let_in(client(method, gateway=None), server(method, gateway=None))
    assert set(reasons(both.a)) == {Reason.WRONG_METHOD.value}
    nobody(both)


WRONG = {
    "password": (client(password=b"wrong"), server(), Reason.EAP_FAILED, Reason.EAP_FAILED),
    "user": (client(name="nobody"), server(), Reason.EAP_FAILED, Reason.EAP_FAILED),
    "methods": (client(EapMethod.MD5), server(EapMethod.MSCHAPV2), Reason.EAP_FAILED, Reason.EAP_FAILED),
    "gateway": (client(gateway=way(root=OTHER)), server(), Reason.UNTRUSTED, Reason.PEER_REFUSED),
    "no eap there": (client(), GATEWAY, Reason.PEER_REFUSED, Reason.WRONG_METHOD),
    "no proof of the gateway": (client(), server(gateway=None), Reason.PEER_REFUSED, Reason.WRONG_METHOD),
    "no user here": (replace(client(), user=None), server(), Reason.NO_CERTIFICATE, None),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_ends_it_on_both_sides(what):
    a, b, ours, theirs = WRONG[what]
    both = let_in(a, b)
    assert set(reasons(both.a)) == {ours.value}
    assert set(reasons(both.b)) == ({theirs.value} if theirs else set())
    nobody(both)


def test_the_password_is_not_told_to_a_gateway_that_is_not_trusted():
    both = let_in(client(EapMethod.GTC, gateway=way(root=OTHER)), server(EapMethod.GTC))
    assert not [one for one in both.a.of(MessageExchanged) if one.sent and one.payloads == "EAP"]


def test_who_does_not_ask_by_eap_cannot_come_in_by_a_key():
    both = meet((KEY,), (server(),), policy=V2, other=V2.mirrored())
    assert set(reasons(both.b)) == {Reason.WRONG_METHOD.value}
    nobody(both)


@pytest.mark.parametrize(
    ("allow", "comes_in"),
    [
        (Pattern("alice", user=True), True),
        (Pattern("bob", user=True), False),
        (Pattern("alice"), False),
        (Pattern("*"), False),
    ],
)
def test_the_policy_says_which_users_come_in(allow, comes_in):
    both = let_in(client(), server(), changes={"admissions": (Admission((allow,)),)})
    if comes_in:
        assert_one_pair(both)
    else:
        assert set(reasons(both.b)) == {Reason.NOT_AUTHORIZED.value}
        nobody(both)


def test_a_name_of_a_user_is_not_that_of_a_computer():
    """Whoever registers as db1.lab, or as an address, is still a user."""
    both = let_in(client(), server(), changes={"remote_identity": Identity.parse("alice")})
    assert set(reasons(both.b)) == {Reason.WRONG_IDENTITY.value}
    nobody(both)
    assert_one_pair(let_in(client(), server(), changes={"remote_identity": Identity.parse("user:alice")}))


class Liar(LocalKeeper):
    """Says at the end that it has another key, as who sits in between has, or that all is well."""

    def __init__(self, server, key=None):
        super().__init__(lambda: NOW)
        self.server, self.key = server, key

    def answer(self, question):
        found = super().answer(question)
        if isinstance(question, Converse) and isinstance(found, Conversed) and found.ended:
            return replace(found, key=self.key)
        return found


@pytest.mark.parametrize("key", [None, Secret(bytes(64))])
@pytest.mark.parametrize("liar", ["a", "b"])
def test_who_only_carries_packets_is_not_let_in(liar, key):
    both = let_in(client(), server(), begin=False)
    host = both.a if liar == "a" else both.b
    issued = ALICE if liar == "a" else BOB
    host.keeper = Liar(liar == "b", key)
    host.keeper.hold({Certificate.read(issued.der).thumbprint(): PrivateKey(issued.key)})
    both.wish(both.a)
    both.run(30)
    assert Reason.EAP_FAILED.value in {*reasons(both.b)}
    nobody(both)


class Quitter(LocalKeeper):
    """Goes without a word when its password is wrong, as some clients do."""

    def __init__(self):
        super().__init__(lambda: NOW)

    def answer(self, question):
        found = super().answer(question)
        if isinstance(question, Converse) and isinstance(found, Conversed) and found.packet[4:] == b"\x1a\x04":
            return Unfit(Reason.EAP_FAILED, "I go")
        return found


def test_who_goes_in_the_middle_leaves_the_reason_behind():
    both = let_in(client(password=b"wrong"), server(), begin=False)
    both.a.keeper = Quitter()
    both.wish(both.a)
    both.run(2)
    assert set(reasons(both.a)) == set(reasons(both.b)) == {Reason.EAP_FAILED.value}
    assert both.b.of(MainModeFailed)[0].detail == '"alice": the password is wrong, or there is no such user'
    nobody(both)


def test_loss_and_doubling_change_nothing():
    for seed in range(3):
        link = Link((0.01, 0.2), loss=0.2, double=0.3)
        both = let_in(client(), server(), link=link, seconds=120 + seed)
        assert both.a.using() is not None
        assert both.b.using() is not None


def test_computers_and_users_come_in_by_one_entry():
    gateway = way(own(BOB))
    both = meet((way(own(ALICE)),), (gateway, server()), policy=V2, other=V2.mirrored())
    assert_one_pair(both)
    assert both.b.of(MainModeEstablished)[0].remote_identity == "CN=alice,O=Lab"
    other = meet((client(),), (gateway, server()), policy=V2, other=V2.mirrored())
    assert_one_pair(other)
    assert other.b.of(MainModeEstablished)[0].remote_identity == "user:alice"
