# SPDX-License-Identifier: Apache-2.0
"""Rules follow the files of resolvers and DHCP clients within two seconds, by the dates of the service's own events."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from integration.service_lab import Service, document, eventually

from ringfence.control.client import Client as Control
from ringfence.testing.namespaces import Host, Lab

pytestmark = pytest.mark.root

HERE = "192.168.7.2"
WITHIN = timedelta(seconds=2)
POLICY = """
[profile.private]
dns-suffixes = "corp.example"

[[filter]]
name = "names"
permit = "udp to 53"
with = "dns-servers"

[[filter]]
name = "leases"
permit = "udp to 67"
with = "dhcp-servers"

[[filter]]
name = "ways out"
permit = "icmp"
with = "default-gateway"

[[filter]]
name = "offices"
block = "tcp to 445"
profiles = "private"

[[filter]]
name = "modems"
block = "tcp to 80"
interfaces = "remote-access"
"""


class Followed:
    """A host whose files and links change, and what its service made of that."""

    def __init__(self, host: Host, folder: Path) -> None:
        self.host = host
        self._service = Service(host, document(folder / "p", POLICY), "--socket", str(folder / "s"))
        self.control = Control(folder / "s")

    def close(self) -> None:
        self.control.__exit__(None, None, None)
        self._service.stop()

    def peers(self, rule: str) -> set[str]:
        return {one.remote.split(":")[0] for one in self.control.policy().entries if one.rule == rule}

    def after(self, script: str, becomes: Callable[[], bool]) -> timedelta:
        """How long after this change the policy was applied that follows it."""
        seen = len(self._applied())
        began = datetime.now(UTC)
        self.host.run("sh", "-euc", script)
        eventually(lambda: len(self._applied()) > seen and becomes(), 30)
        return self._applied()[seen] - began

    def _applied(self) -> list[datetime]:
        return [one.at for one in self.control.events() if one.event == "policy-applied"]


def files(host: Host) -> None:
    """A resolver's and systemd-networkd's, of this host alone; what /etc/resolv.conf names is what it has now."""
    host.run("sh", "-euc", """
        mkdir -p /run/own
        echo nameserver 192.0.2.53 >/run/own/resolv.conf
        mount --bind /run/own/resolv.conf /etc/resolv.conf
    """)  # fmt: skip


@pytest.fixture
def laptop(namespaces: None) -> Iterator[Host]:
    with Lab() as lab:
        made, office = lab.host("laptop"), lab.host("office")
        lab.cable(made, office, f"{HERE}/24", "192.168.7.1/24")
        files(made)
        yield made


@pytest.fixture
def followed(laptop: Host, tmp_path: Path) -> Iterator[Followed]:
    made = Followed(laptop, tmp_path)
    yield made
    made.close()


def test_rules_follow_what_is_around_within_two_seconds(laptop: Host, followed: Followed) -> None:
    assert followed.peers("names") == {"192.0.2.53"}
    number = laptop.run("ip", "-o", "link", "show", "eth0").stdout.split(":")[0]
    took = {
        "a resolver's file is written": followed.after(
            "echo nameserver 192.0.2.54 >/etc/resolv.conf", lambda: followed.peers("names") == {"192.0.2.54"}
        ),
        "the resolver of this computer gets a file": followed.after(
            "mkdir -p /run/systemd/resolve; echo nameserver 192.0.2.55 >/run/systemd/resolve/new;"
            "mv /run/systemd/resolve/new /run/systemd/resolve/resolv.conf;"
            "echo nameserver 127.0.0.53 >/etc/resolv.conf",
            lambda: followed.peers("names") == {"192.0.2.55"},
        ),
        "and replaces it": followed.after(
            "cd /run/systemd/resolve; echo nameserver 192.0.2.56 >new; mv new resolv.conf",
            lambda: followed.peers("names") == {"192.0.2.56"},
        ),
        "a lease comes": followed.after(
            f"mkdir -p /run/systemd/netif/leases; cd /run/systemd/netif/leases;"
            f"printf 'ADDRESS={HERE}\\nSERVER_ADDRESS=192.168.7.1\\n' >{number}",
            lambda: followed.peers("leases") == {"192.168.7.1"},
        ),
        "and goes": followed.after(
            f"rm /run/systemd/netif/leases/{number}", lambda: followed.peers("leases") == set()
        ),
        "the network gets a name": followed.after(
            f"mkdir -p /run/systemd/netif/links; echo DOMAINS=corp.example >/run/systemd/netif/links/{number}",
            lambda: followed.peers("offices") != set(),
        ),
        "a gateway comes": followed.after(
            "ip route add default via 192.168.7.1", lambda: followed.peers("ways out") == {"192.168.7.1"}
        ),
        "somebody dials in": followed.after(
            "ip tuntap add dev ppp0 mode tun; ip address add 192.0.2.9/32 dev ppp0; ip link set ppp0 up",
            lambda: followed.peers("modems") != set(),
        ),
    }  # fmt: skip
    assert max(took.values()) < WITHIN, took
    assert min(took.values()) > timedelta(0), took
