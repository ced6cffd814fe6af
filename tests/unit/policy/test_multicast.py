# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.spd import Action
from ringfence.net.address import parse_address
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import BUILT_IN, HostFacts, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.multicast import beside_multicast
from ringfence.testing.policies import KEYS, compile_text, rule_text

ALL = rule_text("all", with_='"any"')


@pytest.mark.parametrize(
    ("more", "packet", "action", "rule"),
    [
        ("", "out udp 10.0.0.1:9 -> 239.0.0.1:9", Action.BYPASS, "always in clear: multicast and broadcast"),
        ("", "out udp 10.0.0.1:9 -> 10.0.0.2:9", Action.PROTECT, "all"),
        ('block = "udp"\nlocal = "any"\nremote = "any"', "out udp 10.0.0.1:9 -> 239.0.0.1:9", Action.DISCARD, "f"),
        ('block = "udp"\nlocal = "any"\nremote = "any"', "out udp 10.0.0.1:9 -> 10.0.0.2:9", Action.PROTECT, "all"),
        ('block = "udp"\nlocal = "any"\nremote = "any"', "out tcp 10.0.0.1:9 -> 239.0.0.1:9", Action.BYPASS,
         "always in clear: multicast and broadcast"),
        ('block = "udp"\nlocal = "any"\nremote = "any"\ndirection = "in"\nmirrored = false',
         "out udp 10.0.0.1:9 -> 239.0.0.1:9", Action.BYPASS, "always in clear: multicast and broadcast"),
    ],
)  # fmt: skip
def test_it_is_decided_as_if_nothing_protected_it(more: str, packet: str, action: Action, rule: str) -> None:
    text = ALL + (f'[[filter]]\nname = "f"\n{more}\n' if more else "")
    found = explain(compile_text(text, "10.0.0.1"), *parse_flow(packet))
    assert found.entry is not None
    assert (found.action, found.entry.origin.rule) == (action, rule)


def test_names_are_unique_and_nothing_is_made_for_nothing() -> None:
    spd = compile_text(ALL + '[[filter]]\nname = "f"\nblock = "any"\nlocal = "any"\nremote = "any"\n', "10.0.0.1").spd
    assert len({entry.name for entry in spd}) == len(spd)
    plain = [entry for entry in spd if entry.action is not Action.PROTECT]
    assert list(beside_multicast(plain, ())) == plain


def test_what_is_of_two_exempt_kinds_is_permitted_once() -> None:
    settings = '[global]\nexempt = ["icmp", "router-discovery"]\n'
    spd = compile_text(settings + rule_text("r", with_='"any"', traffic='"icmp router-solicitation"'), "10.0.0.1").spd
    assert f"{BUILT_IN}/10.0.0.1:2560-2815 <-> 0.0.0.0/0:2560-2815 icmp" in [entry.name for entry in spd]
    assert len({entry.name for entry in spd}) == len(spd)


@pytest.mark.parametrize("address", ["224.0.0.251", "255.255.255.255", "10.77.0.255", "ff02::fb"])
def test_multicast_and_broadcast_are_never_protected(address: str) -> None:
    host = HostFacts((parse_address("10.77.0.1"), parse_address("fd00::1")), (parse_address("10.77.0.255"),))
    spd = compile_policy(parse(ALL, name="p"), host, KEYS).spd
    own = host.addresses[":" in address]
    for to, protected in ((parse_address(address), False), (own[:-1] + b"\xfe", True)):
        entry = spd.outbound(FlowKey(own, to, 17, 5353, 5353))
        assert entry is not None
        assert (entry.action is Action.PROTECT) is protected
