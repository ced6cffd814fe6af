# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan see us from behind a NAT of the Linux kernel, which gives us another address and ports."""

import pytest
from lab.guest import OURS, THEIRS
from lab.ikev1 import INNER_OURS, PEERS, THEM, Pings, Scenario, agreed, begin, both, lost
from lab.product import running, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

PUBLIC = "10.77.0.9"
NAT = f"""
add table ip behind
add chain ip behind out {{ type nat hook postrouting priority srcnat; }}
add rule ip behind out ip saddr {OURS[0]} ip daddr {THEIRS[0]} udp sport {{ 500, 4500 }} snat to {PUBLIC}:20000-30000
"""


THEIR_PUBLIC = "10.77.0.8"
THEIR_NAT = f"""
add table ip behind
add chain ip behind into {{ type nat hook input priority 100; }}
add rule ip behind into ip saddr {THEIRS[0]} udp sport {{ 500, 4500 }} snat to {THEIR_PUBLIC}:20000-30000
"""


@pytest.fixture
def behind(peer):
    """What leads the peer's answers to our NAT."""
    peer.translate(NAT)
    peer.run("ip", "route", "replace", PUBLIC, "via", OURS[0])
    yield
    peer.outside("nft", "delete table ip behind", check=False)
    peer.run("ip", "route", "delete", PUBLIC, check=False)


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_we_are_behind_nat(peer, behind, mode):
    scenario = Scenario(peer.kind, mode)
    with both(peer, scenario, REMOTE=PUBLIC, REMOTE_ID=OURS[0]) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.4).finish()
        Pings(peer, scenario, 0.2, "-s", 4000).finish()
        theirs = scenario.ends[1]
        [main] = product.main_modes
        assert main.local == f"{OURS[0]}:4500"
        assert main.remote == f"{THEIRS[0]}:4500"
        said = peer.run("ip", "xfrm", "state")
        assert "encap type espinudp" in said, said
        there = INNER_OURS if mode == "tunnel" else PUBLIC
        assert not lost(peer.run("ping", "-c", 6, "-i", 0.1, "-W", 3, "-I", theirs, there))


@pytest.fixture
def peer_behind(peer):
    """Their messages come from another address."""
    peer.translate(THEIR_NAT)
    yield
    peer.outside("nft", "delete table ip behind", check=False)


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_the_peer_is_behind_nat(peer, peer_behind):
    """It begins; we answer to the address that we see, and take the one that it has inside for its identity."""
    scenario = Scenario(peer.kind, begins=THEM)
    peer.up(**scenario.settings)
    with running(peer.netns, scenario.policy.replace(THEIRS[0], THEIR_PUBLIC)) as product:
        peer.initiate()
        until(lambda: agreed(peer, product))
        assert not lost(peer.run("ping", "-c", 6, "-i", 0.1, "-W", 3, OURS[0]))
        assert not lost(peer.outside("ping", "-c", 6, "-i", 0.1, "-W", 3, THEIR_PUBLIC))
        [main] = product.main_modes
        assert main.remote.startswith(f"{THEIR_PUBLIC}:2")
        assert main.remote_identity == THEIRS[0]
