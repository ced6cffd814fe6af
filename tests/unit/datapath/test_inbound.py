# SPDX-License-Identifier: Apache-2.0
"""The way in: only what a contract is for comes through, and every other packet has its reason."""

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.packet import Raw

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.proposal import Limits
from ringfence.databases.sa import Mode, TunnelOptions
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin, Spd
from ringfence.datapath.engine import DataPath
from ringfence.datapath.event import HardExpired
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Reassembling
from ringfence.net.address import Endpoint, Path, PortRange, parse_address
from ringfence.net.flow import FlowKey
from ringfence.net.fragment import fragment
from ringfence.net.ip import build, fix_header_checksum, flow_of
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import joined, make_child, make_entry, make_path, mirrored, seeded

GCM, AH_SUITE = esp_suite(Encryption.AES_GCM_16), AH_SUITES[2]
CBC = esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128)
US, PEER = map(parse_address, ("192.0.2.1", "192.0.2.2"))
T, X = Mode.TUNNEL, Mode.TRANSPORT
ESP_FLOW = FlowKey(US, PEER, 50, None, None)


def datagram(octets=100, source=US, destination=PEER, ports=(1000, 80)):
    packet = build(source, destination, 17, ports[0].to_bytes(2) + ports[1].to_bytes(2) + bytes(octets - 24))
    return packet if packet[0] >= 0x60 else fix_header_checksum(packet[:4] + octets.to_bytes(2) + packet[6:])


def packets_of(verdicts):
    return [packet for verdict in verdicts for packet in verdict.packets]


def reasons(verdicts):
    return [verdict.reason if type(verdict) is Dropped else type(verdict) for verdict in verdicts]


def test_an_unknown_spi():
    left, right = joined(make_child(GCM))
    sent = packets_of(left.outbound([datagram()], 0.0))
    stranger = make_path(mirrored(make_child(GCM, number=2)))
    assert stranger.inbound(sent, 0.0) == [Dropped(Drop.UNKNOWN_SPI, ESP_FLOW, 0x201)]
    elsewhere = sent[0][:16] + parse_address("192.0.2.77") + sent[0][20:]
    assert reasons(right.inbound([elsewhere], 0.0)) == [Drop.UNKNOWN_SPI]
    assert right.counters.dropped == {Drop.UNKNOWN_SPI: 1}


def test_each_bad_packet_has_its_reason():
    left, right = joined(make_child(GCM))
    one, two = packets_of(left.outbound([datagram()] * 2, 0.0))
    flipped = two[:-1] + bytes([two[-1] ^ 1])
    short = bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=50) / Raw(two[20:40]))
    verdicts = right.inbound([one, one, flipped, short, two], 0.0)
    assert Dropped(Drop.REPLAYED, ESP_FLOW, 0x201) in verdicts
    assert sorted(map(str, reasons(verdicts))) == sorted(
        map(str, [Drop.REPLAYED, Drop.BAD_ICV, Drop.TOO_SHORT, Deliver, Deliver])
    )
    assert packets_of(verdict for verdict in verdicts if type(verdict) is Deliver) == [datagram()] * 2


@pytest.mark.parametrize("suites", [(GCM,), (GCM, AH_SUITE), (AH_SUITE,)], ids=str)
@pytest.mark.parametrize("mode", [T, X])
def test_what_comes_out_must_be_what_the_contract_is_for(suites, mode):
    web = Selector(
        make_child(GCM).selector.source, make_child(GCM).selector.destination, 17, destination_ports=PortRange.one(80)
    )
    narrow = make_child(*suites, mode=mode, selector=web)
    wide, right = make_path(make_child(*suites, mode=mode)), joined(narrow)[1]
    good, wrong = datagram(), datagram(ports=(1000, 81))
    third = datagram(source=parse_address("192.0.2.9"))
    packets = [wrong, good] + ([third] if mode is T else [])
    for _ in range(2):
        verdicts = right.inbound(packets_of(wide.outbound(packets, 0.0)), 0.0)
        expected = [Dropped(Drop.SELECTOR_MISMATCH, flow_of(wrong), 0x201), Deliver((good,), 1)]
        if mode is T:
            expected.append(Dropped(Drop.SELECTOR_MISMATCH, flow_of(third), 0x201))
        assert sorted(verdicts, key=str) == sorted(expected, key=str)
        assert [verdict for verdict in verdicts if type(verdict) is Deliver] == [Deliver((good,), 1)]


THERE = Selector.between("0.0.0.0/0", "198.51.100.0/24")


