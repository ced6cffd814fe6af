# SPDX-License-Identifier: Apache-2.0
"""Rules of Windows' firewall as filters."""

import pytest

from ringfence.policy.document import parse
from ringfence.policy.model import Filter, Verb
from ringfence.policy.write import canonical
from ringfence.transfer.base import Imported
from ringfence.transfer.consec import SECURED
from ringfence.transfer.powershell.importing import read_script

NEW = "New-NetFirewallRule -DisplayName A -Action Block"


def read(text: str) -> Imported:
    found = read_script(text, "x.ps1")
    assert parse(canonical(found.policy), name="x") == found.policy
    return found


def blocked(words: str) -> Filter:
    found = read(f"{NEW} {words}")
    assert not found.left_out, found.left_out
    return found.policy.filters[0]


@pytest.mark.parametrize(
    ("words", "direction", "traffic"),
    [
        ("-Protocol TCP -LocalPort 23", "in", ["tcp to 23"]),
        ("-Direction Outbound -Protocol TCP -RemotePort 25,110-111", "out", ["tcp to 25", "tcp to 110-111"]),
        ("-Protocol UDP -LocalPort 53 -RemotePort 53", "in", ["udp from 53 to 53"]),
        ("-Protocol ICMPv4 -IcmpType 8,3:4", "in", ["icmp echo-request", "icmp 3/4"]),
        ("-RemoteAddress 192.0.2.0/24", "in", ["any"]),
        ("-Direction Outbound -RemoteAddress WINS -Protocol UDP", "out", ["udp"]),
    ],
)
def test_what_is_blocked(words: str, direction: str, traffic: list[str]) -> None:
    found = blocked(words)
    assert (found.direction.value, list(map(str, found.traffic)), found.mirrored) == (direction, traffic, False)


def test_answers_of_whole_computers_are_noted() -> None:
    assert "answers" in read(f"{NEW} -RemoteAddress 192.0.2.0/24").notes[0].why
    assert not read(f"{NEW} -Protocol TCP -LocalPort 23").notes


def test_the_rest_of_it() -> None:
    found = blocked("-Protocol TCP -LocalPort 23 -Profile Public -Enabled False -Description d -LocalAddress 10.0.0.1")
    assert (found.enabled, found.description, len(found.scope.profiles), len(found.local)) == (False, "d", 1, 1)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("-Program C:\\x.exe", "-Program is said"),
        ("", "cannot tell that from the answers"),
        ("-Direction Outbound -Protocol TCP -LocalPort 80", "the port that they come from"),
        ("-Protocol TCP -LocalPort 23\nSet-NetFirewallRule -DisplayName A -LocalPort $x", "what line 2 makes of it"),
        ("-RemoteAddress Intranet", "-RemoteAddress Intranet says something"),
        ("-RemoteMachine x", "-RemoteMachine is said"),
        ("-Protocol ICMPv4 -IcmpType x", "-IcmpType x is none"),
    ],
)
def test_what_is_left_out(words: str, why: str) -> None:
    found = read(f"{NEW} {words}")
    assert not found.policy.filters
    assert any(why in one.why for one in found.left_out)


def test_what_is_allowed_is_permitted_anyway() -> None:
    found = read("New-NetFirewallRule -DisplayName A -Protocol TCP -LocalPort 80")
    assert (found.policy.filters, found.left_out, len(found.notes)) == ((), (), 1)


SECURE = "New-NetFirewallRule -DisplayName A -Action Allow -Protocol TCP -LocalPort 445"
ADMINS, ALICE = "S-1-5-21-1-2-3-1114", "S-1-5-21-1-2-3-500"


@pytest.mark.parametrize(
    ("words", "secure", "override", "computers", "users"),
    [
        ("-Authentication Required", "authenticated", False, (), ()),
        ("-Authentication Required -Encryption Required", "encrypted", False, (), ()),
        ("-Authentication Required -Encryption Dynamic", "negotiated", False, (), ()),
        ("-Authentication NoEncap", "no-encapsulation", False, (), ()),
        (f"-Authentication Required -OverrideBlockRules $true -RemoteMachine 'D:(A;;CC;;;{ADMINS})'",
         "authenticated", True, (ADMINS,), ()),
        (f"-Authentication Required -RemoteUser 'D:(A;;CC;;;{ALICE})'", "authenticated", False, (), (ALICE,)),
    ],
)  # fmt: skip
def test_what_is_allowed_if_it_is_secure(
    words: str, secure: str, override: bool, computers: tuple[str, ...], users: tuple[str, ...]
) -> None:
    read_ = read(f"{SECURE} {words}")
    (found,) = read_.policy.filters
    assert (found.verb, found.direction.value, found.mirrored, [*map(str, found.traffic)]) == (
        Verb.PERMIT, "in", not override, ["tcp to 445"],
    )  # fmt: skip
    assert found.secure is not None
    assert (found.secure.value, found.override_block) == (secure, override)
    assert (found.allow.computers, found.allow.users) == (computers, users)
    assert [one.why for one in read_.notes] == ([] if override else [SECURED])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("-Encryption Required", "-Authentication NotRequired and -Encryption Required"),
        ("-Authentication NoEncap -Encryption Required", "no rule with -Authentication NoEncap"),
        ("-OverrideBlockRules $true", "-Authentication NotRequired"),
        ("-Authentication Required -OverrideBlockRules $true", "for no computers"),
        ("-Authentication Required -Program C:\\x.exe", "-Program is said"),
        ("-Authentication Required -RemoteMachine x", "no list of accounts"),
    ],
)
def test_what_no_secure_rule_is(words: str, why: str) -> None:
    found = read(f"{SECURE} {words}")
    assert not found.policy.filters
    assert why in found.left_out[0].why


def test_a_bypass_outward_needs_no_computers() -> None:
    found = read(f"{SECURE} -Direction Outbound -Authentication Required -OverrideBlockRules $true").policy.filters[0]
    assert (found.override_block, found.direction.value) == (True, "out")


def test_rules_and_filters_share_their_names() -> None:
    found = read(f"New-NetIPsecRule -DisplayName A -InboundSecurity None\n{NEW} -Protocol TCP -LocalPort 23")
    assert [one.name for one in (*found.policy.rules, *found.policy.filters)] == ["A", "A (2)"]
