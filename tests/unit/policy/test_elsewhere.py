# SPDX-License-Identifier: Apache-2.0
"""What would decide in another network."""

from ringfence.databases.spd import Direction
from ringfence.net.address import parse_address
from ringfence.policy.compile import Compiled, compile_policy
from ringfence.policy.document import parse
from ringfence.policy.elsewhere import EMPTY
from ringfence.policy.explain import explain, parse_flow
from ringfence.policy.host import HostFacts
from ringfence.policy.networks import Interface
from ringfence.testing.policies import KEYS, rule_text

OFFICE, HOME = parse_address("10.77.0.1"), parse_address("192.168.7.2")
HOST = HostFacts(
    (OFFICE, HOME), interfaces=(Interface("eth0", addresses=(OFFICE,)), Interface("eth1", addresses=(HOME,)))
)
NETWORKS = '[profile.domain]\nnetworks = "10.77.0.0/16"\n[profile.private]\nnetworks = "172.16.0.0/12"\n'
RULE = rule_text("colleagues", with_='"10.0.0.0/8"', profiles='"domain"')
FILTER = (
    '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\ndirection = "out"\nmirrored = false\nprofiles = "private"\n'
)
TUNNEL = rule_text(
    "branch", local='{ networks = "10.77.0.0/24", gateway = "192.168.7.2" }', profiles='"domain"',
    remote='{ networks = "10.99.0.0/16", gateway = "198.51.100.7" }',
)  # fmt: skip


def compiled(text: str) -> Compiled:
    return compile_policy(parse(NETWORKS + text, name="p.toml"), HOST, KEYS)


def names(found: Compiled, packet: str) -> list[str]:
    flow, direction = parse_flow(packet)
    outward = flow if direction is Direction.OUT else flow.reversed()
    return [one.name for one in found.elsewhere.about(outward, direction)]


def test_a_rule_of_another_network_is_named() -> None:
    found = compiled(RULE + FILTER)
    assert names(found, "out tcp 192.168.7.2 -> 10.9.9.9:80") == ["colleagues"]
    assert names(found, "in tcp 10.9.9.9 -> 192.168.7.2:80") == ["colleagues"]
    assert names(found, "out tcp 10.77.0.1 -> 10.9.9.9:80") == [], "there it holds"
    assert names(found, "out tcp 192.168.7.2 -> 203.0.113.9:80") == [], "it is about others"
    assert names(found, "out tcp 10.77.0.1 -> 10.9.9.9:23") == ["no telnet"]
    assert names(found, "in tcp 10.9.9.9:5 -> 10.77.0.1:23") == [], "it is for what leaves"


def test_a_tunnel_is_where_its_end_is() -> None:
    found = compiled(TUNNEL)
    assert names(found, "out tcp 10.77.0.9 -> 10.99.0.9:80") == ["branch"]
    here = compiled(TUNNEL.replace("192.168.7.2", "10.77.0.1"))
    assert names(here, "out tcp 10.77.0.9 -> 10.99.0.9:80") == []


def test_those_that_hold_in_no_network_of_now() -> None:
    assert [one.name for one in compiled(RULE + FILTER).elsewhere.nowhere()] == ["no telnet"]
    assert list(EMPTY.nowhere()) == []
    flow, direction = parse_flow("out tcp 10.77.0.1 -> 10.9.9.9:23")
    assert list(EMPTY.about(flow, direction)) == []


def test_whoever_asks_is_told() -> None:
    found = explain(compiled(RULE), *parse_flow("out tcp 192.168.7.2 -> 10.9.9.9:80"))
    assert found.lines()[1:4] == (
        "because    no rule is about it, and what no rule names is permitted",
        "network    eth1: public (default)",
        'not here   rule "colleagues" p.toml:5 (profiles domain)',
    )
