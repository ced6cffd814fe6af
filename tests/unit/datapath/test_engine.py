# SPDX-License-Identifier: Apache-2.0
"""The packet path as a whole: two hosts that hold the same contracts."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.crypto.suites import Encryption, Integrity
from ringfence.databases.proposal import Limits
from ringfence.databases.sa import Mode
from ringfence.databases.sad import SpiInUse
from ringfence.databases.selector import Selector
from ringfence.datapath.event import Answered, HardExpired, Unanswered
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Hold, Send, Verdict
from ringfence.net.ip import build, fix_header_checksum
from ringfence.testing.associations import AH_SUITES, ESP_SUITES, esp_suite
from ringfence.testing.contracts import joined, make_child, mirrored

T, X = Mode.TUNNEL, Mode.TRANSPORT
GCM = esp_suite(Encryption.AES_GCM_16)
CBC = esp_suite(Encryption.AES_CBC, Integrity.HMAC_SHA256_128)
AH = AH_SUITES[2]

ENDS = {4: ("192.0.2.1", "192.0.2.2"), 6: ("2001:db8::1", "2001:db8::2")}
INNER = {4: (bytes([10, 1, 0, 1]), bytes([10, 2, 0, 1])), 6: (b"\xfd" + bytes(14) + b"\1", b"\xfd" + bytes(14) + b"\2")}
EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}

FORMS = {
    "esp": ((GCM,), (X,)), "esp tunnel": ((GCM,), (T,)), "ah": ((AH,), (X,)), "ah tunnel": ((AH,), (T,)),
    "esp + ah": ((CBC, AH), (X, X)), "esp tunnel + ah": ((CBC, AH), (T, X)),
    "esp tunnel + ah tunnel": ((GCM, AH), (T, T)), "esp + ah tunnel": ((GCM, AH), (X, T)),
}  # fmt: skip


def contract(form, outer, inner, **words):
    suites, modes = FORMS[form]
    local, remote = ENDS[outer]
    if modes[0] is T:
        words.setdefault("selector", Selector.between(EVERYTHING[inner], EVERYTHING[inner]))
    return make_child(*suites, mode=modes, local=local, remote=remote, **words)


def packet(child, protocol=17, octets=100, fill=b"\7"):
    """From the side of ``child`` to the other."""
    first, other = child.selector.source, child.selector.destination
    source, destination = (first.first, other.first) if first.is_host else INNER[first.version]
    ports = b"\x10\x01\x20\x02" if octets >= 4 else b""
    made = build(source, destination, protocol, ports + fill * (octets - len(ports)))
    return made if made[0] >= 0x60 else fix_header_checksum(made[:4] + b"\0\7" + made[6:])


CASES = [
    (form, outer, inner)
    for form, outer, inner in product(FORMS, (4, 6), (4, 6))
    if outer == inner or FORMS[form][1][0] is T
]
every_form = pytest.mark.parametrize(("form", "outer", "inner"), CASES)


def sent(verdicts):
    assert all(type(verdict) is Send for verdict in verdicts), verdicts
    return [packet for verdict in verdicts for packet in verdict.packets]


def got(verdicts):
    assert all(type(verdict) is Deliver for verdict in verdicts), verdicts
    return [packet for verdict in verdicts for packet in verdict.packets]


@every_form
def test_what_one_sends_the_other_delivers(form, outer, inner):
    child = contract(form, outer, inner)
    left, right = joined(child)
    packets = [packet(child, octets=octets) for octets in (4, 5, 64, 1200)]
    for _ in range(2):  # the second time by the short way
        wire = sent(left.outbound(packets, 1.0))
        assert got(right.inbound(wire, 1.0)) == packets
    assert right.statistics(1).packets_in == 8 == left.statistics(1).packets_out
    assert right.statistics(1).octets_in == left.statistics(1).octets_out == 2 * sum(map(len, packets))
    assert {one.reason for one in right.inbound(wire, 1.0)} == {Drop.REPLAYED}


def whole_suites():
    """Every suite in the forms that it can have."""
    for suite in ESP_SUITES:
        yield suite, ((suite,), (X,))
        yield suite, ((suite,), (T,))
    for suite in AH_SUITES:
        yield suite, ((suite,), (X,))
        yield suite, ((suite,), (T,))
        yield suite, ((CBC, suite), (X, X))
        yield suite, ((GCM, suite), (T, X))


every_suite = pytest.mark.parametrize(
    "form",
    [form for _, form in whole_suites()],
    ids=[f"{form[1][0].value} {form[0]}"[:80] for _, form in whole_suites()],
)
protocols = st.integers(0, 255).filter(lambda number: number not in (0, 43, 44, 50, 51, 59, 60, 135, 139, 140))


@every_suite
@settings(deadline=None, max_examples=6)
@given(data=st.data())
def test_every_suite_carries_any_packets(form, data):
    suites, modes = form
    esn = data.draw(st.booleans())
    outer, inner = (data.draw(st.sampled_from([4, 6])) for _ in range(2))
    local, remote = ENDS[outer]
    words = {"selector": Selector.between(EVERYTHING[inner], EVERYTHING[inner])} if modes[0] is T else {}
    child = make_child(*(replace(suite, esn=esn) for suite in suites), mode=modes, local=local, remote=remote, **words)
    left, right = joined(child)
    packets = [
        packet(child, protocol, octets, fill)
        for protocol, octets, fill in data.draw(
            st.lists(st.tuples(protocols, st.integers(4, 1300), st.binary(min_size=1, max_size=1)), max_size=5)
        )
    ]
    wire = sent(left.outbound(packets, 0.0))
    assert got(right.inbound(wire, 0.0)) == packets
    answers = [packet(mirrored(child), octets=50)]
    assert got(left.inbound(sent(right.outbound(answers, 0.0)), 0.0)) == answers


@every_form
@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_a_bent_bit_is_never_delivered(form, outer, inner, data):
    """Of ESP all octets behind the IP header count; of AH those before it too, but for what routers may change."""
    child = contract(form, outer, inner)
    left, right = joined(child)
    wire = sent(left.outbound([packet(child, octets=60)], 0.0))[0]
    front = 20 if outer == 4 else 40
    at = data.draw(st.integers(front * 8, len(wire) * 8 - 1))
    bent = bytearray(wire)
    bent[at // 8] ^= 1 << at % 8
    assert all(type(verdict) is Dropped for verdict in right.inbound([bytes(bent)], 0.0))
    assert type(right.inbound([wire], 0.0)[0]) is Deliver


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_nothing_from_the_network_raises(data):
    form, outer, inner = data.draw(st.sampled_from(CASES))
    child = contract(form, outer, inner)
    left, right = joined(child, contract("esp", 4, 4, number=2, udp=True))
    seeds = [packet(child, octets=40), *sent(left.outbound([packet(child), packet(child, octets=1600)], 0.0))]
    octets = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(0, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    hostile = bytes(octets[data.draw(st.integers(0, 60)) :] if data.draw(st.booleans()) else octets)
    hostile = hostile[: data.draw(st.integers(0, len(hostile)))]
    hostile = data.draw(st.sampled_from([hostile, data.draw(st.binary(max_size=100))]))
    path = mirrored(contract("esp", 4, 4, number=2, udp=True)).inbound[0].encapsulation
    for verdicts in (
        right.inbound([hostile, hostile[20:], b"\x45" + hostile[1:], b"\x60" + hostile[1:]], 0.0),
        right.inbound_udp([hostile, hostile[20:], b"\0\0\3\1" + hostile], path, 0.0),
        right.outbound([hostile, hostile[20:]], 0.0),
    ):
        assert all(isinstance(verdict, Verdict) for verdict in verdicts)
    right.tick(100.0)


def test_a_dropped_packet_is_counted_by_its_reason():
    child = contract("esp", 4, 4)
    left, right = joined(child)
    wire = sent(left.outbound([packet(child)], 0.0))
    right.inbound(wire + wire + [b"?"], 0.0)
    assert right.counters.dropped == {Drop.REPLAYED: 1, Drop.TOO_SHORT: 1}
    assert (right.counters.protected_in.packets, right.counters.protected_in.octets) == (1, len(packet(child)))
    assert (left.counters.protected_out.packets, left.counters.protected_out.octets) == (1, len(packet(child)))


def test_ah_gives_a_packet_its_number_before_it_protects_it():
    """A kernel fills in an identification of 0, which would break the ICV."""
    for form in ("ah", "ah tunnel", "esp tunnel + ah"):
        child = contract(form, 4, 4)
        left, right = joined(child)
        bare = bytearray(packet(child))
        bare[4:8] = b"\0\0\x40\0"
        wire = sent(left.outbound([fix_header_checksum(bytes(bare))], 0.0))
        assert wire[0][4:6] != b"\0\0"
        assert len(got(right.inbound(wire, 0.0))) == 1


def test_installing_again_changes_nothing_that_counts():
    child = contract("esp", 4, 4)
    left, right = joined(child)
    first = sent(left.outbound([packet(child)], 0.0))
    assert got(right.inbound(first, 0.0)) == [packet(child)]
    for again in (child, replace(child, ike_id=7)):  # the second differs, but not in its SAs
        for path, one in ((left, again), (right, mirrored(again))):
            path.install_inbound(one, 5.0)
            path.install_outbound(one, 5.0)
    second = sent(left.outbound([packet(child)], 6.0))
    assert second[0][24:28] == (2).to_bytes(4)
    assert [verdict.reason for verdict in right.inbound(first, 6.0)] == [Drop.REPLAYED]
    assert got(right.inbound(second, 6.0)) == [packet(child)]
    assert right.statistics(1).packets_in == 2
    assert right.statistics(1).since == 0.0
    assert right.children() == (mirrored(replace(child, ike_id=7)),)
    other = contract("esp", 4, 4, number=2)
    right.install_inbound(replace(mirrored(other), id=1), 7.0)  # other SAs under the same number
    assert [verdict.reason for verdict in right.inbound(second, 7.0)] == [Drop.UNKNOWN_SPI]
    right.remove(1)
    assert right.inbound(second, 8.0)[0].reason is Drop.UNKNOWN_SPI
    assert right.statistics(1) is None


def test_one_that_is_retired_still_receives():
    child = contract("esp", 4, 4, hard=Limits(seconds=200))
    left, right = joined(child)
    wire = sent(left.outbound([packet(child)], 0.0))
    right.retire(1)
    right.retire(77)
    assert got(right.inbound(wire, 1.0)) == [packet(child)]
    left.retire(1)
    assert type(left.outbound([packet(child)], 1.0)[0]) is Hold
    assert right.tick(200.0) == [], "nobody needs to hear of its end"
    assert right.inbound(wire, 201.0)[0].reason is Drop.SA_EXPIRED


def test_an_spi_in_use_is_refused():
    child = contract("esp", 4, 4)
    left, _ = joined(child)
    with pytest.raises(SpiInUse):
        left.install_inbound(replace(child, id=9), 0.0)
    assert left.statistics(9) is None


def test_timers_of_all_that_waits():
    child = contract("esp", 4, 4, soft=Limits(seconds=100), hard=Limits(seconds=200))
    left, _ = joined(child)
    assert left.next_timer() == 100.0
    newer = contract("esp", 4, 4, number=2)
    left.install_outbound(newer, 50.0)
    assert left.tick(100.0) == []  # it has a successor, so none is asked for
    assert left.next_timer() == 200.0
    assert left.tick(200.0) == [HardExpired(1, "seconds")]
    assert left.next_timer() is None
    assert left.statistics(2).last_used is None


def test_a_contract_without_traffic_ends():
    child = replace(contract("esp", 4, 4), idle_s=300)
    left, right = joined(child)
    assert left.next_timer() == 300.0
    (sent,) = left.outbound([packet(child)], 250.0)
    assert isinstance(sent, Send)
    assert left.tick(300.0) == []
    assert left.next_timer() == 550.0
    right.inbound(sent.packets, 251.0)
    assert right.next_timer() == 551.0
    assert left.tick(550.0) == [HardExpired(1, "no traffic")]
    assert left.next_timer() is None


def test_packets_that_nobody_answers_are_told_again_and_again_until_something_comes_in():
    child = replace(contract("esp", 4, 4), unanswered_s=30)
    left, right = joined(child)
    assert left.next_timer() is right.next_timer() is None, "who says nothing expects nothing"
    (sent,) = left.outbound([packet(child)], 10.0)
    left.outbound([packet(child)], 35.0)
    assert left.next_timer() == 40.0, "counted from the first"
    assert left.tick(39.9) == []
    assert left.tick(40.0) == [Unanswered(1)]
    assert left.next_timer() is None
    left.outbound([packet(child)], 50.0)
    assert left.tick(80.0) == [Unanswered(1)]
    (answer,) = right.outbound([packet(mirrored(child))], 81.0)
    right.inbound(sent.packets, 82.0)
    assert right.next_timer() is None, "heard after it spoke"
    left.inbound(answer.packets, 82.0)
    assert left.events() == [Answered(1)]
    left.outbound([packet(child)], 83.0)
    left.inbound([bytes(answer.packets[0])], 84.0)
    assert left.events() == [], "a packet played again is no sign of life"
    assert left.next_timer() == 113.0
    left.retire(1)
    assert left.next_timer() is None


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_rekeying_loses_and_repeats_nothing_whatever_the_network_does(data):
    """Each side takes up the new contract when it likes; packets under way come in any order, some twice."""
    child, newer = (contract("esp", 4, 4, number=number, replay_window=4096) for number in (1, 2))
    hosts = joined(child)
    made = (child, mirrored(child)), (newer, mirrored(newer))
    for host, one in zip(hosts, made[1], strict=True):
        host.install_inbound(one, 0.0)
    number, wire, arrived, expected = 0, ([], []), ([], []), ([], [])
    switched = [False, False]
    for _ in range(data.draw(st.integers(5, 30))):
        side = data.draw(st.integers(0, 1))
        match data.draw(st.sampled_from(["send", "send", "arrive", "switch"])):
            case "send":
                batch = [packet(made[0][side], octets=20 + number + more) for more in range(3)]
                number += 3
                expected[1 - side].extend(batch)
                wire[1 - side].extend(sent(hosts[side].outbound(batch, 1.0)))
            case "arrive" if wire[side]:
                chosen = data.draw(st.lists(st.sampled_from(wire[side]), max_size=6))
                verdicts = hosts[side].inbound(chosen, 1.0)
                arrived[side].extend(got([one for one in verdicts if type(one) is Deliver]))
                assert all(one.reason is Drop.REPLAYED for one in verdicts if type(one) is Dropped)
            case "switch" if not switched[side]:
                switched[side] = True
                assert hosts[side].install_outbound(made[1][side], 1.0) == []
    for side, host in enumerate(hosts):
        verdicts = host.inbound(wire[side], 2.0)
        arrived[side].extend(got([one for one in verdicts if type(one) is Deliver]))
        assert sorted(arrived[side]) == sorted(expected[side])


def by_port(child, port):
    """A contract whose peer's NAT has given it another port."""
    path = child.outbound[-1].encapsulation
    path = replace(path, remote=replace(path.remote, port=port))
    outbound, inbound = ((replace(sas[0], encapsulation=path),) for sas in (child.outbound, child.inbound))
    return replace(child, outbound=outbound, inbound=inbound)


