# SPDX-License-Identifier: Apache-2.0
"""Which IKE SAs go by which TCP connection."""

from types import SimpleNamespace

from ringfence.ike.connections import PORT_FIRST, PORTS, Connections
from ringfence.ike.effects import Keep, Release
from ringfence.net.address import parse_address
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

A, B = parse_address("192.0.2.1"), parse_address("192.0.2.2")


def session(number, path, *, made=True):
    return SimpleNamespace(id=number, path=path, made_at=1.0 if made else None)


def test_each_is_dialled_from_a_port_of_its_own():
    connections = Connections(SeededRandom(1))
    found = {connections.dialled(A, B, 443) for _ in range(50)}
    assert len({path.local.port for path in found}) > 45
    assert all(path.tcp and path.remote.port == 443 for path in found)
    assert all(PORT_FIRST <= path.local.port < PORT_FIRST + PORTS for path in found)


def test_it_is_kept_from_the_proof_to_the_last_that_goes_by_it():
    connections = Connections(SeededRandom(1))
    path = connections.dialled(A, B, 4500)
    one, other = session(1, path, made=False), session(2, path)
    connections.noted(one)
    assert connections.effects() == []
    assert [*connections.by(path)] == [1]
    one.made_at = 2.0
    for each in (one, one, other):
        connections.noted(each)
    assert connections.effects() == [Keep(path)]
    connections.gone(one)
    assert connections.effects() == []
    connections.gone(other)
    connections.gone(other)
    assert connections.effects() == [Release(path)]
    assert [*connections.by(path)] == []


def test_an_ike_sa_goes_over_to_another():
    connections = Connections(SeededRandom(1))
    first, second = (connections.dialled(A, B, 4500) for _ in range(2))
    one = session(1, first)
    connections.noted(one)
    one.path = second
    connections.noted(one)
    assert connections.effects() == [Keep(first), Release(first), Keep(second)]
    one.path = path_between("192.0.2.1", "192.0.2.2", 4500)
    connections.noted(one)
    assert connections.effects() == [Release(second)]


def test_udp_is_nothing_to_it():
    connections = Connections(SeededRandom(1))
    connections.noted(session(1, path_between("192.0.2.1", "192.0.2.2")))
    assert connections.effects() == []
