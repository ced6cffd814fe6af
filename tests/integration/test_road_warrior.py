# SPDX-License-Identifier: Apache-2.0
"""A road warrior behind NAT and its gateway, each a service: address, routes, name servers, and what a crash leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.backend_lab import BOB, Pair, watch, watched
from integration.service_lab import Service, document, eventually, ping

from ringfence.testing.namespaces import Host

pytestmark = pytest.mark.root

INNER, INNER6 = "10.9.0.1", "fd09::1"
"""Behind the gateway, which is bob."""
GIVEN, GIVEN6 = "10.8.0.1", "fd08::1"
GATEWAY = f"""
[pool.people]
addresses = ["10.8.0.0/24", "fd08::/112"]
dns = ["{INNER}", "192.0.2.53"]
[[rule]]
name = "people"
keying = "ikev2"
local = {{ networks = ["10.9.0.0/24", "fd09::/64"], gateway = "{BOB}" }}
remote = {{ gateway = "any", pool = "people" }}
auth = {{ psk-file = "lab.psk" }}
identity = {{ local = "gw.corp.example" }}
allow = {{ computers = ["*.corp.example"] }}
"""
WARRIOR = f"""
[[rule]]
name = "office"
keying = "ikev2"
local = {{ address = "assigned" }}
remote = {{ networks = ["10.9.0.0/24", "fd09::/64"], gateway = "{BOB}" }}
auth = {{ psk-file = "lab.psk" }}
identity = {{ local = "alice.corp.example", remote = "gw.corp.example" }}
"""
MASQUERADE = """
table ip behind {
    chain out { type nat hook postrouting priority srcnat; ip daddr 10.77.2.1 masquerade; }
}
"""
BEFORE = "# by hand\nnameserver 192.0.2.1\noptions edns0"


class Lab:
    """Both ends, and the file of alice's resolver."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self.pair = pair
        pair.router.run("nft", "-f", "-", text=MASQUERADE)
        watch(pair.router)
        for address in (f"{INNER}/32", f"{INNER6}/128"):
            pair.bob.run("ip", "address", "add", address, "dev", "lo")
        self.resolv_conf = folder / "resolv.conf"
        self.resolv_conf.write_text(BEFORE)
        pair.alice.run("mount", "--bind", str(self.resolv_conf), "/etc/resolv.conf")
        self.gateway = Service(pair.bob, document(folder / "bob", GATEWAY))
        self.alice = Service(pair.alice, document(folder / "alice", WARRIOR))

    def stop(self) -> None:
        """Those that still run."""
        for one in (self.alice, self.gateway):
            if one.process.poll() is None:
                one.stop()
        self.pair.alice.run("umount", "/etc/resolv.conf")


@pytest.fixture
def lab(pair: Pair, tmp_path: Path) -> Iterator[Lab]:
    found = Lab(pair, tmp_path)
    yield found
    found.stop()


def addresses(host: Host) -> list[str]:
    """Those of our device."""
    out = host.run("ip", "-o", "address", "show", "dev", "rf0", check=False).stdout
    return sorted(line.split()[3] for line in out.splitlines() if "scope link" not in line)


def is_in(lab: Lab) -> bool:
    return addresses(lab.pair.alice) == [f"{GIVEN}/32", f"{GIVEN6}/128"]


def test_a_road_warrior_behind_nat_comes_in_and_leaves_nothing(lab: Lab) -> None:
    alice, bob = lab.pair.alice, lab.pair.bob
    eventually(lambda: is_in(lab))
    eventually(lambda: ping(alice, INNER) == 1 and ping(alice, INNER6) == 1)
    watched(lab.pair.router)
    assert ping(alice, INNER, count=2) == 2
    assert ping(alice, INNER6, count=2) == 2
    assert bob.run("ping", "-c1", "-W2", "-I", INNER, GIVEN).returncode == 0, "the other way, too"
    counts = watched(lab.pair.router)
    assert counts["protected"] >= 10
    assert counts["clear"] == 0
    source = alice.run("ip", "route", "get", INNER).stdout
    assert f"src {GIVEN} " in source
    eventually(lambda: "nameserver 10.9.0.1" in lab.resolv_conf.read_text())
    text = lab.resolv_conf.read_text()
    assert text.endswith(BEFORE)
    assert text.index("nameserver 10.9.0.1") < text.index("nameserver 192.0.2.1")
    (event,) = (one["fields"] for one in lab.alice.events("address-assigned"))
    assert (event["addresses"], event["servers"], event["left_out"]) == (f"{GIVEN} {GIVEN6}", INNER, "192.0.2.53")
    lab.alice.stop()
    assert addresses(alice) == []
    assert lab.resolv_conf.read_text() == BEFORE
    eventually(lambda: lab.gateway.ask("sa", "list")["main_modes"] == [])


def test_what_a_crash_leaves_is_taken_down_at_the_next_start(lab: Lab) -> None:
    alice = lab.pair.alice
    eventually(lambda: is_in(lab) and lab.resolv_conf.read_text() != BEFORE)
    lab.alice.kill()
    assert lab.resolv_conf.read_text() != BEFORE
    assert addresses(alice) == []
    assert ping(alice, INNER) == 0, "shut, not in clear"
    lab.alice.policy.write_text("")
    lab.alice.start()
    assert lab.resolv_conf.read_text() == BEFORE
    lab.alice.policy.write_text(WARRIOR)
    assert lab.alice.say("reload").returncode == 0
    eventually(lambda: is_in(lab))
    eventually(lambda: ping(alice, INNER) == 1)
