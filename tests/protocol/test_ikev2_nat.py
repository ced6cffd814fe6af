# SPDX-License-Identifier: Apache-2.0
"""NAT between two hosts that speak IKEv2, or between several and one (RFC 7296 §2.23)."""

from dataclasses import replace

import pytest

from protocol.pairs import start
from protocol.test_nat import CLIENT as FIRST
from protocol.test_nat import INNER, OUTER, SERVER, TUNNEL, Street, fits, paths, said
from protocol.test_nat import SERVES as ANSWERS
from ringfence.audit import MainModeFailed, QuickModeFailed
from ringfence.databases.identity import Identity
from ringfence.databases.pad import ThroughNat
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.v2 import child
from ringfence.net.address import Endpoint, format_address, parse_address
from ringfence.testing.hosts import AH_SHA256, ENTRY, ESP_GCM, HostPolicy, method
from ringfence.testing.nat import MemoryNat
from ringfence.testing.network import MemoryNetwork

CLIENT, SERVES = FIRST.with_(keying=(2,)), ANSWERS.with_(keying=(2,))
PUBLIC, BEHIND, SECOND = "203.0.113.1", "10.1.1.1", "192.168.1.3"
LOOKS = "N(NAT_DETECTION_SOURCE_IP) N(NAT_DETECTION_DESTINATION_IP)"


def street(client=CLIENT, server=SERVES, nats=None):
    return Street(client, server, nats)


def renew(both, *hosts):
    for host in hosts:
        (one,) = host.engine.child_sas()
        both.network.do(host, host.engine.rekey_child(one.id, both.network.now, "test"))


@pytest.mark.parametrize("mode", Mode)
def test_a_client_behind_nat(mode):
    nets = {"local_net": INNER, "remote_net": SERVER} if mode is Mode.TUNNEL else {}
    back = {"local_net": SERVER, "remote_net": INNER} if mode is Mode.TUNNEL else {}
    both = street(CLIENT.with_(mode=mode, **nets), SERVES.with_(mode=mode, **back))
    ours, theirs = both.begin()
    assert fits(ours, theirs)
    assert fits(theirs, ours)
    (there,), (back_path,) = paths(ours), paths(theirs)
    assert (str(there.local), str(there.remote)) == (f"{INNER}:4500", f"{SERVER}:4500")
    assert str(back_path.local) == f"{SERVER}:4500"
    assert format_address(back_path.remote.address) == OUTER
    assert back_path.remote.port not in (500, 4500)
    assert (ours.outbound[-1].keepalive, theirs.outbound[-1].keepalive) == (True, False)
    assert theirs.peer == Identity.parse(INNER), "who names itself by the address that it has"
    if mode is Mode.TRANSPORT:
        assert theirs.selector == Selector.between(SERVER, OUTER), "the address that the server sees (§2.23.1)"
        assert ours.selector == Selector.between(INNER, SERVER)
    assert [path.local.port for _, path, _ in both.network.seen] == [500, 500, 4500, 4500]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("who", ["client", "server"])
def test_contracts_are_renewed_through_it(mode, who):
    nets = {"local_net": INNER, "remote_net": SERVER} if mode is Mode.TUNNEL else {}
    back = {"local_net": SERVER, "remote_net": INNER} if mode is Mode.TUNNEL else {}
    both = street(CLIENT.with_(mode=mode, **nets), SERVES.with_(mode=mode, **back))
    before = both.begin()
    renew(both, getattr(both, who))
    both.network.run(20)
    ours, theirs = both.client.using(), both.server.using()
    assert ours.id != before[0].id
    assert fits(ours, theirs)
    assert fits(theirs, ours)
    assert (ours.selector, theirs.selector) == (before[0].selector, before[1].selector)
    assert paths(ours) == paths(before[0])
    assert paths(theirs) == paths(before[1])
    assert not both.client.of(QuickModeFailed)
    assert not both.server.of(QuickModeFailed)


