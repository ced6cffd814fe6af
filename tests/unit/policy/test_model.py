# SPDX-License-Identifier: Apache-2.0
from ringfence.policy.document import parse
from ringfence.policy.model import Need, Policy, Secure
from ringfence.testing.policies import rule_text


def test_a_policy_in_a_line() -> None:
    assert Policy().summary() == "no rules: everything is permitted"
    text = rule_text("lab") + rule_text("other", auth='[{ psk-file = "test.psk" }, { psk-file = "b" }]')
    policy = parse(text, name="p")
    assert policy.summary() == "lab + 1 more"
    assert policy.key_files == ("test.psk", "b")
    assert len(policy) == 2
    assert hash(policy) == hash(parse("\n" + text, name="p"))


def test_requirements_in_words() -> None:
    assert str(Secure()) == "require"
    assert str(Secure(Need.REQUIRE, Need.REQUEST)) == "in require, out request"
    assert Secure(Need.NONE, Need.NONE).exempt
    assert not Secure(Need.REQUIRE, Need.NONE).exempt
