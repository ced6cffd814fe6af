# SPDX-License-Identifier: Apache-2.0
"""Several hosts behind one NAT that talk to us in transport mode."""

from dataclasses import replace

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.packet import Raw

from ringfence.crypto.suites import Encryption
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Spd
from ringfence.datapath.engine import DataPath
from ringfence.datapath.event import Answered, PeerMoved
from ringfence.datapath.neighbours import Neighbours
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Hold, Send
from ringfence.net.address import Endpoint, Path, PortRange, parse_address
from ringfence.net.ip import view
from ringfence.testing.associations import esp_suite
from ringfence.testing.contracts import make_child, make_entry, make_path, mirrored, seeded

GCM = esp_suite(Encryption.AES_GCM_16)
SERVER, NAT = "192.0.2.1", "198.51.100.1"
HERE = Endpoint(parse_address(SERVER), 4500)
CLIENTS = [Endpoint(parse_address(NAT), port) for port in (20001, 20002)]


def towards(kind, port, server_port=80, words=b"to the server"):
    top = {
        "tcp": lambda: TCP(sport=port, dport=server_port),
        "udp": lambda: UDP(sport=port, dport=server_port),
        "echo": lambda: ICMP(type=8, id=port, seq=1),
    }[kind]()
    return bytes(IP(src=NAT, dst=SERVER) / top / Raw(words))


def answer(kind, packet):
    """What the server says to what it got."""
    said = IP(packet)
    if kind == "echo":
        return bytes(IP(src=SERVER, dst=NAT) / ICMP(type=0, id=said[ICMP].id, seq=1) / Raw(b"back"))
    layer = TCP if kind == "tcp" else UDP
    top = layer(sport=said[layer].dport, dport=said[layer].sport)
    return bytes(IP(src=SERVER, dst=NAT) / top / Raw(b"back"))


def port_of(kind, packet):
    said = IP(packet)
    return said[ICMP].id if kind == "echo" else said[TCP if kind == "tcp" else UDP].sport


def whole(packet):
    """Whether all checksums are right."""
    again = IP(packet)
    for layer in (IP, TCP, UDP, ICMP):
        if layer in again:
            del again[layer].chksum
    return bytes(again) == packet


class Street:
    """A server and the contracts that two clients behind one NAT have with it."""

    def __init__(self, selector=None, sending=(1, 2)):
        selector = selector or Selector.between(SERVER, NAT)
        self.children = [self.child(number, client, selector) for number, client in enumerate(CLIENTS, 1)]
        self.server = DataPath(random=seeded(1))
        self.server.apply(Spd((make_entry(selector),)), 0.0)
        for child in self.children:
            self.server.install_inbound(child, 0.0)
            if child.id in sending:
                self.server.install_outbound(child, 0.0)
        self.clients = [make_path(mirrored(child)) for child in self.children]

    @staticmethod
    def child(number, client, selector, **changes):
        child = make_child(GCM, local=SERVER, remote=NAT, number=number, udp=True, selector=selector)
        path = Path(HERE, client)
        return replace(
            child, peer=None, **changes,
            outbound=(replace(child.outbound[0], encapsulation=path),),
            inbound=(replace(child.inbound[0], encapsulation=path),),
        )  # fmt: skip

    def sends(self, client, packet):
        """What the server's host gets."""
        (sent,) = self.clients[client].outbound([packet], 0.0)
        return self.server.inbound_udp(sent.packets, Path(HERE, CLIENTS[client]), 0.0)

    def gets(self, client, kind, port):
        (delivered,) = self.sends(client, towards(kind, port))
        assert type(delivered) is Deliver
        assert delivered.child == self.children[client].id
        (packet,) = delivered.packets
        return packet

    def answers(self, packet):
        """Which client an answer goes to, and what he gets of it."""
        (sent,) = self.server.outbound([packet], 0.0)
        assert type(sent) is Send
        client = [child.id for child in self.children].index(sent.child)
        assert sent.path.remote == CLIENTS[client]
        (delivered,) = self.clients[client].inbound_udp(sent.packets, Path(CLIENTS[client], HERE), 0.0)
        return client, delivered.packets[0]


def test_an_answer_waits_for_the_contract_of_who_asked_rather_than_go_to_another():
    street = Street(sending=(1,))
    street.gets(0, "udp", 5000)
    assert street.server.events() == []
    packets = [street.gets(1, "udp", 5001) for _ in range(2)]
    assert street.server.events() == [Answered(2)], "once: it is known now that the peer receives by it"
    answers = [answer("udp", packet) for packet in packets]
    assert [type(one) for one in street.server.outbound(answers, 0.0)] == [Hold, Hold]
    sent = street.server.install_outbound(street.children[1], 0.0)
    assert [(one.child, one.path.remote) for one in sent] == [(2, CLIENTS[1])] * 2
    street.gets(1, "udp", 5001)
    assert street.server.events() == []


@pytest.mark.parametrize("kind", ["tcp", "udp", "echo"])
def test_each_gets_the_answers_to_what_he_sent(kind):
    street = Street()
    for client, port in ((0, 5000), (1, 5001), (0, 5002)):
        packet = street.gets(client, kind, port)
        assert packet[20:] == towards(kind, port)[20:]
        who, got = street.answers(answer(kind, packet))
        assert (who, got[20:]) == (client, answer(kind, packet)[20:])


