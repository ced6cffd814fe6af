# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.policy.difference import Altered, difference
from ringfence.policy.document import parse
from ringfence.testing.policies import rule_text

LAB = rule_text("lab", with_='"10.77.0.0/24"')
TELNET = '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'


def lines(old: str, new: str) -> list[str]:
    found = difference(parse(old, name="old.toml"), parse(new, name="new.toml"))
    return [line for one in found for line in one.lines()]


def test_the_same() -> None:
    assert lines(LAB + TELNET, TELNET + LAB) == []
    assert lines(LAB, LAB + 'secure = "require"\nreplay-window = 64\n') == [], "a default that is written now"


def test_new_and_gone() -> None:
    assert lines(LAB, LAB + TELNET) == ['+ filter "no telnet"   new.toml:5', '    block = "tcp to 23"']
    assert lines(LAB + TELNET, TELNET) == [
        '- rule "lab"   old.toml:1', '    with = "10.77.0.0/24"', '    auth = { psk-file = "test.psk" }',
    ]  # fmt: skip


def test_another_setting() -> None:
    assert lines(LAB, LAB + 'secure = "request"\nidentity = { remote = "bob" }\n') == [
        '~ rule "lab"   new.toml:1',
        '    secure = "request"   (until now "require")',
        '    identity.remote = "bob"   (new)',
    ]
    assert lines(LAB + 'identity = { remote = "bob" }\n', LAB)[1] == (
        '    identity.remote is not there any more (until now "bob")'
    )


def test_another_order_of_main_mode_rules_which_counts() -> None:
    first, second, third = (f'[[main-mode]]\nname = "{n}"\nwith = "10.{n}.0.0/16"\npfs = true\n' for n in (1, 2, 3))
    assert lines(first + second + third, third + first + second) == [
        '~ main mode rule "3"   new.toml:1', '    place in order = first   (until now behind "2")',
    ]  # fmt: skip
    assert lines(first + second, second + first.replace("true", "false")) != []
    same = LAB.replace("lab", "1")
    assert [one for one in lines(same + first + second, same + second + first) if one[0] == "~"] == [
        '~ main mode rule "2"   new.toml:5'
    ]
    assert not [one for one in lines(first + second, first + third + second) if "order" in one]


def test_another_name() -> None:
    assert lines(LAB + TELNET, LAB.replace('"lab"', '"laboratory"') + TELNET) == [
        '~ rule "laboratory"   new.toml:1', '    name = "laboratory"   (until now "lab")',
    ]  # fmt: skip


CLIENT = 'based-on = "Client (Respond Only)"\n'
RULE = 'filter-list = "All IP Traffic"\nfilter-action = "Permit"\n'


def test_a_policy_beside_the_one_that_was_alone() -> None:
    alone = f'[policy]\nname = "A"\n{CLIENT}[[policy.rule]]\n{RULE}'
    among = f'[policy."A"]\nassigned = true\n{CLIENT}[[policy."A".rule]]\n{RULE}'
    assert lines(alone, among) == [], "the same in the other form"
    other = f'[policy."B"]\n{CLIENT}[[policy.B.rule]]\n{RULE}'
    assert lines(alone, among + other) == [
        '+ policy "B"   new.toml:7',
        '    based-on = "Client (Respond Only)"',
        '+ rule "All IP Traffic" of policy "B"   new.toml:9',
        '    filter-list = "All IP Traffic"',
        '    filter-action = "Permit"',
    ]
    assigned = among.replace("assigned = true\n", "") + other.replace('"B"]\n', '"B"]\nassigned = true\n', 1)
    assert lines(among + other, assigned) == [
        '~ policy "B"   new.toml:6', "    assigned = true   (until now false)",
        '~ policy "A"   new.toml:1', "    assigned = false   (until now true)",
    ]  # fmt: skip
    moved = among.partition("[[")[0] + other + '[[policy.B.rule]]\nname = "x"\n' + RULE
    assert [line for line in lines(among + other, moved) if "rule" in line] == [
        '+ rule "x" of policy "B"   new.toml:9', '- rule "All IP Traffic" of policy "A"   old.toml:4',
    ]  # fmt: skip
    assert lines(among + other, among + other.replace("B", "C")) == [
        '~ policy "C"   new.toml:7', '    name = "C"   (until now "B")',
    ]  # fmt: skip


def test_kinds() -> None:
    found = difference(
        parse(LAB + TELNET, name="o"), parse(LAB + "pfs = true\n" + TELNET.replace("no", "of"), name="n")
    )
    assert [one.kind for one in found] == ["changed", "renamed"]
    assert found[0].settings == (Altered("pfs", "false", "true"),)


IPSEC = """
[policy]
name = "p"
auth = { psk-file = "k" }
[[policy.rule]]
filter-list = "web"
filter-action = "Require Security"
[filter-list."web"]
filters = ["any tcp <-> me:80"]
"""


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('name = "p"', 'name = "q"', ['~ policy "q"   new.toml:2', '    name = "q"   (until now "p")']),
        ("me:80", "me:81", ['~ filter list "web"   new.toml:8']),
        ("Require Security", "Permit", ['~ policy rule "web"   new.toml:5']),
    ],
)  # fmt: skip
def test_policies_in_the_form_of_windows(was: str, now: str, said: list[str]) -> None:
    assert lines(IPSEC, IPSEC) == []
    assert lines(IPSEC, IPSEC.replace(was, now))[: len(said)] == said


PIECE = st.sampled_from(
    [LAB, TELNET, LAB.replace("lab", "b"), rule_text("c", with_='"10.1.0.0/16"', replay_window="32")]
)


@settings(deadline=None, max_examples=50)
@given(st.lists(PIECE, unique=True), st.lists(PIECE, unique=True))
def test_nothing_is_said_exactly_when_both_are_alike(old: list[str], new: list[str]) -> None:
    assert (lines("".join(old), "".join(new)) == []) == (set(old) == set(new))


def test_what_holds_at_boot() -> None:
    boot = '[boot]\nmode = "{0}"\n'
    assert lines(TELNET, boot.format("block") + TELNET) == ["+ boot   new.toml:1", '    mode = "block"']
    assert lines(boot.format("block") + TELNET, boot.format("permit") + TELNET) == [
        "~ boot   new.toml:1", '    mode = "permit"   (until now "block")',
    ]  # fmt: skip
