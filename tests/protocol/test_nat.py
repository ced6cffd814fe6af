# SPDX-License-Identifier: Apache-2.0
"""NAT between two hosts, or between several and one (RFC 3947)."""

from dataclasses import replace

import pytest

from protocol.pairs import start
from ringfence.audit import MainModeFailed, MessageExchanged, QuickModeFailed
from ringfence.databases.identity import Identity
from ringfence.databases.pad import ThroughNat
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.header import HEADER_OCTETS, Header
from ringfence.ike.payload import decode_chain
from ringfence.ike.v1 import natt
from ringfence.ike.v1.payloads import REGISTRY
from ringfence.net.address import Endpoint, format_address, parse_address
from ringfence.testing.hosts import AH_SHA256, ENTRY, ESP_GCM, HostPolicy, method
from ringfence.testing.nat import MemoryNat
from ringfence.testing.network import MemoryNetwork

INNER, OUTER, SERVER = "192.168.1.2", "198.51.100.1", "192.0.2.2"
CLIENT = HostPolicy(INNER, SERVER)
SERVES = HostPolicy(SERVER, OUTER)
TUNNEL = {"mode": Mode.TUNNEL}


class Street:
    """A client behind NAT, and a server."""

    def __init__(self, client=CLIENT, server=SERVES, nats=None):
        self.network = MemoryNetwork()
        self.nats = nats or [MemoryNat(OUTER, [client.local])]
        self.network.nats += self.nats
        self.client_policy, self.server_policy = client, server
        self.client, self.server = start(self.network, client, 0), start(self.network, server, 0)

    def begin(self, seconds=2):
        self.network.acquire(self.client, ENTRY, self.client_policy.flow())
        self.network.run(seconds)
        return self.client.using(), self.server.using()


def fits(sender, receiver):
    """What the one seals the other opens."""
    out, into = sender.outbound[-1], receiver.inbound[-1]
    return (out.spi, out.cipher_key, out.mode) == (into.spi, into.cipher_key, into.mode)


def paths(child):
    return {sa.encapsulation for sa in (*child.outbound, *child.inbound)}


def said(host):
    return [(event.sent, event.peer, event.payloads) for event in host.of(MessageExchanged)]


@pytest.mark.parametrize("mode", [Mode.TRANSPORT, Mode.TUNNEL])
def test_a_client_behind_nat(mode):
    nets = {"local_net": INNER, "remote_net": SERVER} if mode is Mode.TUNNEL else {}
    back = {"local_net": SERVER, "remote_net": INNER} if mode is Mode.TUNNEL else {}
    street = Street(CLIENT.with_(mode=mode, **nets), SERVES.with_(mode=mode, **back))
    ours, theirs = street.begin()
    assert fits(ours, theirs)
    assert fits(theirs, ours)
    (there,), (back_path,) = paths(ours), paths(theirs)
    assert str(there.local) == f"{INNER}:4500"
    assert str(there.remote) == f"{SERVER}:4500"
    assert str(back_path.local) == f"{SERVER}:4500"
    assert format_address(back_path.remote.address) == OUTER
    assert back_path.remote.port not in (500, 4500)
    assert ours.outbound[-1].keepalive
    assert not theirs.outbound[-1].keepalive
    assert theirs.peer == Identity.parse(INNER), "who names itself by the address that it has"
    if mode is Mode.TRANSPORT:
        assert theirs.selector == Selector.between(SERVER, OUTER), "the address that the server sees"
        assert ours.selector == Selector.between(INNER, SERVER)


def test_messages_go_by_port_4500_from_the_fifth_on():
    street = Street()
    street.begin()
    ports = [path.local.port for _, path, _ in street.network.seen]
    assert ports == [500] * 4 + [4500] * 5
    words = [text for _, _, text in said(street.client)]
    assert words[2] == "KE NONCE NAT-D NAT-D"
    assert words[6] == "HASH SA NONCE ID ID NAT-OA NAT-OA"
    (session,) = street.server.engine.ike_sas()
    assert session.path.local.port == 4500


def test_the_numbers_of_the_drafts(monkeypatch):
    """Two hosts that know nothing newer."""
    drafts = {number: dialect for number, dialect in natt.NAT_T_IDS.items() if dialect is natt.Dialect.DRAFT}
    monkeypatch.setattr(natt, "NAT_T_IDS", drafts)
    street = Street()
    ours, theirs = street.begin()
    assert fits(ours, theirs)
    third = street.client.sent[1]
    numbers = chain_numbers(third)
    assert numbers == [4, 10, 130, 130]
    assert [len(paths(child)) for child in (ours, theirs)] == [1, 1]


def chain_numbers(datagram):
    header = Header.decode(datagram[:HEADER_OCTETS])
    return [payload.number for payload in decode_chain(header.next_payload, datagram[HEADER_OCTETS:], REGISTRY)]


def test_no_nat_no_encapsulation():
    street = Street(server=SERVES.with_(remote=INNER), nats=[MemoryNat(OUTER, [])])
    ours, _ = street.begin()
    assert paths(ours) == {None}
    assert {path.local.port for _, path, _ in street.network.seen} == {500}


