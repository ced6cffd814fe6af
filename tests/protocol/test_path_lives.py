# SPDX-License-Identifier: Apache-2.0
"""The way out: limits, narrow paths, dummies, padding and tunnels in tunnels."""

from dataclasses import replace

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.packet import Raw

from protocol.packets_out import AH_SUITE, GCM, T, datagram, packets_of, path_with
from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Spd
from ringfence.datapath.event import HardExpired, PathMtuLearnt, SoftExpired
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Hold, Send
from ringfence.net.ip import build, flow_of
from ringfence.testing.contracts import entry_for, joined, make_child, make_path, mirrored


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
