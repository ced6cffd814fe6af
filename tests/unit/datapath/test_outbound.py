# SPDX-License-Identifier: Apache-2.0
"""The way out: what the SPD says, what waits, and in which order."""

from dataclasses import replace

import pytest
from protocol.packets_out import GCM, NET, PEER, THIRD, US, T, datagram, packets_of, path_with

from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.identity import Identity
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Spd
from ringfence.datapath.engine import DataPath
from ringfence.datapath.event import FellBack, SoftSaRenewed
from ringfence.datapath.limits import HoldLimits, PathLimits
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Hold, Reassembling, Send
from ringfence.net.address import PortRange, parse_address
from ringfence.net.flow import FlowKey
from ringfence.net.ip import build, flow_of
from ringfence.testing.contracts import entry_for, joined, make_child, make_entry, make_path
from ringfence.testing.policies import compile_text, rule_text


def test_permit_and_block():
    web = Selector(NET.source, NET.destination, 17, destination_ports=PortRange.one(80))
    path = path_with(
        make_entry(web, name="web", action=Action.DISCARD), make_entry(NET, name="net", action=Action.BYPASS)
    )
    assert path.outbound([datagram()], 0.0) == [Dropped(Drop.BLOCKED, flow_of(datagram()))]
    other = datagram(ports=(1, 2))
    for _ in range(2):
        assert path.outbound([other, other], 0.0) in ([Send((other,)), Send((other,))], [Send((other, other))])
    outside = datagram(destination=parse_address("198.51.100.1"))
    assert path.outbound([outside], 0.0) == [Send((outside,))]  # no entry: permitted by default
    assert path.counters.dropped == {Drop.BLOCKED: 1}
    assert path.counters.clear_out.packets == 5


def test_an_entry_for_the_other_direction_says_nothing():
    path = path_with(make_entry(NET, action=Action.DISCARD, directions=Direction.IN))
    assert path.outbound([datagram()], 0.0) == [Send((datagram(),))]


def test_what_is_no_packet_is_dropped():
    path = path_with()
    bad = [b"", b"\x45", b"\x60" * 39, b"\x55" * 60, datagram()[:-1]]
    assert [verdict.reason for verdict in path.outbound(bad, 0.0)] == [Drop.MALFORMED] * 5


def test_the_first_packets_wait_and_go_in_order():
    child = make_child(GCM)
    path, (_, peer) = path_with(entry_for(child)), joined(child)
    first, second = datagram(number=1), datagram(number=2)
    flow = flow_of(first)
    assert path.outbound([first, second], 0.0) == [Hold("rule", flow, True), Hold("rule", flow, False)]
    path.install_inbound(child, 1.0)
    verdicts = path.install_outbound(child, 1.0)
    assert packets_of(peer.inbound(packets_of(verdicts), 1.0)) == [first, second]
    assert path.outbound([], 2.0) == []
    assert path.next_timer() is None


def test_another_pair_asks_for_itself_in_transport_mode_only():
    path = path_with(make_entry(NET))
    verdicts = path.outbound([datagram(), datagram(destination=THIRD)], 0.0)
    assert [verdict.acquire for verdict in verdicts] == [True, True]
    path = path_with(make_entry(NET, mode=T))
    verdicts = path.outbound([datagram(), datagram(destination=THIRD)], 0.0)
    assert [verdict.acquire for verdict in verdicts] == [True, False]


def test_a_narrow_contract_frees_only_what_it_serves():
    child = make_child(GCM, selector=Selector.between("192.0.2.1", "192.0.2.2"))
    path = path_with(make_entry(NET, mode=T))
    path.outbound([datagram(), datagram(destination=THIRD)], 0.0)
    sent, held = path.install_outbound(child, 0.0)
    assert type(sent) is Send
    assert held == Hold("rule", flow_of(datagram(destination=THIRD)), True)  # it asks again
    assert (
        path.install_outbound(make_child(GCM, number=2, selector=Selector.between("10.0.0.1", "10.0.0.2")), 0.0) == []
    )


def test_what_a_filter_asks_is_asked_before_a_packet_leaves():
    """An SA of the rule serves if it suffices; whoever is let in no longer gets nothing by the SA that there is."""
    child = replace(make_child(GCM), peer=Identity.parse("alice.example"))
    asked = replace(make_entry(NET, name="asked"), demand=Demand((Grant("f", encrypted=True),), basis=child.entry))
    path = path_with(asked, make_entry(NET, name=child.entry))
    assert path.outbound([datagram()], 0.0) == [Hold("asked", flow_of(datagram()), True)]
    path.install_outbound(child, 0.0)
    (sent,) = path.outbound([datagram(number=2)], 0.0)
    assert (type(sent), sent.child) == (Send, child.id)
    others = Demand((Grant("f", admission=Admission((Pattern("bob.example"),))),), basis=child.entry)
    path.apply(Spd((replace(asked, demand=others), make_entry(NET, name=child.entry))), 0.0)
    assert [type(one) for one in path.outbound([datagram(number=3)], 0.0)] == [Hold]


