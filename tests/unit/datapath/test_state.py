# SPDX-License-Identifier: Apache-2.0
"""What both directions share: bounded caches, numbers, answers, and what is said once."""

from random import Random

from scapy.layers.inet import ICMP, IP

from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import Limits
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Spd
from ringfence.datapath.contract import Contract
from ringfence.datapath.event import HardExpired, SoftExpired
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.state import PathState, Tally
from ringfence.datapath.verdict import Drop, Dropped
from ringfence.net.ip import build_v4, view
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child, make_entry

GCM = esp_suite(Encryption.AES_GCM_16)
NET = Selector.between("192.0.2.0/24", "192.0.2.0/24")


def state(**limits):
    return PathState(Random(1).randbytes, PathLimits(**limits))


def test_numbers_are_never_zero_to_ipv4():
    one = state()
    one._identification = 0xFFFE
    assert [one.identification() & 0xFFFF for _ in range(3)] == [0xFFFF, 1, 2]


def test_the_flow_cache_is_bounded_and_holds_tcp_and_udp():
    one = state(flows=2)
    for number in range(3):
        one.remember(6, bytes([number]), one.clear_route)
    assert one.flows == {6: {b"\2": one.clear_route}, 17: {}}
    one.remember(1, b"icmp", one.clear_route)
    one.replace_spd(Spd())
    assert one.flows == {6: {}, 17: {}}


def test_only_entries_that_name_esp_or_ah_protect_again():
    esp = Selector(NET.source, NET.destination, 50)
    ah = Selector(NET.source, NET.destination, 51)
    entries = (
        make_entry(NET, name="any"), make_entry(esp, name="esp"), make_entry(ah, name="ah"),
        make_entry(esp, name="block", action=Action.DISCARD),
    )  # fmt: skip
    one = state()
    one.replace_spd(Spd(entries))
    assert [entry.name for entry in one.nested_entries] == ["esp", "ah"]


def test_drops_are_counted():
    one = state()
    assert one.drop(Drop.BLOCKED, spi=7) == Dropped(Drop.BLOCKED, spi=7)
    one.drop(Drop.BLOCKED, count=3)
    assert one.counters.dropped == {Drop.BLOCKED: 4}
    tally = Tally()
    tally.add(2, 300)
    assert tally == Tally(2, 300)


def test_answers_are_limited_by_time():
    one = state(replies_per_second=2)
    packet = build_v4(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 17, 30) + bytes(30)
    replies = [one.drop_too_big(packet, view(packet), 1400, None, at).reply for at in (0.0, 0.0, 0.0, 0.4, 0.5, 0.5)]
    assert [reply is not None for reply in replies] == [True, True, False, False, True, False]
    assert IP(replies[0])[ICMP].nexthopmtu == 1400


def test_limits_are_said_once():
    one = state()
    contract = Contract(make_child(GCM, soft=Limits(packets=1), hard=Limits(packets=2)), PathLimits(), 0.0)
    one.contracts[1] = contract
    contract.into.spend(1, 10, 0.0)
    one.look(contract, 0.0)
    one.look(contract, 0.0)
    contract.into.spend(1, 10, 0.0)
    one.look(contract, 0.0)
    one.look(contract, 0.0)
    assert one.events == [SoftExpired(1, "packets"), HardExpired(1, "packets")]
    assert contract.closed


def test_inlets_come_and_go():
    one = state()
    contract = Contract(make_child(GCM), PathLimits(), 0.0)
    contract.install_inbound()
    one.add_inlets(contract)
    name = contract.child.inbound[0].destination + contract.child.inbound[0].spi.to_bytes(4)
    packet = build_v4(bytes([192, 0, 2, 2]), bytes([192, 0, 2, 1]), 50, 30) + name[4:] + bytes(26)
    assert one.inlet_for(packet, view(packet)) is contract.inlets[0]
    other = packet[:9] + b"\x11" + packet[10:]
    assert one.inlet_for(other, view(other)) is None
    one.remove_inlets(Contract(make_child(GCM), PathLimits(), 0.0))
    assert one.inlets[50] == {name: contract.inlets[0]}
    one.remove_inlets(contract)
    assert one.inlets == {50: {}, 51: {}}
