# SPDX-License-Identifier: Apache-2.0
"""Windows' default policies against each other, on the wire between two computers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, BOB, Pair, watched
from integration.service_lab import Service, document, eventually, ping

pytestmark = pytest.mark.root

CLIENT, SERVER, SECURE = "Client (Respond Only)", "Server (Request Security)", "Secure Server (Require Security)"
ECHO = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("", 80))
server.listen()
while True:
    peer, _ = server.accept()
    with peer:
        while data := peer.recv(100):
            peer.sendall(data)
"""
TALK = """
import socket, sys
with socket.create_connection((sys.argv[1], 80), timeout=12) as peer:
    for _ in range(5):
        peer.sendall(b"psst")
        assert peer.recv(100) == b"psst"
"""

Start = Callable[[str, str], tuple[Service, Service]]


def policy(name: str) -> str:
    return f'[policy]\nbased-on = "{name}"\nauth = {{ psk-file = "lab.psk" }}\n'


@pytest.fixture
def start(pair: Pair, tmp_path: Path) -> Iterator[Start]:
    services: list[Service] = []

    def run(alice: str, bob: str) -> tuple[Service, Service]:
        for host, name in ((pair.alice, alice), (pair.bob, bob)):
            services.append(Service(host, document(tmp_path / host.name, policy(name))))
            host.spawn(*host.python("-c", ECHO))
            eventually(lambda host=host: bool(host.run("ss", "-Hltn", "sport = 80").stdout))  # type: ignore[misc]
        watched(pair.router)
        return services[0], services[1]

    yield run
    for service in services:
        service.stop()


def talks(service: Service, to: str) -> bool:
    host = service.host
    return host.run(*host.python("-c", TALK, to), check=False).returncode == 0


def protected(service: Service) -> int:
    return len(service.ask("sa", "list")["quick_modes"])


def test_two_secure_servers_protect_all_but_pings(pair: Pair, start: Start) -> None:
    alice, bob = start(SECURE, SECURE)
    assert ping(pair.alice, BOB) == 1
    assert watched(pair.router) == {"protected": 0, "clear": 2}
    assert talks(alice, BOB)
    counts = watched(pair.router)
    assert counts["clear"] == 9, "main mode and quick mode"
    assert counts["protected"] >= 12
    assert talks(bob, ALICE)
    assert watched(pair.router)["clear"] == 0
    explained = alice.ask("explain", f"out tcp {ALICE} -> {BOB}:80")
    assert explained["verdict"] == "protect"
    assert any('filter list "All IP Traffic"' in line for line in explained["lines"])


def test_the_client_is_asked_by_the_server(pair: Pair, start: Start) -> None:
    client, server = start(CLIENT, SERVER)
    assert protected(client) == 0
    explained = client.ask("explain", f"out tcp {ALICE} -> {BOB}:80")
    assert any("the other side has to begin" in line for line in explained["lines"])
    assert talks(client, BOB), "its first packet is in clear; the server's answer begins a negotiation"
    counts = watched(pair.router)
    assert counts["protected"] >= 10, counts
    assert counts["clear"] <= 12, "the first packet, perhaps repeated, main mode and quick mode"
    (quick,) = client.ask("sa", "list")["quick_modes"]
    assert quick["rule"] == "<Dynamic>: Default Response"
    (main,) = server.ask("sa", "list")["main_modes"]
    assert main["initiator"] is True, "the client never begins"
    assert talks(client, BOB)
    assert watched(pair.router)["clear"] == 0


def test_the_client_reaches_the_secure_server(pair: Pair, start: Start) -> None:
    client, _ = start(CLIENT, SECURE)
    assert talks(client, BOB)
    assert watched(pair.router)["protected"] >= 10
    (main,) = client.ask("sa", "list")["main_modes"]
    assert main["initiator"] is False


def test_two_clients_talk_in_clear(pair: Pair, start: Start) -> None:
    client, other = start(CLIENT, CLIENT)
    assert talks(client, BOB)
    assert talks(other, ALICE)
    assert watched(pair.router)["protected"] == 0
    assert protected(client) == protected(other) == 0
    assert json.dumps(client.ask("status")["dropped"]) == "{}"


def test_a_server_serves_who_has_no_ipsec_and_a_secure_server_does_not(
    pair: Pair, start: Start, tmp_path: Path
) -> None:
    plain = pair.alice
    server = Service(pair.bob, document(tmp_path / "bob", policy(SERVER)))
    pair.bob.spawn(*pair.bob.python("-c", ECHO))
    eventually(lambda: bool(pair.bob.run("ss", "-Hltn", "sport = 80").stdout))
    assert plain.run(*plain.python("-c", TALK, BOB), check=False).returncode == 0
    server.policy.write_text(policy(SECURE))
    server.ask("reload")
    assert plain.run(*plain.python("-c", TALK, BOB), check=False).returncode != 0
    assert ping(plain, BOB) == 1, "but pings pass"
    assert server.stop() == 0