@pytest.mark.parametrize("again", [False, True], ids=["first", "renewed"])
def test_a_server_that_names_both_ends_as_it_sees_them(monkeypatch, again):
    """As strongSwan does: its answer is about the address that the NAT gave us (§2.23.1)."""
    monkeypatch.setattr(child, "_as_said", lambda selector, _seen, _asked: selector)
    both = street()
    both.begin()
    if again:
        renew(both, both.client)
        both.network.run(20)
    ours, theirs = both.client.using(), both.server.using()
    assert not both.client.of(QuickModeFailed)
    assert fits(ours, theirs)
    assert ours.selector == Selector.between(INNER, SERVER)
    assert theirs.selector == Selector.between(SERVER, OUTER)


def test_a_server_behind_nat():
    both = street(
        HostPolicy("192.0.2.7", PUBLIC, keying=(2,)), HostPolicy(BEHIND, "192.0.2.7", keying=(2,)),
        [MemoryNat(PUBLIC, [BEHIND], forward_to=BEHIND)],
    )  # fmt: skip
    ours, theirs = both.begin()
    assert fits(ours, theirs)
    assert fits(theirs, ours)
    assert (ours.outbound[-1].keepalive, theirs.outbound[-1].keepalive) == (False, True)
    assert theirs.selector == Selector.between(BEHIND, "192.0.2.7")
    assert ours.selector == Selector.between("192.0.2.7", PUBLIC)


@pytest.mark.parametrize("mode", Mode)
def test_both_behind_nat(mode):
    nets = {"local_net": "10.8.0.0/24", "remote_net": "10.9.0.0/24"} if mode is Mode.TUNNEL else {}
    back = {"local_net": "10.9.0.0/24", "remote_net": "10.8.0.0/24"} if mode is Mode.TUNNEL else {}
    nats = [MemoryNat(OUTER, [INNER]), MemoryNat(PUBLIC, [BEHIND], forward_to=BEHIND)]
    both = street(
        HostPolicy(INNER, PUBLIC, keying=(2,), mode=mode, **nets),
        HostPolicy(BEHIND, OUTER, keying=(2,), mode=mode, **back), nats,
    )  # fmt: skip
    ours, theirs = both.begin()
    assert fits(ours, theirs)
    assert fits(theirs, ours)
    assert ours.outbound[-1].keepalive
    assert theirs.outbound[-1].keepalive
    if mode is Mode.TRANSPORT:
        assert (ours.selector, theirs.selector) == (Selector.between(INNER, PUBLIC), Selector.between(BEHIND, OUTER))
    renew(both, both.client)
    both.network.run(20)
    assert fits(both.client.using(), both.server.using())


@pytest.mark.parametrize("through", ThroughNat)
@pytest.mark.parametrize("both_behind", [False, True], ids=["server behind nat", "both behind nat"])
def test_with_whom_a_policy_begins_behind_nat(through, both_behind):
    nats = [MemoryNat(PUBLIC, [BEHIND], forward_to=BEHIND), *([MemoryNat(OUTER, [INNER])] if both_behind else [])]
    here, seen = (INNER, OUTER) if both_behind else ("192.0.2.7", "192.0.2.7")
    both = street(
        HostPolicy(here, PUBLIC, keying=(2,), through_nat=through), HostPolicy(BEHIND, seen, keying=(2,)), nats
    )  # fmt: skip
    if through is ThroughNat.BOTH or (through is ThroughNat.SERVER and not both_behind):
        assert None not in both.begin()
        return
    both.network.acquire(both.client, ENTRY, both.client_policy.flow())
    both.network.run(2)
    (failed,) = both.client.of(MainModeFailed)
    assert failed.reason == "nat-in-between"
    assert not both.client.engine.child_sas()


