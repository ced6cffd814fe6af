# SPDX-License-Identifier: Apache-2.0
"""Session resumption (RFC 5723) with Libreswan 5 as the client that was cut off."""

import os

import pytest
from lab.ikev1 import THEM, Pings, Scenario, begin, both
from lab.product import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="part of the matrix"),
]


@pytest.mark.parametrize("peer", ["libreswan5"], indirect=True)
def test_they_come_back_by_our_ticket(peer):
    scenario = Scenario(peer.kind, begins=THEM, version=2)
    with both(peer, scenario, policy=scenario.policy + "resumption = true\n", RESUME="yes") as product:
        begin(peer, product, scenario)
        peer.run("ipsec", "whack", "--suspend", "--name", "lab")
        peer.initiate()
        until(lambda: len(product.events("main-mode-established")) == 2)
        assert "processed IKE_SESSION_RESUME response" in peer.log()
        assert "TICKET_NACK" not in peer.log()
        Pings(peer, scenario, 0.4).finish()
