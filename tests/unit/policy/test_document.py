# SPDX-License-Identifier: Apache-2.0
"""The document: what each setting means, and what a person reads who got one wrong."""

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.proposal import Limits
from ringfence.net.address import AddressRange, parse_address
from ringfence.place import Place
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import (
    ANY,
    ME,
    Filter,
    Kind,
    MainMode,
    Need,
    Policy,
    PskFile,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.settle import Settler
from ringfence.policy.traffic import parse_traffic
from ringfence.testing.policies import rule_text

FIVE_LINES = """\
# policy.toml: everything between this computer and the lab is protected
[[rule]]
name   = "lab is isolated"
with   = "10.77.0.0/24"
secure = "require"                       # "request", "require", { in = "require", out = "request" }
auth   = { psk-file = "lab.psk" }
"""

TUNNEL = """\
[[rule]]
name   = "branch office"
kind   = "tunnel"
local  = { networks = ["10.1.0.0/16"], gateway = "192.0.2.1" }
remote = { networks = ["10.2.0.0/16"], gateway = "198.51.100.7" }
auth   = { psk-file = "branch.psk" }
"""

LAB = (AddressRange.parse("10.77.0.0/24"),)


def rule(text: str) -> Rule:
    (found,) = parse(text, name="policy.toml").rules
    return found


def filter_(settings: str) -> Filter:
    (found,) = parse(f'[[filter]]\nname = "f"\n{settings}\n', name="policy.toml").filters
    return found


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse(text, name="policy.toml")
    return [str(finding) for finding in caught.value.findings]


def test_the_five_lines_of_the_first_policy() -> None:
    found = rule(FIVE_LINES)
    assert (found.kind, found.local, found.remote) == (Kind.ISOLATION, ME, LAB)
    assert found.secure == Secure(Need.REQUIRE, Need.REQUIRE)
    assert found.auth == (PskFile("lab.psk"),)
    assert (found.protect, found.lifetime, found.main_mode, found.pfs) == ((), None, None, None)
    settled = Settler(Policy()).rule(found)
    assert [str(method) for method in settled.protect] == ["esp aes256-gcm", "esp aes128-gcm", "esp aes256-sha256"]
    assert (settled.lifetime, settled.main_mode, settled.pfs) == (Limits(3600), MainMode(), False)
    assert found.place == Place("policy.toml", 2)
    assert {name: place.line for name, place in found.places.items()} == {
        "name": 3,
        "with": 4,
        "secure": 5,
        "auth": 6,
        "auth.psk-file": 6,
    }


def test_a_tunnel() -> None:
    found = rule(TUNNEL)
    assert found.kind is Kind.TUNNEL
    assert found.gateways == Gateways(remote=parse_address("198.51.100.7"), local=parse_address("192.0.2.1"))
    assert (found.local, found.remote) == ((AddressRange.parse("10.1.0.0/16"),), (AddressRange.parse("10.2.0.0/16"),))
    assert rule(TUNNEL.replace(', gateway = "192.0.2.1"', "")).gateways == Gateways(parse_address("198.51.100.7"))


def test_filters() -> None:
    assert filter_('block = "tcp to 23"') == Filter("f", Verb.BLOCK, (parse_traffic("tcp to 23"),), ME, ANY)
    found = filter_('permit = ["tcp to 80, tcp to 443", "icmp"]\nwith = "10.0.0.5"\ndirection = "in"\nmirrored = false')
    assert found == Filter(
        "f", Verb.PERMIT, tuple(map(parse_traffic, ("tcp to 80", "tcp to 443", "icmp"))), ME,
        (AddressRange.parse("10.0.0.5"),), direction=Reading.IN, mirrored=False,
    )  # fmt: skip


def test_an_error_points_at_its_culprit() -> None:
    assert mistakes(TUNNEL.replace("198.51.100.7", "198.51.100.300")) == [
        'policy.toml:5: rule "branch office": remote.gateway is "198.51.100.300", which is not an IP address.\n'
        '   5 | remote = { networks = ["10.2.0.0/16"], gateway = "198.51.100.300" }\n'
        "     |                                                  ^^^^^^^^^^^^^^^^"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[filter]]\nname = "f"\n', 'filter "f":  says neither "permit" nor "block"'),
        ('[[filter]]\nname = "f"\nblock = "any"\npermit = "any"\n', 'says both "permit" and "block"'),
        ('[[filter]]\nblock = "any"\n', "filter number 1:  has no name"),
        ('[[filter]]\nname = ""\nblock = "any"\n', "filter number 1: name is empty"),
        ('[[filter]]\nname = "f"\nblock = "any"\nremote = { gateway = "10.0.0.1" }\n', "only a rule can be a tunnel"),
        ('[[filter]]\nname = "f"\nblock = "any"\nauth = 1\n', 'there is no setting "auth"'),
        ('[[rule]]\nname = "r"\n', 'rule "r":  does not say how both sides prove who they are'),
        ('[rule]\nname = "r"\n', "rule has to be written with double brackets"),
        ("rule = [1]\n", "rule has to be written with double brackets"),
        ("[[policy]]\n", "policy has to be a single table: a policy has one"),
        ("[policy]\n", "policy:  has no rule"),
        ("policy = 1\n", "policy is 1, but has to be a table"),
        ('[filter-list."All"]\n', 'filter list "All":  has no filters'),
        ("[[filter-list]]\n", "filter-list is a list, but has to be a table"),
        ("filter-list.x = 1\n", "filter-list.x is 1, but has to be a table"),
        ('[filter-list." "]\nfilters = ["me <-> any"]\n', "has to have a name of 1 to 100 printable characters"),
        ("[[rules]]\n", 'Did you mean "rule"?'),
        ("pfs = true\n", 'there is no setting "pfs"'),
        ('[[filter]]\nname = "f"\nblock = "any"\n' * 2, 'filter "f": name is already taken in line 1'),
        ('[[filter]]\nname = "a\\u0007"\nblock = "any"\n', "printable"),
        ('[[filter]]\nname = "f"\nblock = "any"\n' * 20_001, "stands there 20001 times"),
    ],
)
def test_mistakes_elsewhere(text: str, sentence: str) -> None:
    assert any(sentence.replace(":  ", ": ") in one for one in mistakes(text))


