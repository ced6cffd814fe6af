# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.able import unable, unable_filter, without, without_filter
from ringfence.policy.document import parse
from ringfence.policy.lower import statements
from ringfence.policy.model import Rule
from ringfence.testing.policies import rule_text


def rule(**settings: str) -> Rule:
    (found,) = statements(parse(rule_text(**settings), name="p"))
    assert isinstance(found, Rule)
    return found


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"auth": '"kerberos"'}, "authenticates by kerberos only, which needs a later version"),
        ({"auth": '["ntlm", "anonymous"]'}, "authenticates by ntlm or anonymous only, which needs a later version"),
        (
            {"auth": '"kerberos"', "second_auth": '["user-kerberos", "user-ntlm"]'},
            "authenticates a second time by user-kerberos or user-ntlm, which needs a later version",
        ),
        (
            {"auth": '{ eap = "tls", certificate = "CN=A", users-file = "u" }', "keying": '["ikev1"]'},
            "authenticates by EAP, which IKEv2 alone has",
        ),
        (
            {"auth": '{ certificate = "CN=A", signing = "ed25519" }', "keying": '["ikev1"]'},
            "authenticates by ed25519, which only IKEv2 can",
        ),
        (
            {"own_auth": '{ certificate = "CN=A" }', "keying": '["ikev2"]'},
            "proves this computer by certificate CN=A only, of which no authority is known here",
        ),
        (
            {"auth": '"anonymous"', "keying": '["ikev2"]', "allow": '{ computers = ["a.lab"] }'},
            "lets in some by name, and by anonymous those who prove none",
        ),
        (
            {"auth": '"anonymous"', "keying": '["ikev2", "ikev1"]'},
            "authenticates by anonymous only, which needs a later version",
        ),
        (
            {"main_mode": '{ methods = "aes256-gcm-sha384-ecp384" }', "keying": '["ikev1"]'},
            "has only main mode methods that IKEv1 does not know: with several key exchanges, or a combined mode",
        ),
        ({"keying": '["authip"]'}, "negotiates by authip only, which needs a later version"),
    ],
)
def test_what_cannot_be_done(settings: dict[str, str], what: str) -> None:
    found = list(unable(rule(**settings)))
    assert found[-1].what == what
    assert all(one.cure and one.setting for one in found)


def test_what_can() -> None:
    assert [*unable(rule()), *without(rule())] == []
    assert [*unable(rule(keying='["ikev2", "authip"]'))] == []
    assert [*unable(rule(main_mode='{ methods = "aes256-gcm-sha384-ecp384" }'))] == []
    assert [*unable(rule(auth='"anonymous"', keying='["ikev2"]'))] == []
    assert [*unable(rule(remote='{ gateway = "any" }'))] == []
    (exempt,) = statements(parse('[[rule]]\nname = "r"\nsecure = "none"\n', name="p"))
    assert isinstance(exempt, Rule)
    assert list(unable(exempt)) == []


def test_what_is_done_without() -> None:
    found = rule(auth='["kerberos", { psk-file = "k" }]', protect='["none sha256", "esp null-sha256"]')
    assert list(without(found)) == [
        "names kerberos, which needs a later version; its preshared key is used",
        "names null encapsulation, which needs a later version; its other methods are offered",
    ]
    optional = rule(auth='"kerberos"', second_auth='["user-kerberos", "anonymous"]')
    assert [one.setting for one in unable(optional)] == ["auth"]
    assert "a second authentication where it can be had" in next(without(optional))


@pytest.mark.parametrize(
    ("more", "unable_to", "done_without"),
    [
        ("", [], []),
        ('allow = { computers = ["*.example"] }', [], []),
        ('allow = { users = ["alice@example"] }', ["lets in users, alice@example, which needs a later version"], []),
        ('allow = { computers = ["CORP\\\\Servers"] }',
         ["lets in CORP\\Servers only, which needs a later version"], []),
        ('allow = { computers = ["*.example", "CORP\\\\Servers"] }', [],
         ["lets in CORP\\Servers, too, who cannot prove it yet"]),
        ('deny = { computers = ["CORP\\\\Guests"] }', ["keeps out CORP\\Guests, which needs a later version"], []),
    ],
)  # fmt: skip
def test_whom_a_filter_lets_in(more: str, unable_to: list[str], done_without: list[str]) -> None:
    text = f'[[filter]]\nname = "f"\npermit = "tcp"\nsecure = "encrypted"\n{more}\n'
    (item,) = parse(text, name="p").filters
    assert [one.what for one in unable_filter(item)] == unable_to
    assert list(without_filter(item)) == done_without


def test_null_encapsulation_of_a_filter() -> None:
    (item,) = parse('[[filter]]\nname = "f"\npermit = "tcp"\nsecure = "no-encapsulation"\n', name="p").filters
    assert list(without_filter(item)) == [
        "permits null encapsulation, which needs a later version; what is protected as a whole passes"
    ]
