# SPDX-License-Identifier: Apache-2.0
"""A computer behind a router that masquerades, and a server: contracts through NAT, and what is on the wire."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, BOB, Pair
from integration.service_lab import Service, document, eventually, ping
from integration.test_service_protects import FETCH, SERVE

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

PUBLIC = "10.77.2.254"
MASQUERADE = """
table ip behind {
    counter natted {}
    counter other {}
    chain out {
        type nat hook postrouting priority srcnat;
        ip daddr 10.77.2.1 meta l4proto udp masquerade to :20000-30000
        ip daddr 10.77.2.1 masquerade
    }
    chain watch {
        type filter hook forward priority 10;
        udp dport 4500 counter name natted
        udp dport != { 500, 4500 } ip daddr 10.77.2.1 counter name other
        meta l4proto != udp counter name other
    }
}
"""

FULL = pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="part of the matrix")
CASES = [
    ("transport", "ikev2"), ("tunnel", "ikev1"), pytest.param(("transport", "ikev1"), marks=FULL),
    pytest.param(("tunnel", "ikev2"), marks=FULL),
]  # fmt: skip

TRANSPORT = """
[[rule]]
name = "to the other"
local = "me"
remote = "{remote}"
secure = "require"
keying = "{keying}"
auth = {{ psk-file = "lab.psk" }}
"""
TUNNEL = """
[[rule]]
name = "to the other"
local = {{ networks = ["{inner}"] }}
remote = {{ networks = ["{remote}"], gateway = "{gateway}" }}
secure = "require"
keying = "{keying}"
auth = {{ psk-file = "lab.psk" }}
"""


def policies(mode: str, keying: str) -> tuple[str, str]:
    if mode == "transport":
        return TRANSPORT.format(remote=BOB, keying=keying), TRANSPORT.format(remote=PUBLIC, keying=keying)
    return (
        TUNNEL.format(inner=ALICE, remote=BOB, gateway=BOB, keying=keying),
        TUNNEL.format(inner=BOB, remote=ALICE, gateway=PUBLIC, keying=keying),
    )


def counted(router: Host) -> dict[str, int]:
    """What went to the server."""
    out = json.loads(router.run("nft", "-j", "reset", "counters", "table", "ip", "behind").stdout)
    return {one["counter"]["name"]: one["counter"]["packets"] for one in out["nftables"] if "counter" in one}


@pytest.fixture(params=CASES, ids="-".join)
def both(request: pytest.FixtureRequest, pair: Pair, tmp_path: Path) -> Iterator[tuple[str, Service, Service, Host]]:
    pair.router.run("nft", "-f", "-", text=MASQUERADE)
    alice, bob = (
        Service(host, document(tmp_path / host.name, text), "--verbose")
        for host, text in zip((pair.alice, pair.bob), policies(*request.param), strict=True)
    )
    yield request.param[0], alice, bob, pair.router
    for service in (alice, bob):
        if service.process.poll() is None:
            service.stop()


def test_through_a_router_that_masquerades(both: tuple[str, Service, Service, Host]) -> None:
    mode, alice, bob, router = both
    assert ping(alice.host, BOB, count=3) == 3
    counts = counted(router)
    assert counts["natted"] >= 6, "messages behind the look for NAT, and ESP"
    assert counts["other"] == 0
    (main,) = bob.ask("sa", "list")["main_modes"]
    assert main["remote_identity"] == ALICE
    assert main["remote"].startswith(f"{PUBLIC}:2")

    bob.host.spawn(*bob.host.python("-c", SERVE))
    eventually(lambda: bool(bob.host.run("ss", "-Hltn", "sport = 80").stdout))
    page = alice.host.run(*alice.host.python("-c", FETCH, f"http://{BOB}/")).stdout
    seen = PUBLIC if mode == "transport" else ALICE
    assert page.startswith(f"{seen} the secret of the house"), "the address that the server sees"
    assert len(page) > 200_000
    assert counted(router)["other"] == 0
    assert ping(bob.host, seen, count=2) == 2, "and back by the same contract"
