# SPDX-License-Identifier: Apache-2.0
"""Two computers behind one router that masquerades, and a server: the same ports at once, and a router that forgets."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from integration.service_lab import Service, document, eventually, ping
from integration.test_service_protects import SERVE

from ringfence.testing.namespaces import Host, Lab

pytestmark = pytest.mark.root

PUBLIC, SERVER = "10.77.2.254", "10.77.2.1"
CLIENTS = {"alice": "10.77.1.1", "carol": "10.77.1.2"}
MASQUERADE = """
table ip behind {
    chain out {
        type nat hook postrouting priority srcnat;
        ip daddr 10.77.2.1 meta l4proto udp masquerade to :20000-30000 random
        ip daddr 10.77.2.1 masquerade
    }
}
"""
RULE = """
[[rule]]
name = "to the other"
local = {local}
remote = {remote}
secure = "require"
auth = {{ psk-file = "lab.psk" }}
"""
ASK = """
import socket, sys
one = socket.socket()
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
one.bind(("", 5000))
one.settimeout(15)
one.connect((sys.argv[1], 80))
sys.stdin.readline()
one.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
got = b""
while piece := one.recv(65536):
    got += piece
print(got.split(b"\\r\\n\\r\\n", 1)[1].decode())
"""


FORGETS_S = 1


class Street(NamedTuple):
    router: Host
    server: Service
    clients: dict[str, Service]


def rules(mode: str, inner: str) -> tuple[str, str]:
    """A client's, and the server's."""
    if mode == "transport":
        return RULE.format(local='"me"', remote=f'"{SERVER}"'), RULE.format(local='"me"', remote=f'"{PUBLIC}"')
    here = f'{{ networks = ["{SERVER}"], gateway = "{SERVER}" }}'
    there = RULE.format(local=here, remote='{ networks = ["10.77.1.0/24"], gateway = "any" }')
    return RULE.format(local=f'{{ networks = ["{inner}"] }}', remote=here), there


MODES = ["transport", "tunnel"] if os.environ.get("RINGFENCE_FULL") else ["transport"]


@pytest.fixture(params=MODES)
def street(request: pytest.FixtureRequest, namespaces: None, tmp_path: Path) -> Iterator[Street]:
    with Lab() as lab:
        router, server = lab.router("router"), lab.host("server")
        router.run("ip", "link", "add", "lan", "type", "bridge")
        router.run("ip", "link", "set", "lan", "up")
        hosts = {name: lab.host(name) for name in CLIENTS}
        for name, address in CLIENTS.items():
            cable = lab.cable(hosts[name], router)
            router.run("ip", "link", "set", cable.right, "master", "lan")
            hosts[name].address(cable.left, f"{address}/24")
        router.address("lan", "10.77.1.254/24")
        lab.cable(router, server, f"{PUBLIC}/24", f"{SERVER}/24")
        for host in hosts.values():
            host.route("default", via="10.77.1.254")
        server.route("default", via=PUBLIC)
        for host in hosts.values():
            host.wait_for(SERVER)
        router.run("nft", "-f", "-", text=MASQUERADE)
        services = {
            name: Service(host, document(tmp_path / name, rules(request.param, CLIENTS[name])[0]))
            for name, host in hosts.items()
        }
        serving = Service(server, document(tmp_path / "server", rules(request.param, "")[1]), "--verbose")
        yield Street(router, serving, services)
        for service in (*services.values(), serving):
            if service.process.poll() is None:
                service.stop()


def test_both_at_once_by_the_same_port(street: Street) -> None:
    server = street.server.host
    server.spawn(*server.python("-c", SERVE))
    eventually(lambda: bool(server.run("ss", "-Hltn", "sport = 80").stdout))
    asking = [client.host.spawn(*client.host.python("-c", ASK, SERVER), stdin=-1, stdout=-1)
              for client in street.clients.values()]  # fmt: skip
    eventually(lambda: server.run("ss", "-Htn", "sport = 80").stdout.count("ESTAB") == 2, seconds=20)
    pages = [process.communicate("\n", timeout=20)[0] for process in asking]
    assert all(len(page) > 200_000 for page in pages)
    for client in street.clients.values():
        assert ping(client.host, SERVER, count=2) == 2
    peers = {one["remote_identity"] for one in street.server.ask("sa", "list")["main_modes"]}
    assert peers == set(CLIENTS.values())


def remembers(router: Host, seconds: int) -> None:
    """How long the router keeps what it has translated."""
    for name in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
        router.setting(f"net.netfilter.{name}", seconds)


def test_a_router_that_forgets(street: Street) -> None:
    """The server answers to where the first packet after that came from."""
    for client in street.clients.values():
        assert ping(client.host, SERVER, count=1) == 1
    before = {one["remote_identity"]: one["remote"] for one in street.server.ask("sa", "list")["main_modes"]}
    remembers(street.router, FORGETS_S)
    alice = street.clients["alice"].host

    def moved() -> bool:
        time.sleep(FORGETS_S + 0.5)  # whoever talks on is not forgotten
        ping(alice, SERVER, count=1)
        now = {one["remote_identity"]: one["remote"] for one in street.server.ask("sa", "list")["main_modes"]}
        return now[CLIENTS["alice"]] != before[CLIENTS["alice"]]

    eventually(moved, seconds=20)
    remembers(street.router, 60)
    assert ping(alice, SERVER, count=3) == 3
