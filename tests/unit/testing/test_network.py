# SPDX-License-Identifier: Apache-2.0
"""The wire does what its link says, and the same seed does the same."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from ringfence.ike.effects import SendMessage
from ringfence.ike.engine import IkeEngine
from ringfence.net.address import Path
from ringfence.testing.network import Link, MemoryNetwork, path_between
from ringfence.testing.random import SeededRandom


class Listener(IkeEngine):
    """Keeps what it gets."""

    def __init__(self):
        super().__init__(random=SeededRandom(0))
        self.got = []

    def receive(self, datagram, path, now):
        self.got.append((datagram, path, now))
        return []


def wire(link, count=200, seed=0):
    network = MemoryNetwork(seed, link)
    a, b = network.add("192.0.2.1", Listener()), network.add("192.0.2.2", Listener())
    path = path_between("192.0.2.1", "192.0.2.2")
    network.do(a, [SendMessage(b"%d" % number, path) for number in range(count)])
    network.run(5)
    assert len(network.seen) == count
    return b.engine.got


@pytest.mark.parametrize("ends", [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")])
def test_scapy_reads_what_was_sent(ends):
    network = MemoryNetwork()
    host = network.add(ends[0], Listener())
    network.run(1.5)
    network.do(host, [SendMessage(b"hello", path_between(*ends, port=4500))])
    (frame,) = network.frames()
    assert frame.at == 1.5
    packet = (IP if "." in ends[0] else IPv6)(frame.octets)
    assert (packet.src, packet.dst, packet[UDP].sport, packet[UDP].dport) == (*ends, 4500, 4500)
    assert bytes(packet[UDP].payload) == b"hello"
    value = packet[UDP].chksum
    del packet[UDP].chksum
    assert packet.__class__(bytes(packet))[UDP].chksum == value


def test_a_perfect_wire_only_delays():
    got = wire(Link(delay_s=(0.5, 0.5)))
    assert [datagram for datagram, _, _ in got] == [b"%d" % number for number in range(200)]
    path = path_between("192.0.2.1", "192.0.2.2")
    assert {each for _, each, _ in got} == {Path(path.remote, path.local)}
    assert {when for _, _, when in got} == {0.5}


def test_loss_doubles_and_overtaking():
    assert wire(Link(loss=1.0)) == []
    assert 80 < len(wire(Link(loss=0.5))) < 120
    assert len(wire(Link(double=1.0))) == 400
    numbers = [int(datagram) for datagram, _, _ in wire(Link(delay_s=(0.0, 1.0)))]
    assert sorted(numbers) == list(range(200))
    assert numbers != sorted(numbers)
    assert wire(Link((0, 1), 0.3, 0.3), seed=7) == wire(Link((0, 1), 0.3, 0.3), seed=7)


def test_a_tests_own_loss_and_injection():
    network = MemoryNetwork()
    a, b = network.add("192.0.2.1", Listener()), network.add("192.0.2.2", Listener())
    network.passes = lambda datagram, _path: datagram != b"stop"
    path = path_between("192.0.2.1", "192.0.2.2")
    network.do(a, [SendMessage(b"stop", path), SendMessage(b"go", path)])
    network.inject(b"stop", path)
    network.run(1)
    assert [datagram for datagram, _, _ in b.engine.got] == [b"go", b"stop"]
    network.remove(b)
    network.inject(b"nobody", path)
    network.run(1)
    assert len(b.engine.got) == 2


def test_what_never_ends_is_an_error():
    class Restless(Listener):
        def next_timer(self):
            return 0.0

    network = MemoryNetwork()
    network.add("192.0.2.1", Restless())
    with pytest.raises(RuntimeError, match="more than 10 things"):
        network.run(1, most_steps=10)


def test_a_host_may_have_several_addresses():
    network = MemoryNetwork()
    host = network.add("192.0.2.1", Listener())
    network.also(host, "192.0.2.2")
    for address in ("192.0.2.1", "192.0.2.2"):
        network.inject(b"1", path_between("192.0.2.9", address))
    network.run(1)
    assert [path.local.address[-1] for _, path, _ in host.engine.got] == [1, 2]
    network.remove(host)
    network.inject(b"1", path_between("192.0.2.9", "192.0.2.2"))
    network.run(1)
    assert len(host.engine.got) == 2
