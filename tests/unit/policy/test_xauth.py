# SPDX-License-Identifier: Apache-2.0
"""XAUTH in a document."""

import pytest

from ringfence.databases.eap import EapUser, Users
from ringfence.policy.able import unable
from ringfence.policy.document import parse
from ringfence.policy.eap import EapFiles
from ringfence.policy.errors import PolicyError
from ringfence.policy.terms import Xauth
from ringfence.policy.write import canonical
from ringfence.policy.xauth import compiled, said
from ringfence.secret import Secret

RULE = """
[[rule]]
name = "gateway"
with = "192.0.2.9"
secure = "require"
auth = { psk-file = "group.psk" }
keying = ["ikev1"]
main-mode.xauth = { user = "alice", password-file = "alice.password" }
"""
GATEWAY = RULE.replace('{ user = "alice", password-file = "alice.password" }', '{ users-file = "users.toml" }')
LIST = Users("users.toml", {"alice": Secret(b"open sesame")})
FILES = EapFiles({"alice.password": Secret(b"open sesame")}, {"users.toml": LIST})


@pytest.mark.parametrize(("text", "expected"), [
    (RULE, Xauth("alice", "alice.password")), (GATEWAY, Xauth(users_file="users.toml")),
])  # fmt: skip
def test_it_is_read_and_written(text, expected):
    policy = parse(text, name="p.toml")
    assert policy.rules[0].main_mode.xauth == expected
    assert parse(canonical(policy), name="q.toml").rules[0].main_mode == policy.rules[0].main_mode
    ((subject, one, _, place),) = said(policy)
    assert (subject, one, place.line) == ('rule "gateway"', expected, 2)


WRONG = {
    '{ user = "alice" }': "without password-file",
    '{ password-file = "alice.password" }': "without user",
    "{}": "neither who is let in nor as whom",
    '{ users-file = "users.toml", realm = "lab" }': "realm",
}


@pytest.mark.parametrize(("table", "expected"), WRONG.items())
def test_what_makes_no_sense_is_told(table, expected):
    with pytest.raises(PolicyError) as caught:
        parse(GATEWAY.replace('{ users-file = "users.toml" }', table), name="p.toml")
    assert expected in str(caught.value)


def test_what_a_pad_entry_has_of_it():
    assert compiled(None, FILES) is None
    ours = compiled(Xauth("alice", "alice.password"), FILES)
    assert (ours.user, ours.users) == (EapUser("alice", FILES.secrets["alice.password"]), None)
    assert compiled(Xauth(users_file="users.toml"), FILES).users is LIST


def reasons(text):
    policy = parse(text, name="p.toml")
    return [one.what for one in unable(policy.rules[0], policy.settings, ())]


def test_it_is_for_ikev1_and_for_keys_or_rsa():
    assert reasons(RULE) == []
    (said_of,) = reasons(RULE.replace('["ikev1"]', '["ikev2"]'))
    assert "IKEv1 alone" in said_of
    ecdsa = RULE.replace('{ psk-file = "group.psk" }', '{ certificate = "CN=Corp CA", signing = "ecdsa-p256" }')
    assert any("keys and RSA only" in one for one in reasons(ecdsa))
