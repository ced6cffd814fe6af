# SPDX-License-Identifier: Apache-2.0
"""Postquantum preshared keys with strongSwan and Libreswan, either side beginning; who insists, and who has another."""

import os
from contextlib import contextmanager

import pytest
from lab.guest import THEIRS
from lab.ikev1 import THEM, US, Pings, Scenario, begin, both
from lab.product import PSK, until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="part of the matrix"),
]
PEERS = ["strongswan", "strongswan6", "libreswan", "libreswan5"]
HAVING = {"PPK": PSK, "PPK_ID": "q1"}
"""The octets of the preshared key serve as this one, too."""


@contextmanager
def with_ppk(peer, begins, *, required=True, **settings):
    scenario = Scenario(peer.kind, begins=begins, version=2)
    policy = scenario.policy + f'ppk = {{ id = "q1", file = "lab.psk", required = {str(required).lower()} }}\n'
    with both(peer, scenario, policy=policy, **settings) as product:
        yield scenario, product


@pytest.mark.parametrize("peer", PEERS, indirect=True)
@pytest.mark.parametrize("begins", [US, THEM])
def test_the_key_is_mixed_in(peer, begins):
    """Both insist on it, so there is no contract without."""
    with with_ppk(peer, begins, **HAVING) as (scenario, product):
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.4).finish()
        if peer.kind == "libreswan5":
            assert "PPK used in IKE_INTERMEDIATE" in peer.log()


@pytest.mark.parametrize("peer", PEERS, indirect=True)
@pytest.mark.parametrize("begins", [US, THEM])
def test_without_it_there_is_a_contract_only_where_nobody_insists(peer, begins):
    with with_ppk(peer, begins, required=False) as (scenario, product):
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.4).finish()


@pytest.mark.parametrize("peer", PEERS, indirect=True)
@pytest.mark.parametrize("begins", [US, THEM])
@pytest.mark.parametrize("settings", [{}, {"PPK": "another key", "PPK_ID": "q1"}], ids=["none", "another"])
def test_who_has_no_key_or_another_is_not_let_in(peer, begins, settings):
    with with_ppk(peer, begins, **settings) as (_, product):
        if begins is THEM:
            peer.initiate(check=False)
        peer.outside("ping", "-c", 1, "-W", 2, THEIRS[0], check=False)
        until(lambda: product.events("main-mode-failed"))
        assert not product.events("main-mode-established")
