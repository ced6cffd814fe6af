# SPDX-License-Identifier: Apache-2.0
"""Filters that permit what is secure only, and those that override blocks, on the wire.

alice serves on port 7000. bob and carol authenticate to her by the same rule, each by a name of its own; dave has no
IPsec. tcpdump says what is on the wire, the applications whether they were answered.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.service_lab import Service, document
from integration.truth import Client, Table, Tcpdump, serve

from ringfence.control.client import Client as Control
from ringfence.testing.namespaces import Host, Lab

pytestmark = pytest.mark.root

ALICE = "10.77.1.1"
PEERS = {"bob": "10.78.1.1", "carol": "10.78.2.1", "dave": "10.78.3.1"}

RULE = """
[[rule]]
name = "whoever can"
with = "10.78.0.0/16"
secure = "request"
auth = { psk-file = "lab.psk" }
allow = { computers = ["*.lab"] }
"""
OF_PEER = """
[[rule]]
name = "alice"
with = "10.77.1.1"
secure = "request"
auth = { psk-file = "lab.psk" }
identity = { local = "NAME.lab" }
"""
READABLE_FIRST_OF_BOB = OF_PEER.replace("NAME", "bob") + 'protect = ["esp null-sha256", "esp aes256-gcm"]\n'
READABLE = OF_PEER + 'protect = ["esp null-sha256"]\n'
READABLE_TOO = RULE + 'protect = ["esp aes256-gcm", "esp null-sha256"]\n'
READABLE_FIRST = RULE + 'protect = ["esp null-sha256", "esp aes256-gcm"]\n'
ENCRYPTED = """
[[filter]]
name = "served encrypted"
permit = "tcp to 7000"
direction = "in"
secure = "encrypted"
"""
BLOCK = """
[[filter]]
name = "nobody"
block = "tcp to 7000"
with = "10.78.0.0/16"
direction = "in"
"""
BYPASS = """
[[filter]]
name = "but bob"
permit = "tcp to 7000"
direction = "in"
secure = "authenticated"
override-block = true
allow = { computers = ["bob.lab"] }
"""

CLEAR = "asked in clear"
WITHOUT_ANSWER = {name: f"protected ['{PEERS[name]}'], clear [], not answered" for name in ("bob", "carol")}


class Town:
    """All hosts, with their services and applications."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.alice, self.router = lab.host("alice"), lab.router("router")
        lab.cable(self.alice, self.router, f"{ALICE}/24", "10.77.1.254/24")
        self.alice.route("default", via="10.77.1.254")
        self.hosts = {name: self._peer(lab, name, address) for name, address in PEERS.items()}
        serve(self.alice)
        self.taps = {name: Tcpdump(self.router, f"eth{number}") for number, name in enumerate(PEERS, 1)}
        self.asks = {name: Client(host) for name, host in self.hosts.items()}
        self.service = self._start(folder, self.alice, RULE)
        self.of_peers = {
            name: self._start(folder, self.hosts[name], OF_PEER.replace("NAME", name)) for name in ("bob", "carol")
        }
        self._table = Table()

    def _peer(self, lab: Lab, name: str, address: str) -> Host:
        host = lab.host(name)
        gateway = address.rpartition(".")[0] + ".254"
        lab.cable(self.router, host, f"{gateway}/24", f"{address}/24")
        host.route("default", via=gateway)
        self.alice.wait_for(address)
        return host

    def _start(self, folder: Path, host: Host, text: str) -> Service:
        policy = document(folder / host.name, text)
        return Service(host, policy, "--socket", str(policy.parent / "s"))

    def follow(self, service: Service, text: str) -> None:
        """From now on it follows this document."""
        service.policy.write_text(text)
        with Control(service.policy.parent / "s") as control:
            control.reload()

    def asked(self, name: str, kind: str = "tcp", seconds: float = 8.0) -> str:
        """What is on the wire when somebody asks alice."""
        ends = PEERS[name], ALICE
        return self._table.cell(kind, self.asks[name], self.taps[name], ends, seconds).wire

    def protections(self, name: str) -> set[str]:
        """How alice's SAs with somebody protect."""
        with Control(self.service.policy.parent / "s") as control:
            return {sa.protection for sa in control.sas().quick_modes if sa.peer == PEERS[name]}

    def dropped(self, reason: str) -> int:
        """How many packets alice dropped for it."""
        with Control(self.service.policy.parent / "s") as control:
            found: int = control.status().dropped.get(reason, 0)
            return found


@pytest.fixture(scope="module")
def town(namespaces: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Lab() as lab:
        made = Town(lab, tmp_path_factory.mktemp("t"))
        yield made
        for service in (made.service, *made.of_peers.values()):
            service.stop()


def test_only_what_is_encrypted_passes(town: Town) -> None:
    assert town.asked("dave") == "clear", "by the rule alone whoever cannot need not"
    town.follow(town.service, RULE + ENCRYPTED)
    assert town.asked("bob") == "esp"
    assert town.asked("dave", seconds=2.0) == CLEAR
    assert town.asked("dave", "udp") == "clear", "of other traffic the filter says nothing"


def test_who_may_passes_a_block_and_nobody_else(town: Town) -> None:
    town.follow(town.service, RULE + BLOCK + BYPASS)
    before = town.dropped("not-authorized")
    assert town.asked("bob") == "esp"
    assert town.asked("carol", seconds=2.0) == WITHOUT_ANSWER["carol"], "of the same rule, with an SA, by another name"
    assert town.dropped("not-authorized") > before
    assert town.asked("dave", seconds=2.0) == CLEAR
    assert town.asked("carol", "udp") == "esp", "by that SA all else passes"

    town.follow(town.service, RULE + BLOCK + BYPASS.replace("bob", "carol"))
    before = town.dropped("not-authorized")
    assert town.asked("bob", seconds=2.0) == WITHOUT_ANSWER["bob"], "by the SA that passed a moment ago"
    assert town.dropped("not-authorized") > before
    assert town.asked("carol") == "esp"


def test_what_is_protected_but_readable_has_a_reason_of_its_own(town: Town) -> None:
    town.follow(town.service, READABLE_TOO + ENCRYPTED)
    town.follow(town.of_peers["bob"], READABLE.replace("NAME", "bob"))
    before = town.dropped("not-encrypted")
    assert town.asked("bob", seconds=2.0) == WITHOUT_ANSWER["bob"]
    assert town.dropped("not-encrypted") > before
    assert town.asked("bob", "udp") == "esp"
    assert town.asked("carol") == "esp"


def test_encryption_is_negotiated_behind_the_first_packet(town: Town) -> None:
    negotiated = ENCRYPTED.replace('"encrypted"', '"negotiated"')
    town.follow(town.of_peers["bob"], READABLE_FIRST_OF_BOB)
    town.follow(town.service, READABLE_FIRST + negotiated)
    before = town.dropped("not-encrypted")
    assert town.asked("bob", "udp") == "esp"
    assert town.protections("bob") == {"esp null-sha256"}
    assert town.asked("bob") == "esp"
    assert "esp aes256-gcm" in town.protections("bob")
    assert town.dropped("not-encrypted") == before
