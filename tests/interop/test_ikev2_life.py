# SPDX-License-Identifier: Apache-2.0
"""IKEv2 with strongSwan and Libreswan over a long life: collisions while messages are lost, new proofs, crashes."""

import os

import pytest
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US, Pings, Scenario, agreed, begin, both, lost
from lab.product import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan"], indirect=True)
@pytest.mark.parametrize("begins", [US, THEM])
def test_they_prove_again_who_they_are_and_lose_nothing(peer, begins):
    scenario = Scenario(peer.kind, begins=begins, version=2)
    with both(peer, scenario, REAUTH=6, IKE_REKEY=600, IKE_LIFETIME=700) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 15).finish()
        assert len(product.events("main-mode-established")) >= 2
        until(lambda: agreed(peer, product), seconds=20)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan"], indirect=True)
def test_they_begin_without_a_contract(peer):
    scenario = Scenario(peer.kind, begins=THEM, version=2)
    with both(peer, scenario, CHILDLESS="force") as product:
        begin(peer, product, scenario)
        exchanges = [one["exchange"] for one in product.events("ike-message")]
        assert "CREATE_CHILD_SA" in exchanges


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan"], indirect=True)
def test_we_begin_without_a_contract(peer):
    scenario = Scenario(peer.kind, version=2)
    policy = scenario.policy + '            main-mode.childless = "require"\n'
    with both(peer, scenario, policy=policy, CHILDLESS="force") as product:
        begin(peer, product, scenario)
        assert not lost(peer.run("ping", "-c", 4, "-i", 0.1, "-W", 3, OURS[0]))
        [ike] = product.main_modes
        assert ike.initiator


def crash(peer):
    """The peer's daemon dies, and its kernel forgets all."""
    word = {"strongswan": "charon", "libreswan": "pluto"}[peer.kind]
    peer.script(f"kill -9 $(pidof {word}); rm -f /run/charon.pid /run/charon.vici /run/pluto/pluto.*; sleep 0.2")
    peer.forget()


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan", "libreswan"], indirect=True)
@pytest.mark.parametrize("begins", [US, THEM])
def test_a_peer_that_crashed_is_found_out(peer, begins):
    scenario = Scenario(peer.kind, begins=begins, version=2)
    policy = '[global]\ndead-peer = { after = "2 s", tries = 2 }\n' + scenario.policy
    with both(peer, scenario, policy=policy) as product:
        begin(peer, product, scenario)
        first = {one.id for one in product.main_modes}
        crash(peer)
        peer.up(**scenario.settings)
        until(lambda: peer.outside("ping", "-c", 1, "-W", 1, THEIRS[0], check=False).count("bytes from"), seconds=60)
        until(lambda: agreed(peer, product), seconds=20)
        assert not first & {one.id for one in product.main_modes}
