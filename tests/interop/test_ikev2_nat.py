# SPDX-License-Identifier: Apache-2.0
"""NAT of the Linux kernel between us and strongSwan or Libreswan, by IKEv2: on our side and on theirs."""

import os

import pytest
from interop.test_ikev1_nat import PUBLIC, THEIR_PUBLIC, behind, peer_behind  # noqa: F401
from lab.guest import OURS, THEIRS, Peer
from lab.ikev1 import INNER_OURS, PEERS, THEM, Pings, Scenario, agreed, begin, both, lost
from lab.product import running, until

pytestmark = [
    pytest.mark.lab, pytest.mark.timeout(180),
    pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="part of the matrix"),
]  # fmt: skip


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_we_are_behind_nat(peer: Peer, behind: None, mode: str) -> None:  # noqa: F811
    scenario = Scenario(peer.kind, mode, version=2)
    with both(peer, scenario, REMOTE=PUBLIC, REMOTE_ID=OURS[0]) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.4).finish()
        Pings(peer, scenario, 0.2, "-s", 4000).finish()
        theirs = scenario.ends[1]
        [main] = product.main_modes
        assert (main.local, main.remote) == (f"{OURS[0]}:4500", f"{THEIRS[0]}:4500")
        said = peer.run("ip", "xfrm", "state")
        assert "encap type espinudp" in said, said
        there = INNER_OURS if mode == "tunnel" else PUBLIC
        assert not lost(peer.run("ping", "-c", 6, "-i", 0.1, "-W", 3, "-I", theirs, there))


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_the_peer_is_behind_nat(peer: Peer, peer_behind: None) -> None:  # noqa: F811
    """It begins; we answer to the address that we see, and take the one that it has inside for its identity."""
    scenario = Scenario(peer.kind, begins=THEM, version=2)
    peer.up(**scenario.settings)
    with running(peer.netns, scenario.policy.replace(THEIRS[0], THEIR_PUBLIC)) as product:
        peer.initiate()
        until(lambda: agreed(peer, product))
        assert not lost(peer.run("ping", "-c", 6, "-i", 0.1, "-W", 3, OURS[0]))
        assert not lost(peer.outside("ping", "-c", 6, "-i", 0.1, "-W", 3, THEIR_PUBLIC))
        [main] = product.main_modes
        assert main.remote.startswith(f"{THEIR_PUBLIC}:2")
        assert main.remote_identity == THEIRS[0]
