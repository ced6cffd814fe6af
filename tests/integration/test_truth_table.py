# SPDX-License-Identifier: Apache-2.0
"""The truth table of request and require, on the wire.

alice has a policy of each kind; four peers are behind a router: bob with the same policy, mallory with another key,
carol without IPsec, dave likewise and behind a firewall that drops IKE silently. Either side asks, by TCP and by UDP.
tcpdump says what is on the wire; the applications say whether they were answered, and how long that took.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from integration.service_lab import Service, document
from integration.truth import Cell, Client, Table, Tcpdump, serve

from ringfence.control.client import Client as Control
from ringfence.testing.namespaces import Host, Lab

pytestmark = pytest.mark.root

ALICE = "10.77.1.1"
PEERS = {"bob": "10.78.1.1", "mallory": "10.78.2.1", "carol": "10.78.3.1", "dave": "10.78.4.1"}

REQUIRE = """
[[rule]]
name = "{name}"
between = ["10.77.1.1", "10.78.0.0/16"]
secure = {secure}
auth = {{ psk-file = "lab.psk" }}
"""
EXEMPT = """
[[rule]]
name = "{name}, but not these"
between = ["10.77.1.1", "10.78.0.0/16"]
traffic = ["tcp 7000", "udp 7000"]
secure = "none"
"""
POLICIES = {
    "none": "",
    "exempt": REQUIRE.replace("{secure}", '"require"') + EXEMPT,
    "request": REQUIRE.replace("{secure}", '"request"'),
    "require in, request out": REQUIRE.replace("{secure}", '{{ in = "require", out = "request" }}'),
    "require": REQUIRE.replace("{secure}", '"require"'),
}
CLEAR = dict.fromkeys(PEERS, "clear")
UNANSWERED, NOTHING = "asked in clear", "nothing"
EXPECTED = {
    ("none", "out"): CLEAR,
    ("none", "in"): CLEAR,
    ("exempt", "out"): CLEAR,
    ("exempt", "in"): CLEAR,
    ("request", "out"): CLEAR | {"bob": "esp"},
    ("request", "in"): CLEAR | {"bob": "esp"},
    ("require in, request out", "out"): CLEAR | {"bob": "esp", "mallory": UNANSWERED},
    ("require in, request out", "in"): dict.fromkeys(PEERS, UNANSWERED) | {"bob": "esp"},
    ("require", "out"): dict.fromkeys(PEERS, NOTHING) | {"bob": "esp"},
    ("require", "in"): dict.fromkeys(PEERS, UNANSWERED) | {"bob": "esp", "mallory": NOTHING},
}  # fmt: skip
WITHOUT_IPSEC = ("carol", "dave")


class Town:
    """All hosts, with their services and applications."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.alice, self.router = lab.host("alice"), lab.router("router")
        lab.cable(self.alice, self.router, f"{ALICE}/24", "10.77.1.254/24")
        self.alice.route("default", via="10.77.1.254")
        self.hosts = {name: self._peer(lab, name, address) for name, address in PEERS.items()}
        self._keep_silent(self.hosts["dave"])
        for host in (self.alice, *self.hosts.values()):
            serve(host)
        self.taps = {name: Tcpdump(self.router, f"eth{number}") for number, name in enumerate(PEERS, 1)}
        self.asks = {
            "out": {name: Client(self.alice) for name in PEERS},
            "in": {name: Client(host) for name, host in self.hosts.items()},
        }
        self.services = [
            self._service(self.alice, folder),
            self._service(self.hosts["bob"], folder),
            self._service(self.hosts["mallory"], folder, key="another key than theirs"),
        ]
        self._table = Table()
        self._applied = 0

    def _peer(self, lab: Lab, name: str, address: str) -> Host:
        host = lab.host(name)
        gateway = address.rpartition(".")[0] + ".254"
        lab.cable(self.router, host, f"{gateway}/24", f"{address}/24")
        host.route("default", via=gateway)
        self.alice.wait_for(address)
        return host

    def _keep_silent(self, host: Host) -> None:
        host.run("nft", "-f", "-", text="table ip wall { chain in { type filter hook input priority 0; "
                 "udp dport { 500, 4500 } drop; }; }")  # fmt: skip

    def _service(self, host: Host, folder: Path, **key: str) -> Service:
        policy = document(folder / host.name, "", **key)
        return Service(host, policy, "--socket", str(policy.parent / "s"))

    def apply(self, text: str) -> None:
        """The same policy on all three; its rules have new names, so nothing of the last is remembered."""
        self._applied += 1

        def one(service: Service) -> None:
            service.policy.write_text(text.format(name=f"number {self._applied}"))
            with Control(service.policy.parent / "s") as control:
                control.reload()

        with ThreadPoolExecutor() as pool:
            list(pool.map(one, self.services))

    def row(self, way: str, patience: dict[str, float]) -> dict[str, tuple[Cell, Cell]]:
        """By TCP and then by UDP, all peers at a time."""

        def both(name: str) -> tuple[Cell, Cell]:
            ends = (ALICE, PEERS[name]) if way == "out" else (PEERS[name], ALICE)
            first, second = (
                self._table.cell(kind, self.asks[way][name], self.taps[name], ends, patience[name])
                for kind in ("tcp", "udp")
            )
            return first, second

        with ThreadPoolExecutor() as pool:
            return dict(zip(PEERS, pool.map(both, PEERS), strict=True))


@pytest.fixture(scope="module")
def town(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Lab() as lab:
        made = Town(lab, tmp_path_factory.mktemp("t"))
        yield made
        for service in made.services:
            service.stop()


@pytest.mark.parametrize(("policy", "way"), EXPECTED)
def test_who_talks_to_whom(town: Town, policy: str, way: str) -> None:
    expected = EXPECTED[policy, way]
    town.apply(POLICIES[policy])
    patience = {name: 3.0 if what in (UNANSWERED, NOTHING) else 8.0 for name, what in expected.items()}
    found = town.row(way, patience)
    assert {name: (tcp.wire, udp.wire) for name, (tcp, udp) in found.items()} == {
        name: (what, what) for name, what in expected.items()
    }
    took = {name: (round(tcp.said.seconds, 2), round(udp.said.seconds, 2)) for name, (tcp, udp) in found.items()}
    print(policy, way, took)
    for name, (tcp, udp) in found.items():
        if tcp.said.answered:
            most = 1.0 if name in WITHOUT_IPSEC else 6.0
            assert tcp.said.seconds < most, took
            assert udp.said.seconds < 0.5, took


def test_a_wrong_key_is_told_by_both(town: Town) -> None:
    alice, _, mallory = town.services
    for service in (alice, mallory):
        with Control(service.policy.parent / "s") as control:
            told = [event.text for event in control.events() if event.event == "main-mode-failed"]
        assert any("key" in text for text in told), told