@pytest.mark.parametrize("at", [2, 3])
@pytest.mark.parametrize("place", [-1, -40])
def test_a_bent_word_of_nat_spoils_one_negotiation_at_most(at, place):
    """NAT-D is not authenticated: the two do not differ about NAT as long as a main mode lives."""
    policies = (each.with_(methods=(method(ESP_GCM, AH_SHA256),)) for each in (CLIENT, SERVES.with_(remote=INNER)))
    street = Street(*policies, nats=[MemoryNat(OUTER, [])])

    def passes(datagram, path):
        if len(street.network.seen) != at + 1:
            return True
        bent = bytearray(datagram)
        bent[place] ^= 1
        street.network.inject(bytes(bent), path)
        return False

    street.network.passes = passes
    if None in street.begin(60):
        street.begin(10)
    ours, theirs = street.client.using(), street.server.using()
    assert fits(ours, theirs)
    assert fits(theirs, ours)
    assert paths(ours) == {None}


def with_pad(host, policy, **changes):
    spd, pad = policy.compiled()
    return host.engine.apply(spd, replace(pad, entries=tuple(replace(each, **changes) for each in pad)), 0.0)


@pytest.mark.parametrize("which", ["client", "server"])
def test_a_policy_without_it(which):
    """Then nothing is looked for; the peer's identity is not the address that we see."""
    street = Street()
    host, policy = getattr(street, which), getattr(street, f"{which}_policy")
    with_pad(host, policy, nat_traversal=False)
    assert street.begin(60) == (None, None)
    assert not any("NAT-D" in words for _, _, words in said(street.client))
    (failed,) = street.server.of(MainModeFailed)[:1]
    assert failed.reason == "wrong-identity"


def test_a_server_behind_nat():
    """Its ports lead to it from outside."""
    public, inner = "203.0.113.1", "10.1.1.1"
    nat = MemoryNat(public, [inner], forward_to=inner)
    street = Street(HostPolicy("192.0.2.7", public), HostPolicy(inner, "192.0.2.7"), [nat])
    ours, theirs = street.begin()
    assert fits(ours, theirs)
    assert not ours.outbound[-1].keepalive
    assert theirs.outbound[-1].keepalive
    assert theirs.selector == Selector.between(inner, "192.0.2.7")
    assert ours.selector == Selector.between("192.0.2.7", public)


def test_both_behind_nat():
    public, inner = "203.0.113.1", "10.1.1.1"
    nats = [MemoryNat(OUTER, [INNER]), MemoryNat(public, [inner], forward_to=inner)]
    street = Street(HostPolicy(INNER, public), HostPolicy(inner, OUTER), nats)
    ours, theirs = street.begin()
    assert fits(ours, theirs)
    assert fits(theirs, ours)
    assert ours.outbound[-1].keepalive
    assert theirs.outbound[-1].keepalive
    assert theirs.selector == Selector.between(inner, OUTER)


@pytest.mark.parametrize("through", ThroughNat)
@pytest.mark.parametrize("both", [False, True], ids=["server behind nat", "both behind nat"])
def test_with_whom_a_policy_begins_behind_nat(through, both):
    public, inner = "203.0.113.1", "10.1.1.1"
    nats = [MemoryNat(public, [inner], forward_to=inner), *([MemoryNat(OUTER, [INNER])] if both else [])]
    here, seen = (INNER, OUTER) if both else ("192.0.2.7", "192.0.2.7")
    street = Street(HostPolicy(here, public, through_nat=through), HostPolicy(inner, seen), nats)
    if through is ThroughNat.BOTH or (through is ThroughNat.SERVER and not both):
        street.begin()
        return
    street.network.acquire(street.client, ENTRY, street.client_policy.flow())
    street.network.run(2)
    (failed,) = street.client.of(MainModeFailed)
    assert failed.reason == "nat-in-between"
    assert ("both sides" in failed.detail) is (through is ThroughNat.SERVER)
    assert not street.client.engine.child_sas()


def test_the_server_follows_a_nat_that_forgets():
    street = Street()
    _, theirs = street.begin()
    (before,) = paths(theirs)
    street.nats[0].forget()
    (child,) = street.client.engine.child_sas()
    street.network.do(street.client, street.client.engine.rekey_child(child.id, street.network.now, "test"))
    street.network.run(1)
    (session,) = street.server.engine.ike_sas()
    assert session.path.remote != before.remote
    assert session.path.remote.address == before.remote.address
    old = street.server.outbound[theirs.id]
    assert paths(old) == {session.path}, "what was there before goes there too"
    assert old.outbound[0].cipher_key == theirs.outbound[0].cipher_key
    assert street.server.using().id != theirs.id
    assert paths(street.server.using()) == {session.path}


