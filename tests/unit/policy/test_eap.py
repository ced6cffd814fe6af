# SPDX-License-Identifier: Apache-2.0
"""EAP in documents: what is understood and written again, what is wrong, and what comes of it for the PAD."""

import pytest

from ringfence.crypto.signature import KeyKind
from ringfence.databases.certification import CertificateAuth
from ringfence.databases.eap import EapAuth, EapMethod, EapUser, RadiusServer, Users
from ringfence.policy.document import parse
from ringfence.policy.eap import EapFiles, all_files, eap_way
from ringfence.policy.errors import PolicyError
from ringfence.policy.terms import Certificate, Eap
from ringfence.policy.write import canonical
from ringfence.secret import Secret

RULE = """
[[rule]]
name = "road warriors"
with = "any"
secure = "require"
keying = "ikev2"
auth = {}
"""
RADIUS = """
[radius.main]
host = "10.0.0.5"
secret-file = "radius.secret"
port = 1645
timeout = "2 s"
tries = 2
identifier = "vpn"

[radius.spare]
host = "radius2.lab"
secret-file = "radius.secret"
"""
CA = "CN=Lab CA, O=Lab"
CLIENT = f'{{ eap = "mschapv2", user = "alice", password-file = "alice.password", certificate = "{CA}" }}'
GATEWAY = f'{{ eap = ["tls", "mschapv2"], users-file = "users.toml", certificate = "{CA}", name = "dns:vpn.lab" }}'
ALONE = f'{{ eap = "tls", eap-only = true, users-file = "u.toml", certificate = "{CA}" }}'
THROUGH = f'{{ eap = ["mschapv2"], radius = ["main", "spare"], certificate = "{CA}", signing = "ecdsa-p256" }}'


def auth(text, more=""):
    [one] = parse(RULE.format(text) + more, name="p.toml").rules[0].auth
    return one


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (CLIENT, Eap((EapMethod.MSCHAPV2,), Certificate(CA), "alice", "alice.password")),
        (
            THROUGH.replace(', signing = "ecdsa-p256"', ""),
            Eap((EapMethod.MSCHAPV2,), Certificate(CA), radius=("main", "spare")),
        ),
        (ALONE, Eap((EapMethod.TLS,), Certificate(CA), users_file="u.toml", alone=True)),
    ],
)
def test_what_a_rule_says(text, found):
    assert auth(text, RADIUS) == found


@pytest.mark.parametrize("text", [CLIENT, GATEWAY, THROUGH, ALONE])
def test_it_is_written_as_it_was_meant(text):
    policy = parse(RULE.format(text) + RADIUS, name="p.toml")
    assert parse(canonical(policy), name="p.toml") == policy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{ eap = "peap", users-file = "u", certificate = "CN=A" }', "no method of EAP"),
        ('{ eap = [], users-file = "u", certificate = "CN=A" }', "empty list"),
        ('{ eap = ["tls", "tls"], users-file = "u", certificate = "CN=A" }', "more than once"),
        ('{ eap = "gtc", users-file = "u" }', "whose certificate the gateway shows"),
        (
            '{ eap = "gtc", users-file = "u", eap-only = true, certificate = "A" }',
            "with gtc anybody may be the gateway",
        ),
        ('{ eap = "gtc", certificate = "CN=A" }', "neither who is let in nor as whom"),
        ('{ eap = "gtc", user = "alice", certificate = "CN=A" }', "has no password-file"),
        ('{ eap = "gtc", password-file = "p", certificate = "CN=A" }', "whose password"),
        ('{ eap = "gtc", users-file = "u", radius = "main", certificate = "CN=A" }', "beside users-file"),
        ('{ eap = "gtc", radius = "mian", certificate = "CN=A" }', 'names the RADIUS server "mian"'),
        ('{ eap = "gtc", users-file = "u", certificate = "CN=A", realm = "x" }', "realm"),
        (
            '[{ eap = "gtc", user = "a", password-file = "p", certificate = "A" }, { eap = "tls", certificate = "A" }]',
            "names EAP more than once",
        ),
    ],
)
def test_what_is_wrong_is_said(text, why):
    with pytest.raises(PolicyError) as error:
        parse(RULE.format(text) + RADIUS, name="p.toml")
    assert why in str(error.value)


def test_a_server_has_an_address_and_a_secret():
    with pytest.raises(PolicyError) as error:
        parse("[radius.main]\nport = 70000\n", name="p.toml")
    assert {finding.setting for finding in error.value.findings} == {"host", "secret-file", "port"}


KEY, SERVER = Secret(b"hush"), RadiusServer("main", "10.0.0.5", Secret(b"s"))
FILES = EapFiles({"alice.password": KEY}, {"users.toml": Users("users.toml", {"alice": KEY})}, {"main": SERVER})
OF = CertificateAuth(CA, KeyKind.RSA)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        (CLIENT, EapAuth((EapMethod.MSCHAPV2,), OF, EapUser("alice", KEY), None, OF)),
        (GATEWAY, EapAuth((EapMethod.TLS, EapMethod.MSCHAPV2), OF, None, FILES.users["users.toml"], OF)),
        (THROUGH, EapAuth((EapMethod.MSCHAPV2,), OF, None, (SERVER,), OF)),
    ],
)
def test_the_way_that_comes_of_it(text, way):
    assert eap_way(auth(text, RADIUS), FILES, OF) == way


def test_without_a_certificate_tls_proves_nobody():
    assert eap_way(Eap((EapMethod.TLS,), Certificate(CA)), FILES, OF) is None


def test_the_last_store_counts_more():
    other = EapFiles({"alice.password": Secret(b"other")})
    assert all_files([other, FILES]).secrets == FILES.secrets
    assert all_files([FILES, other]).secrets == other.secrets
    assert all_files([other, FILES]).servers == FILES.servers
