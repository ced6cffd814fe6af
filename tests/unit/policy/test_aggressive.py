# SPDX-License-Identifier: Apache-2.0
"""What is said of rules that speak aggressive mode."""

import pytest

from ringfence.net.address import parse_address
from ringfence.policy.aggressive import aggressive_findings
from ringfence.policy.compile import compile_policy
from ringfence.policy.document import parse
from ringfence.policy.host import HostFacts
from ringfence.policy.write import canonical
from ringfence.secret import Secret

RULE = """
[[rule]]
name = "old router"
with = "192.0.2.9"
secure = "require"
auth = { psk-file = "old.psk" }
main-mode.methods = ["aes256-sha256-modp2048"]
main-mode.aggressive = true
"""
CERTIFICATE = RULE.replace('{ psk-file = "old.psk" }', '{ certificate = "CN=Corp CA" }')


def found(text):
    (rule,) = parse(text, name="p.toml").rules
    return [str(one) for one in aggressive_findings(rule)]


def test_it_is_off_unless_a_rule_asks_for_it():
    (rule,) = parse(RULE.replace("main-mode.aggressive = true\n", ""), name="p.toml").rules
    assert not rule.main_mode.aggressive
    assert found(RULE.replace("main-mode.aggressive = true\n", "")) == []


def test_a_preshared_key_can_be_guessed_and_identities_are_shown():
    (said,) = found(RULE)
    assert "both sides say in clear who they are" in said
    assert "which guess at the preshared key is right" in said
    assert "20 random characters" in said


def test_with_certificates_only_identities_are_shown():
    (said,) = found(CERTIFICATE)
    assert "both sides say in clear who they are" in said
    assert "guess" not in said


def test_it_offers_one_group_only():
    several = RULE.replace('["aes256-sha256-modp2048"]', '["aes256-sha256-modp2048", "aes256-sha256-ecp256"]')
    _, said = found(several)
    assert "one group only: modp2048, and not ecp256" in said


def test_it_is_written_as_it_is_read():
    policy = parse(RULE, name="p.toml")
    assert "aggressive = true" in canonical(policy)
    assert parse(canonical(policy), name="p.toml").rules[0].main_mode == policy.rules[0].main_mode


@pytest.mark.parametrize(("text", "expected"), [(RULE, True), (RULE.replace("= true", "= false"), False)])
def test_it_becomes_the_peers(text, expected):
    keys = {"old.psk": Secret(b"a key of no value")}
    compiled = compile_policy(parse(text, name="p.toml"), HostFacts((parse_address("192.0.2.1"),)), keys)
    assert [entry.aggressive for entry in compiled.pad] == [expected]
