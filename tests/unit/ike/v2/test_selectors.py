# SPDX-License-Identifier: Apache-2.0
"""Traffic selectors: how they are said, what is granted, what is accepted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.selector import Selector
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.v2.payloads import TrafficSelector, TsInitiatorPayload, TsResponderPayload
from ringfence.ike.v2.selectors import answered, narrowed, packet, pairs, said, side, sides, with_packet
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.net.flow import FlowKey

NETS = Selector.between("10.1.0.0/16", "10.2.0.0/16")
FLOW = FlowKey(parse_address("10.1.2.3"), parse_address("10.2.3.4"), 6, 40000, 443)


def addresses(octets):
    return st.tuples(st.binary(min_size=octets, max_size=octets), st.binary(min_size=octets, max_size=octets)).map(
        lambda two: AddressRange(min(two), max(two))
    )


ports = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda two: PortRange(min(two), max(two)))
selectors = st.sampled_from((4, 16)).flatmap(
    lambda octets: st.builds(
        Selector, addresses(octets), addresses(octets), st.none() | st.integers(1, 255), ports, ports
    )
)


@settings(deadline=None)
@given(selectors)
def test_what_is_said_is_understood(selector):
    assert pairs(*said((selector,))) == [selector]


@settings(deadline=None)
@given(selectors, selectors)
def test_narrowing_grants_only_what_both_want(wanted, policy):
    granted = narrowed((wanted,), policy)
    assert granted == wanted.intersect(policy)
    if granted is not None:
        assert answered((granted,), (wanted,)) == granted


def test_the_packet_comes_first():
    first, all_ = with_packet(NETS, FLOW)
    assert str(first) == "10.1.2.3:40000 -> 10.2.3.4:443 TCP" or FLOW in first
    assert all_ == NETS
    assert packet(NETS, FLOW) == first
    assert with_packet(NETS, None) == (NETS,)
    assert with_packet(Selector.between("10.9.0.0/16", "10.2.0.0/16"), FLOW)[0].source.version == 4


def test_a_responder_grants_the_broadest_with_the_packet():
    policy = Selector.between("10.1.0.0/17", "10.2.0.0/17")
    assert narrowed(with_packet(NETS, FLOW), policy) == policy
    assert narrowed(with_packet(NETS, FLOW), Selector.between("10.1.128.0/17", "10.2.0.0/16")) is None


def test_an_initiator_takes_what_has_its_packet():
    asked = with_packet(NETS, FLOW)
    one, other = Selector.between("10.1.9.0/24", "10.2.0.0/16"), Selector.between("10.1.2.0/24", "10.2.0.0/16")
    assert answered((one, other), asked) == other
    for wrong in ((one,), (Selector.between("10.0.0.0/8", "10.2.0.0/16"),)):
        with pytest.raises(Refused) as raised:
            answered(wrong, asked)
        assert raised.value.reason is Reason.WRONG_SELECTORS


def test_what_means_nothing_is_passed_over():
    opaque = TrafficSelector(7, 0, bytes.fromhex("ffff0000 0a000001 0a000001"))
    unknown = TrafficSelector(99, 0, b"?")
    good = side(NETS.source, None, PortRange())
    assert len([*sides(TsInitiatorPayload((opaque, unknown, good)))]) == 1
    with pytest.raises(Refused):
        pairs(TsInitiatorPayload((opaque,)), TsResponderPayload((good,)))
    six = side(AddressRange.parse("fd00::/8"), None, PortRange())
    with pytest.raises(Refused):
        pairs(TsInitiatorPayload((six,)), TsResponderPayload((good,)))