@pytest.mark.parametrize(
    ("narrow", "mode", "reason"),
    [
        (make_entry(THERE, name="narrow", mode=T), T, None),
        (replace(make_entry(THERE, name="narrow", mode=T), peer="another"), T, Drop.SELECTOR_MISMATCH),
        (make_entry(THERE, name="narrow", mode=X), T, Drop.SELECTOR_MISMATCH),
        (make_entry(THERE, name="narrow", action=Action.DISCARD), T, Drop.BLOCKED),
        (make_entry(THERE, name="narrow", action=Action.BYPASS), T, Drop.SELECTOR_MISMATCH),
        (make_entry(replace(THERE, protocol=17), name="narrow", action=Action.BYPASS), T, None),
        (make_entry(replace(THERE, protocol=6), name="narrow", action=Action.DISCARD), T, None),
        (make_entry(THERE, name="narrow", mode=T, directions=Direction.OUT), T, None),
        (make_entry(replace(THERE, destination=make_child(GCM).selector.destination), name="narrow",
                    action=Action.BYPASS), X, None),
    ],
)  # fmt: skip
def test_a_wide_contract_does_not_speak_for_those_of_a_narrow_entry(narrow, mode, reason):
    """A branch with a tunnel for all of 0.0.0.0/0 must not send in the name of another branch."""
    theirs, ours = make_child(GCM, mode=mode), mirrored(make_child(GCM, mode=mode))
    sender, receiver = make_path(theirs), make_path(ours)
    wide = make_entry(ours.selector, name=ours.entry, mode=mode)
    spoofed = datagram(source=parse_address("198.51.100.7")) if mode is T else datagram(source=US)
    sealed = [packets_of(sender.outbound([spoofed], 0.0)) for _ in range(4)]
    assert reasons(receiver.inbound(sealed[0], 0.0)) == [Deliver], "the flow is known now"
    if mode is X:
        narrow = replace(narrow, selector=ours.selector)
    receiver.apply(Spd((narrow, wide)), 0.0)
    for packets in sealed[1:3]:
        assert reasons(receiver.inbound(packets, 0.0)) == [reason or Deliver]
    receiver.apply(Spd((narrow,)), 0.0)
    assert reasons(receiver.inbound(sealed[3], 0.0)) == [Deliver], "its entry is gone: it receives until it is removed"


def test_a_bundle_must_be_whole():
    both = make_child(CBC, AH_SUITE)
    esp_only = make_path(replace(both, outbound=both.outbound[:1]))
    ah_only = make_path(replace(both, outbound=both.outbound[1:]))
    turned = make_path(replace(both, outbound=both.outbound[::-1]))
    twice = make_path(replace(both, outbound=(both.outbound[0], both.outbound[1], both.outbound[1])))
    for path in (esp_only, ah_only, turned, twice):
        right = joined(both)[1]
        assert reasons(right.inbound(packets_of(path.outbound([datagram()], 0.0)), 0.0)) == [Drop.WRONG_BUNDLE]


def test_two_contracts_do_not_make_a_bundle():
    first, second = make_child(CBC, AH_SUITE, number=1), make_child(CBC, AH_SUITE, number=2)
    right = joined(first, second)[1]
    mixed = make_path(replace(first, outbound=(second.outbound[0], first.outbound[1])))
    assert reasons(right.inbound(packets_of(mixed.outbound([datagram()], 0.0)), 0.0)) == [Drop.WRONG_BUNDLE]


@pytest.mark.parametrize("inner_mode", [T, X])
def test_the_inner_protocol_must_fit_the_mode(inner_mode):
    child = make_child(GCM, mode=inner_mode)
    other = make_child(GCM, mode=X if inner_mode is T else T, selector=child.selector)
    right = joined(child)[1]
    verdicts = right.inbound(packets_of(make_path(other).outbound([datagram()], 0.0)), 0.0)
    assert reasons(verdicts) == [Drop.BAD_NEXT_HEADER if inner_mode is T else Drop.SELECTOR_MISMATCH] or (
        inner_mode is X  # an IP packet as payload is what transport mode may carry between the two hosts
        and packets_of(verdicts)[0][9] == 4
    )


