# SPDX-License-Identifier: Apache-2.0
"""XAUTH and mode config between two hosts: users, their addresses, and what must not come of a group's key."""

from dataclasses import replace

import pytest

from protocol.pairs import assert_one_pair, pair, start
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged, MessageIgnored
from ringfence.databases.eap import EapUser, Users
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import Xauth
from ringfence.databases.pool import Asks, Assigned, Pool
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.effects import Assign, Withdraw
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.net.address import AddressRange, parse_address
from ringfence.secret import Secret
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.nat import MemoryNat
from ringfence.testing.network import MemoryNetwork

CLIENT, GATEWAY, INSIDE = "192.0.2.1", "192.0.2.2", "10.1.0.0/16"
POLICY = HostPolicy(CLIENT, GATEWAY, mode=Mode.TUNNEL, local_net=CLIENT, remote_net=INSIDE)
USERS = Users("users.toml", {"alice": Secret(b"open sesame"), "bob": Secret(b"swordfish"), "nobody": Secret(b"")})
POOL = Pool("people", (AddressRange.parse("10.9.0.0/29"),), dns=(parse_address("10.1.0.53"),))
ASKS = Asks((4,))


def as_user(name="alice", password=b"open sesame"):
    return Xauth(user=EapUser(name, Secret(password)))


def apply(host, network, policy, **changes):
    """A policy with what a HostPolicy does not say."""
    entry = {name: changes.pop(name) for name in ("selector", "assigned", "tunnel_remote") if name in changes}
    spd, pad = policy.compiled()
    (one,) = spd
    processing = replace(one.processing, **{k: v for k, v in entry.items() if k != "selector"})
    spd = type(spd)((replace(one, processing=processing, selector=entry.get("selector", one.selector)),))
    pad = replace(pad, entries=tuple(replace(each, **changes) for each in pad))
    network.do(host, host.engine.apply(spd, pad, network.now))


def client(host, network, policy=POLICY, *, xauth=None, asks=None):
    selector = Selector.between("0.0.0.0/0", INSIDE) if asks else policy.selector
    apply(host, network, policy, xauth=xauth, asks=asks, selector=selector, assigned=Assigned.OURS if asks else None)


def gateway(host, network, policy=None, *, users=USERS, pool=None, **changes):
    policy = policy or POLICY.mirrored()
    selector = Selector.between(INSIDE, "10.9.0.0/29") if pool else policy.selector
    apply(host, network, policy, xauth=None if users is None else Xauth(users=users), pool=pool, selector=selector,
          assigned=Assigned.THEIRS if pool else None, **changes)  # fmt: skip


def met(*, xauth=None, asks=None, users=USERS, pool=None, seconds=3, policy=POLICY, link=None):
    both = pair(policy, **({"link": link} if link else {}))
    gateway(both.b, both.network, policy.mirrored(), users=users, pool=pool)
    client(both.a, both.network, policy, xauth=xauth, asks=asks)
    if asks is None:
        both.wish(both.a)
    both.run(seconds)
    return both


def said(host):
    return [(event.sent, event.payloads) for event in host.of(MessageExchanged) if event.exchange == "mode config"]


def of_kind(host, kind):
    return [effect for _, effect in host.timeline if isinstance(effect, kind)]


@pytest.mark.parametrize("aggressive", [False, True])
def test_a_user_is_let_in_by_his_password(aggressive):
    both = met(xauth=as_user(), policy=POLICY.with_(aggressive=aggressive))
    assert_one_pair(both)
    (made,) = both.b.of(MainModeEstablished)
    assert made.remote_identity == "user:alice"
    assert both.b.using().peer == Identity(IdentityKind.USER, b"alice")
    assert said(both.a) == [(False, "HASH ATTR"), (True, "HASH ATTR")] * 2
    assert not any(b"open sesame" in datagram for *_, datagram in both.network.seen)


WRONG = {
    "password": as_user(password=b"open says me"),
    "empty": as_user(password=b""),
    "stranger": as_user("mallory"),
    "without one": as_user("nobody", b""),
    "no name": as_user("", b"open sesame"),
    "longer": as_user(password=b"open sesame" + b"x" * 300),
}


