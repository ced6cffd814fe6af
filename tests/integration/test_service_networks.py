# SPDX-License-Identifier: Apache-2.0
"""A laptop at home and in a café: its rules follow the networks that it is in, within two seconds.

It has a link to each. ``home`` has the same key and policy; ``cafe`` has no IPsec, and tries what strangers try.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.service_lab import Service, document, ping
from integration.truth import Client, serve, until_it_listens

from ringfence.control.client import Client as Control
from ringfence.testing.namespaces import Host, Lab

pytestmark = pytest.mark.root

AT_HOME, HOME, IN_CAFE, CAFE = "192.168.7.2", "192.168.7.1", "10.99.0.2", "10.99.0.1"
ELSEWHERE = "172.16.5.2"
WITHIN_S = 2.0
POLICY = """
[profile.private]
networks = "192.168.7.0/24"

[[rule]]
name = "at home"
with = "192.168.7.0/24"
auth = { psk-file = "lab.psk" }
profiles = "private"

[[filter]]
name = "nothing for strangers"
block = "any to 7000"
direction = "in"
profiles = "public"
"""
TRAFFIC = POLICY.replace('block = "any to 7000"', 'block = ["tcp to 7000", "udp to 7000"]')


class Town:
    """The three, and the service of the laptop."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.laptop, self.home, self.cafe = map(lab.host, ("laptop", "home", "cafe"))
        lab.cable(self.laptop, self.home, f"{AT_HOME}/24", f"{HOME}/24")
        lab.cable(self.laptop, self.cafe, f"{IN_CAFE}/24", f"{CAFE}/24")
        self.cafe.route("192.168.7.0/24", via=IN_CAFE)
        for address in (HOME, CAFE):
            self.laptop.wait_for(address)
        for host in (self.laptop, self.home, self.cafe):
            serve(host)
        self.folder = folder
        self.services = [self._service(self.laptop), self._service(self.home)]
        self.control = Control(folder / "laptop" / "s")

    def _service(self, host: Host) -> Service:
        return Service(host, document(self.folder / host.name, TRAFFIC), "--socket", str(self.folder / host.name / "s"))

    def close(self) -> None:
        self.control.__exit__(None, None, None)
        for service in self.services:
            service.stop()

    def rules(self) -> set[str]:
        """What decides on packets now."""
        return {entry.rule for entry in self.control.policy().entries if not entry.built_in}

    def networks(self) -> dict[str, str]:
        return {one.interface: one.profile for one in self.control.status().networks}

    def becomes(self, what: Callable[[], bool]) -> float:
        """How long it takes until ``what`` is true."""
        began = time.monotonic()
        while not what():
            assert time.monotonic() < began + 10, "it does not come true"
            time.sleep(0.02)
        return time.monotonic() - began

    def move(self, *addresses: str) -> None:
        """Put the first link of the laptop into another network."""
        words = ["addr flush dev eth0", *(f"addr add {one} dev eth0" for one in addresses)]
        self.laptop.run("ip", "-batch", "-", text="\n".join(words) + "\n")


@pytest.fixture
def town(namespaces: None, tmp_path: Path) -> Iterator[Town]:
    with Lab() as lab:
        made = Town(lab, tmp_path)
        yield made
        made.close()


PORTS = iter(range(21_000, 30_000))


def asked(host: Host, kind: str, address: str) -> bool:
    return Client(host).ask(kind, next(PORTS), address, 1.5).answered


def clear(host: Host, interface: str, what: Callable[[], Any]) -> list[str]:
    """Clear packets of applications that pass an interface meanwhile."""
    tap = host.spawn("tcpdump", "-i", interface, "-nn", "-l", "--immediate-mode", "port 7000 or icmp",
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    until_it_listens(tap)
    what()
    time.sleep(0.3)
    tap.terminate()
    assert tap.stdout is not None
    return [line for line in tap.stdout if line.strip()]


def test_each_network_has_its_rules(town: Town) -> None:
    assert town.networks() == {"eth0": "private", "eth1": "public"}
    assert town.rules() == {"at home", "nothing for strangers"}
    assert clear(town.home, "eth0", lambda: asked(town.laptop, "tcp", HOME)) == []
    assert asked(town.home, "tcp", AT_HOME)
    for kind in ("tcp", "udp"):
        assert asked(town.laptop, kind, CAFE), "in clear"
        assert not asked(town.cafe, kind, IN_CAFE)
    assert ping(town.cafe, IN_CAFE) == 1
    assert ping(town.cafe, AT_HOME, wait=1) == 0, "an address is reached by its own network only"
    assert not asked(town.cafe, "tcp", AT_HOME)
    town.laptop.run("ip", "route", "add", "198.51.100.0/24", "via", CAFE)
    lost = ("ping", "-c1", "-W1", "-I", AT_HOME, "198.51.100.1")
    assert clear(town.cafe, "eth0", lambda: town.laptop.run(*lost, check=False)) == [], "and used there only"
    told = town.control.explain(f"in tcp {CAFE}:9 -> {IN_CAFE}:7000")
    assert (told.verdict, "network    eth1: public (default)" in told.lines) == ("block", True)
    told = town.control.explain(f"out tcp {AT_HOME}:9 -> {HOME}:7000")
    assert "network    eth0: private (network 192.168.7.0/24)" in told.lines


def test_rules_and_sas_follow_within_two_seconds(town: Town) -> None:
    assert asked(town.laptop, "tcp", HOME)
    assert town.control.sas().quick_modes
    took = {}
    town.move(f"{ELSEWHERE}/24")
    took["gone"] = town.becomes(lambda: town.rules() == {"nothing for strangers"})
    assert town.networks() == {"eth0": "public", "eth1": "public"}
    took["sas"] = town.becomes(lambda: not town.control.sas().quick_modes)
    town.home.address("eth0", "172.16.5.1/24")
    assert not asked(town.home, "tcp", ELSEWHERE), "and the filter for public networks holds there"
    town.move(f"{AT_HOME}/24")
    took["back"] = town.becomes(lambda: "at home" in town.rules())
    assert clear(town.home, "eth0", lambda: asked(town.laptop, "tcp", HOME)) == []
    print(took)
    assert max(took.values()) < WITHIN_S, took
    told = [event.text for event in town.control.events() if event.event == "network-changed"]
    assert "eth0 is in a public network (default), until now private" in told
    assert told[-1] == "eth0 is in a private network (network 192.168.7.0/24), until now public"
