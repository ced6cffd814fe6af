# SPDX-License-Identifier: Apache-2.0
"""Contracts that go on by other addresses, and what becomes of those that cannot."""

from dataclasses import replace

from protocol.pairs import start
from protocol.roaming import AWAY, CLIENT, ELSEWHERE, GATEWAY, HOME, NAMES, SERVES, Roaming, carries, said

from ringfence.databases.pad import Ends, Pad
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Spd
from ringfence.ike.mobility import ELSEWHERE as WHY
from ringfence.ike.mobility import is_mobile, moved_child
from ringfence.ike.v2.natt import Nat
from ringfence.ike.wishes import Wish
from ringfence.net.address import AddressRange, format_address, parse_address
from ringfence.testing.hosts import ENTRY, HostPolicy
from ringfence.testing.network import path_between

PATH = path_between(AWAY, GATEWAY, 4500)


def test_a_contract_between_other_ends():
    child = Roaming().begin().client.using()
    there = moved_child(child, PATH, None)
    (out,), (into,) = there.outbound, there.inbound
    assert [format_address(one) for one in (out.source, out.destination, into.source, into.destination)] == [
        AWAY, GATEWAY, GATEWAY, AWAY,
    ]  # fmt: skip
    assert out.encapsulation is into.encapsulation is None
    assert (out.cipher_key, out.spi) == (child.outbound[0].cipher_key, child.outbound[0].spi)
    (out,) = moved_child(child, PATH, Nat(local=True, remote=False)).outbound
    assert (out.encapsulation, out.keepalive) == (PATH, True)
    (out,) = moved_child(child, PATH, Nat(local=False, remote=True)).outbound
    assert (out.encapsulation, out.keepalive) == (PATH, False)
    bundle = replace(child, outbound=(*child.outbound, replace(child.outbound[0], protocol=Protocol.AH)))
    assert [sa.encapsulation for sa in moved_child(bundle, PATH, Nat(local=True, remote=True)).outbound] == [None, None]


def test_transport_mode_ends_where_an_end_has_another_address():
    """Both hosts have a tunnel, and something of their own beside it."""
    plain = HostPolicy(HOME, GATEWAY, keying=(2,), mobike=True, own=(HOME,), **NAMES)
    both = Roaming(plain, plain.mirrored().with_(own=(GATEWAY,), roams="0.0.0.0/0")).begin()
    assert both.server.using().mode is Mode.TRANSPORT
    (session,) = both.client.engine._sessions
    assert is_mobile(session)
    both.network.also(both.client, AWAY)
    both.network.do(both.client, session_goes(both.client, AWAY))
    both.run()
    assert [effect.why for effect in both.client.removed] == [WHY]
    assert not both.server.outbound
    assert "D" in " ".join(said(both.client))
    assert len(both.client.engine.ike_sas()) == len(both.server.engine.ike_sas()) == 1


def session_goes(host, address):
    engine = host.engine
    (session,) = engine._sessions
    engine._world.pad = replace(engine._world.pad, own=(parse_address(address),))
    engine._take(session, session.moving.go(parse_address(address)))
    return engine._done()


def test_who_goes_to_where_another_was_gets_nothing_of_what_is_for_that_one():
    """Two peers with one key, told apart by their addresses alone; one of them goes to where the other was."""
    victim, mover = "192.0.2.50", "192.0.2.60"
    spds, ends = [], []
    for number, address in enumerate((victim, mover)):
        policy = HostPolicy(
            GATEWAY, address, local_net="10.2.0.0/24", remote_net=f"10.{number}.0.0/24", mode=Mode.TUNNEL, keying=(2,),
            mobike=True, own=(GATEWAY,),
        )  # fmt: skip
        spd, pad = policy.compiled()
        spds.append(replace(spd.entries[0], name=f"{ENTRY} {number}"))
        ends.append(Ends(AddressRange.parse(address)))
    pad = Pad((replace(pad.entries[0], ends=tuple(ends)),), pad.own)
    evil = policy.mirrored().with_(own=(mover,))
    both = Roaming(evil, policy)
    both.network.do(both.server, both.server.engine.apply(Spd(tuple(spds)), pad, 0.0))
    both.begin()
    both.network.also(both.client, victim)
    both.network.do(both.client, session_goes_as(both.client, victim))
    both.run()
    (sa,) = both.server.engine.ike_sas()
    assert format_address(sa.path.remote.address) == victim, "the policy lets such a peer be there"
    victims_flow = policy.with_(remote=victim, remote_net="10.0.0.0/24").flow()
    before = len(both.server.engine.child_sas())
    both.network.acquire(both.server, f"{ENTRY} 0", victims_flow)
    both.run(1)
    assert len(both.server.engine.child_sas()) == before, "its traffic does not go by the IKE SA of the other"
    greedy = evil.with_(local=victim, local_net="10.0.0.0/24")
    spd, _ = greedy.compiled()
    engine = both.client.engine
    engine._world.spd = spd
    (session,) = [each for each in engine._sessions if each.usable][:1]
    wish = Wish(spd.entries[0], spd.entries[0].selector, session.path, nonce=bytes(32))
    engine._take(session, session.begin_quick(wish))
    both.network.do(both.client, engine._done())
    both.run(1)
    assert "N(TS_UNACCEPTABLE)" in said(both.server)


def session_goes_as(host, address):
    engine = host.engine
    engine._world.pad = replace(
        engine._world.pad, own=(parse_address(address),),
        entries=tuple(replace(one, mobike=True) for one in engine._world.pad),
    )  # fmt: skip
    (session,) = engine._sessions
    engine._take(session, session.moving.go(parse_address(address)))
    return engine._done()


def test_who_comes_to_where_somebody_was_is_nobody_else():
    """A client has gone elsewhere; another one that gets its address has an IKE SA and a contract of its own."""
    both = Roaming().begin()
    both.arrive(AWAY)
    both.run()
    second = CLIENT.with_(local_identity=None)
    assert carries(both)
    other = start(both.network, second, "other")
    both.network.acquire(other, ENTRY, second.flow())
    both.run()
    assert not other.outbound, "the gateway knows no such name"
    assert carries(both)


def test_what_is_wanted_goes_along():
    both = Roaming().begin()
    child = both.client.using()
    both.network.passes = lambda datagram, path: False
    both.network.do(both.client, both.client.engine.rekey_child(child.id, both.network.now, "test"))
    both.run(0.1)
    both.network.passes = lambda datagram, path: True
    both.arrive(ELSEWHERE)
    both.run(20)
    assert carries(both)
    assert both.client.using().id != child.id
    assert format_address(both.client.using().outbound[0].source) == ELSEWHERE


def test_both_may_be_there_for_ever():
    both = Roaming(SERVES.mirrored().with_(roams="", own=(HOME,)), SERVES).begin()
    for _ in range(50):
        both.arrive(AWAY)
        both.run(1)
        both.arrive(HOME)
        both.run(1)
    for host in (both.client, both.server):
        children = host.engine._world.children
        assert len(children) == 1
        assert len(children._outbound) == len(children._by_identity) == len(children._by_key) == 1
        assert len(host.engine._sessions._by_peer._of) == 1
        assert len(host.engine._sessions._by_peer._at) <= 2
