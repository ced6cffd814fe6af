# SPDX-License-Identifier: Apache-2.0
"""Our IKE engine against strongSwan and Libreswan: every kind of contract, from both sides, with the peer's keys."""

import pytest
from lab.guest import eventually
from lab.ike_host import IkeHost, kernel_has, policy_for

from ringfence.audit import MainModeEstablished, QuickModeEstablished
from ringfence.crypto.suites import DhGroup, Hash
from ringfence.databases.proposal import IkeProposal
from ringfence.databases.sa import Mode
from ringfence.testing.hosts import AES_256, AH_SHA256, ESP_CBC, ESP_GCM, method

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

PEERS = ["strongswan", "libreswan"]
MAIN = IkeProposal(AES_256, Hash.SHA256, DhGroup.MODP_2048)
WORDS = {
    ESP_GCM: {"strongswan": "aes256gcm128", "libreswan": "aes_gcm256-null"},
    ESP_CBC: {"strongswan": "aes128-sha1", "libreswan": "aes128-sha1"},
    AH_SHA256: {"strongswan": "sha256", "libreswan": "sha2_256"},
}
CASES = [
    (ESP_GCM, Mode.TRANSPORT, None),
    (ESP_CBC, Mode.TUNNEL, None),
    (ESP_GCM, Mode.TUNNEL, DhGroup.MODP_2048),
    (ESP_CBC, Mode.TRANSPORT, DhGroup.MODP_2048),
    (AH_SHA256, Mode.TRANSPORT, None),
    (AH_SHA256, Mode.TUNNEL, None),
]


def settings(peer, policy, transform):
    words = {"MODE": policy.mode.value, "PROTO": transform.protocol.name.lower(), "CHILD": WORDS[transform][peer.kind]}
    words["IKE"] = {"strongswan": "aes256-sha256-modp2048", "libreswan": "aes256-sha2_256;modp2048"}[peer.kind]
    if policy.pfs is not None:
        words["PFS"] = "modp2048"
    if policy.mode is Mode.TUNNEL:
        words |= {"LOCAL_TS": policy.remote_net, "REMOTE_TS": policy.local_net}
    return words


def assert_same(peer, host):
    """The peer's kernel has our SAs, with our keys."""
    child = host.child
    assert child is not None, host.story()
    for sa in (*child.inbound, *child.outbound):
        eventually(lambda sa=sa: kernel_has(peer, sa), seconds=3, why=f"{sa}\n{peer.run('ip', 'xfrm', 'state')}")


@pytest.mark.parametrize("begins", ["we", "they"])
@pytest.mark.parametrize(("transform", "mode", "pfs"), CASES)
@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_contracts(peer, transform, mode, pfs, begins):
    nets = {"local_net": "10.78.1.0/24", "remote_net": "10.77.102.0/24"} if mode is Mode.TUNNEL else {}
    policy = policy_for(main=(MAIN,), methods=(method(transform),), mode=mode, pfs=pfs, **nets)
    peer.up(**settings(peer, policy, transform))
    with IkeHost.beside(peer, policy) as host:
        if begins == "we":
            host.wish()
        else:
            start(peer)
        assert host.run(8, lambda: host.child is not None), host.story() + peer.log()[-3000:]
        host.run(0.5)
        assert_same(peer, host)
        assert len(host.memory.of(MainModeEstablished)) == len(host.memory.of(QuickModeEstablished)) == 1
    try:
        eventually(lambda: not peer.states(), seconds=5)
    except AssertionError:
        pytest.fail(f"our deletes led to nothing\n{host.story()}\n{peer.log()[-3000:]}")


def start(peer):
    """Let the peer begin, without waiting for the end."""
    command = {"strongswan": "swanctl --initiate --child lab", "libreswan": "ipsec auto --asynchronous --up lab"}
    peer.script(f"setsid {command[peer.kind]} >/tmp/up.log 2>&1 </dev/null &")
