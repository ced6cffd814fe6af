# SPDX-License-Identifier: Apache-2.0
"""A rule for the local subnet protects with neighbours and nobody beyond, and follows a new network in two seconds."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.backend_lab import BOB, BOB6, Pair
from integration.service_lab import Service, document, ping

from ringfence.control.client import Client as Control
from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

POLICY = """
[[rule]]
name = "neighbours"
with = "local-subnet"
auth = { psk-file = "lab.psk" }
"""
HERE, HERE6, MORE, MORE6 = "10.77.1.254", "fd77:1::ff", "172.16.5.1", "fd16::1"
"""The router's addresses at alice's side, and those that it gets later."""
COUNT = """
table inet count {
  counter clear { }
  chain prerouting {
    type filter hook prerouting priority raw;
    iifname "eth0" icmp type echo-request counter name clear
    iifname "eth0" icmpv6 type echo-request counter name clear
  }
}
"""
WITHIN_S = 2.0


@pytest.fixture
def neighbours(pair: Pair, tmp_path: Path) -> Iterator[Control]:
    """Alice and the router beside her, both with the policy; alice's service."""
    services = [
        Service(host, document(tmp_path / host.name, POLICY), "--socket", str(tmp_path / host.name / "s"))
        for host in (pair.alice, pair.router)
    ]
    pair.router.run("nft", "-f", "-", text=COUNT)
    with Control(tmp_path / pair.alice.name / "s") as control:
        yield control
    for one in services:
        one.stop()


def seen(router: Host) -> int:
    """Pings of alice that the router got in clear; they are counted anew."""
    out = json.loads(router.run("nft", "-j", "reset", "counters", "table", "inet", "count").stdout)
    return sum(one["counter"]["packets"] for one in out["nftables"] if "counter" in one)


def networks(control: Control) -> set[str]:
    """Of whom the rule is."""
    return {one.remote for one in control.policy().entries if one.rule == "neighbours"}


def test_neighbours_are_protected_and_the_rule_follows_the_networks(pair: Pair, neighbours: Control) -> None:
    alice, router, _ = pair
    for target in (HERE, HERE6):
        assert ping(alice, target)
    assert seen(router) == 0
    for target in (BOB, BOB6):
        assert ping(alice, target)
    assert seen(router) == 2, "beyond the router nobody is a neighbour"
    before = networks(neighbours)
    assert {"10.77.1.0/24", "fd77:1::/64"} <= before
    for host, address, address6 in ((router, MORE, MORE6), (alice, "172.16.5.2", "fd16::2")):
        host.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
        host.run("ip", "address", "add", f"{address6}/64", "dev", "eth0", "nodad")
    began = time.monotonic()
    while networks(neighbours) != before | {"172.16.5.0/24", "fd16::/64"}:
        assert time.monotonic() < began + 10, "it does not follow"
        time.sleep(0.02)
    assert time.monotonic() - began < WITHIN_S
    for target in (MORE, MORE6):
        assert ping(alice, target, count=3)
    assert seen(router) == 0
    alice.run("ip", "address", "delete", "172.16.5.2/24", "dev", "eth0")
    began = time.monotonic()
    while "172.16.5.0/24" in networks(neighbours):
        assert time.monotonic() < began + WITHIN_S, "it does not follow"
        time.sleep(0.02)
