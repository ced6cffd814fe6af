# SPDX-License-Identifier: Apache-2.0
"""The first entry that matches decides, in each direction (RFC 4301 §4.4.1)."""

import pytest

from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Processing, Spd, SpdEntry
from ringfence.net.address import PortRange, parse_address
from ringfence.net.flow import TCP, UDP, FlowKey
from ringfence.place import Place

ME, PEER = parse_address("10.0.0.1"), parse_address("10.0.0.2")
ANY = Selector.between("0.0.0.0/0", "0.0.0.0/0")
WEB = Selector(ANY.source, ANY.destination, TCP, destination_ports=PortRange.one(80))


def entry(name: str, selector: Selector, action: Action, directions: Direction = Direction.BOTH) -> SpdEntry:
    processing = Processing((), Mode.TRANSPORT) if action is Action.PROTECT else None
    return SpdEntry(name, selector, action, Origin(name), directions, processing)


def test_order_decides() -> None:
    spd = Spd((entry("web", WEB, Action.BYPASS), entry("rest", ANY, Action.PROTECT)))
    to_web, answer = FlowKey(ME, PEER, TCP, 4711, 80), FlowKey(PEER, ME, TCP, 80, 4711)
    assert spd.outbound(to_web) == spd.named("web")
    assert spd.inbound(answer) == spd.named("web")
    assert spd.outbound(answer.reversed()._replace(destination_port=81)) == spd.named("rest")
    assert spd.inbound(to_web) == spd.named("rest"), "a request to our own port 80 is no answer"
    assert len(spd) == len(list(spd)) == 2


def test_one_way_entries() -> None:
    spd = Spd((entry("in", ANY, Action.DISCARD, Direction.IN), entry("out", ANY, Action.BYPASS, Direction.OUT)))
    flow = FlowKey(ME, PEER, TCP, 1, 2)
    assert spd.outbound(flow) == spd.named("out")
    assert spd.inbound(flow) == spd.named("in")
    assert Spd().outbound(flow) is None
    assert Spd().inbound(flow) is None
    assert spd.named("none") is None


def test_protection_says_how() -> None:
    with pytest.raises(ValueError):
        SpdEntry("x", ANY, Action.PROTECT, Origin("x"))
    assert str(Origin("lab is isolated", Place("policy.toml", 2))) == 'rule "lab is isolated" policy.toml:2'
    assert str(Origin("manual")) == 'rule "manual"'


def test_names_and_unseen_ports() -> None:
    spd = Spd((entry("web", WEB, Action.BYPASS, Direction.OUT), entry("rest", ANY, Action.PROTECT)))
    assert spd == Spd(spd.entries)
    assert (
        repr(spd)
        == f"Spd(entries={spd.entries!r}, guards=(), homes=(), packet_lists=(), translated=False, tcp_ports=())"
    )
    fragment = FlowKey(ME, PEER, TCP, None, None)
    assert spd.outbound(fragment) == spd.named("rest"), "whose ports are unknown"
    assert spd.outbound_any_port(fragment) == spd.named("web"), "for it may be to port 80"
    assert spd.outbound_any_port(fragment._replace(protocol=UDP)) == spd.named("rest")
    assert spd.inbound(FlowKey(PEER, ME, TCP, 80, 4711)) == spd.named("rest")
