# SPDX-License-Identifier: Apache-2.0
"""Paths that are narrow, gateways that carry others' traffic, peers behind UDP: over real routers."""

import time
from collections.abc import Iterator

import pytest
from integration.backend_lab import ALICE, ALICE6, BOB, BOB6, AgentHandle, Pair, protect, two_agents, watch, watched
from integration.traffic import echo, transfer

from ringfence.testing.namespaces import Host, Lab, routed_pair
from ringfence.testing.rough import rough

pytestmark = pytest.mark.root

LEFT, RIGHT = "10.1.0.1", "10.2.0.1"
LEFT6, RIGHT6 = "fd01::1", "fd02::1"


@pytest.fixture
def narrow_pair(namespaces: None) -> Iterator[Pair]:
    """The cable to bob takes 1,300 octets only."""
    with routed_pair(mtu=1300) as (alice, router, bob):
        watch(router)
        yield Pair(alice, router, bob)


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
@pytest.mark.parametrize(("source", "target"), [(ALICE, BOB), (ALICE6, BOB6)], ids=["IPv4", "IPv6"])
def test_a_narrow_path_is_learnt(narrow_pair: Pair, mode: str, source: str, target: str) -> None:
    """The router says "too big" about our packets; TCP gets through, and large datagrams in fragments."""
    alice, router, bob = narrow_pair
    agents = two_agents(alice, bob, **({} if mode == "transport" else {"mode": "tunnel"}))
    assert transfer(alice, bob, target, 1024) == source
    assert transfer(bob, alice, source, 1024) == target
    echo(alice, bob, target, 1200, 1400, 3000, attempts=3)
    assert watched(router)["clear"] == 0
    learnt = [line for line in agents[0].ask("happened") if line.startswith("PathMtu")]
    number = 1 if source == ALICE else 2
    assert learnt[0] == f"PathMtu(child_id={number}, mtu=1300)"
    assert agents[0].ask("statistics")["children"][str(number)]["path_mtu"] == 1300


def test_an_application_that_forbids_fragments_is_told(narrow_pair: Pair) -> None:
    alice, _, bob = narrow_pair
    two_agents(alice, bob)
    for target, size in ((BOB, 1400), (BOB6, 1400)):
        out = alice.run("ping", "-c3", "-i0.3", "-W1", "-Mdo", f"-s{size}", target, check=False)
        assert "message too long" in out.stdout + out.stderr or "Packet too big" in out.stdout
        assert "1 received" not in out.stdout
    alice.run("ping", "-c1", "-W1", "-Mdo", "-s1150", BOB)


def gateways(left: Host, right: Host) -> tuple[AgentHandle, AgentHandle]:
    """Both protect what goes between the networks behind them."""
    agents = AgentHandle(left), AgentHandle(right)
    ends = ((ALICE, BOB, "10.1.0.0/16", "10.2.0.0/16", 1), (ALICE6, BOB6, "fd01::/64", "fd02::/64", 2))
    for agent, turn in zip(agents, (False, True), strict=True):
        agent.ask("start")
        entries, children = [], []
        for local, remote, inner, outer, number in ends:
            mine, yours, here, there = (remote, local, outer, inner) if turn else (local, remote, inner, outer)
            name = f"net {number}"
            entries.append(protect(name, here, there, mode="tunnel", tunnel=[mine, yours]))
            children.append({"entry": name, "local": mine, "remote": yours, "mode": "tunnel", "number": number})
        agent.ask("apply", entries=entries)
        for made in children:
            agent.ask("install", made=made)
    return agents


