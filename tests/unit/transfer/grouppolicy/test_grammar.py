# SPDX-License-Identifier: Apache-2.0
"""Strings of rules: what is known is checked, what is not is kept."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.transfer.grouppolicy.objects import VECTORS

from ringfence.policy.errors import BadWord
from ringfence.transfer.grouppolicy import tokens
from ringfence.transfer.grouppolicy.grammar import LONGEST, BadRule, checked, parse, write
from ringfence.transfer.grouppolicy.values import Version

RULE = "v2.10|Action=Secure|Active=TRUE|Profile=Domain|Profile=Public|Later=x=y|Name=a rule|"


def published() -> list[str]:
    """The rules of the specification's own example."""
    values = tomllib.loads((VECTORS / "specification.toml").read_text())
    return [*values["ConSecRules"].values(), *values["FirewallRules"].values()]


WINDOWS_11 = [
    "v2.33|Action=SecureServer|Name=Auth|Desc=|Active=TRUE|Auth1Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}|"
    "Auth2Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE4}|Crypto2Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE2}|",
    "v2.33|Action=Block|Active=TRUE|Dir=Out|Name=rule|LUAuth=O:LSD:(D;;CC;;;S-1-2-1)(A;;CC;;;AU)|",
    "v2.33|Action=Block|Active=TRUE|Dir=In|App=%SystemRoot%\\System32\\winlogon.exe|Name=winlogon block|",
]
"""As people publish them, of a later version of the schema than the specification knows."""


@pytest.mark.parametrize("text", WINDOWS_11)
def test_rules_of_later_versions_are_read_and_written_back(text: str) -> None:
    known = tokens.FIREWALL if "Dir=" in text else tokens.CONSEC
    said = parse(text, known)
    assert str(said) == text
    assert said.version > tokens.INHERENT
    assert said.unknown(known) == ()


@pytest.mark.parametrize("text", published())
def test_published_rules_are_written_back_as_they_are(text: str) -> None:
    known = tokens.FIREWALL if "Dir=" in text else tokens.CONSEC
    said = parse(text, known)
    assert str(said) == text
    assert said.unknown(known) == ()
    assert said.version == Version(2, 10)


def test_what_it_says() -> None:
    said = parse(RULE, tokens.CONSEC)
    assert said.one(tokens.ACTION) == "Secure"
    assert said.true(tokens.ACTIVE)
    assert [one.value for one in said.all(tokens.PROFILE)] == ["domain", "public"]
    assert said.one(tokens.PROTOCOL) is None
    assert not said.true(tokens.AUTHORIZE)
    assert not said.has(tokens.TUNNEL)


def test_a_field_of_a_later_version_is_kept_in_its_place() -> None:
    said = parse(RULE, tokens.CONSEC)
    assert said.unknown(tokens.CONSEC) == (("Later", "x=y"),)
    assert str(said) == RULE


def test_keys_and_literals_are_the_same_in_either_case() -> None:
    said = parse("V2.10|ACTION=secure|aCTIVE=true|", tokens.CONSEC)
    assert said.one(tokens.ACTION) == "Secure"
    assert said.true(tokens.ACTIVE)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", 'it does not begin with "v", a version and "|" (at character 1)'),
        ("v2.10", 'it does not begin with "v", a version and "|" (at character 1)'),
        ("2.10|Action=Secure|", 'it does not begin with "v", a version and "|" (at character 1)'),
        ("v2|Action=Secure|", "its version is 2, which is no version (at character 2)"),
        ("v2.10|", "it has no field (at character 7)"),
        ("v2.10|Action=Secure", 'its last field does not end with "|" (at character 20)'),
        ("v2.10|Action|", 'its field "Action" has no "=" (at character 7)'),
        ("v2.10||", 'its field "" has no "=" (at character 7)'),
        ("v2.10|=x|", 'its field "=x" has no "=" (at character 7)'),
        ("v2.10|Action=Secure|Action=Boundary|", "its Action is there twice (at character 21)"),
        ("v2.10|Name=x|Protocol=300|", "its Protocol is 300, which is no number up to 255 (at character 14)"),
        ("v2.10|Name=" + "x" * LONGEST + "|", f"it is longer than {LONGEST} characters (at character {LONGEST + 1})"),
    ],
)
def test_what_is_no_rule_is_told_with_its_place(text: str, why: str) -> None:
    with pytest.raises(BadRule) as caught:
        parse(text, tokens.CONSEC)
    assert caught.value.why == why


def test_values_of_a_key_are_checked_alike() -> None:
    assert checked(Version(2, 0), [("Active", "TRUE"), ("Odd", "?")], tokens.CONSEC).true(tokens.ACTIVE)
    with pytest.raises(BadWord, match="its Active is yes, which is none of TRUE, FALSE"):
        checked(Version(2, 0), [("Active", "yes")], tokens.CONSEC)


def test_what_is_written_is_of_the_first_version_that_has_it() -> None:
    plain = [tokens.ACTION.say("Secure"), tokens.NAME.say("x")]
    assert str(write(Version(2, 10), tokens.CONSEC, plain)) == "v2.10|Action=Secure|Name=x|"
    modern = [*plain, tokens.KEY_MODULES.say("IkeV2")]
    assert write(Version(2, 10), tokens.CONSEC, modern).version == Version(2, 20)


def test_what_cannot_be_said_is_not_written() -> None:
    with pytest.raises(BadWord, match="and a rule cannot say"):
        tokens.NAME.say("a|b")


words = st.sampled_from([
    "v2.10|", "v", "2.10", "|", "=", "Action=", "Secure|", "EP1_4=", "10.0.0.0/8|", "EP2_6=", "::-", "Protocol=", "6|",
    "Profile=Domain|", "Platform=2:6:1|", "Name=x|", "RTunEndpts4=", "LocalSubnet|", "-1", "é", "\0", "%", "/",
    "FwdLifetime=9999999999|",
])  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(st.lists(words, max_size=12).map("".join) | st.text(max_size=60))
def test_no_text_confuses_a_reader(text: str) -> None:
    for known in (tokens.CONSEC, tokens.MAIN_MODE, tokens.FIREWALL, tokens.CRITERIA):
        try:
            said = parse(text, known)
        except BadRule as error:
            assert 0 <= error.offset <= len(text)  # noqa: PT017
            continue
        assert parse(str(said), known) == said
        assert [*said.fields] == [tuple(part.split("=", 1)) for part in text.split("|")[1:-1]]
