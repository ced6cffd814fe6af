# SPDX-License-Identifier: Apache-2.0
"""A contract's own facts: what fits, what it did, what it takes over."""

from dataclasses import replace
from itertools import count
from random import Random

import pytest

from ringfence.crypto.suites import Encryption
from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.datapath.contract import ChildStatistics, Contract
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.pmtu import TooBigNotice
from ringfence.datapath.verdict import Deliver, Drop
from ringfence.net.address import Endpoint, Path, PortRange, parse_address
from ringfence.net.ip import build_v4
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import joined, make_child

GCM = esp_suite(Encryption.AES_GCM_16)


def contract(**words):
    return Contract(make_child(GCM, **words), PathLimits(), 5.0)


def test_what_fits_follows_the_path():
    one = contract(mode=Mode.TUNNEL)
    assert one.route.limit == one.limit(20) == 1500 - 20 - 8 - 8 - 16 - 2
    one.path_mtu.learn(TooBigNotice(b"", Protocol.ESP, 1, 1000, 1500), 0.0)
    one.measure()
    assert one.route.limit == 1000 - 20 - 8 - 8 - 16 - 2
    assert contract(local="2001:db8::1", remote="2001:db8::2").path_mtu._least == 1280


def test_padding_that_does_not_fit():
    assert not contract(mode=Mode.TUNNEL, tfc_octets=1400).padded_over
    assert contract(mode=Mode.TUNNEL, tfc_octets=1500).padded_over


def test_whether_ports_matter():
    hosts = make_child(GCM).selector
    web = Selector(hosts.source, hosts.destination, 6, destination_ports=PortRange.one(80))
    assert contract(selector=web).ported
    assert not contract().ported


def test_statistics():
    one = contract(hard=Limits(packets=9))
    assert one.statistics() == ChildStatistics(0, 0, 0, 0, 5.0, None, 1500)
    one.out.spend(2, 200, 6.0)
    one.into.spend(3, 300, 7.0)
    assert one.statistics() == ChildStatistics(3, 2, 300, 200, 5.0, 7.0, 1500)


def test_one_takes_over_from_another():
    old, new, stranger = contract(), contract(hard=Limits(packets=9)), contract(number=2)
    old.install_inbound()
    old.install_outbound(Random(1).randbytes, count().__next__)
    old.out.spend(2, 200, 6.0)
    new.succeed(old)
    assert (new.outlet, new.inlets) == (old.outlet, old.inlets)
    assert all(inlet.contract is new for inlet in new.inlets)
    assert (new.out.packets, new.out.hard.packets) == (2, 9)
    outlet = new.outlet
    new.install_inbound()
    new.install_outbound(Random(1).randbytes, count().__next__)
    assert new.outlet is outlet
    stranger.succeed(new)
    assert (stranger.outlet, stranger.inlets) == (None, [])


def gone_to(child, local, remote, path=None):
    """The same contract between other ends, in UDP or not."""
    here, there = parse_address(local), parse_address(remote)

    def moved(sas, source, destination):
        found = [replace(sa, source=source, destination=destination) for sa in sas]
        return (*found[:-1], replace(found[-1], encapsulation=path))

    return replace(child, outbound=moved(child.outbound, here, there), inbound=moved(child.inbound, there, here))


@pytest.mark.parametrize("suites", [(GCM,), (AH_SUITES[2],)], ids=str)
def test_a_contract_that_moves_goes_on_counting(suites):
    """No sequence number, and so no IV, comes twice under one key; nothing that came in comes in again."""
    child = make_child(*suites, mode=Mode.TUNNEL)
    left, right = joined(child)
    packet = build_v4(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 17, 8) + bytes(8)
    sent = [left.outbound([packet], float(now))[0].packets[0] for now in range(3)]
    assert all(isinstance(one, Deliver) for one in right.inbound(sent[:2], 3.0))
    there = gone_to(child, "198.51.100.7", "192.0.2.2")
    left.install_inbound(there, 4.0)
    assert left.install_outbound(there, 4.0) == []
    (back,) = right.children()
    back = gone_to(back, "192.0.2.2", "198.51.100.7")
    right.install_inbound(back, 4.0)
    right.install_outbound(back, 4.0)
    (after,) = left.outbound([packet], 5.0)[0].packets
    assert after[12:20] == parse_address("198.51.100.7") + parse_address("192.0.2.2")
    numbers = [int.from_bytes(one[at : at + 4]) for one in (*sent, after) for at in (24 if suites[0] is GCM else 28,)]
    assert numbers == [1, 2, 3, 4]
    assert isinstance(right.inbound([after], 6.0)[0], Deliver)
    assert isinstance(right.inbound([sent[2]], 6.0)[0], Deliver), "it was on its way"
    assert [one.reason for one in right.inbound([*sent, after], 6.0)] == [Drop.REPLAYED] * 4
    (answer,) = right.outbound([build_v4(bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1]), 17, 8) + bytes(8)], 7.0)
    assert answer.packets[0][16:20] == parse_address("198.51.100.7")
    assert isinstance(left.inbound(answer.packets, 7.0)[0], Deliver)


def test_into_udp_and_out_of_it():
    child = make_child(GCM, mode=Mode.TUNNEL)
    left, right = joined(child)
    packet = build_v4(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 17, 8) + bytes(8)
    left.outbound([packet], 0.0)
    path = Path(Endpoint(parse_address("10.9.9.9"), 4500), Endpoint(parse_address("192.0.2.2"), 4500))
    for number, where in enumerate((path, None, path), 2):
        there = gone_to(child, "10.9.9.9", "192.0.2.2", where)
        left.install_inbound(there, 1.0)
        left.install_outbound(there, 1.0)
        (sent,) = left.outbound([packet], 2.0)
        assert sent.path == where
        begin = 0 if where else 20
        assert int.from_bytes(sent.packets[0][begin + 4 : begin + 8]) == number
        if where:
            seen = Path(Endpoint(parse_address("192.0.2.2"), 4500), Endpoint(parse_address("203.0.113.1"), 31000))
            (got,) = right.inbound_udp(sent.packets, seen, 2.0)
        else:
            (got,) = right.inbound(sent.packets, 2.0)
        assert isinstance(got, Deliver)


def test_packets_on_their_way_to_the_former_address_come_in_until_the_end():
    child = make_child(GCM, mode=Mode.TUNNEL)
    left, right = joined(child)
    packet = build_v4(bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1]), 17, 8) + bytes(8)
    late = [right.outbound([packet], 0.0)[0].packets[0] for _ in range(2)]
    there = gone_to(child, "198.51.100.7", "192.0.2.2")
    left.install_inbound(there, 1.0)
    assert isinstance(left.inbound(late[:1], 1.0)[0], Deliver)
    left.remove(child.id)
    assert left.inbound(late[1:], 1.0)[0].reason is Drop.UNKNOWN_SPI
    assert not any(left._state.inlets.values())


def test_other_keys_are_another_contract():
    old, new = contract(), contract()
    old.install_inbound()
    old.install_outbound(Random(1).randbytes, count().__next__)
    other = make_child(GCM, number=9)
    new.child = replace(gone_to(new.child, "198.51.100.7", "192.0.2.2"), outbound=other.outbound, inbound=other.inbound)
    new.succeed(old)
    assert (new.outlet, new.inlets) == (None, [])
