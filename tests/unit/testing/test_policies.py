# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from ringfence.databases.spd import Action
from ringfence.policy.document import parse
from ringfence.policy.errors import PolicyError
from ringfence.testing.policies import (
    KEYS,
    assert_blocked,
    assert_permitted,
    assert_protected,
    compile_text,
    rule_text,
)

TEXT = (
    rule_text("database", with_='"10.0.0.9"', traffic='"tcp to 1433"')
    + rule_text("soft", with_='"10.1.0.0/16"', secure='"request"')
    + rule_text("half", with_='"10.2.0.0/16"', secure='{ in = "require", out = "request" }')
    + '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'
)
POLICY = parse(TEXT, name="p.toml")


def test_a_policy_in_few_words() -> None:
    text = rule_text("lab", with_='"10.0.0.0/8"', replay_window="128")
    found = compile_text(text, "10.0.0.1")
    (entry,) = [entry for entry in found.spd if entry.action is Action.PROTECT]
    assert entry.processing is not None
    assert (entry.origin.rule, entry.processing.replay_window) == ("lab", 128)
    (peer,) = found.pad
    assert peer.auth[0].key == next(iter(KEYS.values()))


def test_what_holds(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(TEXT)  # and no key file
    for policy in (POLICY, tmp_path / "p.toml", str(tmp_path / "p.toml")):
        assert_protected(policy, "tcp 10.0.0.5 -> 10.0.0.9:1433", require=True)
        assert_protected(policy, "in tcp 10.0.0.9:1433 -> 10.0.0.5")
        assert_protected(policy, "out tcp 10.0.0.5 -> 10.1.0.9:80")
        assert_protected(policy, "in tcp 10.2.0.9 -> 10.0.0.5:80", require=True)
        assert_blocked(policy, "tcp 10.0.0.5 -> 192.0.2.1:23")
        assert_permitted(policy, "udp 10.0.0.5 -> 192.0.2.53:53")
        assert_permitted(policy, "tcp 10.0.0.5 -> 10.0.0.9:1433", me="10.0.0.6")


def test_a_failure_explains() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_protected(POLICY, "tcp 10.0.0.5 -> 10.0.0.9:23")
    assert str(caught.value).splitlines()[:3] == [
        "p.toml: tcp 10.0.0.5 -> 10.0.0.9:23 is not protected, but:",
        "  blocked",
        '  because    rule "no telnet" p.toml:16   10.0.0.5 <-> 0.0.0.0/0:23, tcp, weight 32516',
    ]


@pytest.mark.parametrize(
    ("check", "packet"),
    [
        (assert_blocked, "tcp 10.0.0.5 -> 10.0.0.9:1433"),
        (assert_blocked, "tcp 10.0.0.5 -> 10.0.0.9:80"),
        (assert_permitted, "tcp 10.0.0.5 -> 10.0.0.9:1433"),
        (assert_permitted, "tcp 10.0.0.5 -> 10.1.0.9:80"),
        (assert_permitted, "tcp 10.0.0.5 -> 10.0.0.9:23"),
        (assert_protected, "tcp 10.0.0.5 -> 10.0.0.9:80"),
    ],
)
def test_what_does_not_hold(check: object, packet: str) -> None:
    assert callable(check)
    with pytest.raises(AssertionError, match="because"):
        check(POLICY, packet)


@pytest.mark.parametrize("packet", ["tcp 10.0.0.5 -> 10.1.0.9:80", "out tcp 10.0.0.5 -> 10.2.0.9:80"])
def test_what_might_go_in_clear_is_not_required(packet: str) -> None:
    assert_protected(POLICY, packet)
    with pytest.raises(AssertionError, match="not protected in every case"):
        assert_protected(POLICY, packet, require=True)


def test_nonsense_is_no_failed_assertion(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Write it as"):
        assert_blocked(POLICY, "hello")
    (tmp_path / "p.toml").write_text("x = 1")
    with pytest.raises(PolicyError):
        assert_blocked(tmp_path / "p.toml", "tcp 10.0.0.5 -> 10.0.0.9:80")


def test_another_network() -> None:
    policy = parse('[[filter]]\nname = "f"\nblock = "any"\nprofiles = "public"\n', name="p.toml")
    assert_blocked(policy, "tcp 10.0.0.5 -> 10.0.0.9:80")
    assert_blocked(policy, "tcp 10.0.0.5 -> 10.0.0.9:80", profile="public")
    assert_permitted(policy, "tcp 10.0.0.5 -> 10.0.0.9:80", profile="private")