@pytest.mark.parametrize("kind", ["tcp", "udp", "echo"])
def test_the_same_ports_are_told_apart(kind):
    street = Street()
    first, second = street.gets(0, kind, 5000), street.gets(1, kind, 5000)
    assert port_of(kind, first) == 5000
    assert port_of(kind, second) != 5000
    assert whole(first)
    assert whole(second)
    for _ in range(2):
        assert street.gets(1, kind, 5000) == second, "the same flow has the same port"
        assert street.gets(0, kind, 5000) == first
        for client, packet in ((0, first), (1, second)):
            who, got = street.answers(answer(kind, packet))
            assert who == client
            assert got[20:] == answer(kind, towards(kind, 5000))[20:], "as the client knows it"


def test_many_packets_of_both_in_turn():
    """The flow cache knows whose a flow is."""
    street = Street()
    seen = [street.gets(client, "udp", 5000) for client in (0, 1)]
    for _ in range(5):
        verdicts = street.server.outbound([answer("udp", packet) for packet in seen for _ in range(3)], 0.0)
        counts = {child.id: 0 for child in street.children}
        for verdict in verdicts:
            counts[verdict.child] += len(verdict.packets)
        assert set(counts.values()) == {3}


def test_a_contract_for_one_port_leaves_the_flow_to_whom_it_is():
    selector = replace(
        Selector.between(SERVER, NAT, 17), source_ports=PortRange.one(1701), destination_ports=PortRange.one(1701)
    )
    street = Street(selector)
    (first,) = street.sends(0, towards("udp", 1701, 1701))
    assert type(first) is Deliver
    (second,) = street.sends(1, towards("udp", 1701, 1701))
    assert type(second) is Dropped
    assert second.reason is Drop.NEIGHBOURS_FLOW
    assert street.answers(answer("udp", first.packets[0]))[0] == 0


def test_whose_contract_is_gone_has_no_flows():
    street = Street()
    street.gets(0, "udp", 5000)
    street.server.remove(street.children[0].id)
    assert port_of("udp", street.gets(1, "udp", 5000)) == 5000


def test_a_client_whose_nat_forgot_it_keeps_its_flows():
    street = Street()
    mine = street.gets(0, "udp", 5000)
    elsewhere = Endpoint(CLIENTS[0].address, 31000)
    moved = street.child(1, elsewhere, street.children[0].selector)
    street.server.install_inbound(moved, 0.0)
    street.server.install_outbound(moved, 0.0)
    (sent,) = street.server.outbound([answer("udp", mine)], 0.0)
    assert sent.path.remote == elsewhere
    later = street.child(9, Endpoint(CLIENTS[0].address, 31001), moved.selector, replaces=1)
    street.server.install_outbound(later, 0.0)
    (sent,) = street.server.outbound([answer("udp", mine)], 0.0)
    assert sent.child == 9, "nor does a renewal lose them"


def test_an_authentic_packet_from_another_port_is_told_once():
    street = Street()
    elsewhere = Path(HERE, Endpoint(CLIENTS[0].address, 31000))
    one, two, three = (
        street.clients[0].outbound([towards("udp", 5000)], 0.0)[0].packets for _ in range(3)
    )  # fmt: skip
    street.server.inbound_udp(one, elsewhere, 0.0)
    assert street.server.events() == [PeerMoved(1, elsewhere)]
    street.server.inbound_udp(two, elsewhere, 0.0)
    street.server.inbound_udp(one, Path(HERE, Endpoint(CLIENTS[0].address, 9)), 0.0)
    assert street.server.events() == [], "known, or played again"
    stranger = Path(HERE, Endpoint(parse_address("198.51.100.9"), 31000))
    street.server.inbound_udp(three, stranger, 0.0)
    assert street.server.events() == [], "another address is no other port"


def test_what_nobody_began_goes_by_the_newest_contract():
    street = Street()
    packet = bytes(IP(src=SERVER, dst=NAT) / UDP(sport=9, dport=9))
    (sent,) = street.server.outbound([packet], 0.0)
    assert sent.child == street.children[1].id


def test_what_is_remembered_has_bounds():
    known = Neighbours(3)
    for port in range(10):
        known.arrived(CLIENTS[0], towards("udp", port), may_change=True)
        known.arrived(CLIENTS[1], towards("udp", port), may_change=True)
    assert len(known) == 3
    known.keep(set())
    assert not len(known)
    assert not known._given


def test_fragments_and_what_has_no_ports_pass_as_they_are():
    known = Neighbours(3)
    odd = bytes(IP(src=NAT, dst=SERVER, proto=47) / Raw(bytes(40)))
    piece = bytes(IP(src=NAT, dst=SERVER, frag=9, proto=17) / Raw(bytes(40)))
    for packet in (odd, piece, b"no packet"):
        assert known.arrived(CLIENTS[0], packet, may_change=True) == (packet, False)
    assert known.leaving(odd, view(odd)) is None
    assert not len(known)
