# SPDX-License-Identifier: Apache-2.0
"""From a packet to what is negotiated for it."""

from dataclasses import replace

import pytest

from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.effects import AcquireFailed, SendMessage
from ringfence.ike.engine import IkeEngine
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.pursuit import path_for, sayable
from ringfence.net.address import PortRange, parse_address
from ringfence.net.flow import TCP, FlowKey
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
TUNNEL = POLICY.with_(mode=Mode.TUNNEL, local_net="10.1.0.0/16", remote_net="10.2.0.0/16")


def flow(source="192.0.2.1", destination="192.0.2.2", ports=(40000, 80)):
    return FlowKey(parse_address(source), parse_address(destination), TCP, *ports)


def entry_of(policy, **selector):
    (entry,) = policy.compiled()[0]
    return replace(entry, selector=replace(entry.selector, **selector))


def test_between_whom():
    transport, tunnel = entry_of(POLICY).processing, entry_of(TUNNEL).processing
    assert path_for(transport, flow()) == path_between("192.0.2.1", "192.0.2.2")
    inner = flow("10.1.0.5", "10.2.0.6")
    assert path_for(tunnel, inner) == path_between("192.0.2.1", "192.0.2.2")
    assert path_for(replace(tunnel, tunnel_local=None), flow("192.0.2.9")) == path_between("192.0.2.9", "192.0.2.2")
    with pytest.raises(Refused, match="no remote end"):
        path_for(replace(tunnel, tunnel_remote=None), inner)


def test_transport_is_negotiated_host_by_host_and_a_tunnel_as_a_whole():
    wide = entry_of(POLICY.with_(remote_net="192.0.2.0/24"))
    assert sayable(wide, wide.processing, flow()) == Selector.between("192.0.2.1", "192.0.2.2")
    tunnel = entry_of(TUNNEL)
    assert sayable(tunnel, tunnel.processing, flow("10.1.0.5", "10.2.0.6")) == tunnel.selector


def test_a_range_of_ports_is_negotiated_port_by_port():
    entry = entry_of(POLICY, protocol=TCP, destination_ports=PortRange(80, 90))
    said = sayable(entry, entry.processing, flow())
    assert (said.source_ports, said.destination_ports) == (PortRange(), PortRange.one(80))
    with pytest.raises(Refused) as error:
        sayable(entry, entry.processing, flow(ports=(None, None)))
    assert error.value.reason is Reason.WRONG_SELECTORS


def engine(policy=POLICY):
    made = IkeEngine(random=SeededRandom(0))
    made.apply(*policy.compiled(), 0.0)
    return made


def kinds(effects):
    return [type(effect) for effect in effects if isinstance(effect, SendMessage | AcquireFailed)]


def test_one_main_mode_for_all_packets():
    made = engine()
    assert kinds(made.acquire(ENTRY, flow(), 0.0)) == [SendMessage]
    assert kinds(made.acquire(ENTRY, flow(ports=(1, 2)), 0.0)) == []
    assert len(made.ike_sas()) == 1


def test_everybody_is_told_when_it_comes_to_nothing():
    made = engine()
    made.acquire(ENTRY, flow(), 0.0)
    made.acquire(ENTRY, flow(ports=(1, 2)), 0.0)
    effects = []
    while (timer := made.next_timer()) is not None:
        effects += made.tick(timer)
    failed = [effect for effect in effects if isinstance(effect, AcquireFailed)]
    assert [one.flow for one in failed] == [flow(), flow(ports=(1, 2))]
    assert {one.reason for one in failed} == {"peer-silent"}
    assert kinds(made.acquire(ENTRY, flow(), 100.0)) == [SendMessage]


def test_shut_down_tells_who_waits():
    made = engine()
    made.acquire(ENTRY, flow(), 0.0)
    (failed,) = [effect for effect in made.shut_down(1.0) if isinstance(effect, AcquireFailed)]
    assert failed.reason == "shut-down"
    assert made.next_timer() is None