def test_congestion_on_the_way_comes_in_and_nonsense_does_not():
    left, right = joined(make_child(GCM, mode=T))

    def arrive(inner_tos, outer_ecn):
        packet = bytes(IP(src="10.1.0.1", dst="10.2.0.1", tos=inner_tos) / UDP() / b"data")
        sent = IP(packets_of(left.outbound([packet], 0.0))[0])
        sent.tos = sent.tos & 0xFC | outer_ecn
        del sent.chksum
        (verdict,) = right.inbound([bytes(sent)], 0.0)
        return verdict.reason if type(verdict) is Dropped else IP(verdict.packets[0]).tos

    assert arrive(0xB8 | 2, 3) == 0xB8 | 3
    assert arrive(0xB8 | 2, 0) == 0xB8 | 2
    assert arrive(0xB8 | 3, 0) == 0xB8 | 3
    assert arrive(0xB8, 3) is Drop.BAD_ECN
    assert arrive(0xB8, 2) == 0xB8


def test_congestion_in_ipv6():
    child = make_child(GCM, mode=T, local="2001:db8::1", remote="2001:db8::2")
    left, right = joined(child)
    packet = IPv6(src="fd00::1", dst="fd00::2", tc=2) / UDP() / b"data"
    sent = IPv6(packets_of(left.outbound([bytes(packet)], 0.0))[0])
    sent.tc = 3
    packet = IPv6(bytes(packet))
    packet.tc = 3
    assert packets_of(right.inbound([bytes(sent)], 0.0)) == [bytes(packet)]


NUMBERS = count(7)


def cut(packet, mtu):
    return fragment(packet, mtu, NUMBERS.__next__)