@pytest.mark.parametrize("xauth", WRONG.values(), ids=WRONG)
def test_nobody_else_is(xauth):
    both = met(xauth=xauth, seconds=40)
    assert both.a.using() is None
    assert not both.b.of(MainModeEstablished)
    assert not both.a.of(MainModeEstablished)
    assert both.b.of(MainModeFailed)[0].reason == "wrong-user"
    assert both.a.of(MainModeFailed)[0].reason in ("wrong-user", "refused-by-peer")
    assert not both.b.inbound
    assert both.b.engine.ike_sas() == ()


def test_the_groups_key_alone_is_nobody():
    """A client that knows nothing of users is refused by the method; the gateway never takes the plain one."""
    both = met(seconds=10)
    assert both.a.using() is None
    assert both.b.of(MainModeFailed)[0].reason == "no-proposal-in-common"


def test_a_gateway_that_asks_for_nobody_gets_no_password():
    """Nor does a client that has a user take a gateway that lets everybody in."""
    both = met(xauth=as_user(), users=None, seconds=10)
    assert both.a.using() is None
    assert not said(both.a)


def test_before_a_user_has_proved_himself_there_is_no_quick_mode():
    """The client skips the question and goes on as if it had been let in: the gateway does not even listen."""
    both = pair(POLICY)
    gateway(both.b, both.network)
    client(both.a, both.network, xauth=as_user())
    both.network.passes = lambda datagram, _path: header(datagram).exchange != Exchange.TRANSACTION
    both.wish(both.a)
    both.run(1)
    (session,) = both.a.engine._sessions
    made = session._rounds._made
    assert made is not None
    session._rounds._finish(made)
    both.network.do(both.a, both.a.engine._pursuit.pursue(next(iter(both.a.engine._world.wishes))) or [])
    both.a.engine._take(session, session._voice.drain())
    both.network.do(both.a, both.a.engine._done())
    both.run(0.5)
    assert any(event.exchange == "quick mode" for event in both.a.of(MessageExchanged)), "it tried"
    assert not both.b.inbound
    assert any("not over" in event.detail for event in both.b.of(MessageIgnored))
    both.run(60)
    assert not both.b.of(MainModeEstablished)
    assert both.b.of(MainModeFailed)


def header(datagram):
    return Header.decode(datagram[:HEADER_OCTETS])


def another_rule(host, network):
    """The gateway has a second rule for the same peers, with the same key, that asks for no user."""
    (spd, pad), (entry,), name = POLICY.mirrored().compiled(), host.engine._world.pad.entries, "without users"
    other, web = replace(pad.entries[0], name=name), replace(spd.entries[0], name=name, peer=name)
    spd = type(spd)((*host.engine._world.spd, web))
    network.do(host, host.engine.apply(spd, replace(pad, entries=(entry, other)), 0.0))


def test_a_rule_for_users_serves_nobody_who_came_in_by_one_without():
    """Who needs no password for the one rule gets nothing of the other by it."""
    both = pair(POLICY)
    gateway(both.b, both.network)
    another_rule(both.b, both.network)
    users, _ = both.b.engine._world.pad.entries
    client(both.a, both.network)
    both.wish(both.a)
    both.run(3)
    (session,) = both.b.engine._sessions
    assert session.entry.name == "without users"
    assert not session.serves(users)
    assert session.serves(session.entry)


def test_nor_does_it_let_in_by_another_rule_whom_it_does_not_want():
    """The method says that a user follows; that is not forgotten because another rule takes the identity."""
    both = pair(POLICY)
    gateway(both.b, both.network, remote_identity=Identity.parse("@group"))
    another_rule(both.b, both.network)
    client(both.a, both.network, xauth=as_user())
    both.wish(both.a)
    both.run(5)
    assert not both.b.of(MainModeEstablished)
    assert both.b.of(MainModeFailed)[0].reason == "wrong-identity"


def test_a_message_played_again_lets_nobody_in():
    both = met(xauth=as_user())
    count = len(both.b.of(MainModeEstablished))
    for _, path, datagram in list(both.network.seen):
        both.network.inject(datagram, path)
    both.run(1)
    assert len(both.b.of(MainModeEstablished)) == count
    assert_one_pair(both)


