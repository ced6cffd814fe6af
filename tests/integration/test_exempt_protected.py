# SPDX-License-Identifier: Apache-2.0
"""A host with a tunnel and a rule for one computer behind it: what the rule protects goes beside the tunnel."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, BOB, Pair
from integration.service_lab import Service, document, ping

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

GATEWAY, FAR, OTHER = "10.77.1.254", "10.77.2.254", "10.77.2.9"
"""The router's addresses; bob's second one, for which there is no rule."""
PAIR = f"""
[[rule]]
name = "pair"
between = ["{ALICE}", "{BOB}"]
auth = {{ psk-file = "lab.psk" }}
"""


def tunnel(local: str, here: str, remote: str, there: str) -> str:
    return f"""
[[rule]]
name = "tunnel"
local = {{ networks = "{local}", gateway = "{here}" }}
remote = {{ networks = "{remote}", gateway = "{there}" }}
auth = {{ psk-file = "lab.psk" }}
exempt-protected = true
"""


AT_ALICE = tunnel(ALICE, ALICE, "10.77.2.0/24", GATEWAY) + PAIR
AT_GATEWAY = tunnel("10.77.2.0/24", GATEWAY, ALICE, ALICE)
COUNT = f"""
table inet count {{
  counter tunnel {{ }}
  counter beside {{ }}
  chain prerouting {{
    type filter hook prerouting priority raw;
    iifname "eth0" meta l4proto esp ip daddr {GATEWAY} counter name tunnel
    iifname "eth0" meta l4proto esp ip daddr {BOB} counter name beside
  }}
}}
"""


@pytest.fixture
def services(pair: Pair, tmp_path: Path) -> Iterator[tuple[Service, ...]]:
    """Alice's, the gateway's and bob's."""
    pair.bob.run("ip", "address", "add", f"{OTHER}/24", "dev", "eth0")
    pair.router.run("nft", "-f", "-", text=COUNT)
    hosts = zip(pair, (AT_ALICE, AT_GATEWAY, PAIR), strict=True)
    found = tuple(Service(host, document(tmp_path / host.name, text)) for host, text in hosts)
    yield found
    for one in found:
        one.stop()


def seen(router: Host) -> dict[str, int]:
    """Sealed packets by the way that they take; they are counted anew."""
    out = json.loads(router.run("nft", "-j", "reset", "counters", "table", "inet", "count").stdout)
    return {one["counter"]["name"]: one["counter"]["packets"] for one in out["nftables"] if "counter" in one}


def test_what_a_rule_protects_goes_beside_the_tunnel(pair: Pair, services: tuple[Service, ...]) -> None:
    alice, router, _ = pair
    assert ping(alice, BOB, count=2) == 2
    assert seen(router) == {"tunnel": 0, "beside": 2}
    assert ping(alice, OTHER, count=2) == 2
    assert seen(router) == {"tunnel": 2, "beside": 0}
    told = services[0].ask("explain", f"out icmp {ALICE} -> {BOB}")["lines"]
    assert any('rule "pair"' in one for one in told)