def test_all_mistakes_are_told_at_once_in_order() -> None:
    text = rule_text("a", secure='"x"', with_='"y"') + rule_text("b", pfs='"z"') + "[[rul]]\n"
    assert [one.split(" ")[0] for one in mistakes(text)] == [f"policy.toml:{n}:" for n in (3, 4, 8, 10)]


def test_nothing_of_the_document_reaches_a_terminal_unseen() -> None:
    text = '[[rule]]\nname = "a\\u001b[31m"\nwith = "\\u001b]0;x"\n"\\u001b" = 1\n'
    assert "\x1b" not in "".join(mistakes(text))


scalars = st.one_of(
    st.integers(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=12), st.dates(),
    st.sampled_from(["me", "any", "10.0.0.0/8", "tcp to 80", "require", "esp aes256-gcm", "60 min", "100 MB"]),
)  # fmt: skip
WORDS = [
    "name", "with", "between", "local", "remote", "traffic", "secure", "auth", "psk-file", "protect", "lifetime",
    "time", "data", "pfs", "main-mode", "methods", "kind", "in", "out", "networks", "gateway", "block", "permit",
    "direction", "tunnel", "dscp", "identity", "rule", "filter", "policy", "legacy",
]  # fmt: skip
keys = st.one_of(st.sampled_from(WORDS), st.text(min_size=1, max_size=6))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=10
)

tables = st.lists(st.dictionaries(keys, values, max_size=6), max_size=3)
documents = st.dictionaries(st.sampled_from(["rule", "filter", "policy", "x"]), tables | values, max_size=3)


def policy_or_error(text: str) -> Policy | PolicyError:
    try:
        return parse(text, name="p")
    except PolicyError as error:
        return error


@settings(deadline=None, max_examples=300)
@given(documents)
def test_any_toml_is_a_policy_or_a_policy_error(data: dict[str, object]) -> None:
    outcome = policy_or_error(tomlkit.dumps(data))
    assert isinstance(outcome, Policy) or str(outcome).startswith("p:")


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_broken_document_is_a_policy_or_a_policy_error(data: st.DataObject) -> None:
    text = list(FIVE_LINES + TUNNEL)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 5))] = data.draw(st.text("[]{}\"'=.,#\n\\ab\t1", max_size=3))
    outcome = policy_or_error("".join(text))
    assert isinstance(outcome, Policy) or outcome.findings
