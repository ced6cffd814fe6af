# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan in aggressive mode, each side as initiator: by a preshared key, by signatures, in NAT."""

import os

import pytest
from interop.test_ikev1_certificates import certified
from interop.test_ikev1_nat import NAT, PUBLIC
from lab.ikev1 import PEERS, THEM, US, Pings, Scenario, agreed, begin, both
from lab.product import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
CELLS = [(peer, begins) for peer in PEERS for begins in (US, THEM)]
OUR_NAME = 'identity.local = "10.77.0.1"'
"""By it they find what they have for us before they see a certificate."""


def spoken(product) -> set[str]:
    """The exchanges that messages were of, by the program's own events."""
    return {one["exchange"] for one in product.events("ike-message")}


@pytest.mark.parametrize(("peer", "begins"), CELLS if FULL else CELLS[::3], indirect=["peer"])
def test_a_contract_by_a_preshared_key(peer, begins):
    scenario = Scenario(peer.kind, begins=begins, aggressive=True)
    with both(peer, scenario) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.4).finish()
        assert agreed(peer, product)
        assert "main mode" not in spoken(product)
        assert "aggressive mode" in spoken(product)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize(("peer", "begins"), CELLS, indirect=["peer"])
def test_a_contract_by_signatures(peer, begins):
    scenario = certified(peer, begins=begins, more=OUR_NAME)
    object.__setattr__(scenario, "aggressive", True)
    with both(peer, scenario, AUTH="cert") as product:
        begin(peer, product, scenario)
        assert agreed(peer, product)
        assert "aggressive mode" in spoken(product)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_we_are_behind_nat(peer):
    peer.translate(NAT)
    peer.run("ip", "route", "replace", PUBLIC, "via", "10.77.0.1")
    scenario = Scenario(peer.kind, aggressive=True)
    try:
        with both(peer, scenario, REMOTE=PUBLIC, REMOTE_ID="10.77.0.1") as product:
            begin(peer, product, scenario)
            [main] = product.main_modes
            assert main.local == "10.77.0.1:4500"
            Pings(peer, scenario, 0.4).finish()
    finally:
        peer.outside("nft", "delete table ip behind", check=False)
        peer.run("ip", "route", "delete", PUBLIC, check=False)


@pytest.mark.skipif(not FULL, reason="part of the matrix")
@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_who_did_not_allow_it_refuses_it(peer):
    allows = Scenario(peer.kind, begins=THEM, aggressive=True)
    policy = Scenario(peer.kind, begins=THEM).policy
    with both(peer, allows, policy=policy) as product:
        peer.initiate(check=False)
        until(lambda: product.events("main-mode-failed"))
        assert "which no rule for it allows" in product.events("main-mode-failed")[0]["detail"]
        assert not peer.states()
