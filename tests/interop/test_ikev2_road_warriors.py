# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan as road warriors of our gateway, and as gateways that give us an address."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab.guest import OURS, THEIRS, Peer
from lab.ikev1 import INNER_OURS, INNER_THEIRS, NET_OURS, NET_THEIRS
from lab.product import Product, running, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
POOL, GIVEN = "10.99.0.0/24", "10.99.0.1"

GATEWAY = f"""
[pool.people]
addresses = "{POOL}"
dns = "{INNER_OURS}"
domains = "corp.example"
[[rule]]
name = "people"
keying = "ikev2"
local = {{ networks = "{NET_OURS}", gateway = "{OURS[0]}" }}
remote = {{ gateway = "any", pool = "people" }}
auth = {{ psk-file = "lab.psk" }}
main-mode.methods = ["aes256-sha256-modp2048"]
"""
WARRIOR = f"""
[[rule]]
name = "office"
keying = "ikev2"
local = {{ address = "assigned", gateway = "{OURS[0]}" }}
remote = {{ networks = "{NET_THEIRS}", gateway = "{THEIRS[0]}" }}
auth = {{ psk-file = "lab.psk" }}
main-mode.methods = ["aes256-sha256-modp2048"]
"""


@contextmanager
def ready(peer: Peer, policy: str, **settings: object):
    """Both sides, with addresses behind them; in the namespace resolv.conf is a file of its own."""
    folder = Path("/etc/netns") / peer.netns
    folder.mkdir(parents=True, exist_ok=True)
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text("nameserver 192.0.2.1\n")
    peer.up(MODE="tunnel", VERSION=2, **settings)
    peer.run("ip", "address", "replace", f"{INNER_THEIRS}/32", "dev", "lo")
    peer.outside("ip", "address", "replace", f"{INNER_OURS}/32", "dev", "lo")
    try:
        with running(peer.netns, policy) as product:
            yield product, resolv_conf
        assert resolv_conf.read_text() == "nameserver 192.0.2.1\n"
    except BaseException:
        print(peer.log()[-6000:])
        raise
    finally:
        peer.outside("ip", "address", "delete", f"{INNER_OURS}/32", "dev", "lo", check=False)
        resolv_conf.unlink()
        folder.rmdir()


def answered(said: str) -> bool:
    return "bytes from" in said