def test_the_server_follows_a_nat_that_forgets():
    """Without MOBIKE any new message under the keys does, from the same address (§2.23)."""
    both = street()
    _, theirs = both.begin()
    (before,) = paths(theirs)
    both.nats[0].forget()
    renew(both, both.client)
    both.network.run(8)
    (session,) = both.server.engine.ike_sas()
    assert session.path.remote != before.remote
    assert session.path.remote.address == before.remote.address
    assert paths(both.server.using()) == {session.path}
    assert both.server.using().id != theirs.id


def test_an_authentic_packet_moves_it_too():
    both = street()
    ours, theirs = both.begin()
    (session,) = both.server.engine.ike_sas()
    moved = replace(session.path, remote=Endpoint(session.path.remote.address, 31000))
    both.network.do(both.server, both.server.engine.child_moved(theirs.id, moved, both.network.now))
    assert both.server.engine.ike_sas()[0].path == moved
    assert paths(both.server.outbound[theirs.id]) == {moved}
    (before,) = both.client.engine.ike_sas()
    elsewhere = replace(before.path, remote=Endpoint(before.path.remote.address, 9))
    assert both.client.engine.child_moved(ours.id, elsewhere, both.network.now) == []
    assert both.client.engine.ike_sas()[0].path == before.path, "who is not behind NAT does not move"


def test_with_mobike_only_packets_and_updates_move_a_peer_behind_nat():
    """Not a message that says nothing of addresses (RFC 4555 §3.8); a packet moves its port and nothing else."""
    nets, back = {"local_net": INNER, "remote_net": SERVER}, {"local_net": SERVER, "remote_net": INNER}
    both = street(
        CLIENT.with_(mobike=True, own=(INNER,), **TUNNEL, **nets),
        SERVES.with_(mobike=True, own=(SERVER,), roams="0.0.0.0/0", **TUNNEL, **back),
    )  # fmt: skip
    _, theirs = both.begin()
    (session,) = both.server.engine.ike_sas()
    both.nats[0].forget()
    renew(both, both.client)
    both.network.run(0.03)
    assert both.server.engine.ike_sas()[0].path == session.path
    moved = replace(session.path, remote=Endpoint(session.path.remote.address, 31000))
    both.network.do(both.server, both.server.engine.child_moved(theirs.id, moved, both.network.now))
    assert both.server.engine.ike_sas()[0].path == moved
    for elsewhere in (
        replace(moved, remote=Endpoint(parse_address("203.0.113.99"), 4500)),
        replace(moved, local=Endpoint(parse_address("203.0.113.98"), 4500)),
    ):
        both.network.do(both.server, both.server.engine.child_moved(theirs.id, elsewhere, both.network.now))
        assert both.server.engine.ike_sas()[0].path == moved


def test_a_message_played_again_from_elsewhere_moves_nothing():
    both = street()
    both.begin()
    (session,) = both.server.engine.ike_sas()
    for path in (
        replace(session.path, remote=Endpoint(session.path.remote.address, 1)),
        replace(session.path, remote=Endpoint(parse_address("203.0.113.99"), 4500)),
    ):
        for datagram in both.client.sent:
            both.server.engine.receive(datagram, path, both.network.now)
    assert both.server.engine.ike_sas()[0].path == session.path


def test_ah_is_refused_with_a_reason():
    methods = (method(AH_SHA256),)
    both = street(CLIENT.with_(methods=methods), SERVES.with_(methods=methods))
    both.begin()
    (failed,) = both.client.of(QuickModeFailed)
    assert failed.reason == "nat-in-between"
    assert "AH cannot pass" in failed.detail


def test_what_passes_is_taken():
    methods = (method(AH_SHA256), method(ESP_GCM))
    ours, theirs = street(CLIENT.with_(methods=methods), SERVES.with_(methods=methods)).begin()
    assert fits(ours, theirs)


def test_an_identity_that_is_not_the_peers_own_address():
    both = street(CLIENT.with_(local_identity=Identity.parse("192.168.1.99")))
    assert both.begin(10) == (None, None)
    assert {failed.reason for failed in both.server.of(MainModeFailed)} == {"wrong-identity"}


