# SPDX-License-Identifier: Apache-2.0
"""The way out: what the SPD says, what waits, what is too big, what is cut, in which order."""

from dataclasses import replace
from itertools import count

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6, IPv6ExtHdrHopByHop
from scapy.packet import Raw

from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.sa import DfPolicy, Mode, TunnelOptions
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Spd
from ringfence.datapath.engine import DataPath
from ringfence.datapath.event import FellBack, HardExpired, PathMtuLearnt, SoftExpired
from ringfence.datapath.limits import HoldLimits, PathLimits
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Hold, Reassembling, Send
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.net.flow import FlowKey
from ringfence.net.fragment import fragment
from ringfence.net.ip import build, build_v4, flow_of, view
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import entry_for, joined, make_child, make_entry, make_path, mirrored, seeded

GCM, AH_SUITE = esp_suite(Encryption.AES_GCM_16), AH_SUITES[2]
US, PEER, THIRD = map(parse_address, ("192.0.2.1", "192.0.2.2", "192.0.2.3"))
T = Mode.TUNNEL


def datagram(octets=100, *, source=US, destination=PEER, ports=(1000, 80), df=False, number=7):
    """Of ``octets`` in all."""
    payload = ports[0].to_bytes(2) + ports[1].to_bytes(2) + bytes(octets - 24)
    return build_v4(source, destination, 17, len(payload), dont_fragment=df, identification=number) + payload


def packets_of(verdicts):
    return [packet for verdict in verdicts for packet in verdict.packets]


def path_with(*entries, limits=None):
    path = DataPath(random=seeded(), limits=limits)
    assert path.apply(Spd(entries), 0.0) == []
    return path


NET = Selector.between("192.0.2.0/24", "192.0.2.0/24")


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


def test_a_failure_drops_what_waits_and_pauses():
    path = path_with(make_entry(NET), limits=PathLimits(hold=HoldLimits(retry_seconds=2)))
    flow = flow_of(datagram())
    path.outbound([datagram(), datagram()], 0.0)
    assert path.acquire_failed("rule", flow, 1.0) == [Dropped(Drop.NO_SA, flow)] * 2
    assert path.outbound([datagram()], 2.9) == [Dropped(Drop.NO_SA, flow)]
    assert path.outbound([datagram()], 3.0) == [Hold("rule", flow, True)]
    assert path.acquire_failed("gone", flow, 4.0) == []
    assert path.counters.dropped[Drop.NO_SA] == 3


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
    assert type(path.outbound([datagram()], 501.0)[0]) is Hold  # ticked or not
    child = make_child(GCM)
    path.acquire_failed("rule", flow, 502.0)
    path.install_outbound(child, 503.0)
    assert path.outbound([datagram()], 504.0)[0].child == 1


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


TUNNELS = [
    (make_child(GCM), False), (make_child(GCM, mode=T), False), (make_child(AH_SUITE), False),
    (make_child(GCM, mode=T, udp=True), True),
]  # fmt: skip


@pytest.mark.parametrize(("child", "udp"), TUNNELS, ids=lambda value: str(value)[:60])
def test_a_packet_too_big_is_answered_with_the_size_that_fits(child, udp):
    path = make_path(child)
    (dropped,) = path.outbound([datagram(1500, df=True)], 0.0)
    assert (dropped.reason, dropped.reply_to_host) == (Drop.TOO_BIG, True)
    message = IP(dropped.reply)
    assert (message[ICMP].type, message[ICMP].code, message.dst) == (3, 4, "192.0.2.1")
    fits = message[ICMP].nexthopmtu
    (sent,) = path.outbound([datagram(fits, df=True)], 0.0)
    assert len(sent.packets[0]) + (28 if udp else 0) <= 1500
    assert type(path.outbound([datagram(fits + 1, df=True)], 0.0)[0]) is Dropped


def test_packet_too_big_for_ipv6():
    child = make_child(GCM, mode=T, local="2001:db8::1", remote="2001:db8::2")
    path = make_path(child)
    packet = bytes(IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1, dport=2) / Raw(bytes(1452)))
    (dropped,) = path.outbound([packet], 0.0)
    message = IPv6(dropped.reply)
    fits = message[ICMPv6PacketTooBig].mtu
    assert (message.src, message.dst) == ("fd00::2", "fd00::1")
    packet = packet[:4] + (fits - 40).to_bytes(2) + packet[6:fits]
    (sent,) = path.outbound([packet], 0.0)
    assert 1496 < len(sent.packets[0]) <= 1500


