# SPDX-License-Identifier: Apache-2.0
"""The way out: what is too big, what is cut, and what comes in fragments."""

from itertools import count

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6, IPv6ExtHdrHopByHop
from scapy.packet import Raw

from protocol.packets_out import AH_SUITE, GCM, NET, T, datagram, packets_of, path_with
from ringfence.databases.sa import DfPolicy, TunnelOptions
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Reassembling
from ringfence.net.address import AddressRange, PortRange
from ringfence.net.fragment import fragment
from ringfence.net.ip import view
from ringfence.testing.contracts import joined, make_child, make_entry, make_path

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