def test_gateways(namespaces: None) -> None:
    """Hosts behind two gateways talk through the tunnel; the gateways' own traffic to those networks does too."""
    with routed_pair() as (alice, router, bob):
        lab = alice.lab
        inner = [lab.host("left"), lab.host("right")]
        for gateway, host, net, net6 in ((alice, inner[0], "10.1.0", "fd01:"), (bob, inner[1], "10.2.0", "fd02:")):
            lab.cable(gateway, host, (f"{net}.254/16", f"{net6}:ff/64"), (f"{net}.1/16", f"{net6}:1/64"))
            host.route("default", via=f"{net}.254")
            host.route("default", via=f"{net6}:ff")
            for name in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
                gateway.setting(name, 1)
            host.wait_for(f"{net}.254")
            host.wait_for(f"{net6}:ff")
        watch(router)
        agents = gateways(alice, bob)
        left, right = inner
        for source, target in ((LEFT, RIGHT), (LEFT6, RIGHT6)):
            left.run("ping", "-c2", "-i0.2", "-W2", target)
            assert transfer(left, right, target, 1024) == source
            assert transfer(right, left, source, 1024) == target
            echo(left, right, target, 100, 1472, 5000, 30000, attempts=2)
        assert transfer(alice, right, RIGHT, 256) == "10.1.0.254"
        assert watched(router)["clear"] == 0
        for agent in agents:
            assert agent.ask("statistics")["dropped"] == {}
        agents[0].kill()
        time.sleep(0.1)
        assert left.run("ping", "-c1", "-W1", RIGHT, check=False).returncode
        assert watched(router)["clear"] == 0, "what others send through us fails closed too"


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
def test_in_udp(pair: Pair, mode: str) -> None:
    alice, router, bob = pair
    two_agents(alice, bob, udp=True, **({} if mode == "transport" else {"mode": "tunnel"}))
    for source, target in ((ALICE, BOB), (ALICE6, BOB6)):
        alice.run("ping", "-c2", "-i0.2", "-W2", target)
        assert transfer(alice, bob, target, 1024) == source
    counts = watched(router)
    assert counts["clear"] == 0
    assert counts["protected"] > 1000


def test_ike_passes_while_all_must_be_protected(pair: Pair) -> None:
    agents = two_agents(pair.alice, pair.bob)
    for local, remote, port in ((ALICE, BOB, 500), (ALICE, BOB, 4500), (ALICE6, BOB6, 500), (ALICE6, BOB6, 4500)):
        agents[0].ask("ike", local=local, remote=remote, port=port, datagram="0102030405060708")
    time.sleep(0.3)
    heard = [line for line in agents[1].ask("happened") if line.startswith("ike")]
    assert len(heard) == 4
    assert all("0102030405060708" in line for line in heard)


def test_two_of_the_three_fragments_of_a_router(namespaces: None) -> None:
    """A router cuts our large packets once more; they are put together before they are opened."""
    with Lab() as lab:
        alice, router, bob = lab.host("alice"), lab.router("router"), lab.host("bob")
        lab.cable(alice, router, "10.77.1.1/24", "10.77.1.254/24")
        lab.cable(router, bob, "10.77.2.254/24", "10.77.2.1/24", mtu=700)
        alice.route("default", via="10.77.1.254")
        bob.route("default", via="10.77.2.254")
        alice.wait_for(BOB)
        watch(router)
        agents = AgentHandle(alice), AgentHandle(bob)
        for agent, local, remote in ((agents[0], ALICE, BOB), (agents[1], BOB, ALICE)):
            agent.ask("start")
            agent.ask("apply", entries=[protect("v4", local, remote)])
            agent.ask("install", made={"entry": "v4", "local": local, "remote": remote})
        out = alice.run("ping", "-c3", "-i0.2", "-W1", "-Mdont", "-s4000", BOB).stdout
        assert "3 received" in out
        assert watched(router)["clear"] == 0
        assert agents[1].ask("statistics")["dropped"] == {}


def test_a_router_that_loses_repeats_and_reorders(pair: Pair) -> None:
    alice, router, bob = pair
    agents = two_agents(alice, bob)
    rough(router, "--lose", "0.02", "--repeat", "0.02", "--delay", "0.05", "--seed", "7")
    for source, target in ((ALICE, BOB), (ALICE6, BOB6)):
        assert transfer(alice, bob, target, 2048) == source
        assert transfer(bob, alice, source, 2048) == target
    assert watched(router)["clear"] == 0
    for agent in agents:
        dropped = agent.ask("statistics")["dropped"]
        assert dropped.pop("replayed") > 5
        assert set(dropped) <= {"too-old"}


def test_what_is_only_forwarded_is_left_alone(pair: Pair) -> None:
    """A router with a policy of its own passes others' ESP on, and takes none of it for its own."""
    alice, router, bob = pair
    two_agents(alice, bob)
    third = AgentHandle(router)
    third.ask("start")
    third.ask("apply", entries=[protect("v4", "10.77.1.254", "10.99.0.0/16"), protect("v6", "::/0", "fd99::/16")])
    for source, target in ((ALICE, BOB), (ALICE6, BOB6)):
        assert transfer(alice, bob, target, 256) == source
        echo(alice, bob, target, 3000)
    assert third.ask("statistics")["dropped"] == {}
    assert watched(router)["clear"] == 0
    third.close()
