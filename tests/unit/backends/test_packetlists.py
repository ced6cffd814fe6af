# SPDX-License-Identifier: Apache-2.0
"""What the chains say, as text; what they do is tried in ``tests/integration/test_packet_filters.py``."""

from typing import Any

from ringfence.backends.packetlists import packet_chains
from ringfence.databases.packet_filter import PacketFit, PacketList
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin
from ringfence.net.address import AddressRange, PortRange
from ringfence.net.flow import TCP

ANY = AddressRange.everything(4)
GRE = 47
WEB = Selector(ANY, ANY, TCP, destination_ports=PortRange.one(80))


def made(direction: Direction, default: Action, *fits: PacketFit, **more: Any) -> PacketList:
    return PacketList("x", direction, Origin("x"), default, fits, **more)


def chains(*lists: PacketList) -> dict[str, list[str]]:
    return dict(packet_chains(lists, "rf0"))


def test_nothing_without_lists() -> None:
    assert chains() == {}


def test_each_list_is_asked_on_its_interfaces_and_chains_come_before_who_jumps_to_them() -> None:
    one = made(Direction.IN, Action.BYPASS, PacketFit(WEB), interfaces=("eth0", "wg*"))
    found = chains(one, made(Direction.IN, Action.BYPASS), made(Direction.OUT, Action.BYPASS, interfaces=("eth1",)))
    assert [*found] == ["packets-in-0", "packets-in-1", "packets-in", "packets-out-0", "packets-out"]
    assert found["packets-in"] == [
        "type filter hook prerouting priority -450; policy accept;", "iifname { lo, rf0 } accept",
        'iifname "eth0" jump packets-in-0', 'iifname "wg*" jump packets-in-0', "jump packets-in-1",
    ]  # fmt: skip
    assert found["packets-out"][-1] == 'oifname "eth1" jump packets-out-0'


def test_permit_all_but() -> None:
    (rule,) = chains(made(Direction.OUT, Action.BYPASS, PacketFit(WEB)))["packets-out-0"]
    assert rule == 'meta nfproto ipv4 meta l4proto 6 th dport 80 counter name packet-filter drop comment "x"'


def test_block_all_but_lets_later_fragments_of_what_is_permitted_pass() -> None:
    gre = PacketFit(Selector(ANY, ANY, GRE))
    rules = chains(made(Direction.IN, Action.DISCARD, PacketFit(WEB, established=True), gre))["packets-in-0"]
    assert rules == [
        'meta nfproto ipv4 meta l4proto 47 return comment "x"',
        'meta nfproto ipv4 meta l4proto 6 th dport 80 tcp flags & (ack | rst) != 0x0 return comment "x"',
        'meta nfproto ipv4 meta l4proto 6 ip frag-off & 0x1fff != 0 return comment "x"',
        'counter name packet-filter drop comment "x"',
    ]


def test_fragments_and_versions() -> None:
    rules = chains(made(Direction.IN, Action.BYPASS, drop_fragments=True, versions=(4,)))["packets-in-0"]
    assert rules[0] == "meta nfproto ipv6 return"
    assert [rule.split(" counter")[0] for rule in rules[1:]] == ["ip frag-off & 0x3fff != 0", "exthdr frag exists"]


def test_many_filters_become_a_set() -> None:
    fits = [PacketFit(Selector(AddressRange.parse(f"10.0.0.{n}"), ANY, TCP)) for n in range(1, 60)]
    (rule,) = chains(made(Direction.IN, Action.BYPASS, *fits))["packets-in-0"]
    assert "10.0.0.59" in rule