@pytest.mark.parametrize("suites", [(GCM,), (AH_SUITE,), (CBC, AH_SUITE)], ids=str)
@pytest.mark.parametrize("ends", [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")])
@pytest.mark.parametrize("mode", [T, X])
def test_fragments_of_protected_packets_are_made_whole(suites, ends, mode):
    child = make_child(*suites, mode=mode, local=ends[0], remote=ends[1])
    left, right = joined(child, limits=PathLimits(mtu=9000))
    packets = [datagram(1400, *map(parse_address, ends)), datagram(1300, *map(parse_address, ends))]
    pieces = [piece for packet in packets_of(left.outbound(packets, 0.0)) for piece in cut(packet, 700)]
    for order in (pieces[::2] + pieces[1::2],):
        verdicts = right.inbound(order, 0.0)
        assert sorted(packets_of(v for v in verdicts if type(v) is Deliver)) == sorted(packets)
        assert sum(type(verdict) is Reassembling for verdict in verdicts) == len(order) - 2


def test_fragments_that_never_become_whole():
    left, right = joined(make_child(GCM))
    first, *_ = cut(packets_of(left.outbound([datagram(1400)], 0.0))[0], 700)
    assert reasons(right.inbound([first], 0.0)) == [Reassembling]
    assert right.next_timer() == 30.0
    assert reasons(right.tick(30.0)) == [Drop.REASSEMBLY_FAILED]
    overlapping = first[:6] + b"\x20\x01" + first[8:]
    assert reasons(right.inbound([first, overlapping], 31.0)) == [Reassembling, Drop.REASSEMBLY_FAILED]


def test_an_atomic_fragment_is_no_fragment():
    child = make_child(GCM, local="2001:db8::1", remote="2001:db8::2")
    left, right = joined(child)
    packet = datagram(200, *map(parse_address, ("2001:db8::1", "2001:db8::2")))
    sent = IPv6(packets_of(left.outbound([packet], 0.0))[0])
    atomic = IPv6(src=sent.src, dst=sent.dst) / IPv6ExtHdrFragment(nh=50, id=3) / Raw(bytes(sent)[40:])
    (delivered,) = right.inbound([bytes(atomic)], 0.0)
    assert flow_of(delivered.packets[0]) == flow_of(packet)


def test_what_is_no_packet():
    _, right = joined(make_child(GCM))
    verdicts = right.inbound([b"", b"\x45", b"\x45" * 19, b"\x45" * 20, b"\x60" * 30, b"\x90" * 60], 0.0)
    assert reasons(verdicts) == [Drop.TOO_SHORT] * 3 + [Drop.MALFORMED] * 3
    assert right.counters.dropped == {Drop.TOO_SHORT: 3, Drop.MALFORMED: 3}


def test_garbage_behind_a_packet_is_no_part_of_it():
    for suites in ((GCM,), (AH_SUITE,)):
        left, right = joined(make_child(*suites))
        sent = packets_of(left.outbound([datagram()], 0.0))[0]
        assert packets_of(right.inbound([sent + b"padding of a frame"], 0.0)) == [datagram()]


NET = Selector.between("192.0.2.0/24", "192.0.2.0/24")


def test_clear_packets():
    packet, flow = datagram(), flow_of(datagram())

    def verdict(*entries, at=0.0):
        path = DataPath(random=seeded())
        path.apply(Spd(entries), 0.0)
        return path.inbound([packet], at)

    assert verdict() == [Deliver((packet,))]
    assert verdict(make_entry(NET)) == [Dropped(Drop.CLEAR_BUT_PROTECTION_REQUIRED, flow)]
    assert verdict(make_entry(NET, clear_in=True)) == [Deliver((packet,))]
    assert verdict(make_entry(NET, action=Action.DISCARD)) == [Dropped(Drop.BLOCKED, flow)]
    asked = replace(make_entry(NET), demand=Demand((Grant("f"),)))
    assert verdict(asked) == [Dropped(Drop.CLEAR_BUT_PROTECTION_REQUIRED, flow)]
    past = replace(asked, demand=replace(asked.demand, overrides=Origin("shut")))
    assert verdict(past) == [Dropped(Drop.BLOCKED, flow)]
    assert verdict(make_entry(NET, action=Action.DISCARD, directions=Direction.OUT)) == [Deliver((packet,))]
    path = DataPath(random=seeded())
    assert reasons(path.inbound([build(US, PEER, 17, b"123")], 0.0)) == [Drop.MALFORMED]
    path.inbound([packet], 0.0)
    assert (path.counters.clear_in.packets, path.counters.clear_in.octets) == (1, 100)


def test_hard_limits_hold_inward_too():
    child = make_child(GCM, hard=Limits(packets=2, seconds=50))
    left = make_path(replace(child, hard=Limits()))
    right = make_path(mirrored(child), seed=2)
    sent = packets_of(left.outbound([datagram()] * 4, 0.0))
    assert reasons(right.inbound(sent[:2], 0.0)) == [Deliver, Deliver]
    assert right.events() == [HardExpired(1, "packets")]
    assert reasons(right.inbound(sent[2:], 0.0)) == [Drop.SA_EXPIRED] * 2
    right = make_path(mirrored(child), seed=2)
    assert reasons(right.inbound(sent[:1], 50.0)) == [Drop.SA_EXPIRED]
    assert right.events() == [HardExpired(1, "seconds")]
    both = make_child(GCM, AH_SUITE, hard=Limits(seconds=50))
    left, right = joined(both)
    sent = packets_of(left.outbound([datagram()], 49.0))
    assert reasons(right.inbound(sent, 50.0)) == [Drop.SA_EXPIRED]


@pytest.mark.parametrize(("layers", "outcome"), [(1, Deliver), (4, Deliver), (5, Drop.LOOP), (7, Drop.LOOP)])
def test_tunnels_in_tunnels_are_bounded(layers, outcome):
    left, right = joined(make_child(GCM, mode=T), limits=PathLimits(nested=3))
    clear = packet = datagram(source=bytes([10, 1, 0, 1]), destination=bytes([10, 2, 0, 1]))
    for _ in range(layers):
        (packet,) = packets_of(left.outbound([packet], 0.0))
    verdicts = right.inbound([packet], 0.0)
    assert reasons(verdicts) == [outcome]
    assert outcome is Drop.LOOP or verdicts == [Deliver((clear,), 1)]
    assert right.statistics(1).packets_in == min(layers, 4)


def test_ipsec_for_somebody_else_is_delivered():
    left, right = joined(make_child(GCM, mode=T))
    foreign = build(bytes([10, 1, 0, 1]), bytes([10, 2, 0, 1]), 50, b"\0\0\x12\x34 for the host behind us")
    assert right.inbound(packets_of(left.outbound([foreign], 0.0)), 0.0) == [Deliver((foreign,), 1)]


UDP_CHILD = make_child(GCM, udp=True)
UDP_PATH = mirrored(UDP_CHILD).inbound[0].encapsulation


def test_what_comes_to_port_4500():
    left, right = joined(UDP_CHILD)
    sent = packets_of(left.outbound([datagram()] * 2, 0.0))
    flow = FlowKey(US, PEER, 50, None, None)
    odd = [b"\xff", b"", b"\1\2", b"\0\0\x99\x99rest", sent[0][:-1] + b"?", sent[0]]
    verdicts = right.inbound_udp([*odd, sent[0]], UDP_PATH, 0.0)
    assert sorted(map(str, reasons(verdicts))) == sorted(
        map(str, [
            Drop.KEEPALIVE, Drop.TOO_SHORT, Drop.TOO_SHORT, Drop.UNKNOWN_SPI, Drop.BAD_ICV, Drop.REPLAYED, Deliver,
        ])
    )  # fmt: skip
    assert all(verdict.flow == flow for verdict in verdicts if type(verdict) is Dropped)
    bundle = joined(make_child(GCM, AH_SUITE))[1]
    assert reasons(bundle.inbound_udp([b"\0\0\2\1rest"], UDP_PATH, 0.0)) == [Drop.WRONG_BUNDLE]


def test_transport_mode_through_nat():
    """The peer behind NAT wrote its private address; we see the NAT's, and so must the checksum."""
    public = "203.0.113.5"
    child = make_child(GCM, local="192.0.2.1", remote=public, udp=True)
    path = Path(Endpoint(US, 4500), Endpoint(parse_address(public), 31337))
    behind = make_path(mirrored(make_child(GCM, local="192.0.2.1", remote=public)), seed=2)
    host = make_path(child)
    private = bytes(IP(src=public, dst="192.0.2.1") / UDP(sport=9, dport=80) / b"x")  # what the keys are for
    wrong_sum = private[:26] + b"\xab\xcd" + private[28:]
    esp = packets_of(behind.outbound([wrong_sum], 0.0))[0][20:]
    (delivered,) = host.inbound_udp([esp], path, 0.0)
    assert delivered.packets == (bytes(IP(src=public, dst="192.0.2.1", id=0) / UDP(sport=9, dport=80) / b"x"),)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_order_of_arrival_gives_each_packet_once_within_the_window(data):
    total = data.draw(st.integers(1, 60))
    left, right = joined(make_child(GCM, replay_window=64))
    packets = [datagram(40 + number, ports=(number, 80)) for number in range(total)]
    sent = packets_of(left.outbound(packets, 0.0))
    order = data.draw(st.permutations(range(total)))
    again = data.draw(st.lists(st.sampled_from(range(total)), max_size=10))
    arrived, replayed = [], 0
    rest = [*order, *again]
    while rest:
        cut_at = data.draw(st.integers(1, len(rest)))
        for verdict in right.inbound([sent[number] for number in rest[:cut_at]], 0.0):
            if type(verdict) is Deliver:
                arrived += verdict.packets
            else:
                assert verdict.reason is Drop.REPLAYED
                replayed += 1
        rest = rest[cut_at:]
    assert sorted(arrived) == sorted(packets)
    assert replayed == len(again)


def test_options_of_a_tunnel_do_not_matter_inward():
    left, right = joined(make_child(GCM, mode=T, tunnel=TunnelOptions(copy_dscp=False, dscp=46, ecn=False)))
    packet = bytes(IP(src="10.1.0.1", dst="10.2.0.1", tos=0x2A) / UDP() / b"data")
    sent = packets_of(left.outbound([packet], 0.0))
    assert IP(sent[0]).tos == 46 << 2
    assert packets_of(right.inbound(sent, 0.0)) == [packet]


def test_a_protected_packet_may_still_be_none():
    """Its sender has the keys and no sense: the ports of its UDP are cut off, or the inner header is wrong."""
    for mode in (X, T):
        child = make_child(GCM, mode=mode)
        left, right = joined(child)
        outlet = left._state.contracts[1].outlet
        stump = build(US, PEER, 17, b"\1\2")
        (wire,) = outlet.seal_many([stump])
        assert right.inbound([wire], 0.0) == [Dropped(Drop.MALFORMED, None, 0x201)]
        assert right.inbound([wire], 0.0)[0].reason is Drop.REPLAYED
    (wire,) = outlet.seal_many([b"\x45" + bytes(30)])
    assert reasons(right.inbound([wire], 0.0)) == [Drop.MALFORMED]


def test_the_first_piece_of_a_narrow_contract_waits_for_the_rest():
    web = Selector(
        make_child(GCM).selector.source, make_child(GCM).selector.destination, 17, destination_ports=PortRange.one(80)
    )
    child = make_child(GCM, mode=T, selector=web)
    careless, right = make_path(make_child(GCM, mode=T)), joined(child)[1]
    packet = datagram(1400)
    first, *rest = packets_of(careless.outbound(cut(packet, 700), 0.0))
    assert reasons(right.inbound([first], 0.0)) == [Reassembling]
    assert packets_of(right.inbound(rest, 0.0)[-1:]) == [packet]
    overlapping = cut(datagram(1399), 700)[:1] * 2
    overlapping[1] = overlapping[1][:-1] + b"?"
    sent = packets_of(careless.outbound(overlapping, 0.0))
    assert reasons(right.inbound(sent, 0.0)) == [Reassembling, Drop.REASSEMBLY_FAILED]
