# SPDX-License-Identifier: Apache-2.0
"""A rule that names no protocol, with real peers that speak one of the two only: both come to protect traffic."""

import os

import pytest
from lab.guest import OURS, THEIRS, Peer
from lab.ikev1 import PEERS, Scenario, agreed
from lab.product import running, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))


def unnamed(scenario: Scenario) -> str:
    """Our policy, without the protocol and with the methods that a rule has by default."""
    return "\n".join(
        line for line in scenario.policy.splitlines() if not line.strip().startswith(("keying", "main-mode.methods"))
    )


@pytest.mark.parametrize("peer", PEERS if FULL else PEERS[:1], indirect=True)
@pytest.mark.parametrize("version", [2, 1])
def test_the_peer_s_version_is_found_and_another_than_the_first_is_told(peer: Peer, version: int) -> None:
    scenario = Scenario(peer.kind, version=version)
    peer.up(**scenario.settings)
    with running(peer.netns, unnamed(scenario)) as product:
        ping = ("ping", "-c", 1, "-W", 3, "-I", OURS[0], THEIRS[0])
        until(lambda: "1 received" in peer.outside(*ping, check=False), why="the first packet waits, and is not lost")
        (main_mode,) = {one["keying"] for one in product.events("main-mode-established")}
        assert main_mode == f"ikev{version}"
        changed = [(one["was"], one["now"]) for one in product.events("keying-changed")]
        assert changed == ([("ikev2", "ikev1")] if version == 1 else [])
        until(lambda: agreed(peer, product), seconds=20)