def test_what_every_ipv6_link_carries_is_carried_here():
    child = make_child(GCM, mode=T, selector=Selector.between("::/0", "::/0"))
    left, right = joined(child, limits=PathLimits(mtu=1280))
    packet = bytes(IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1, dport=2) / Raw(bytes(1232)))
    sent = packets_of(left.outbound([packet], 0.0))
    assert len(sent) == 2
    assert max(map(len, sent)) <= 1280
    assert packets_of(right.inbound(sent, 0.0)[1:]) == [packet]
    larger = bytes(IPv6(src="fd00::1", dst="fd00::2") / UDP(sport=1, dport=2) / Raw(bytes(1233)))
    (dropped,) = left.outbound([larger], 0.0)
    assert IPv6(dropped.reply)[ICMPv6PacketTooBig].mtu == 1280


def test_answers_are_not_without_end():
    path = make_path(make_child(GCM), limits=PathLimits(replies_per_second=10))
    verdicts = path.outbound([datagram(1500, df=True)] * 15, 0.0)
    assert [verdict.reply is not None for verdict in verdicts] == [True] * 10 + [False] * 5
    assert sum(verdict.reply is not None for verdict in path.outbound([datagram(1500, df=True)] * 15, 0.5)) == 5


@pytest.mark.parametrize("v6", [False, True])
@pytest.mark.parametrize("df", [*DfPolicy])
@pytest.mark.parametrize("inner_df", [False, True])
def test_large_packets_through_a_tunnel(df, inner_df, v6):
    ends = {"local": "2001:db8::1", "remote": "2001:db8::2"} if v6 else {}
    child = make_child(
        GCM, mode=T, selector=Selector.between("0.0.0.0/0", "0.0.0.0/0"), tunnel=TunnelOptions(df=df), **ends
    )
    left, right = joined(child)
    packet = datagram(2000, df=inner_df)
    verdicts = left.outbound([packet], 0.0)
    if inner_df and df is not DfPolicy.CLEAR:
        assert [verdict.reason for verdict in verdicts] == [Drop.TOO_BIG]
        return
    sent = packets_of(verdicts)
    assert len(sent) == 2
    assert max(map(len, sent)) <= 1500
    arrived = packets_of(verdict for verdict in right.inbound(sent, 0.0) if type(verdict) is Deliver)
    if df is DfPolicy.SET:  # cut before it was protected
        assert [view(piece).is_fragment for piece in arrived] == [True, True]
        assert v6 or all("DF" in IP(piece).flags for piece in sent)
    else:
        assert arrived == [packet]


def pieces_of(packet, mtu=600):
    return fragment(packet, mtu, count(99).__next__)


@pytest.mark.parametrize("suites", [(GCM,), (AH_SUITE,), (GCM, AH_SUITE)], ids=str)
def test_fragments_from_the_host_are_made_whole_for_transport_mode(suites):
    left, right = joined(make_child(*suites))
    packet = datagram(3000, number=5)
    *waiting, last = left.outbound(pieces_of(packet), 0.0)
    assert {type(verdict) for verdict in waiting} == {Reassembling}
    assert len(last.packets) == 3
    assert packets_of(right.inbound(last.packets, 0.0)[-1:]) == [packet]


def test_ipv6_fragments_from_the_host_may_be_cut_again():
    left, right = joined(make_child(GCM, local="2001:db8::1", remote="2001:db8::2"))
    packet = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP(sport=1, dport=2) / Raw(bytes(3000)))
    *_, last = left.outbound(pieces_of(packet, 1280), 0.0)
    assert len(last.packets) == 3
    assert packets_of(right.inbound(last.packets, 0.0)[-1:]) == [packet]


def test_fragments_travel_as_they_are_through_a_tunnel_for_any_port():
    left, right = joined(make_child(GCM, mode=T))
    pieces = pieces_of(datagram(3000, number=5))
    for order in (pieces, pieces[::-1]):
        assert packets_of(right.inbound(packets_of(left.outbound(order, 0.0)), 0.0)) == order


