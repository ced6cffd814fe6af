# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.packet_filter import PacketFit, PacketList
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin
from ringfence.net.address import parse_address
from ringfence.net.flow import TCP, UDP, FlowKey

FIT = PacketFit(Selector.between("10.0.0.0/8", "0.0.0.0/0", TCP))
FLOW = FlowKey(parse_address("10.0.0.1"), parse_address("10.0.0.2"), TCP, 5, 80)


def made(default: Action, *fits: PacketFit, **more: object) -> PacketList:
    return PacketList("x", Direction.IN, Origin("x"), default, fits, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("default", [Action.BYPASS, Action.DISCARD])
def test_the_mode_is_that_of_the_whole_list(default: Action) -> None:
    """Windows: "all packets except those that match"; the filters of a list are alternatives."""
    permits = default is Action.BYPASS
    other = PacketFit(Selector.between("10.9.0.0/16", "0.0.0.0/0"))
    assert made(default, other, FIT).stops(FLOW) is permits
    assert made(default, FIT).stops(FLOW._replace(protocol=UDP)) is not permits
    assert made(default).stops(FLOW) is not permits


def test_established_is_not_the_first_packet_of_a_connection() -> None:
    one = made(Action.DISCARD, PacketFit(FIT.selector, established=True))
    assert one.stops(FLOW)
    assert not one.stops(FLOW, established=True)


def test_a_list_for_one_ip_version_leaves_the_other() -> None:
    six = FlowKey(parse_address("fd00::1"), parse_address("fd00::2"), TCP, 5, 80)
    assert made(Action.DISCARD).stops(six)
    assert not made(Action.DISCARD, versions=(4,)).stops(six)


@pytest.mark.parametrize(
    ("words", "name", "on"),
    [((), "eth0", True), (("eth0",), "eth0", True), (("eth0",), "eth01", False), (("wg*",), "wg3", True),
     (("wg*", "eth1"), "eth0", False), (("wg*",), "", False)],
)  # fmt: skip
def test_interfaces(words: tuple[str, ...], name: str, on: bool) -> None:
    assert made(Action.DISCARD, interfaces=words).is_on(name) is on
