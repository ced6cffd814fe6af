# SPDX-License-Identifier: Apache-2.0
"""From a packet to what is negotiated for it."""

from dataclasses import replace

import pytest
from protocol.pairs import assert_one_pair, pair

from ringfence.databases.pad import Pad
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Spd
from ringfence.ike.effects import AcquireFailed, SendMessage
from ringfence.ike.engine import IkeEngine
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.wishes import path_for, sayable
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


# With a peer ------------------------------------------------------------------------------------------------------


def made(policy=POLICY):
    both = pair(policy)
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)
    return both


def test_a_wish_whose_peer_is_negotiating_the_same_waits_for_that():
    both = made()
    both.network.do(both.b, both.b.engine.rekey_child(1, both.network.now, ""))
    both.network.passes = lambda datagram, path: path.local.address == both.b.address  # the answer is lost
    both.run(0.5)
    assert kinds(both.a.engine.rekey_child(1, both.network.now, "")) == []
    (wish,) = both.a.engine._world.wishes
    assert wish.waits_for == 2
    both.network.passes = lambda _datagram, _path: True
    both.run(3)
    a, b = assert_one_pair(both)
    assert (a.replaces, b.replaces) == (1, 1)
    assert not list(both.a.engine._world.wishes)


def test_when_the_peers_comes_to_nothing_ours_begins():
    both = made()
    both.network.do(both.b, both.b.engine.rekey_child(1, both.network.now, ""))
    both.run(0.011)
    both.network.do(both.a, both.a.engine.rekey_child(1, both.network.now, ""))
    (b,) = both.b.engine._sessions
    both.network.do(both.b, b.delete(()))
    (session,) = both.a.engine._sessions
    (running,) = session._talk.quick.values()
    session._talk.fail(running, Refused(Reason.NO_PROPOSAL, "made up"), tell=True)
    both.a.engine._take(session, session._voice.drain())
    both.network.do(both.a, both.a.engine.tick(both.network.now))
    both.run(3)
    a, _ = assert_one_pair(both)
    assert a.id == 3


def test_what_is_about_to_be_used_is_not_wished_again():
    both = made()
    (session,) = both.a.engine._sessions
    session.agreed = replace(session.agreed, vendors=frozenset())  # a peer whose readiness nobody knows
    both.network.do(both.a, both.a.engine.rekey_child(1, both.network.now, ""))
    both.run(0.5)
    assert kinds(both.a.engine.acquire(ENTRY, POLICY.flow(), both.network.now)) == []
    assert kinds(both.a.engine.rekey_child(2, both.network.now, "")) == []
    assert kinds(both.a.engine.rekey_child(1, both.network.now, "")) == []
    assert both.a.using().id == 1
    both.run(5)
    assert both.a.using().id == 2


def test_a_packet_that_finds_no_usable_contract_gets_a_successor():
    both = made()
    both.network.acquire(both.a, ENTRY, POLICY.flow())
    both.run(1)
    a, _ = assert_one_pair(both)
    assert a.replaces == 1


def test_a_renewal_that_is_refused_is_tried_again_later():
    both = made()
    world = both.b.engine._world
    spd, world.spd = world.spd, Spd()
    both.network.do(both.a, both.a.engine.rekey_child(1, both.network.now, ""))
    both.run(1)
    assert both.a.using().id == 1
    world.spd = spd
    both.run(11)
    a, _ = assert_one_pair(both)
    assert a.replaces == 1


def test_how_the_peer_authenticates_must_be_known():
    spd, _ = POLICY.compiled()
    made = IkeEngine(random=SeededRandom(0))
    made.apply(spd, Pad(), 0.0)
    (failed,) = [effect for effect in made.acquire(ENTRY, flow(), 0.0) if isinstance(effect, AcquireFailed)]
    assert failed.reason == "no-policy"
    assert '"peers"' in failed.detail


def test_suspicions_are_followed_once_in_a_while():
    both = made()
    (session,) = both.a.engine._sessions
    for _ in range(3):
        both.a.engine._pursuit.suspect(session)
    assert len(both.a.engine.ike_sas()) == 2
    both.run(1)
    (record,) = both.a.engine._world.children
    both.a.engine._pursuit.suspect_child(record)
    assert len(both.a.engine.ike_sas()) == 2
    both.run(40)
    both.network.do(both.a, both.a.engine.tick(both.network.now))
    both.a.engine._pursuit.suspect_child(record)
    assert any(info.made_at is None for info in both.a.engine.ike_sas())
