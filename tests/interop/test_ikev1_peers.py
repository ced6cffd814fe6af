# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan as IKEv1 peers, with a preshared key; each side begins, and each side makes new keys.

Ringfence runs as a person runs it, in the namespace beside the peer's guest. Traffic is counted: a ping numbers its
packets, and none may be missing while SAs are replaced under it.
"""

import os

import pytest
from lab.ikev1 import CHILD, IKE, PEERS, THEM, US, Pings, Scenario, agreed, begin, both, lost
from lab.product import until

from ringfence.policy.methods import parse_ike_proposal

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))


def scenarios():
    """Those of every run, and with RINGFENCE_FULL all that both sides have."""
    for peer in PEERS:
        for mode in ("transport", "tunnel"):
            for begins in (US, THEM):
                yield Scenario(peer, mode, begins=begins, pfs="modp2048" if mode == "tunnel" else "")
        yield Scenario(peer, "transport", "ah sha256", US, main_mode="aes128-sha256-ecp256")
        yield Scenario(peer, "transport", "esp aes128-sha1", THEM, main_mode="aes256-sha384-ecp384", pfs="modp2048")
        if FULL:
            yield from more_scenarios(peer)
    yield Scenario("strongswan", "tunnel", "ah sha256", THEM, main_mode="aes256-sha256-x25519")
    yield Scenario("strongswan", "transport", "esp aes256-gcm esn", US)
    yield Scenario("strongswan", "tunnel", "esp aes256-gcm esn", THEM)


def more_scenarios(peer):
    for suite in CHILD[peer]:
        if suite.startswith("sha"):
            yield Scenario(peer, "tunnel", f"ah {suite}", THEM, "modp2048")
            yield Scenario(peer, "transport", f"ah {suite}", US)
        else:
            yield Scenario(peer, "tunnel", f"esp {suite}", US)
            yield Scenario(peer, "transport", f"esp {suite}", THEM)
    for main_mode in [one for one in IKE[peer] if not (parse_ike_proposal(one).further or "gcm" in one)]:  # IKEv2's
        yield Scenario(peer, main_mode=main_mode)
        yield Scenario(peer, main_mode=main_mode, begins=THEM)


def named(scenario: Scenario) -> object:
    words = f"{scenario}, {scenario.main_mode}"
    return pytest.param(scenario.peer, scenario, id=words)


@pytest.mark.parametrize(("peer", "scenario"), [*map(named, scenarios())], indirect=["peer"])
def test_a_contract_is_made_and_carries_traffic_both_ways(peer, scenario):
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        ours, theirs = scenario.ends
        Pings(peer, scenario, 0.4).finish()
        Pings(peer, scenario, 0.2, "-s", 4000).finish()
        assert not lost(peer.run("ping", "-c", 6, "-i", 0.1, "-W", 3, "-I", theirs, ours))
        [contract] = product.quick_modes
        assert contract.mode == scenario.mode
        assert contract.protection == scenario.protect
        assert contract.sent.packets >= 30
        assert contract.received.packets >= 30
        [main_mode] = product.main_modes
        assert main_mode.initiator == (scenario.begins is US)
        assert main_mode.proposal == scenario.main_mode
        assert agreed(peer, product)
    until(lambda: not peer.states(), why="our deletes reach the peer")


REKEYED = [
    ("strongswan", "transport", "modp2048"),
    ("strongswan", "tunnel", ""),
    ("libreswan", "transport", ""),
    ("libreswan", "tunnel", "modp2048"),
]


@pytest.mark.parametrize(("peer", "mode", "pfs"), REKEYED, indirect=["peer"])
def test_we_make_new_keys_and_lose_nothing(peer, mode, pfs):
    scenario = Scenario(peer.kind, mode, lifetime="8 s", pfs=pfs)
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        pings = Pings(peer, scenario, 16)
        pings.finish()
        made = product.events("quick-mode-established")
        assert len([one for one in made if one["replaces"] is not None]) >= 2
        until(lambda: agreed(peer, product), seconds=20)


@pytest.mark.parametrize("peer", PEERS, indirect=True)
@pytest.mark.parametrize("begins", [US, THEM])
def test_they_make_new_keys_and_lose_nothing(peer, begins):
    scenario = Scenario(peer.kind, begins=begins)
    with both(peer, scenario, CHILD_LIFETIME=10, CHILD_REKEY=5) as product:
        begin(peer, product, scenario)
        pings = Pings(peer, scenario, 13)
        pings.finish()
        made = product.events("quick-mode-established")
        assert len([one for one in made if not one["initiator"]]) >= 2
        until(lambda: agreed(peer, product), seconds=20)


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_a_new_main_mode_loses_nothing(peer):
    scenario = Scenario(peer.kind, main_mode_lifetime="10 s", lifetime="7 s")
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        pings = Pings(peer, scenario, 16)
        pings.finish()
        assert len(product.events("main-mode-established")) >= 2


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_a_main_mode_that_we_keep_for_less_than_they_offer(peer):
    """They bear to be told so, and we are the ones to make the next."""
    scenario = Scenario(peer.kind, begins=THEM, main_mode_lifetime="10 s")
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        pings = Pings(peer, scenario, 11)
        pings.finish()
        first, *_ = product.events("main-mode-established")
        assert first["lifetime_s"] == 10
        assert [one for one in product.events("main-mode-established") if one["initiator"]]
        until(lambda: agreed(peer, product), seconds=20)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_new_keys_after_so_many_octets(peer):
    scenario = Scenario(peer.kind)
    policy = scenario.policy.replace('"60 min"', '{ time = "60 min", data = "1 MB" }')
    with both(peer, scenario, policy=policy) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 8, "-s", 4000).finish()
        made = product.events("quick-mode-established")
        assert len([one for one in made if one["replaces"] is not None]) >= 1
        until(lambda: agreed(peer, product), seconds=20)


@pytest.mark.parametrize("peer", ["strongswan"], indirect=True)
def test_the_peer_makes_a_new_main_mode(peer):
    scenario = Scenario(peer.kind, begins=THEM)
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        pings = Pings(peer, scenario, 6)
        peer.rekey_main_mode()
        pings.finish()
        assert len(product.events("main-mode-established")) == 2
        peer.rekey()
        until(lambda: len(product.events("quick-mode-established")) == 2)
        Pings(peer, scenario, 0.5).finish()


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_a_peers_delete_is_obeyed_and_the_next_packet_begins_anew(peer):
    scenario = Scenario(peer.kind)
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        peer.terminate()
        until(lambda: product.sas().quick_modes == [] == product.sas().main_modes)
        begin(peer, product, scenario)


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_our_delete_reaches_the_peer(peer):
    scenario = Scenario(peer.kind)
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        [main_mode] = product.main_modes
        with product.client() as client:
            client.delete_sa(main_mode.id)
        until(lambda: not peer.states())
        assert product.main_modes == []


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_a_peer_that_restarted_is_met_again(peer):
    scenario = Scenario(peer.kind, begins=THEM)
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        peer.script("pkill -9 charon; pkill -9 pluto; rm -f /run/charon.pid /run/pluto/*", check=False)
        peer.up(**scenario.settings)
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.5).finish()