def test_a_failure_drops_what_waits_and_pauses():
    path = path_with(make_entry(NET), limits=PathLimits(hold=HoldLimits(retry_seconds=2)))
    flow = flow_of(datagram())
    path.outbound([datagram(), datagram()], 0.0)
    assert path.acquire_failed("rule", flow, 1.0) == [Dropped(Drop.NO_SA, flow)] * 2
    assert path.outbound([datagram()], 2.9) == [Dropped(Drop.NO_SA, flow)]
    assert path.outbound([datagram()], 3.0) == [Hold("rule", flow, True)]
    assert path.acquire_failed("gone", flow, 4.0) == []
    assert path.counters.dropped[Drop.NO_SA] == 3


def test_what_a_contract_is_about_to_carry_waits_for_it():
    child = make_child(GCM)
    path, (_, peer) = path_with(entry_for(child), limits=PathLimits(hold=HoldLimits(retry_seconds=9))), joined(child)
    flow = flow_of(datagram())
    path.outbound([datagram()], 0.0)
    path.acquire_failed("rule", flow, 1.0)
    path.install_inbound(child, 2.0)
    answer = datagram(number=2)
    assert path.outbound([answer], 2.0) == [Hold("rule", flow, True)]
    assert packets_of(peer.inbound(packets_of(path.install_outbound(child, 2.1)), 2.1)) == [answer]


def test_traffic_in_clear_goes_on_while_another_try_is_made():
    path = path_with(make_entry(NET, clear_out=True), limits=PathLimits(clear_seconds=300))
    flow = flow_of(datagram())
    path.outbound([datagram()], 0.0)
    path.acquire_failed("rule", flow, 1.0)
    path.events()
    path.outbound([datagram(), datagram()], 2.0)
    (soft,) = path.soft_sas()
    assert (soft.packets, soft.last_used, soft.until) == (3, 2.0, 301.0)
    assert path.outbound([datagram(), datagram()], 400.0) == [Send((datagram(),)), Send((datagram(),))]
    assert path.events() == [SoftSaRenewed("rule", flow)]
    assert path.outbound([datagram()], 699.0) == [Send((datagram(),))]
    assert path.events() == []
    assert path.outbound([datagram()], 700.0) == [Send((datagram(),))]
    assert path.events() == [SoftSaRenewed("rule", flow)]
    assert path.next_timer() == 1300.0
    path.tick(1300.0)
    assert path.soft_sas() == ()
    assert type(path.outbound([datagram()], 1300.0)[0]) is Hold


def test_what_a_new_policy_requires_goes_in_clear_no_more():
    path = path_with(make_entry(NET, clear_out=True))
    flow = flow_of(datagram())
    path.outbound([datagram()], 0.0)
    path.acquire_failed("rule", flow, 1.0)
    path.apply(Spd((make_entry(NET),)), 2.0)
    assert path.outbound([datagram()], 3.0) == [Hold("rule", flow, True)]
    assert path.soft_sas() == ()


def test_fallback_to_clear_is_remembered_for_a_while():
    path = path_with(make_entry(NET, clear_out=True), limits=PathLimits(clear_seconds=300))
    flow = flow_of(datagram())
    assert type(path.outbound([datagram()], 0.0)[0]) is Hold
    assert path.acquire_failed("rule", flow, 1.0) == [Send((datagram(),))]
    assert path.events() == [FellBack("rule", flow)]
    assert path.outbound([datagram(), datagram(ports=(7, 8))], 100.0) == [
        Send((datagram(),)), Send((datagram(ports=(7, 8)),)),
    ]  # fmt: skip
    answer = build(PEER, US, 17, b"\0\x50\3\xe8data")
    assert path.inbound([answer], 100.0) == [Deliver((answer,))]
    assert type(path.outbound([datagram(destination=THIRD)], 100.0)[0]) is Hold
    assert path.acquire_failed("rule", flow, 200.0) == []
    assert path.events() == []
    assert path.next_timer() == 130.0
    assert type(path.outbound([datagram()], 801.0)[0]) is Hold  # ticked or not
    child = make_child(GCM)
    path.acquire_failed("rule", flow, 802.0)
    path.install_outbound(child, 803.0)
    assert path.outbound([datagram()], 804.0)[0].child == 1


def test_the_default_response_rule_sends_in_clear_until_a_peer_has_negotiated():
    child = make_child(GCM)
    entry = entry_for(child, clear_in=True, clear_out=True)
    path = path_with(replace(entry, processing=replace(entry.processing, respond_only=True)))
    packet = datagram()
    assert path.outbound([packet, packet], 0.0) in ([Send((packet,)), Send((packet,))], [Send((packet, packet))])
    assert path.inbound([datagram(source=PEER, destination=US)], 0.0) != []
    assert (path.next_timer(), path.events()) == (None, [])
    path.install_inbound(child, 1.0)
    path.install_outbound(child, 1.0)
    (sent,) = path.outbound([packet], 1.0)
    assert packets_of([sent]) != [packet]
    path.remove(child.id)
    assert path.outbound([packet], 2.0) == [Send((packet,))]


