# SPDX-License-Identifier: Apache-2.0
"""Who is let in by EAP, and who is not, both sides being ours; against others: tests/interop/test_eap.py."""

import pytest
from lab.authority import CODE, authority
from lab.eap import PASSWORDS, ROOT, USERS, client, converse, server

from ringfence.credentials.eap.conversations import SILENT_S, Conversations
from ringfence.crypto.mschap import nt_hash
from ringfence.databases.eap import EapAuth, EapMethod, EapUser, Users
from ringfence.ike.effects import Converse, Conversed, Unfit
from ringfence.ike.errors import Reason
from ringfence.secret import Secret

SERVER = ROOT.issue("CN=vpn.lab,O=Lab", names=("vpn.lab",))
ALICE = ROOT.issue("CN=alice,O=Lab", names=("alice@lab",))


@pytest.mark.parametrize("method", PASSWORDS)
def test_the_right_password_is_let_in(method):
    ours, theirs = converse(client(method), server(method))
    assert ours.ended
    assert theirs.ended
    assert theirs.name == "alice"
    assert not theirs.refused
    assert ours.key == theirs.key
    assert (ours.key is not None) is method.makes_key


@pytest.mark.parametrize("method", PASSWORDS)
@pytest.mark.parametrize(
    ("name", "password"), [("alice", b"wrong"), ("nobody", b"correct horse"), ("bob", b"correct horse")]
)
def test_the_wrong_password_is_not(method, name, password):
    ours, theirs = converse(client(method, name=name, password=password), server(method))
    assert isinstance(ours, Unfit)
    assert ours.reason is Reason.EAP_FAILED
    assert theirs.refused.startswith(f'"{name}": ')
    assert theirs.key is None


def test_a_hash_will_do_where_it_can():
    users = {"alice": nt_hash("correct horse")}
    for method in (EapMethod.MSCHAPV2, EapMethod.GTC):
        assert converse(client(method), server(method, users=users))[1].name == "alice"
    assert converse(client(EapMethod.MD5), server(EapMethod.MD5, users=users))[1].refused


def test_the_hash_of_somebody_else_is_no_password_in_words():
    users = {"alice": nt_hash("correct horse")}
    stolen = users["alice"].reveal()
    assert converse(client(EapMethod.GTC, password=stolen), server(EapMethod.GTC, users=users))[1].refused


def test_a_method_that_both_can_is_found():
    ours, _ = converse(client(EapMethod.MD5), server(EapMethod.MSCHAPV2, EapMethod.GTC, EapMethod.MD5))
    assert ours.ended
    ours, theirs = converse(client(EapMethod.MD5), server(EapMethod.MSCHAPV2))
    assert isinstance(ours, Unfit)
    assert "none of the methods" in theirs.refused


def test_certificates_prove_both():
    alice, gateway = client(EapMethod.TLS, name="", certificate=ALICE), server(EapMethod.TLS, certificate=SERVER)
    ours, theirs = converse(alice, gateway)
    assert ours.ended, ours
    assert theirs.name == "alice@lab"
    assert len(ours.key) == 64
    assert ours.key == theirs.key


def test_a_certificate_is_not_somebody_elses():
    alice = client(EapMethod.TLS, name="bob@lab", certificate=ALICE)
    _, theirs = converse(alice, server(EapMethod.TLS, certificate=SERVER))
    assert isinstance(theirs, Unfit)
    assert "bob@lab" in theirs.detail


STRANGER = authority("CN=Other CA")


@pytest.mark.parametrize(
    "certificate",
    [STRANGER.issue("CN=alice,O=Lab", names=("alice@lab",)), ROOT.issue(names=("alice@lab",), usages=(CODE,))],
)
def test_untrusted_certificates_of_users_are_not_let_in(certificate):
    alice = client(EapMethod.TLS, name="alice@lab", certificate=certificate)
    ours, theirs = converse(alice, server(EapMethod.TLS, certificate=SERVER))
    assert isinstance(ours, Unfit)
    assert theirs.refused


def test_the_server_has_to_be_trusted_too():
    alice = client(EapMethod.TLS, name="alice@lab", certificate=ALICE)
    ours, theirs = converse(alice, server(EapMethod.TLS, certificate=STRANGER.issue(names=("vpn.lab",))))
    assert isinstance(ours, Unfit)
    assert "no path leads" in ours.detail
    assert not theirs.ended


def test_what_nobody_goes_on_with_is_forgotten():
    now = [0.0]
    talks = Conversations(lambda: now[0], lambda *_: Unfit(Reason.UNTRUSTED, ""), most=10)
    way = EapAuth((EapMethod.MSCHAPV2,), directory=Users("", USERS))
    for number in range(3):
        talks.answer(Converse(way, b"", number, True, True))
    assert len(talks) == 3
    now[0] = SILENT_S + 1
    talks.answer(Converse(way, b"", 9, True, True))
    assert len(talks) == 1
    gone = talks.answer(Converse(way, b"\2\0\0\5\1", 1, True))
    assert isinstance(gone, Unfit)
    for number in range(20):
        talks.answer(Converse(way, b"", number, True, True))
    assert len(talks) == 10


@pytest.mark.parametrize("packet", [b"", b"\1", b"\1\1\0\3", b"\1\1\0\4", b"\7\1\0\5\1", b"\2\1\0\5\1", b"\3\1\0\4"])
def test_nonsense_from_a_server_ends_it(packet):
    found = client(EapMethod.MSCHAPV2).go_on(packet, begins=True)
    assert isinstance(found, Unfit)
    assert found.reason is Reason.EAP_FAILED


def test_without_anything_to_prove_by_it_ends():
    talks = Conversations(lambda: 0.0, lambda *_: Unfit(Reason.UNTRUSTED, ""))
    nobody = EapAuth((EapMethod.TLS,))
    for server_side in (False, True):
        found = talks.answer(Converse(nobody, b"\1\1\0\5\1", 1, server_side, True))
        assert isinstance(found, Unfit)
        assert "policy" in found.detail
    unnamed = EapAuth((EapMethod.TLS,), user=EapUser(""))
    assert isinstance(talks.answer(Converse(unnamed, b"\1\1\0\5\1", 1, False, True)), Unfit)


def test_a_success_out_of_turn_is_not_believed():
    alice = client(EapMethod.MSCHAPV2)
    assert isinstance(alice.go_on(b"\1\1\0\5\1", begins=True), Conversed)
    found = alice.go_on(b"\3\1\0\4", begins=False)
    assert isinstance(found, Unfit)
    assert "before" in found.detail


def test_secrets_do_not_show():
    way = EapAuth((EapMethod.GTC,), user=EapUser("alice", Secret(b"hush")), directory=Users("", {"a": Secret(b"hush")}))
    assert "hush" not in repr(way)
    assert str(way) == "EAP gtc"
