# SPDX-License-Identifier: Apache-2.0
"""Packets that wait: their order, their bounds, their end."""

from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.datapath.acquire import Holding, kind_of
from ringfence.datapath.limits import HoldLimits
from ringfence.datapath.verdict import Drop
from ringfence.net.flow import FlowKey
from ringfence.testing.contracts import make_entry

A, B, C = (bytes([10, 0, 0, last]) for last in (1, 2, 3))
FLOW, OTHER = FlowKey(A, B, 6, 1, 2), FlowKey(A, C, 6, 1, 2)
KIND, OTHER_KIND = ("rule", A, B), ("rule", A, C)
NET = Selector.between("10.0.0.0/24", "10.0.0.0/24")


def test_a_kind_is_a_pair_of_hosts_or_a_tunnel():
    assert kind_of(make_entry(NET), FLOW) == KIND
    assert kind_of(make_entry(NET), FLOW._replace(source_port=9)) == KIND
    tunnel = make_entry(NET, mode=Mode.TUNNEL)
    assert kind_of(tunnel, FLOW) == kind_of(tunnel, OTHER) == ("rule", b"", b"")


def test_only_the_first_of_a_kind_asks():
    holding = Holding(HoldLimits())
    assert [holding.add(KIND, FLOW, bytes([n]), 0.0) for n in range(3)] == [True, False, False]
    assert holding.add(OTHER_KIND, OTHER, b"x", 0.0) is True
    assert (len(holding), holding.octets) == (4, 4)
    assert holding.kinds("rule") == [KIND, OTHER_KIND]
    assert holding.kinds() == [KIND, OTHER_KIND]
    assert holding.kinds("another") == []
    assert holding.flows(KIND) == [FLOW] * 3
    assert [held.packet for held in holding.take(KIND)] == [b"\0", b"\1", b"\2"]
    assert holding.take(KIND) == []
    assert (len(holding), holding.octets) == (1, 1)
    assert holding.add(KIND, FLOW, b"", 1.0) is True


def test_every_bound():
    holding = Holding(HoldLimits(packets=2, octets=100, all_octets=150, kinds=2))
    assert holding.add(KIND, FLOW, bytes(101), 0.0) is Drop.HOLD_FULL
    assert len(holding.kinds()) == 0
    assert holding.add(KIND, FLOW, bytes(60), 0.0) is True
    assert holding.add(KIND, FLOW, bytes(41), 0.0) is Drop.HOLD_FULL
    assert holding.add(KIND, FLOW, bytes(40), 0.0) is False
    assert holding.add(KIND, FLOW, b"", 0.0) is Drop.HOLD_FULL
    assert holding.add(OTHER_KIND, OTHER, bytes(51), 0.0) is Drop.HOLD_FULL
    assert holding.add(OTHER_KIND, OTHER, bytes(49), 0.0) is True
    assert holding.add(OTHER_KIND, OTHER, bytes(2), 0.0) is Drop.HOLD_FULL
    assert holding.add(("third", A, B), FLOW, b"", 0.0) is Drop.HOLD_FULL


def test_nothing_waits_for_ever():
    holding = Holding(HoldLimits(seconds=30))
    holding.add(KIND, FLOW, b"a", 0.0)
    holding.add(KIND, FLOW, b"b", 10.0)
    holding.add(OTHER_KIND, OTHER, b"c", 5.0)
    assert holding.next_timer() == 30.0
    assert holding.expire(29.0) == []
    assert [held.packet for held in holding.expire(35.0)] == [b"a", b"c"]
    assert holding.next_timer() == 40.0
    assert holding.add(OTHER_KIND, OTHER, b"d", 36.0) is True  # its kind was gone, so it asks again
    assert holding.add(KIND, FLOW, b"e", 36.0) is False
    assert len(holding.expire(100.0)) == 3
    assert (len(holding), holding.octets, holding.next_timer()) == (0, 0, None)


def test_after_a_failure_there_is_a_pause():
    holding = Holding(HoldLimits(retry_seconds=1, kinds=2))
    holding.refuse(KIND, 0.0)
    assert holding.add(KIND, FLOW, b"a", 0.9) is Drop.NO_SA
    assert holding.add(OTHER_KIND, OTHER, b"a", 0.9) is True
    assert holding.add(KIND, FLOW, b"a", 1.0) is True
    holding.take(KIND)
    holding.refuse(KIND, 5.0)
    holding.forgive("another")
    assert holding.add(KIND, FLOW, b"a", 5.0) is Drop.NO_SA
    holding.forgive("rule")
    assert holding.add(KIND, FLOW, b"a", 5.0) is True


def test_refusals_are_bounded_too():
    holding = Holding(HoldLimits(kinds=2))
    kinds = [(str(number), A, B) for number in range(3)]
    for kind in kinds:
        holding.refuse(kind, 0.0)
    assert holding.add(kinds[2], FLOW, b"", 0.0) is True
    holding.take(kinds[2])
    holding.refuse(kinds[2], 2.0)  # the others are over
    assert holding.add(kinds[2], FLOW, b"", 2.0) is Drop.NO_SA
    holding.forgive()
    assert holding.add(kinds[2], FLOW, b"", 2.0) is True