def test_where_ports_decide_fragments_are_made_whole_on_both_sides():
    web = Selector(
        AddressRange.parse("192.0.2.0/24"), AddressRange.parse("192.0.2.0/24"), 17, destination_ports=PortRange.one(80)
    )
    child = make_child(GCM, mode=T, selector=web)
    left, right = joined(child)
    packet = datagram(3000, number=5)
    *_, last = left.outbound(pieces_of(packet), 0.0)
    arrived = right.inbound(last.packets, 0.0)
    assert packets_of(arrived[-1:]) == [packet]
    careless, right = make_path(make_child(GCM, mode=T)), joined(child)[1]  # the one sends what comes, cut or not
    *kept, last = right.inbound(packets_of(careless.outbound(pieces_of(packet), 0.0)), 1.0)
    assert {type(verdict) for verdict in kept} == {Reassembling}
    assert last == Deliver((packet,), 1)
    other = pieces_of(datagram(3000, number=6, ports=(80, 81)))
    assert right.inbound(packets_of(careless.outbound(other, 0.0)), 1.0)[-1].reason is Drop.SELECTOR_MISMATCH


def test_fragments_of_permitted_traffic_pass():
    path = path_with(make_entry(NET, action=Action.BYPASS))
    pieces = pieces_of(datagram(3000, number=5))
    assert packets_of(path.outbound(pieces, 0.0)) == pieces
    assert packets_of(path_with().outbound(pieces, 0.0)) == pieces
    path = path_with(make_entry(NET, action=Action.DISCARD))
    assert {verdict.reason for verdict in path.outbound(pieces, 0.0)} == {Drop.BLOCKED}


def test_hostile_fragments_from_the_host():
    path = make_path(make_child(GCM))
    first, second, *_ = pieces_of(datagram(3000, number=5))
    forged = second[:6] + b"\x20\x01" + second[8:]
    kept, refused = path.outbound([first, forged], 0.0)
    assert (type(kept), refused.reason) == (Reassembling, Drop.REASSEMBLY_FAILED)
    path.outbound([pieces_of(datagram(3000, number=6))[0]], 1.0)
    assert [verdict.reason for verdict in path.tick(31.0)] == [Drop.REASSEMBLY_FAILED]


def test_options_and_extension_headers_stay_in_front_in_transport_mode():
    left, right = joined(make_child(GCM, local="2001:db8::1", remote="2001:db8::2"))
    packet = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop() / UDP(sport=1, dport=2) / b"data")
    sent = packets_of(left.outbound([packet], 0.0))
    assert IPv6(sent[0]).nh == 0
    assert sent[0][40] == 50
    assert packets_of(right.inbound(sent, 0.0)) == [packet]


def test_limits_of_packets_end_a_contract_exactly():
    child = make_child(GCM, soft=Limits(packets=3), hard=Limits(packets=5))
    path = make_path(child)
    assert len(packets_of(path.outbound([datagram()] * 2, 0.0))) == 2
    assert path.events() == []
    path.outbound([datagram()], 0.0)
    assert path.events() == [SoftExpired(1, "packets")]
    sent, *held = path.outbound([datagram()] * 4, 0.0)
    assert len(sent.packets) == 2
    assert [verdict.acquire for verdict in held] == [True, False]
    assert path.events() == [HardExpired(1, "packets")]
    path.tick(1.0)
    assert path.events() == []


def test_limits_of_octets_end_a_contract_exactly():
    path = make_path(make_child(GCM, soft=Limits(octets=250), hard=Limits(octets=350)))
    sent, *held = path.outbound([datagram(100, number=n) for n in range(5)], 0.0)
    verdicts = [sent, *held]
    assert sum(len(verdict.packets) for verdict in verdicts if type(verdict) is Send) == 3
    assert sum(type(verdict) is Hold for verdict in verdicts) == 2
    assert path.events() == [SoftExpired(1, "octets"), HardExpired(1, "octets")]


def test_limits_of_time():
    path = make_path(make_child(GCM, soft=Limits(seconds=10), hard=Limits(seconds=20)))
    assert path.next_timer() == 10.0
    assert path.tick(9.0) == []
    assert path.tick(10.0) == [SoftExpired(1, "seconds")]
    assert path.next_timer() == 20.0
    assert type(path.outbound([datagram()], 19.9)[0]) is Send
    assert type(path.outbound([datagram()], 20.0)[0]) is Hold  # ticked or not
    assert path.tick(20.0) == [HardExpired(1, "seconds")]
    assert path.next_timer() == 50.0


def test_sequence_numbers_that_end_stop_the_sa():
    child = make_child(GCM)
    path = make_path(child)
    path._state.contracts[1].outlet.counters[0].last = 2**32 - 3
    verdicts = path.outbound([datagram()] * 3, 0.0)
    assert [len(verdict.packets) for verdict in verdicts if type(verdict) is Send] == [1, 1]
    assert [verdict.reason for verdict in verdicts if type(verdict) is Dropped] == [Drop.SEQUENCE_EXHAUSTED]
    assert path.events() == [HardExpired(1, "sequence numbers")]
    assert type(path.outbound([datagram()], 0.0)[0]) is Hold


