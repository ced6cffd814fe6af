# SPDX-License-Identifier: Apache-2.0
from ringfence.policy.document import parse
from ringfence.policy.model import HostName, Need, Policy, Secure
from ringfence.testing.policies import rule_text


def test_a_policy_in_a_line() -> None:
    assert Policy().summary() == "no rules: everything is permitted"
    text = rule_text("lab") + rule_text("other", auth='["kerberos", { psk-file = "b" }]')
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


def test_who_names_a_key_file() -> None:
    text = '[policy]\nbased-on = "Client (Respond Only)"\nauth = { psk-file = "b" }\n' + rule_text("lab")
    policy = parse(text, name="p")
    assert policy.key_files == ("test.psk", "b")
    assert [(where, str(place)) for where, place in policy.naming("b")] == [("policy", "p:3")]
    assert [(where, str(place)) for where, place in policy.naming("test.psk")] == [('rule "lab"', "p:6")]


def test_names_that_have_to_be_looked_up() -> None:
    text = rule_text("r", with_='["a.corp", "10.0.0.1"]') + '[filter-list.l]\nfilters = ["me <-> b.corp"]\n'
    assert parse(text, name="p").host_names == ("a.corp", "b.corp")
    assert str(HostName("fileserver")) == "fileserver."
