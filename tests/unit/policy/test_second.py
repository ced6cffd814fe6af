# SPDX-License-Identifier: Apache-2.0
"""Second authentication in documents, and what the PAD has of it: of a user in IKEv2, and of nobody else."""

from dataclasses import replace

import pytest
from lab.authority import authority

from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.eap import EapAuth, EapMethod, EapUser, Users
from ringfence.net.address import parse_address
from ringfence.policy import document
from ringfence.policy.certificates import Wallet, credential_files
from ringfence.policy.compile import compile_policy
from ringfence.policy.eap import EapFiles
from ringfence.policy.errors import PolicyError
from ringfence.policy.host import HostFacts
from ringfence.policy.second import NONE, compiled
from ringfence.policy.terms import Certificate, CrlCheck, Eap, Holder
from ringfence.policy.write import canonical
from ringfence.secret import Secret

ROOT, USERS = authority(), authority("CN=Users CA,O=Lab")
ALICE, CAROL = ROOT.issue(), USERS.issue("CN=carol,O=Lab")
WALLET = Wallet(
    {"CN=Lab CA, O=Lab": (ROOT.der,), "CN=Users CA, O=Lab": (USERS.der,)}, {},
    (OwnCertificate("alice", (ALICE.der,)), OwnCertificate("carol", (CAROL.der,))),
    eap=EapFiles({"pw": Secret(b"x")}, {"users.toml": Users("users.toml", {"alice": Secret(b"x")})}),
)  # fmt: skip
RULE = """
[authority."CN=Lab CA, O=Lab"]
file = "ca.pem"

[authority."CN=Users CA, O=Lab"]
file = "users.pem"

[[rule]]
name = "vpn"
with = "10.0.0.2"
secure = "require"
keying = ["ikev2"]
auth = {{ certificate = "CN=Lab CA, O=Lab", signing = "ecdsa-p256" }}
second-auth = {}
"""
CERTIFICATE = '{ user-certificate = "CN=Users CA, O=Lab", signing = "ecdsa-p256" }'
CLIENT = '{ eap = "mschapv2", user = "alice", password-file = "pw" }'
GATEWAY = '{ eap = ["mschapv2"], users-file = "users.toml" }'


def parse(second, change=""):
    return document.parse(RULE.format(second) + change, name="p.toml")


def made(second, change="", wallet=WALLET):
    found = compile_policy(parse(second, change), HostFacts((parse_address("10.0.0.1"),)), {}, wallet)
    return found, found.pad.entries[0] if found.pad.entries else None


@pytest.mark.parametrize("text", [CERTIFICATE, CLIENT, GATEWAY, f'[{CLIENT}, "anonymous"]'])
def test_understood_and_written_again(text):
    policy = parse(text)
    assert document.parse(canonical(policy), name="p.toml").rules[0].second_auth == policy.rules[0].second_auth


def test_what_the_pad_has_of_it():
    found, entry = made(CERTIFICATE)
    assert found.refusals == ()
    [way] = entry.second
    assert isinstance(way, CertificateAuth)
    assert (way.authority, [one.name for one in way.own]) == ("CN=Users CA, O=Lab", ["carol"])
    assert not entry.second_optional
    [client], [gateway] = made(CLIENT)[1].second, made(GATEWAY)[1].second
    assert client == EapAuth((EapMethod.MSCHAPV2,), None, EapUser("alice", Secret(b"x")), None, None)
    assert gateway.directory == WALLET.eap.users["users.toml"]
    assert credential_files(parse(CLIENT))[-1] == "pw"


def test_who_is_let_in_has_to_be_in_both_lists():
    _, entry = made(GATEWAY, 'allow = { computers = ["*.lab"], users = ["alice", "*@lab"] }\n')
    assert entry.admissions == (Admission((Pattern("*.lab"),)),)
    assert entry.users == (Admission((Pattern("alice", user=True), Pattern("*@lab", user=True))),)
    _, entry = made(GATEWAY, 'deny = { users = ["bob"] }\n')
    assert entry.users == (Admission(deny=(Pattern("bob", user=True),)),)


def test_without_users_in_the_lists_all_are_let_in():
    assert made(GATEWAY)[1].users == ()


@pytest.mark.parametrize(("text", "words"), [
    ('"user-kerberos"', "needs a later version"),
    ('{ health-certificate = "CN=Lab CA, O=Lab" }', "needs a later version"),
    ('{ user-certificate = "CN=Else" }', "of which no authority is known here"),
])  # fmt: skip
def test_what_cannot_be_done_refuses_the_rule(text, words):
    found, _ = made(text)
    [refusal] = found.refusals
    assert words in refusal.message
    assert not [one for one in found.pad if one.auth]


@pytest.mark.parametrize("keying", ['["ikev1"]', '["ikev2", "ikev1"]'])
def test_ikev1_cannot(keying):
    policy = document.parse(RULE.format(CERTIFICATE).replace('["ikev2"]', keying), name="p.toml")
    found = compile_policy(policy, HostFacts((parse_address("10.0.0.1"),)), {}, WALLET)
    [refusal] = found.refusals
    assert "IKEv2 alone" in refusal.message


def test_what_is_optional_is_left_out_and_told():
    found, entry = made('["user-kerberos", "anonymous"]')
    assert found.refusals == ()
    assert (entry.second, entry.second_optional) == ((), True)
    assert any("there is none" in one.message for one in found.findings)
    found, entry = made(f'["user-kerberos", {GATEWAY}, "anonymous"]')
    assert len(entry.second) == 1
    assert entry.second_optional
    assert not any("there is none" in one.message for one in found.findings)


def test_behind_a_key_in_ikev2_alone():
    text = RULE.format(GATEWAY).replace(
        'auth = { certificate = "CN=Lab CA, O=Lab", signing = "ecdsa-p256" }', 'auth = { psk-file = "k" }'
    )
    found = compile_policy(
        document.parse(text, name="p.toml"), HostFacts((parse_address("10.0.0.1"),)), {"k": Secret(b"key")}, WALLET
    )
    assert found.refusals == ()
    assert found.pad.entries[0].second
    with pytest.raises(PolicyError, match="preshared key"):
        document.parse(text.replace('["ikev2"]', '["ikev1"]'), name="p.toml")


def test_behind_eap_there_is_none():
    text = RULE.format(CERTIFICATE).replace(
        'auth = { certificate = "CN=Lab CA, O=Lab", signing = "ecdsa-p256" }',
        'auth = { eap = "mschapv2", users-file = "users.toml", certificate = "CN=Lab CA, O=Lab" }',
    )
    found = compile_policy(document.parse(text, name="p.toml"), HostFacts((parse_address("10.0.0.1"),)), {}, WALLET)
    assert any("a second time" in one.message for one in found.refusals)


def test_what_is_wanted_and_not_there_lets_in_nobody():
    """Whatever the check of the rule said before: without its files a second proof is not simply left out."""
    user = Certificate("CN=Users CA, O=Lab", holder=Holder.USER)
    for ways in ((user,), (Eap((EapMethod.MSCHAPV2,), users_file="gone.toml"),)):
        empty = replace(WALLET, authorities={}) if ways == (user,) else WALLET
        found = compiled(ways, empty, CrlCheck.NONE)
        assert found.ways == () or found.ways[0].directory is None
    assert compiled((user,), Wallet(), CrlCheck.NONE).impossible
    assert not NONE.impossible
    _, entry = made(CERTIFICATE, wallet=Wallet({"CN=Lab CA, O=Lab": (ROOT.der,)}))
    assert entry is None or entry.auth == ()
