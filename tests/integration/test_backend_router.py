# SPDX-License-Identifier: Apache-2.0
"""A router with a policy: what it sends itself is caught, what it forwards only where an entry is about that; the
administrator's own rules for forwarding, and address translation, go on to match the rest."""

import re
import time
from collections.abc import Iterator

import pytest
from integration.backend_lab import ALICE, ALICE6, BOB, BOB6, AgentHandle, Pair, protect
from integration.traffic import echo, transfer

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

HERE, HERE6, THERE, THERE6 = "10.77.1.254", "fd77:1::ff", "10.77.2.254", "fd77:2::ff"
"""The router's addresses at alice's and at bob's side."""
OWN = [
    *(protect(f"me {one}", one, net) for one in (HERE, THERE) for net in ("10.0.0.0/8", "0.0.0.0/0")),
    *(protect(f"me {one}", one, "::/0") for one in (HERE6, THERE6)),
]
FEW = 1000
"""Octets of multicast that the kernel sends by every device."""
FIREWALL = """
table inet admin {
  counter passed { }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "eth0" oifname "eth1" counter name passed accept
    iifname "eth1" oifname "eth0" counter name passed accept
  }
  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "eth1" masquerade
  }
}
"""


@pytest.fixture
def router(pair: Pair) -> Iterator[AgentHandle]:
    agent = AgentHandle(pair.router)
    agent.ask("start")
    yield agent
    agent.kill()


def way(host: Host, source: str, target: str, arrives: str = "") -> str:
    """The interface by which a packet leaves."""
    words = ("from", source, "iif", arrives) if arrives else ("from", source)
    found = re.search(r" dev (\S+)", host.run("ip", "route", "get", target, *words).stdout)
    assert found is not None
    return found[1]


def test_forwarding_and_masquerading_of_a_router_with_a_policy_of_its_own(pair: Pair, router: AgentHandle) -> None:
    alice, host, bob = pair
    host.run("nft", "-f", "-", text=FIREWALL)
    router.ask("apply", entries=OWN)
    for target, seen in ((BOB, THERE), (BOB6, THERE6)):
        assert transfer(alice, bob, target, 64) == seen, "masqueraded"
        echo(alice, bob, target, 1400, 3000)
    statistics = router.ask("statistics")
    assert statistics["clear_octets_out"] < FEW, "none of it came out of the kernel"
    assert statistics["dropped"] == {}
    assert '"packets": 0' not in host.run("nft", "-j", "list", "counter", "inet", "admin", "passed").stdout
    for source, target in ((THERE, BOB), (HERE, BOB), (THERE6, BOB6), (HERE6, BOB6)):
        assert way(host, source, target) == "rf0"
    for target in (BOB, BOB6):
        assert host.run("ping", "-c1", "-W0.3", target, check=False).returncode
    assert sum(line.startswith("Acquire") for line in router.ask("happened")) == 2, "its own traffic is caught"


def test_a_gateway_protects_a_network_and_leaves_the_rest(pair: Pair, router: AgentHandle) -> None:
    """A tunnel for alice's network; what comes out of it, and other networks, go the router's own ways."""
    alice, host, bob = pair
    far = AgentHandle(bob)
    far.ask("start")
    ends = ((router, THERE, BOB, THERE6, BOB6), (far, BOB, THERE, BOB6, THERE6))
    for agent, local, remote, local6, remote6 in ends:
        nets = [("10.77.1.0/24", BOB), ("fd77:1::/64", BOB6)]
        pairs = nets if agent is router else [(there, here) for here, there in nets]
        tunnels = ([local, remote], [local6, remote6])
        agent.ask("apply", entries=[
            *(protect(f"net {number}", *one, mode="tunnel", tunnel=tunnel)
              for number, (one, tunnel) in enumerate(zip(pairs, tunnels, strict=True))),
            *(OWN if agent is router else ()),
        ])  # fmt: skip
        for number, (here, there) in enumerate(tunnels):
            made = {"entry": f"net {number}", "local": here, "remote": there, "number": number + 1, "mode": "tunnel"}
            agent.ask("install", made=made)
    for source, target in ((ALICE, BOB), (ALICE6, BOB6)):
        assert transfer(alice, bob, target, 64) == source
        echo(bob, alice, source, 1200)
        assert way(host, source, target, "eth0") == "rf0"
        assert way(host, target, source, "rf0") == "eth0"
    for source, target in ((HERE, BOB), (HERE6, BOB6)):
        assert not host.run("ping", "-c1", "-W1", "-I", source, target, check=False).returncode, "of the network, too"
    statistics = router.ask("statistics")
    assert statistics["clear_octets_out"] < FEW, "what came out of the tunnel did not come to us again"
    assert statistics["dropped"] == {}
    far.close()


NETWORKS = [
    protect("net", "10.77.1.0/24", "10.77.2.0/24", mode="tunnel", tunnel=[THERE, BOB]),
    protect("net6", "fd77:1::/64", "fd77:2::/64", mode="tunnel", tunnel=[THERE6, BOB6]),
]
ROUTING = ("rules", "rules, IPv6", "routes", "routes, IPv6")


def routing(host: Host) -> dict[str, str]:
    traces = host.traces()
    return {name: traces[name] for name in ROUTING}


@pytest.mark.parametrize(
    "harm",
    [
        *(f"ip {family} rule delete priority {number}" for family in ("-4", "-6") for number in (4300, 4301, 4302)),
        "ip -4 route flush table 4302", "ip -6 route flush table 4302",
    ],
)  # fmt: skip
def test_what_somebody_takes_away_comes_back(pair: Pair, router: AgentHandle, harm: str) -> None:
    """Without one of the rules for a moment, forwarded packets for a protected network still meet the device."""
    router.ask("apply", entries=[*NETWORKS, *OWN])
    before = routing(pair.router)
    pair.router.run(*harm.split())
    ways = [way(pair.router, ALICE, BOB, "eth0"), way(pair.router, ALICE6, BOB6, "eth0")]
    assert "flush" in harm or ways == ["rf0", "rf0"]
    time.sleep(1)
    assert routing(pair.router) == before


def test_killed_taken_over_and_stopped(pair: Pair) -> None:
    host = pair.router
    before = host.traces()
    agent = AgentHandle(host)
    agent.ask("start")
    agent.ask("apply", entries=[*NETWORKS, *OWN])
    with_policy = routing(host)
    assert "table 4302" in with_policy["routes"]
    assert "table 4302" in with_policy["routes, IPv6"]
    agent.kill()
    agent = AgentHandle(host)
    agent.ask("start")
    agent.ask("apply", entries=[*NETWORKS, *OWN])
    assert routing(host) == with_policy
    agent.ask("apply", entries=OWN)
    assert "table 4302" not in "".join(host.traces()[name] for name in ("routes", "routes, IPv6"))
    assert [way(host, ALICE, BOB, "eth0"), way(host, ALICE6, BOB6, "eth0")] == ["eth1", "eth1"]
    agent.close()
    assert host.traces() == before
