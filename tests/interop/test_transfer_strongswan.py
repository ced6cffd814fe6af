# SPDX-License-Identifier: Apache-2.0
"""What is written for strongSwan, loaded by strongSwan; and what strongSwan and Libreswan have, brought along.

A policy for the guest's side is exported, and its daemon protects traffic with Ringfence, which follows the same
contract from the other side. Then the other way: the file of the peer, read from our side of it, is our policy.
"""

import os
import re
from collections.abc import Mapping

import pytest
from lab.guest import OURS, THEIRS, Peer
from lab.ikev1 import INNER_OURS, INNER_THEIRS, NET_OURS, NET_THEIRS, Scenario, agreed
from lab.product import PSK, Product, running, until

from ringfence.policy.document import parse
from ringfence.policy.model import Policy
from ringfence.policy.write import canonical
from ringfence.transfer.base import Imported
from ringfence.transfer.ipsecconf.importing import read_conf as read_ipsec_conf
from ringfence.transfer.swanctl.exporting import write_conf
from ringfence.transfer.swanctl.importing import read_conf

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]
FULL = bool(os.environ.get("RINGFENCE_FULL"))
TRANSPORT = f'local = "{THEIRS[0]}"\nremote = "{OURS[0]}"'
TUNNEL = (
    f'local = {{ networks = ["{NET_THEIRS}"], gateway = "{THEIRS[0]}" }}\n'
    f'remote = {{ networks = ["{NET_OURS}"], gateway = "{OURS[0]}" }}'
)
TERMS = """
    auth = { psk-file = "lab.psk" }
    protect = ["esp aes256-gcm"]
    main-mode.methods = ["aes256-sha256-modp2048"]
    keying = ["ikev1"]
"""


def theirs(mode: str) -> Policy:
    """The policy of the guest's side."""
    ends = TUNNEL if mode == "tunnel" else TRANSPORT
    pfs = 'pfs = "modp2048"' if mode == "tunnel" else ""
    return parse(f'[[rule]]\nname = "lab"\n{ends}\n{TERMS}\n{pfs}\n', name="theirs.toml")


def inner(peer: Peer) -> None:
    """Both ends' addresses in the networks behind them."""
    peer.run("ip", "address", "replace", f"{INNER_THEIRS}/32", "dev", "lo")
    peer.run("ip", "route", "replace", NET_OURS, "via", OURS[0], "src", INNER_THEIRS)
    peer.outside("ip", "address", "replace", f"{INNER_OURS}/32", "dev", "lo")


def protected(peer: Peer, product: Product, scenario: Scenario) -> None:
    """A ping is answered, by SAs that both sides have; the guest's kernel saw it come by them."""
    here, there = scenario.ends
    until(lambda: peer.outside("ping", "-c", 1, "-W", 1, "-I", here, there, check=False).count("bytes from"))
    until(lambda: agreed(peer, product), why="both sides have the same SAs")
    used = re.findall(r"current:\s+\d+\(bytes\), (\d+)\(packets\)", peer.run("ip", "-s", "xfrm", "state"))
    assert len(used) >= 2
    assert all(map(int, used[:2]))


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
def test_strongswan_follows_what_is_exported(strongswan: Peer, mode: str) -> None:
    scenario = Scenario("strongswan", mode, pfs="modp2048" if mode == "tunnel" else "")
    exported = write_conf(theirs(mode), {"lab.psk": PSK})
    assert not exported.left_out
    strongswan.up(**scenario.settings)
    if mode == "tunnel":
        inner(strongswan)
    (strongswan.share / "exported.conf").write_text(exported.text)
    said = strongswan.script("cp /share/exported.conf /etc/swanctl/swanctl.conf && swanctl --load-all --noprompt")
    assert "successfully loaded 1 connections, 0 unloaded" in said
    with running(strongswan.netns, scenario.policy) as product:
        if mode == "transport":
            strongswan.initiate()
        protected(strongswan, product, scenario)
    strongswan.forget()


@pytest.mark.parametrize("mode", ["transport", "tunnel"] if FULL else ["transport"])
def test_the_file_of_the_peer_is_our_policy(strongswan: Peer, mode: str) -> None:
    scenario = Scenario("strongswan", mode)
    strongswan.up(**scenario.settings)
    if mode == "tunnel":
        inner(strongswan)
    talk(strongswan, scenario, read_conf(strongswan.run("cat", "/etc/swanctl/swanctl.conf"), "swanctl.conf", OURS[0]))


@pytest.mark.skipif(not FULL, reason="with RINGFENCE_FULL: the reader is tried without a peer, too")
def test_the_file_of_libreswan_is_our_policy(libreswan: Peer) -> None:
    scenario = Scenario("libreswan", "tunnel", pfs="modp2048")
    libreswan.up(**scenario.settings)
    inner(libreswan)
    talk(
        libreswan,
        scenario,
        read_ipsec_conf(libreswan.run("cat", "/etc/ipsec.conf", "/etc/ipsec.secrets"), "x", OURS[0]),
    )


UNUSED = {"secret eap-lab", "pool lab"}
"""What the lab's file has for other tests, and no connection names."""


def talk(peer: Peer, scenario: Scenario, imported: Imported) -> None:
    assert {one.words for one in imported.left_out} <= UNUSED
    assert keys(imported.secrets) == {"lab.psk": PSK}
    with running(peer.netns, canonical(imported.policy)) as product:
        peer.initiate()
        protected(peer, product, scenario)


def keys(secrets: Mapping[str, str]) -> dict[str, str]:
    return {name: text.strip() for name, text in secrets.items()}