@pytest.mark.parametrize("users", [None, USERS], ids=["alone", "with a user"])
def test_an_address_of_a_pool(users):
    both = met(xauth=as_user() if users else None, users=users, pool=POOL, asks=ASKS)
    (given,) = of_kind(both.a, Assign)
    assert given.given.addresses == (parse_address("10.9.0.1"),)
    assert given.given.dns == (parse_address("10.1.0.53"),)
    assert_one_pair(both)
    assert both.a.using().selector == Selector.between("10.9.0.1", INSIDE)
    assert both.b.using().selector == Selector.between(INSIDE, "10.9.0.1")


def test_who_asks_for_no_address_gets_no_traffic():
    both = pair(POLICY)
    gateway(both.b, both.network, pool=POOL)
    client(both.a, both.network, POLICY.with_(local_net="10.9.0.5"), xauth=as_user())
    both.wish(both.a)
    both.run(5)
    assert len(both.b.of(MainModeEstablished)) == 1
    assert not both.b.inbound


def test_an_address_that_is_another_users_is_not_served():
    """Two users behind one NAT know the same group key; each has his own address, and no other."""
    network, inner = MemoryNetwork(), ("192.168.1.2", "192.168.1.3")
    network.nats.append(MemoryNat("198.51.100.1", list(inner)))
    policies = [HostPolicy(one, GATEWAY, mode=Mode.TUNNEL, local_net=one, remote_net=INSIDE) for one in inner]
    serves = HostPolicy(GATEWAY, "198.51.100.1", mode=Mode.TUNNEL, local_net=INSIDE, remote_net="10.9.0.0/29")
    server = start(network, serves, 0)
    gateway(server, network, serves, pool=POOL, remote_identity=Identity.parse("@group"))
    hosts = []
    for policy, name in zip(policies, ("alice", "bob"), strict=True):
        policy = policy.with_(local_identity=Identity.parse("@group"))
        hosts.append(start(network, policy, name))
        client(hosts[-1], network, policy, xauth=as_user(name, USERS.passwords[name].reveal()), asks=ASKS)
        network.run(3)
    network.run(30)
    made = {child.peer: child.selector.destination for child in server.engine.child_sas()}
    assert made == {
        Identity(IdentityKind.USER, b"alice"): AddressRange.parse("10.9.0.1"),
        Identity(IdentityKind.USER, b"bob"): AddressRange.parse("10.9.0.2"),
    }
    assert len(server.engine.ike_sas()) == 2
    assert all(host.using() is not None for host in hosts)


def test_it_is_withdrawn_with_the_ike_sa_and_given_again():
    both = met(xauth=as_user(), pool=POOL, asks=ASKS)
    (info,) = both.a.engine.ike_sas()
    both.network.do(both.a, both.a.engine.delete_ike(info.id, both.network.now, "test"))
    assert of_kind(both.a, Withdraw)
    both.run(10)
    given = [effect.given.addresses for effect in of_kind(both.a, Assign)]
    assert len(given) == 2
    assert len(set(given)) == 1


def test_a_full_pool_gives_nothing():
    both = met(xauth=as_user(), pool=replace(POOL, excluded=POOL.ranges), asks=ASKS, seconds=10)
    assert both.a.using() is None
    assert both.a.of(MainModeFailed)[0].reason == "no-address"


def test_loss_changes_nothing():
    both = pair(POLICY)
    gateway(both.b, both.network, pool=POOL)
    lost = set()

    def passes(datagram, _path):
        if header(datagram).exchange == Exchange.TRANSACTION and datagram not in lost:
            lost.add(datagram)
            return False
        return True

    both.network.passes = passes
    client(both.a, both.network, xauth=as_user(), asks=ASKS)
    both.run(30)
    assert len(lost) >= 6
    assert_one_pair(both)


def test_a_day_of_renewals():
    both = met(xauth=as_user(), pool=POOL, asks=ASKS)
    both.run(2 * 28800)
    assert_one_pair(both)
    assert not both.b.of(MainModeFailed)
