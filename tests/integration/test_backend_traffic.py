# SPDX-License-Identifier: Apache-2.0
"""Real applications through the whole backend: two hosts, SAs keyed by hand, a plain router that counts what passes."""

from collections.abc import Iterator
from typing import Any

import pytest
from integration.backend_lab import ALICE, ALICE6, BOB, BOB6, AgentHandle, Pair, protect, two_agents, watch_on, watched
from integration.traffic import echo, transfer

pytestmark = pytest.mark.root

WAYS = {
    "transport": {},
    "tunnel": {"mode": "tunnel"},
    "AH": {"suites": ["ah"]},
    "AH around ESP": {"suites": ["esp-cbc", "ah"]},
}


@pytest.fixture(scope="module", params=WAYS)
def agents(request: pytest.FixtureRequest, pair_of_module: Pair) -> Iterator[tuple[AgentHandle, AgentHandle]]:
    way: dict[str, Any] = WAYS[request.param]
    both = two_agents(pair_of_module.alice, pair_of_module.bob, **way)
    yield both
    for one in both:
        one.close()


@pytest.mark.parametrize(("source", "target"), [(ALICE, BOB), (ALICE6, BOB6)], ids=["IPv4", "IPv6"])
def test_ping_tcp_udp_both_ways(
    agents: tuple[AgentHandle, AgentHandle], pair_of_module: Pair, source: str, target: str
) -> None:
    alice, router, bob = pair_of_module
    watched(router)
    alice.run("ping", "-c2", "-i0.2", "-W2", target)
    bob.run("ping", "-c2", "-i0.2", "-W2", source)
    assert transfer(alice, bob, target) == source, "nobody is renumbered"
    assert transfer(bob, alice, source) == target
    echo(alice, bob, target, 1, 1200)
    counts = watched(router)
    assert counts["clear"] == 0
    assert counts["protected"] > 6000
    for agent in agents:
        assert agent.ask("statistics")["dropped"] == {}
        assert agent.ask("statistics")["errors"] == {}


@pytest.mark.parametrize("target", [BOB, BOB6], ids=["IPv4", "IPv6"])
def test_large_datagrams_in_fragments(
    agents: tuple[AgentHandle, AgentHandle], pair_of_module: Pair, target: str
) -> None:
    alice, router, bob = pair_of_module
    watched(router)
    echo(alice, bob, target, 1400, 1450, 1472, 1473, 3000, 20000, 65000)
    assert watched(router)["clear"] == 0
    for agent in agents:
        assert agent.ask("statistics")["dropped"] == {}


def test_ports_behind_an_exempt_service(pair: Pair) -> None:
    """What a rule permits within a protected destination goes in clear, the rest does not."""
    alice, router, bob = pair
    agents = AgentHandle(alice), AgentHandle(bob)
    for agent, local, remote in ((agents[0], ALICE, BOB), (agents[1], BOB, ALICE)):
        agent.ask("start")
        side = "destination_ports" if local == ALICE else "source_ports"
        agent.ask("apply", entries=[
            protect("web", local, remote, action="permit", protocol=6, **{side: 7000}), protect("rest", local, remote),
        ])  # fmt: skip
        agent.ask("install", made={"entry": "rest", "local": local, "remote": remote})
    watched(router)
    assert transfer(alice, bob, BOB, 512) == ALICE
    counts = watched(router)
    assert counts["protected"] == 0
    assert counts["clear"] > 300
    watch_on(router)
    alice.run("ping", "-c1", "-W2", BOB)
    assert watched(router) == {"protected": 2, "clear": 0}
    for agent in agents:
        agent.close()
