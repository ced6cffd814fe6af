# SPDX-License-Identifier: Apache-2.0
"""strongSwan with ML-KEM as a peer: several key exchanges, either side beginning, and all of them again in renewals."""

import os

import pytest
from lab.ikev1 import THEM, US, Pings, Scenario, agreed, begin, both
from lab.product import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="part of the matrix"),
]
PEER = "strongswan6"
HYBRID = "aes256-sha256-x25519+mlkem768"
METHODS = [HYBRID, "aes256-sha384-ecp384+mlkem1024", "aes256-sha256-x25519+ecp256+mlkem768"]


@pytest.mark.parametrize("begins", [US, THEM])
@pytest.mark.parametrize("method", METHODS)
def test_both_exchange_more_than_one_key(strongswan6, method, begins):
    scenario = Scenario(PEER, begins=begins, main_mode=method, version=2)
    with both(strongswan6, scenario) as product:
        begin(strongswan6, product, scenario)
        Pings(strongswan6, scenario, 0.4).finish()
        [made] = product.events("main-mode-established")
        assert made["proposal"] == method
        told = strongswan6.run("swanctl", "--list-sas")
        assert f"KE1_{'ECP_256' if '+ecp256' in method else 'ML_KEM_' + method.partition('mlkem')[2]}" in told


@pytest.mark.parametrize("begins", [US, THEM])
def test_we_make_new_keys_and_lose_nothing(strongswan6, begins):
    scenario = Scenario(
        PEER, "tunnel", begins=begins, main_mode=HYBRID, lifetime="8 s", main_mode_lifetime="12 s", version=2
    )
    with both(strongswan6, scenario) as product:
        begin(strongswan6, product, scenario)
        Pings(strongswan6, scenario, 20).finish()
        made = product.events("main-mode-established")
        assert len(made) >= 2
        assert {each["proposal"] for each in made} == {HYBRID}
        until(lambda: agreed(strongswan6, product), seconds=20)


@pytest.mark.parametrize("begins", [US, THEM])
def test_they_make_new_keys_and_lose_nothing(strongswan6, begins):
    """Their child SAs have key exchanges of their own, ML-KEM among them, which our policy wants just so."""
    scenario = Scenario(PEER, begins=begins, main_mode=HYBRID, version=2)
    policy = scenario.policy + "pfs = true\n"
    limits = {"CHILD_LIFETIME": 10, "CHILD_REKEY": 5, "IKE_LIFETIME": 14, "IKE_REKEY": 8}
    with both(strongswan6, scenario, policy=policy, PFS="x25519-ke1_mlkem768", **limits) as product:
        begin(strongswan6, product, scenario)
        Pings(strongswan6, scenario, 20).finish()
        assert len([one for one in product.events("quick-mode-established") if not one["initiator"]]) >= 2
        until(lambda: agreed(strongswan6, product), seconds=20)
        assert "IKE_FOLLOWUP_KE" in strongswan6.log()


@pytest.mark.parametrize("begins", [US, THEM])
def test_a_peer_that_cannot_gets_the_next_method(strongswan, begins):
    """Debian's strongSwan knows no further key exchanges."""
    scenario = Scenario("strongswan", begins=begins, main_mode="aes256-sha256-x25519", version=2)
    policy = scenario.policy.replace("methods = [", f'methods = ["{HYBRID}", ')
    with both(strongswan, scenario, policy=policy) as product:
        begin(strongswan, product, scenario)
        [made] = product.events("main-mode-established")
        assert made["proposal"] == "aes256-sha256-x25519"
