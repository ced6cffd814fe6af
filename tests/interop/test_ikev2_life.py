# SPDX-License-Identifier: Apache-2.0
"""IKEv2 with strongSwan and Libreswan over a long life: collisions while messages are lost, new proofs, crashes."""

import os

import pytest
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US, Pings, Scenario, agreed, begin, both, lost
from lab.product import running, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
WEATHER = """
add table inet weather
add chain inet weather in { type filter hook input priority 0; }
add chain inet weather out { type filter hook output priority 0; }
add rule inet weather in udp dport 500 numgen random mod 50 < 1 drop
add rule inet weather out udp dport 500 numgen random mod 50 < 1 drop
"""
TIMES = 50


def contracts(peer, product):
    """How many either side has."""
    return len(product.quick_modes), len(peer.states()) // 2


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("peer", ["strongswan"], indirect=True)
def test_both_renew_fifty_times_while_two_percent_of_all_messages_are_lost(peer):
    """Both renew contracts and IKE SAs after whole seconds, so often at once; no packet is without an SA."""
    scenario = Scenario(peer.kind, lifetime="5 s", main_mode_lifetime="10 s", version=2)
    times = {"CHILD_LIFETIME": 16, "CHILD_REKEY": 5, "IKE_LIFETIME": 30, "IKE_REKEY": 9, "RAND": 2}
    with both(peer, scenario, **times) as product:
        begin(peer, product, scenario)
        for line in WEATHER.strip().splitlines():
            peer.outside("nft", line)
        try:
            Pings(peer, scenario, 40, "-i", 0.11).finish()
            made = product.events("quick-mode-established")
            assert len(made) > TIMES
            assert {one["initiator"] for one in made} == {True, False}
            assert len(product.events("main-mode-established")) > TIMES // 4
            replaced = [one["replaces"] for one in made if one["replaces"] is not None]
            assert len(replaced) > len(set(replaced)), "some contract was renewed by both sides at once"
        finally:
            peer.outside("nft", "delete table inet weather")
        until(lambda: agreed(peer, product) and contracts(peer, product) == (1, 1), seconds=60, why="one is left")


@pytest.mark.parametrize("peer", ["strongswan"], indirect=True)
def test_we_prove_again_who_we_are_and_lose_nothing(peer):
    scenario = Scenario(peer.kind, version=2)
    policy = scenario.policy + '            main-mode.reauthenticate = "60 s"\n'
    if not FULL:
        pytest.skip("part of the matrix: it takes a minute")
    with both(peer, scenario, policy=policy) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 62).finish()
        made = product.events("main-mode-established")
        assert len(made) == 2
        assert all(one["initiator"] for one in made)
        until(lambda: agreed(peer, product) and contracts(peer, product) == (1, 1), seconds=30)
        assert len(product.main_modes) == 1


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


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan", "libreswan"], indirect=True)
@pytest.mark.parametrize("begins", [US, THEM])
def test_they_find_out_that_we_crashed(peer, begins):
    scenario = Scenario(peer.kind, begins=begins, version=2)
    peer.up(**scenario.settings, DPD=2)
    with running(peer.netns, scenario.policy) as product:
        begin(peer, product, scenario)
        old = {*peer.states()}
        product.kill()
        product.start()
        until(lambda: peer.outside("ping", "-c", 1, "-W", 1, THEIRS[0], check=False).count("bytes from"), seconds=60)
        until(lambda: agreed(peer, product), seconds=20)
        if peer.kind == "strongswan":  # Libreswan passes over INITIAL_CONTACT, and keeps the old ones beside the new
            until(lambda: not old & {*peer.states()}, seconds=60, why="the peer has given up what we have forgotten")
