# SPDX-License-Identifier: Apache-2.0
"""Selectors against their definition: a cube holds a flow when every side of it does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.databases.selector import Selector
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.net.flow import TCP, UDP, FlowKey

FEW = st.integers(0, 7).map(lambda n: bytes((10, 0, 0, n)))
RANGES = st.tuples(FEW, FEW).map(lambda pair: AddressRange(min(pair), max(pair)))
PORTS = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda pair: PortRange(min(pair), max(pair))) | st.just(
    PortRange()
)
PROTOCOLS = st.sampled_from((None, TCP, UDP))
SELECTORS = st.builds(Selector, RANGES, RANGES, PROTOCOLS, PORTS, PORTS)
PORT = st.none() | st.integers(0, 4)
FLOWS = st.builds(FlowKey, FEW, FEW, st.sampled_from((TCP, UDP)), PORT, PORT)


@given(SELECTORS, SELECTORS, FLOWS)
def test_intersection_holds_exactly_what_both_hold(one: Selector, other: Selector, flow: FlowKey) -> None:
    common = one.intersect(other)
    both = flow in one and flow in other
    assert both == (common is not None and flow in common)
    assert one.covers(other) == (common == other)


@given(SELECTORS, FLOWS)
def test_the_reverse_holds_the_answers(selector: Selector, flow: FlowKey) -> None:
    assert (flow in selector) == (flow.reversed() in selector.reversed())
    assert selector.reversed().reversed() == selector


@given(SELECTORS, FLOWS)
def test_narrowing_to_hosts_keeps_the_flow_and_adds_nothing(selector: Selector, flow: FlowKey) -> None:
    if flow in selector:
        narrow = selector.narrowed_to_hosts(flow)
        assert flow in narrow
        assert selector.covers(narrow)
        assert narrow.source.is_host


def test_it_reads_as_people_write_it() -> None:
    port = PortRange.one(80)
    four = Selector(AddressRange.parse("10.0.0.0/8"), AddressRange.parse("10.0.0.9"), TCP, destination_ports=port)
    six = Selector(AddressRange.parse("fd00::/8"), AddressRange.parse("fd00::9"), TCP, destination_ports=port)
    assert str(four) == "10.0.0.0/8 -> 10.0.0.9:80 tcp"
    assert str(six) == "fd00::/8 -> [fd00::9]:80 tcp"
    assert str(Selector.between("10.0.0.1", "10.0.0.2")) == "10.0.0.1 -> 10.0.0.2"


def test_families_do_not_mix() -> None:
    with pytest.raises(ValueError):
        Selector.between("10.0.0.1", "fd00::1")
    flow = FlowKey(parse_address("fd00::1"), parse_address("fd00::2"), TCP, 1, 2)
    assert flow not in Selector.between("0.0.0.0/0", "0.0.0.0/0")
