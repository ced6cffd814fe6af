# SPDX-License-Identifier: Apache-2.0
"""The text of the table; what it does to packets is ``integration/test_boot``'s."""

import re

import pytest

from ringfence.backends import boot
from ringfence.databases.boot import BootMode, BootSpd
from ringfence.policy.bootspd import boot_spd
from ringfence.policy.document import parse

RULE = '[[rule]]\nname = "lab"\nauth = { psk-file = "k" }\nwith = "10.9.0.0/16"\n'
TUNNEL = (
    '[[rule]]\nname = "branch"\nauth = { psk-file = "k" }\n'
    'local = { networks = "10.1.0.0/16", gateway = "192.0.2.1" }\n'
    'remote = { networks = "10.2.0.0/16", gateway = "198.51.100.7" }\n'
)


def meant(text: str) -> BootSpd:
    return boot_spd(parse(text, name="p"))


def chains(text: str) -> dict[str, list[str]]:
    found = re.findall(r"\tchain (\S+) \{\n(.*?)\n\t\}", text, re.DOTALL)
    return {name: [line.strip() for line in rules.splitlines()] for name, rules in found}


def test_one_transaction_replaces_the_table() -> None:
    for text in (boot.ruleset(meant(RULE)), boot.guarding(meant(RULE)), boot.shut()):
        assert text.startswith(boot.removal() + "table inet ringfence_boot {\n")


@pytest.mark.parametrize("mode", BootMode)
def test_what_is_required_is_dropped_before_the_mode_is_asked(mode: BootMode) -> None:
    found = chains(boot.ruleset(meant(f'[boot]\nmode = "{mode.value}"\n{RULE}')))
    for name in ("input", "output"):
        drops = [number for number, rule in enumerate(found[name]) if "required drop" in rule]
        assert len(drops) == 2, "for each range of addresses that a computer may have"
        assert found[name][-1].startswith("goto rest-")
    assert (found["rest-out"][-1] == "accept") is (mode is not BootMode.BLOCK)
    assert (found["rest-in"][-1] == "accept") is (mode is BootMode.PERMIT)
    assert (found["rest-forward"] == ["accept"]) is (mode is BootMode.PERMIT)
    assert ("ct state" in str(found)) is (mode is BootMode.STATEFUL)


def test_only_answers_to_exempt_traffic_come_in_where_nothing_else_passes() -> None:
    found = chains(boot.ruleset(meant('[boot]\nmode = "block"\nexempt = ["out udp to 53", "out icmp echo-request"]')))
    assert [rule for rule in found["rest-in"] if "ipv4" in rule or "related" in rule] == [
        "meta nfproto ipv4 meta l4proto 17 th sport 53 ct direction reply ct state established accept",
        "meta nfproto ipv4 meta l4proto 1 ct direction reply ct state established accept",
        "meta l4proto { icmp, ipv6-icmp } ct state related accept",
    ]
    assert [rule for rule in found["rest-out"] if "ipv4" in rule] == [
        "meta nfproto ipv4 meta l4proto 17 th dport 53 accept",
        "meta nfproto ipv4 meta l4proto 1 @th,0,16 2048-2303 accept",
    ]


def test_answers_to_what_may_leave_in_clear_come_in() -> None:
    text = RULE + 'secure = { in = "require", out = "request" }\n'
    found = chains(boot.ruleset(meant(text)))["input"]
    about = [rule for rule in found if "10.9.0.0" in rule]
    assert ["ct state { established, related } accept" in rule for rule in about] == [True, False, True, False]
    assert ["required drop" in rule for rule in about] == [False, True, False, True]


def test_what_stays_after_a_stop_leaves_ike_alone() -> None:
    assert "waiting drop" in boot.ruleset(meant(RULE))
    assert "waiting drop" not in boot.guarding(meant(RULE))
    assert chains(boot.guarding(meant(RULE)))["rest-in"] == ["accept"]


def test_what_a_tunnel_must_carry_is_not_forwarded() -> None:
    found = chains(boot.ruleset(meant('[boot]\nmode = "permit"\n' + TUNNEL)))["forward"]
    assert [rule.split(" counter")[0] for rule in found if "required drop" in rule] == [
        "meta nfproto ipv4 ip saddr 10.1.0.0-10.1.255.255 ip daddr 10.2.0.0-10.2.255.255",
        "meta nfproto ipv4 ip saddr 10.2.0.0-10.2.255.255 ip daddr 10.1.0.0-10.1.255.255",
    ]


def test_without_a_policy_only_what_gives_an_address_passes() -> None:
    found = chains(boot.shut())
    assert set(found) == {"input", "output", "forward"}
    for name, way in (("input", "iifname"), ("output", "oifname")):
        assert [rule.split()[0] for rule in found[name]] == ["type", way, "ip6", "udp", "udp", "counter"]
    assert "ct " not in boot.shut()


def test_what_is_masqueraded_is_asked_as_this_computers_own() -> None:
    found = chains(boot.ruleset(meant('[boot]\nmode = "permit"\n' + RULE)))
    (hook, *_, drop, other) = found["translated-saddr"]
    assert hook.startswith("type filter hook postrouting priority srcnat + 10;")
    assert "daddr 10.9.0.0" in drop
    assert "required drop" in other
    clear = '[global]\nmasqueraded = "clear"\n'
    for text in ('[boot]\nmode = "block"\n' + RULE, '[boot]\nmode = "permit"\n' + clear + RULE):
        assert "translated" not in str(chains(boot.ruleset(meant(text))))
