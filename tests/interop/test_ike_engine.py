# SPDX-License-Identifier: Apache-2.0
"""Our IKE engine against strongSwan and Libreswan: every kind of contract, from both sides, with the peer's keys."""

import os

import pytest
from lab.guest import eventually
from lab.ike_host import IkeHost, kernel_has, policy_for

from ringfence.audit import MainModeEnded, MainModeEstablished, QuickModeEstablished
from ringfence.crypto.suites import DhGroup, Hash
from ringfence.databases.proposal import IkeProposal, Limits
from ringfence.databases.sa import Mode
from ringfence.testing.hosts import AES_256, AH_SHA256, ESP_CBC, ESP_GCM, method

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

PEERS = ["strongswan", "libreswan"]
LONG_WITH = PEERS if os.environ.get("RINGFENCE_FULL") else PEERS[:1]
"""Whom the longest tests are played with."""
MAIN = IkeProposal(AES_256, Hash.SHA256, DhGroup.MODP_2048)
WORDS = {
    ESP_GCM: {"strongswan": "aes256gcm128", "libreswan": "aes_gcm256-null"},
    ESP_CBC: {"strongswan": "aes128-sha1", "libreswan": "aes128-sha1"},
    AH_SHA256: {"strongswan": "sha256", "libreswan": "sha2_256"},
}
CASES = [
    (ESP_GCM, Mode.TUNNEL, DhGroup.MODP_2048),
    (ESP_CBC, Mode.TRANSPORT, None),
    (AH_SHA256, Mode.TRANSPORT, None),
]
if os.environ.get("RINGFENCE_FULL"):
    CASES += [
        (ESP_GCM, Mode.TRANSPORT, None),
        (ESP_CBC, Mode.TUNNEL, None),
        (ESP_CBC, Mode.TRANSPORT, DhGroup.MODP_2048),
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
        if peer.kind == "libreswan":
            host.run(2.5)  # its first takes that long, while the kernel loads what it needs
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


def meet(peer, **changes):
    """A contract that we began."""
    policy = policy_for(main=(MAIN,), methods=(method(ESP_CBC),)).with_(**changes)
    more = {"CHILD_LIFETIME": 3600, "CHILD_REKEY": 3000}
    peer.up(**settings(peer, policy, ESP_CBC), **more)
    host = IkeHost.beside(peer, policy)
    host.wish()
    assert host.run(8, lambda: host.child is not None), host.story() + peer.log()[-3000:]
    return host


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_we_renew_and_the_old_keys_go(peer):
    with meet(peer) as host:
        old = host.child
        host.perform(host.memory.engine.rekey_child(old.id, host.now, "octets"))
        assert host.run(15, lambda: len(host.memory.inbound) == 2)
        assert host.child is old, "we send by the new keys before the peer certainly has them"
        assert host.run(8, lambda: host.child is not old)
        assert_same(peer, host)
        assert host.child.replaces == old.id
        assert host.run(15, lambda: len(host.memory.inbound) == 1)
        eventually(lambda: len(peer.states()) == 2, seconds=5, why=host.story() + peer.log()[-2000:])


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_they_renew(peer):
    with meet(peer) as host:
        old = host.child
        command = {"strongswan": "swanctl --rekey --child lab", "libreswan": "ipsec auto --asynchronous --up lab"}
        peer.script(f"setsid {command[peer.kind]} >/tmp/rekey.log 2>&1 </dev/null &")
        assert host.run(5, lambda: host.child is not old), host.story() + peer.log()[-3000:]
        assert host.child.replaces == old.id
        assert_same(peer, host)
        host.run(2)
        assert old.id in host.memory.inbound or old.id in {gone.child_id for gone in host.memory.removed}


@pytest.mark.parametrize("peer", LONG_WITH, indirect=True)
def test_a_new_main_mode_of_ours_keeps_the_contracts(peer):
    short = IkeProposal(MAIN.cipher, MAIN.hash, MAIN.group, Limits(seconds=20))
    with meet(peer, main=(short,)) as host:
        child = host.child
        assert host.run(20, lambda: len(host.memory.of(MainModeEstablished)) == 2), host.story()
        assert host.run(14, lambda: bool(host.memory.of(MainModeEnded))), "the old one is deleted"
        host.run(1)
        assert host.child is child, host.story() + peer.log()[-3000:]
        assert_same(peer, host)
        assert [info.children for info in host.memory.engine.ike_sas() if info.children] == [(child.id,)]
        host.perform(host.memory.engine.rekey_child(child.id, host.now, "octets"))
        assert host.run(10, lambda: host.child is not child), host.story() + peer.log()[-3000:]
        assert_same(peer, host)


def test_a_new_main_mode_of_theirs_keeps_the_contracts(strongswan):
    with meet(strongswan) as host:
        child = host.child
        strongswan.script("setsid swanctl --rekey --ike lab >/tmp/rekey.log 2>&1 </dev/null &")
        assert host.run(5, lambda: len(host.memory.of(MainModeEstablished)) == 2), host.story()
        host.run(3)
        assert host.child is not None, host.story() + strongswan.log()[-3000:]
        assert_same(strongswan, host)
        assert child.id


@pytest.mark.parametrize("peer", LONG_WITH, indirect=True)
def test_a_restarted_peer(peer):
    with meet(peer) as host:
        old = host.child
        peer.script("pkill -9 charon; pkill -9 pluto; rm -f /run/charon.pid /run/pluto/*", check=False)
        peer.up(**settings(peer, host.policy, ESP_CBC))
        host.perform(host.memory.engine.rekey_child(old.id, host.now, "octets"))
        assert host.run(45, lambda: host.child is not None and host.child is not old), host.story()
        assert_same(peer, host)


WRONG = [
    ({"key": b"another"}, "wrong-preshared-key", "pre-shared key"),
    ({"main": (IkeProposal(AES_256, Hash.SHA512, DhGroup.ECP_521),)}, "refused-by-peer", "NO-PROPOSAL-CHOSEN"),
    ({"methods": (method(AH_SHA256),)}, "refused-by-peer", "NO-PROPOSAL-CHOSEN"),
    (
        {"mode": Mode.TUNNEL, "local_net": "10.1.0.0/16", "remote_net": "10.2.0.0/16"},
        "refused-by-peer",
        "INVALID-ID-INFORMATION",
    ),
]


@pytest.mark.parametrize(("changes", "reason", "words"), WRONG)
@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_what_they_refuse(peer, changes, reason, words):
    policy = policy_for(main=(MAIN,), methods=(method(ESP_CBC),))
    peer.up(**settings(peer, policy, ESP_CBC))
    with IkeHost.beside(peer, policy.with_(**changes)) as host:
        host.wish()
        assert host.run(40, lambda: bool(host.memory.failures)), host.story() + peer.log()[-2000:]
        (failure,) = host.memory.failures
        told = f"{failure}\n{host.story()}\n{peer.log()[-3000:]}"
        assert failure.reason in (reason, "peer-silent"), told
        assert words in failure.detail or failure.reason == "peer-silent", told
        assert host.now < 10 or failure.reason == "peer-silent", told
        assert not host.memory.inbound
        print(peer.kind, failure.reason, failure.detail)