def test_a_peer_behind_nat_moves_to_another_port():
    """Numbers are never used twice under one key, windows stay."""
    child = make_child(GCM, udp=True)
    left, right = joined(child)
    (first,) = left.outbound([packet(child)], 0.0)
    left.install_outbound(by_port(child, 20_000), 1.0)
    (second,) = left.outbound([packet(child)], 2.0)
    assert [send.path.remote.port for send in (first, second)] == [4500, 20_000]
    assert [send.packets[0][4:8] for send in (first, second)] == [(1).to_bytes(4), (2).to_bytes(4)]
    assert [send.path.remote.port for send in left.tick(100.0) if isinstance(send, Send)] == [20_000]
    (back,) = right.outbound([packet(mirrored(child))], 3.0)
    came = by_port(child, 20_000).inbound[0].encapsulation
    assert len(got(left.inbound_udp(back.packets, came, 4.0))) == 1
    assert [verdict.reason for verdict in left.inbound_udp(back.packets, came, 4.0)] == [Drop.REPLAYED]


def test_only_who_is_behind_nat_keeps_its_mapping():
    child = make_child(GCM, udp=True)
    silent = replace(child, outbound=(replace(child.outbound[0], keepalive=False),))
    for one, count in ((child, 1), (silent, 0)):
        left, _ = joined(one)
        assert len([done for done in left.tick(60.0) if isinstance(done, Send)]) == count
