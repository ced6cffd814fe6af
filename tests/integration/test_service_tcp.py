# SPDX-License-Identifier: Apache-2.0
"""Two computers with a network between them that lets only TCP pass (RFC 9329)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.backend_lab import ALICE, BOB, Pair
from integration.service_lab import RULE, Service, document, eventually, ping
from integration.test_service_protects import FETCH, SERVE

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

PORT = 443
POLICY = f'{RULE}keying = "ikev2"\ntcp = "fallback"\ntcp-port = {PORT}\n'
NETWORK = f"""
table inet hotel {{
    counter through {{}}
    counter past {{}}
    chain cut {{}}
    chain forward {{
        type filter hook forward priority 0;
        jump cut
        tcp dport {PORT} counter name through accept
        tcp sport {PORT} counter name through accept
        meta l4proto {{ udp, esp }} drop
        counter name past
    }}
}}
"""


def counted(router: Host) -> dict[str, int]:
    out = json.loads(router.run("nft", "-j", "list", "counters", "table", "inet", "hotel").stdout)
    return {one["counter"]["name"]: one["counter"]["packets"] for one in out["nftables"] if "counter" in one}


@pytest.fixture
def both(pair: Pair, tmp_path: Path) -> Iterator[tuple[Service, Service, Host]]:
    pair.router.run("nft", "-f", "-", text=NETWORK)
    policy = document(tmp_path, POLICY)
    services = Service(pair.alice, policy), Service(pair.bob, policy)
    yield *services, pair.router
    for service in services:
        service.stop()
    pair.router.run("nft", "delete", "table", "inet", "hotel")


def test_all_goes_by_one_connection_and_outlives_it(both: tuple[Service, Service, Host]) -> None:
    alice, bob, router = both
    assert ping(alice.host, BOB, wait=10) == 1, "the first packet waits for UDP to be silent, and for TCP"
    for service in (bob, alice):
        (sa,) = [one for one in service.ask("sa", "list")["main_modes"] if one["quick_modes"]]
        assert sa["keying"] == "ikev2-tcp"
    assert [event["fields"]["now"] for event in alice.events("keying-changed")] == ["ikev2-tcp"]
    with_server = bob.host.spawn(*bob.host.python("-c", SERVE))
    try:
        eventually(lambda: bool(bob.host.run("ss", "-Hltn", "sport = 80").stdout))
        page = alice.host.run(*alice.host.python("-c", FETCH, f"http://{BOB}/")).stdout
    finally:
        with_server.kill()
        with_server.wait()
    assert page.startswith(ALICE)
    assert counted(router)["past"] == 0, "nothing else has tried to pass but by UDP"

    router.run("nft", "add", "rule", "inet", "hotel", "cut", f"tcp dport {PORT}", "reject", "with", "tcp", "reset")
    ping(alice.host, BOB)
    router.run("nft", "flush", "chain", "inet", "hotel", "cut")
    eventually(lambda: ping(alice.host, BOB) == 1)
    (after,) = alice.ask("sa", "list")["main_modes"]
    assert (after["id"], after["keying"]) == (sa["id"], "ikev2-tcp")
    assert after["local"] != sa["local"], "another connection has another port"
    assert counted(router)["past"] == 0


CONNECT = """
import socket, sys
with socket.socket() as one:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("", int(sys.argv[1])))
    one.settimeout(1.5)
    try:
        one.connect((sys.argv[2], int(sys.argv[3])))
        one.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        print("answered" if one.recv(1) else "ended")
    except OSError:
        print("shut")
"""


def dropped(service: Service) -> int:
    """Clear packets that did not come in."""
    return int(service.ask("status")["dropped"].get("clear-but-security-required", 0))


def test_a_port_of_ike_lets_nobody_in_to_anything_else(pair: Pair, tmp_path: Path) -> None:
    alice = Service(pair.alice, document(tmp_path, POLICY))
    server = pair.alice.spawn(*pair.alice.python("-c", SERVE))
    try:
        eventually(lambda: bool(pair.alice.run("ss", "-Hltn", "sport = 80").stdout))

        def connect(source: int, port: int) -> str:
            words = pair.bob.python("-c", CONNECT, str(source), ALICE, str(port))
            return pair.bob.run(*words).stdout.strip()

        assert connect(40000, 80) == "shut", "the rule requires protection"
        before = dropped(alice)
        assert connect(PORT, 80) == "shut", "also from a port that IKE has"
        assert dropped(alice) > before, "and what comes from there does not even come in"
        assert connect(40001, PORT) == "ended", "IKE listens there, and hears no IKE"
    finally:
        server.kill()
        server.wait()
        alice.stop()