def test_a_narrow_path_is_learnt_told_and_forgotten():
    path = make_path(make_child(GCM, mode=T), limits=PathLimits(path_mtu_seconds=600))
    (sent,) = path.outbound([datagram(1400, df=True)], 0.0)
    error = IP(src="203.0.113.9", dst="192.0.2.1") / ICMP(type=3, code=4, nexthopmtu=1300) / Raw(sent.packets[0][:28])
    assert path.inbound([bytes(error)], 1.0) == []
    assert path.events() == [PathMtuLearnt(1, 1300)]
    assert path.statistics(1).path_mtu == 1300
    (dropped,) = path.outbound([datagram(1400, df=True)], 2.0)
    fits = IP(dropped.reply)[ICMP].nexthopmtu
    assert 1296 < len(path.outbound([datagram(fits, df=True)], 2.0)[0].packets[0]) <= 1300
    assert max(map(len, packets_of(path.outbound([datagram(1400)], 2.0)))) <= 1300
    assert path.next_timer() == 601.0
    path.tick(601.0)
    assert type(path.outbound([datagram(1400, df=True)], 602.0)[0]) is Send
    other = bytearray(bytes(error))
    other[-5] ^= 1  # another SPI
    assert path.inbound([bytes(other)], 603.0)[0].reason is Drop.UNKNOWN_SPI


def test_dummies_are_dropped_by_the_peer():
    for child in (make_child(GCM, mode=T), make_child(GCM), make_child(GCM, AH_SUITE, mode=(T, Mode.TRANSPORT))):
        left, right = joined(child)
        sent = packets_of(left.dummies(1, 3, 500, 0.0))
        assert len(sent) == 3
        assert min(map(len, sent)) > 500
        assert [verdict.reason for verdict in right.inbound(sent, 0.0)] == [Drop.DUMMY] * 3
        assert left.statistics(1).packets_out == 3
        assert left.dummies(2, 3, 500, 0.0) == []
    path = make_path(make_child(AH_SUITE))
    assert path.dummies(1, 3, 500, 0.0) == []
    path = make_path(make_child(GCM, hard=Limits(packets=2)))
    assert path.dummies(1, 3, 500, 0.0) == []
    assert len(packets_of(path.dummies(1, 2, 500, 0.0))) == 2
    assert path.dummies(1, 1, 500, 0.0) == []


def test_tfc_padding_hides_lengths_and_may_need_cutting():
    left, right = joined(make_child(GCM, mode=T, tfc_octets=1000))
    packets = [datagram(octets) for octets in (40, 100, 999)]
    sent = packets_of(left.outbound(packets, 0.0))
    assert len({len(packet) for packet in sent}) == 1
    assert packets_of(right.inbound(sent, 0.0)) == packets
    left, right = joined(make_child(GCM, mode=T, tfc_octets=2000))
    for _ in range(2):
        sent = packets_of(left.outbound(packets, 0.0))
        assert len(sent) == 6
        assert max(map(len, sent)) <= 1500


def nested():
    """A contract between two networks, whose ESP packets go through a second one by way of a third host."""
    inner = make_child(GCM, mode=T, number=1, entry="inner", selector=Selector.between("10.1.0.0/16", "10.2.0.0/16"))
    esp_only = Selector.between("192.0.2.1", "192.0.2.2", Protocol.ESP.value)
    outer = make_child(
        GCM, mode=T, number=2, entry="outer", local="198.51.100.1", remote="198.51.100.2", selector=esp_only
    )
    return inner, outer


LAN_PACKET = datagram(source=bytes([10, 1, 0, 1]), destination=bytes([10, 2, 0, 1]), df=True)


def test_a_tunnel_in_a_tunnel():
    left, right = joined(*nested())
    for _ in range(2):
        (sent,) = left.outbound([LAN_PACKET], 0.0)
        assert (sent.child, IP(sent.packets[0]).src) == (2, "198.51.100.1")
        assert right.inbound(sent.packets, 0.0) == [Deliver((LAN_PACKET,), 1)]
    assert right.statistics(2).packets_in == right.statistics(1).packets_in == 2