def test_nothing_waits_for_ever_and_not_too_much():
    path = path_with(make_entry(NET), limits=PathLimits(hold=HoldLimits(packets=2, seconds=30)))
    flow = flow_of(datagram())
    path.outbound([datagram()] * 2, 0.0)
    assert path.outbound([datagram()], 0.0) == [Dropped(Drop.HOLD_FULL, flow)]
    assert path.next_timer() == 30.0
    assert path.tick(30.0) == [Dropped(Drop.HOLD_EXPIRED, flow)] * 2
    assert path.counters.dropped == {Drop.HOLD_FULL: 1, Drop.HOLD_EXPIRED: 2}


def test_another_policy_decides_anew_on_what_waits():
    path = path_with(make_entry(NET))
    path.outbound([datagram()], 0.0)
    assert path.apply(Spd((make_entry(NET, name="new"),)), 1.0) == [Hold("new", flow_of(datagram()), True)]
    assert path.apply(Spd(), 2.0) == [Send((datagram(),))]


def test_a_policy_takes_effect_on_known_flows():
    child = make_child(GCM)
    path = make_path(child)
    assert path.outbound([datagram()], 0.0)[0].child == 1
    path.apply(Spd((make_entry(NET, name="other", action=Action.DISCARD),)), 1.0)
    assert path.outbound([datagram()], 1.0)[0].reason is Drop.BLOCKED
    path.apply(Spd((entry_for(child),)), 2.0)
    assert path.outbound([datagram()], 2.0)[0].child == 1


def test_a_successor_is_used_at_once_and_the_old_one_still_receives():
    old, new = make_child(GCM, number=1), make_child(GCM, number=2)
    left, right = joined(old)
    late = packets_of(right.outbound([datagram(source=PEER, destination=US)], 0.0))
    left.install_inbound(new, 1.0)
    assert left.outbound([datagram()], 1.0)[0].child == 1
    left.install_outbound(new, 2.0)
    assert left.outbound([datagram()], 2.0)[0].child == 2
    assert left.inbound(late, 3.0)[0].child == 1
    left.remove(1)
    assert left.inbound(packets_of(right.outbound([datagram(source=PEER, destination=US)], 4.0)), 4.0) == [
        Dropped(Drop.UNKNOWN_SPI, FlowKey(PEER, US, 50, None, None), old.inbound[0].spi)
    ]
    assert left.outbound([datagram()], 5.0)[0].child == 2
    left.remove(2)
    assert type(left.outbound([datagram()], 6.0)[0]) is Hold
    left.remove(2)
    assert left.children() == ()
    assert left.statistics(2) is None


def test_a_flow_keeps_its_order_among_packets_that_go_the_long_way():
    child = make_child(GCM)
    left, right = joined(child)
    left.outbound([datagram()], 0.0)
    sizes = [100, 101, 3000, 102, 103, 2999, 104]
    sent = packets_of(left.outbound([datagram(size, number=size) for size in sizes], 0.0))
    assert len(sent) > len(sizes)
    arrived = right.inbound(sent, 0.0)
    whole = [packet for verdict in arrived if type(verdict) is Deliver for packet in verdict.packets]
    assert [len(packet) for packet in whole] == sizes
    assert {type(verdict) for verdict in arrived} == {Deliver, Reassembling}


@pytest.mark.parametrize("traffic", ["any", "esp"])
def test_what_a_filter_asks_of_esp_seals_nothing_twice_by_one_rule(traffic: str):
    """Else what was sealed by that rule would be sealed by it again, without end."""
    secure = '[[filter]]\nname = "secure"\npermit = "esp"\nsecure = "authenticated"\n'
    document = rule_text("all", with_='"any"') + rule_text("esp", with_='"192.0.2.2"', traffic=f'"{traffic}"') + secure
    found = compile_text(document, "192.0.2.1")
    path = DataPath(random=bytes)
    path.apply(found.spd, 0.0)
    rules = [one for one in found.spd if one.processing is not None and one.demand is None]
    for number, entry in enumerate(rules, 1):
        child = make_child(GCM, mode=T, selector=entry.selector, number=number, entry=entry.name)
        path.install_inbound(child, 0.0)
        path.install_outbound(child, 0.0)
    sent = path.outbound([build(US, PEER, 6, bytes(20))], 0.0)
    (sealed,) = sent
    assert isinstance(sealed, Send)
    (packet,) = sealed.packets
    once = len(joined(make_child(GCM, mode=T))[0].outbound([build(US, PEER, 6, bytes(20))], 0.0)[0].packets[0])
    assert (len(packet) > once) is (traffic == "esp"), "what a rule says of ESP seals again, once"
