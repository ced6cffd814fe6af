# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan as IKEv2 peers, with a preshared key; each side begins, and each makes new keys.

As for IKEv1: traffic is counted, and no packet may be missing while SAs are replaced under it.
"""

import os

import pytest
from lab.ikev1 import THEM, US, Pings, Scenario, agreed, begin, both, lost
from lab.product import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))


def scenarios():
    """Few of every run, and with RINGFENCE_FULL all that both sides have."""
    yield Scenario("strongswan", "transport", begins=US, version=2)
    yield Scenario("strongswan", "tunnel", begins=THEM, version=2)
    if FULL:
        for peer in ("strongswan", "libreswan"):
            for mode in ("transport", "tunnel"):
                for begins in (US, THEM):
                    yield Scenario(peer, mode, "esp aes256-sha256", begins, "modp2048", version=2)
                    yield Scenario(peer, mode, "ah sha256", begins, version=2)
        yield Scenario("strongswan", "transport", "esp aes256-gcm esn", US, version=2)
        yield Scenario("strongswan", "tunnel", "esp aes256-gcm esn", THEM, version=2)
        yield Scenario("strongswan", "tunnel", main_mode="aes256-sha256-x25519", version=2)
        yield Scenario("strongswan", main_mode="aes256-sha384-ecp384", begins=THEM, version=2)
        for peer in ("strongswan", "libreswan"):
            for begins in (US, THEM):
                yield Scenario(peer, main_mode="aes256-gcm-sha384-ecp384", begins=begins, version=2)


def named(scenario: Scenario) -> object:
    return pytest.param(scenario.peer, scenario, id=f"{scenario}, {scenario.main_mode}")


@pytest.mark.parametrize(("peer", "scenario"), [*map(named, scenarios())], indirect=["peer"])
def test_a_contract_is_made_and_carries_traffic_both_ways(peer, scenario):
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        ours, theirs = scenario.ends
        Pings(peer, scenario, 0.4).finish()
        assert not lost(peer.run("ping", "-c", 6, "-i", 0.1, "-W", 3, "-I", theirs, ours))
        [contract] = product.quick_modes
        assert (contract.mode, contract.protection) == (scenario.mode, scenario.protect)
        [ike] = product.main_modes
        assert ike.initiator == (scenario.begins is US)
        assert agreed(peer, product)
        [made] = product.events("main-mode-established")
        assert made["keying"] == "ikev2"
    until(lambda: not peer.states(), why="our deletes reach the peer")


REKEYED = [("strongswan", "transport", "modp2048"), ("libreswan", "tunnel", "")]


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize(("peer", "mode", "pfs"), REKEYED, indirect=["peer"])
def test_we_make_new_keys_and_lose_nothing(peer, mode, pfs):
    scenario = Scenario(peer.kind, mode, lifetime="8 s", main_mode_lifetime="12 s", pfs=pfs, version=2)
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 20).finish()
        made = product.events("quick-mode-established")
        assert len([one for one in made if one["replaces"] is not None]) >= 2
        assert len(product.events("main-mode-established")) >= 2
        until(lambda: agreed(peer, product), seconds=20)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan", "libreswan"], indirect=True)
@pytest.mark.parametrize("begins", [US, THEM])
def test_they_make_new_keys_and_lose_nothing(peer, begins):
    scenario = Scenario(peer.kind, begins=begins, version=2)
    with both(peer, scenario, CHILD_LIFETIME=10, CHILD_REKEY=5, IKE_LIFETIME=14, IKE_REKEY=8) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 20).finish()
        made = product.events("quick-mode-established")
        assert len([one for one in made if not one["initiator"]]) >= 2
        until(lambda: agreed(peer, product), seconds=20)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", ["strongswan", "libreswan"], indirect=True)
def test_deletes_are_obeyed_both_ways(peer):
    scenario = Scenario(peer.kind, version=2)
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        peer.terminate()
        until(lambda: product.sas().quick_modes == [] == product.sas().main_modes)
        begin(peer, product, scenario)
        [ike] = product.main_modes
        with product.client() as client:
            client.delete_sa(ike.id)
        until(lambda: not peer.states())
        assert product.main_modes == []