def ours(product: Product) -> str:
    """The addresses of our device."""
    words = ["ip", "netns", "exec", product.netns, "ip", "-o", "address", "show", "dev", "rf0"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout


def test_strongswan_gets_an_address_of_ours(strongswan: Peer) -> None:
    settings = {"VIPS": "0.0.0.0", "LOCAL_TS": "dynamic", "REMOTE_TS": NET_OURS}
    with ready(strongswan, GATEWAY, **settings) as (product, _):
        strongswan.initiate()
        assert GIVEN in strongswan.run("ip", "-o", "address")
        strongswan.run("ip", "route", "replace", NET_OURS, "via", OURS[0], "src", GIVEN)
        until(lambda: answered(strongswan.run("ping", "-c", 1, "-W", 2, INNER_OURS, check=False)))
        assert answered(strongswan.outside("ping", "-c", 1, "-W", 2, "-I", INNER_OURS, GIVEN, check=False))
        assert INNER_OURS in strongswan.run("cat", "/etc/resolv.conf", check=False) + strongswan.log()
        [made] = product.events("quick-mode-established")
        assert made["selector"] == f"{NET_OURS} -> {GIVEN}"
        strongswan.terminate()
        until(lambda: product.main_modes == [])
        assert GIVEN not in strongswan.run("ip", "-o", "address")


def test_strongswan_gives_us_an_address(strongswan: Peer) -> None:
    settings = {"GIVES": "yes", "POOL": POOL, "POOL_DNS": INNER_THEIRS, "LOCAL_TS": NET_THEIRS, "REMOTE_TS": "dynamic"}
    with ready(strongswan, WARRIOR, **settings) as (product, resolv_conf):
        strongswan.run("ip", "route", "replace", POOL, "via", OURS[0], "src", INNER_THEIRS)
        until(lambda: GIVEN in ours(product))
        until(lambda: answered(strongswan.outside("ping", "-c", 1, "-W", 2, INNER_THEIRS, check=False)))
        until(lambda: f"nameserver {INNER_THEIRS}" in resolv_conf.read_text())
        assert answered(strongswan.run("ping", "-c", 1, "-W", 2, "-I", INNER_THEIRS, GIVEN, check=False))
        [made] = product.events("quick-mode-established")
        assert made["selector"] == f"{GIVEN} -> {NET_THEIRS}"
        assert "alice" not in strongswan.run("swanctl", "--list-pools", "--leases")
        product.kill()
        assert GIVEN not in ours(product)
        assert resolv_conf.read_text() != "nameserver 192.0.2.1\n"
        product.start()
        until(lambda: GIVEN in ours(product), why="it is ours again after a crash")
        until(lambda: answered(strongswan.outside("ping", "-c", 1, "-W", 2, INNER_THEIRS, check=False)))


TWO_OURS, TWO_THEIRS = "10.78.2.1", "10.77.103.1"
BRANCH = f"""
[[rule]]
name = "branch"
keying = "ikev2"
local = {{ networks = ["{NET_OURS}", "10.78.2.0/24"], gateway = "{OURS[0]}" }}
remote = {{ networks = ["{NET_THEIRS}", "10.77.103.0/24"], gateway = "{THEIRS[0]}" }}
auth = {{ psk-file = "lab.psk" }}
main-mode.methods = ["aes256-sha256-modp2048"]
"""


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("begins", ["we", "they"])
def test_strongswan_and_we_have_several_networks_in_one_contract(strongswan: Peer, begins: str) -> None:
    settings = {"LOCAL_TS": f"{NET_THEIRS}, 10.77.103.0/24", "REMOTE_TS": f"{NET_OURS}, 10.78.2.0/24"}
    with ready(strongswan, BRANCH, **settings) as (product, _):
        strongswan.run("ip", "address", "replace", f"{TWO_THEIRS}/32", "dev", "lo")
        strongswan.outside("ip", "address", "replace", f"{TWO_OURS}/32", "dev", "lo")
        for net in (NET_OURS, "10.78.2.0/24"):
            strongswan.run("ip", "route", "replace", net, "via", OURS[0], "src", INNER_THEIRS)
        try:
            if begins == "they":
                strongswan.initiate()
            for source in (INNER_OURS, TWO_OURS):
                for target in (INNER_THEIRS, TWO_THEIRS):
                    ping = ("ping", "-c", 1, "-W", 2, "-I", source, target)
                    until(lambda ping=ping: answered(strongswan.outside(*ping, check=False)))
            [made] = product.events("quick-mode-established")
            assert len(made["selector"].split(", ")) == 4
            assert len(strongswan.states()) == 2
        finally:
            strongswan.outside("ip", "address", "delete", f"{TWO_OURS}/32", "dev", "lo", check=False)


SIX_OURS, SIX_GIVEN = "fd78:1::1", "fd99::1"


@pytest.mark.skipif(not FULL, reason="part of the matrix")
def test_strongswan_gets_addresses_of_both_families(strongswan: Peer) -> None:
    policy = GATEWAY.replace(f'addresses = "{POOL}"', f'addresses = ["{POOL}", "fd99::/112"]').replace(
        f'networks = "{NET_OURS}"', f'networks = ["{NET_OURS}", "fd78:1::/64"]'
    )
    settings = {"VIPS": "0.0.0.0, ::", "LOCAL_TS": "dynamic", "REMOTE_TS": f"{NET_OURS}, fd78:1::/64"}
    with ready(strongswan, policy, **settings) as (product, _):
        strongswan.outside("ip", "address", "replace", f"{SIX_OURS}/128", "dev", "lo")
        try:
            strongswan.initiate()
            strongswan.run("ip", "route", "replace", NET_OURS, "via", OURS[0], "src", GIVEN)
            strongswan.run("ip", "-6", "route", "replace", "fd78:1::/64", "via", OURS[1], "src", SIX_GIVEN)
            for target in (INNER_OURS, SIX_OURS):
                until(lambda target=target: answered(strongswan.run("ping", "-c", 1, "-W", 2, target, check=False)))
            [made] = product.events("quick-mode-established")
            assert made["selector"] == f"{NET_OURS} -> {GIVEN}, fd78:1::/64 -> {SIX_GIVEN}"
        finally:
            strongswan.outside("ip", "address", "delete", f"{SIX_OURS}/128", "dev", "lo", check=False)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
def test_libreswan_gets_an_address_of_ours(libreswan: Peer) -> None:
    with ready(libreswan, GATEWAY, VIPS="0.0.0.0", LOCAL_TS="0.0.0.0/0", REMOTE_TS=NET_OURS) as (product, _):
        libreswan.initiate()
        assert GIVEN in libreswan.run("ip", "-o", "address")
        until(lambda: answered(libreswan.run("ping", "-c", 1, "-W", 2, "-I", GIVEN, INNER_OURS, check=False)))
        [made] = product.events("quick-mode-established")
        assert made["selector"] == f"{NET_OURS} -> {GIVEN}"


@pytest.mark.skipif(not FULL, reason="part of the matrix")
def test_libreswan_gives_us_an_address(libreswan: Peer) -> None:
    settings = {"GIVES": "yes", "POOL": "10.99.0.1-10.99.0.9", "POOL_DNS": INNER_THEIRS}
    with ready(libreswan, WARRIOR, LOCAL_TS=NET_THEIRS, REMOTE_TS="dynamic", **settings) as (product, resolv_conf):
        libreswan.run("ip", "route", "replace", POOL, "via", OURS[0], "src", INNER_THEIRS)
        until(lambda: GIVEN in ours(product))
        until(lambda: answered(libreswan.outside("ping", "-c", 1, "-W", 2, INNER_THEIRS, check=False)))
        until(lambda: f"nameserver {INNER_THEIRS}" in resolv_conf.read_text())
        [made] = product.events("quick-mode-established")
        assert made["selector"] == f"{GIVEN} -> {NET_THEIRS}"