@pytest.mark.parametrize("which", ["client", "server"])
def test_a_policy_without_it_looks_for_nothing(which):
    policies = {"client": CLIENT, "server": SERVES}
    policies[which] = policies[which].with_(nat_traversal=False)
    both = street(*policies.values())
    both.begin(20)
    assert both.client.using() is None or paths(both.client.using()) == {None}
    looking = any(LOOKS in words for sent, _, words in said(getattr(both, which)) if sent)
    assert not looking


@pytest.mark.parametrize("mobike", [False, True])
def test_two_clients_behind_one_nat(mobike):
    """In tunnels, each with its own traffic; a restart of one ends nothing of the other."""
    network = MemoryNetwork()
    network.nats.append(MemoryNat(OUTER, [INNER, SECOND]))
    own = {"own": (SERVER,)} if mobike else {}
    to_clients = SERVES.with_(local_net=SERVER, remote_net="192.168.1.0/24", mobike=mobike, **TUNNEL, **own)
    server = start(network, to_clients, 0)

    def client(local, seed):
        policy = CLIENT.with_(
            local=local, local_net=local, remote_net=SERVER, mobike=mobike, own=(local,) if mobike else (), **TUNNEL
        )  # fmt: skip
        host = start(network, policy, seed)
        network.acquire(host, ENTRY, policy.flow())
        network.run(2)
        return host

    one, two = client(INNER, 0), client(SECOND, 0)
    assert {child.peer for child in server.engine.child_sas()} == {Identity.parse(INNER), Identity.parse(SECOND)}
    assert fits(one.using(), next(each for each in server.outbound.values() if each.peer == Identity.parse(INNER)))
    first = two.using()
    again = client(INNER, "restarted")
    peers = [child.peer for child in server.engine.child_sas()]
    assert peers.count(Identity.parse(SECOND)) == peers.count(Identity.parse(INNER)) == 1
    assert two.using() is first
    assert not two.removed
    network.do(server, server.engine.rekey_child(first_of(server, SECOND).id, network.now, "test"))
    network.run(20)
    assert fits(two.using(), first_of(server, SECOND))
    assert fits(again.using(), first_of(server, INNER))


def first_of(server, address):
    """What the server sends by to one of them."""
    found = [child for child in server.outbound.values() if child.peer == Identity.parse(address)]
    return found[-1]


def test_two_clients_of_transport_mode_do_not_end_each_other():
    """The packet path tells them apart (``datapath/neighbours.py``)."""
    network = MemoryNetwork()
    network.nats.append(MemoryNat(OUTER, [INNER, SECOND]))
    server, hosts = start(network, SERVES, 0), []
    for local in (INNER, SECOND):
        policy = CLIENT.with_(local=local)
        hosts.append(start(network, policy, 0))
        network.acquire(hosts[-1], ENTRY, policy.flow())
        network.run(2)
    network.run(120)
    assert len(server.engine.child_sas()) == 2
    assert len(server.engine.ike_sas()) == 2
    assert [host.removed for host in hosts] == [[], []]
    for host in hosts:
        (one,) = host.engine.child_sas()
        network.do(host, host.engine.rekey_child(one.id, network.now, "test"))
    network.run(60)
    assert len(server.engine.child_sas()) == 2
    for host, local in zip(hosts, (INNER, SECOND), strict=True):
        assert fits(host.using(), first_of(server, local))
        assert fits(first_of(server, local), host.using())


def test_a_day_of_renewals():
    """Both sides renew; the server by the port that the NAT keeps for the client."""
    both = street()
    both.begin()
    both.network.run(3 * 28800)
    assert fits(both.client.using(), both.server.using())
    for host in (both.client, both.server):
        assert not host.of(MainModeFailed)
        assert not host.of(QuickModeFailed)
    assert {path.local.port for when, path, _ in both.network.seen if when > 2} == {4500}
