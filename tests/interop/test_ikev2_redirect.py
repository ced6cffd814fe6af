# SPDX-License-Identifier: Apache-2.0
"""Gateways that send their clients to others (RFC 5685), with strongSwan and Libreswan in either role."""

import os

import pytest
from lab.guest import OURS, THEIRS
from lab.ikev1 import NET_OURS, NET_THEIRS, THEM, US, Scenario, begin, both
from lab.product import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="part of the matrix"),
]
PEERS = ["strongswan", "libreswan"]
OTHER = "10.77.0.3"
RULE = """
[[rule]]
name = "{name}"
local = {{ networks = ["{ours}"], gateway = "{gateway}"{local} }}
remote = {{ networks = ["{theirs}"], gateway = "{peer}"{remote} }}
secure = "require"
auth = {{ psk-file = "lab.psk" }}
keying = ["ikev2"]
protect = ["esp aes256-gcm"]
main-mode.methods = ["aes256-sha256-modp2048"]
"""


def rule(name, gateway=OURS[0], local="", remote="", more=""):
    ends = {"ours": NET_OURS, "theirs": NET_THEIRS, "peer": THEIRS[0], "gateway": gateway}
    return RULE.format(name=name, local=local, remote=remote, **ends) + more


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_they_go_where_we_send_them(peer):
    """To another address of ours, which serves them under the name of the first."""
    scenario = Scenario(peer.kind, "tunnel", begins=THEM, version=2)
    policy = rule("sends", local=f', send-to = "{OTHER}"') + rule(
        "serves", OTHER, more=f'identity.local = "{OURS[0]}"\n'
    )
    peer.outside("ip", "address", "replace", f"{OTHER}/24", "dev", "lab0")
    with both(peer, scenario, policy=policy, FOLLOWS="yes") as product:
        peer.initiate(check=False)
        until(lambda: product.events("main-mode-established"))
        until(lambda: OTHER in peer.run("ip", "xfrm", "state"))
        assert [event["rule"] for event in product.events("main-mode-established")] == ["serves"]
    peer.outside("ip", "address", "delete", f"{OTHER}/24", "dev", "lab0")


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_we_go_where_they_send_us(peer):
    """To where nobody is: that we went there, and why, is told."""
    scenario = Scenario(peer.kind, "tunnel", begins=US, version=2)
    settings = {"SENDS": OTHER} if peer.kind == "libreswan" else {}
    policy = rule("follows", remote=f', others = ["{OTHER}"]')
    with both(peer, scenario, policy=policy, **settings) as product:
        if peer.kind == "libreswan":
            peer.outside("ping", "-c", 1, "-W", 2, "-I", "10.78.1.1", "10.77.102.1", check=False)
        else:
            begin(peer, product, scenario)
            peer.run("swanctl", "--redirect", "--ike", "lab", "--gateway", OTHER)
        until(lambda: product.events("sent-elsewhere"))
        (event,) = product.events("sent-elsewhere")
        assert (event["peer"], event["to"], event["sent"]) == (THEIRS[0], OTHER, False)