def test_an_authentic_packet_moves_it_too():
    """The packet path says where one came from; only a peer behind NAT may move, and only to another port."""
    street = Street()
    ours, theirs = street.begin()
    (session,) = street.server.engine.ike_sas()
    moved = replace(session.path, remote=Endpoint(session.path.remote.address, 31000))
    for path in (replace(moved, remote=Endpoint(moved.remote.address, 31000)), moved):
        street.network.do(street.server, street.server.engine.child_moved(theirs.id, path, street.network.now))
    assert street.server.engine.ike_sas()[0].path == moved
    assert paths(street.server.outbound[theirs.id]) == {moved}
    (before,) = street.client.engine.ike_sas()
    elsewhere = replace(before.path, remote=Endpoint(before.path.remote.address, 9))
    assert street.client.engine.child_moved(ours.id, elsewhere, street.network.now) == []
    assert street.client.engine.ike_sas()[0].path == before.path


def test_a_message_played_again_from_elsewhere_moves_nothing():
    street = Street()
    street.begin()
    (session,) = street.server.engine.ike_sas()
    elsewhere = replace(session.path, remote=Endpoint(session.path.remote.address, 1))
    for datagram in street.client.sent:
        street.server.engine.receive(datagram, elsewhere, street.network.now)
    assert street.server.engine.ike_sas()[0].path == session.path


def test_the_client_does_not_follow_a_server_that_has_no_nat():
    street = Street()
    street.begin()
    (session,) = street.client.engine.ike_sas()
    server = street.server.engine
    (info,) = server.ike_sas()
    effects = server.delete_child(street.server.using().id, street.network.now, "test")
    (datagram,) = [effect.datagram for effect in effects if hasattr(effect, "datagram")]
    elsewhere = replace(session.path, remote=Endpoint(parse_address(SERVER), 9))
    street.network.do(street.client, street.client.engine.receive(datagram, elsewhere, street.network.now))
    assert street.client.engine.ike_sas()[0].path == session.path
    assert info.path.remote.address == parse_address(OUTER)


def test_ah_is_refused_with_a_reason():
    methods = (method(AH_SHA256),)
    street = Street(CLIENT.with_(methods=methods), SERVES.with_(methods=methods))
    street.begin()
    (failed,) = street.client.of(QuickModeFailed)
    assert failed.reason == "nat-in-between"
    assert "AH cannot pass" in failed.detail


def test_what_passes_is_taken():
    methods = (method(AH_SHA256), method(ESP_GCM))
    ours, theirs = Street(CLIENT.with_(methods=methods), SERVES.with_(methods=methods)).begin()
    assert fits(ours, theirs)


def test_an_identity_that_is_not_the_peers_own_address():
    liar = CLIENT.with_(local_identity=Identity.parse("192.168.1.99"))
    street = Street(liar)
    assert street.begin() == (None, None)
    (failed,) = street.server.of(MainModeFailed)
    assert failed.reason == "wrong-identity"


def test_two_clients_behind_one_nat():
    """In tunnels, each with its own traffic; a restart of one ends nothing of the other."""
    second = "192.168.1.3"
    network = MemoryNetwork()
    network.nats.append(MemoryNat(OUTER, [INNER, second]))
    to_client = SERVES.with_(local_net=SERVER, remote_net="192.168.1.0/24", **TUNNEL)
    spd, pad = to_client.compiled()
    server = start(network, to_client, 0)
    network.do(server, server.engine.apply(spd, pad, 0.0))

    def client(local, seed):
        policy = HostPolicy(local, SERVER, local_net=local, remote_net=SERVER, **TUNNEL)
        host = start(network, policy, seed)
        network.acquire(host, ENTRY, policy.flow())
        network.run(2)
        return host

    one, two = client(INNER, 0), client(second, 0)
    assert {child.peer for child in server.engine.child_sas()} == {Identity.parse(INNER), Identity.parse(second)}
    assert one.using() is not None
    first = two.using()
    client(INNER, "restarted")
    assert [child.peer for child in server.engine.child_sas()].count(Identity.parse(second)) == 1
    assert two.using() is first
    assert not two.removed


def test_two_clients_of_transport_mode_do_not_end_each_other():
    """The packet path tells them apart (``datapath/neighbours.py``)."""
    second = "192.168.1.3"
    network = MemoryNetwork()
    network.nats.append(MemoryNat(OUTER, [INNER, second]))
    server = start(network, SERVES, 0)
    hosts = []
    for local in (INNER, second):
        policy = CLIENT.with_(local=local)
        hosts.append(start(network, policy, 0))
        network.acquire(hosts[-1], ENTRY, policy.flow())
        network.run(2)
    network.run(120)
    assert len(server.engine.child_sas()) == 2
    assert [host.removed for host in hosts] == [[], []]


def test_a_day_of_renewals():
    """Both sides renew; the server by the port that the NAT keeps for the client."""
    street = Street()
    street.begin()
    street.network.run(3 * 28800)
    assert fits(street.client.using(), street.server.using())
    assert not street.client.of(MainModeFailed)
    assert not street.server.of(MainModeFailed)
    assert not street.server.of(QuickModeFailed)
    late = [path.local.port for when, path, _ in street.network.seen if when > 2]
    assert set(late) == {4500}