def test_a_tunnel_in_a_tunnel_of_the_other_family():
    inner, outer = nested()
    outer = make_child(
        AH_SUITE, mode=T, number=2, entry="outer", local="2001:db8::1", remote="2001:db8::2", selector=outer.selector
    )
    left, right = joined(inner, outer)
    (sent,) = left.outbound([LAN_PACKET], 0.0)
    assert sent.packets[0][6] == 51
    assert right.inbound(sent.packets, 0.0) == [Deliver((LAN_PACKET,), 1)]


def test_a_tunnel_waits_for_the_one_around_it():
    inner, outer = nested()
    left, right = make_path(inner), joined(inner, outer)[1]
    left.apply(Spd((entry_for(inner), entry_for(outer))), 0.0)
    (held,) = left.outbound([LAN_PACKET], 0.0)
    assert (held.entry, held.flow.protocol) == ("outer", 50)
    sent = packets_of(left.install_outbound(outer, 1.0))
    assert right.inbound(sent, 1.0) == [Deliver((LAN_PACKET,), 1)]


def test_the_inner_tunnel_learns_what_fits_the_outer_one():
    left, right = joined(*nested())
    large = datagram(1430, source=bytes([10, 1, 0, 1]), destination=bytes([10, 2, 0, 1]), df=True)
    (dropped,) = left.outbound([large], 0.0)
    assert (dropped.reason, dropped.reply) == (Drop.TOO_BIG, None)
    (dropped,) = left.outbound([large], 0.0)
    fits = IP(dropped.reply)[ICMP].nexthopmtu
    fitting = datagram(fits, source=bytes([10, 1, 0, 1]), destination=bytes([10, 2, 0, 1]), df=True)
    (sent,) = left.outbound([fitting], 0.0)
    assert 1490 < len(sent.packets[0]) <= 1500
    assert right.inbound(sent.packets, 0.0) == [Deliver((fitting,), 1)]


def test_an_entry_protects_a_packet_once():
    child = make_child(GCM, mode=T, selector=Selector.between("0.0.0.0/0", "0.0.0.0/0", 50))
    left, right = joined(child)
    packet = build(bytes([10, 1, 0, 1]), bytes([10, 2, 0, 1]), 50, b"somebody else's")
    (sent,) = left.outbound([packet], 0.0)
    assert right.inbound(sent.packets, 0.0) == [Deliver((packet,), 1)]


def test_udp_encapsulation_leaves_the_outer_header_to_the_socket():
    child = make_child(GCM, udp=True)
    left, right = joined(child)
    path = child.outbound[0].encapsulation
    assert left.next_timer() == 20.0
    (sent,) = left.outbound([datagram()], 5.0)
    assert (sent.path, sent.packets[0][:4]) == (path, child.outbound[0].spi.to_bytes(4))
    back = mirrored(child).inbound[0].encapsulation
    (delivered,) = right.inbound_udp(sent.packets, back, 5.0)
    assert flow_of(delivered.packets[0]) == flow_of(datagram())
    assert left.tick(24.0) == []
    assert left.tick(25.0) == [Send((b"\xff",), path)]
    assert right.inbound_udp([b"\xff"], back, 25.0)[0].reason is Drop.KEEPALIVE
    left.remove(1)
    assert left.next_timer() is None


def test_what_an_sa_cannot_be_is_said_when_it_is_installed():
    path, child = path_with(), make_child(GCM)
    wrong = replace(child, outbound=(replace(child.outbound[0], esn=True, replay_window=7),))
    with pytest.raises(ValueError, match="32 to 4096"):
        path.install_inbound(replace(child, inbound=wrong.outbound), 0.0)
    udp = make_child(GCM, AH_SUITE, udp=True)
    with pytest.raises(ValueError, match="only the outermost"):
        path.install_outbound(udp, 0.0)
    assert path.children() == ()


def test_a_tunnel_around_a_tunnel_that_ends_is_waited_for():
    inner, outer = nested()
    outer = replace(outer, hard=Limits(packets=1))
    left, _ = joined(inner, outer)
    assert left.outbound([LAN_PACKET], 0.0)[0].child == 2
    (held,) = left.outbound([LAN_PACKET], 0.0)
    assert (held.entry, held.acquire, held.flow.protocol) == ("outer", True, 50)
    inner, outer = nested()
    outer = replace(outer, hard=Limits(octets=200))
    left, _ = joined(inner, outer)
    (sent,) = left.outbound([LAN_PACKET], 0.0)
    (held,) = left.outbound([LAN_PACKET], 0.0)  # would exceed it
    assert (sent.child, held.entry) == (2, "outer")
    assert left.events() == [HardExpired(2, "octets")]
