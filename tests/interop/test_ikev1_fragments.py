# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan put together what we send in pieces ([MS-IKEE] §2.2.3)."""

import os

import pytest
from lab.ikev1 import PEERS, Scenario, agreed, begin
from lab.product import running, until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="in the wider matrix"),
]


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_a_long_proposal_arrives(peer):
    scenario = Scenario(peer.kind)
    many = ", ".join(f'"esp aes128-sha512 every {900 + number} s"' for number in range(30))
    policy = scenario.policy.replace('protect = ["', f'protect = [{many}, "')
    peer.up(**scenario.settings)
    with running(peer.netns, policy) as product:
        begin(peer, product, scenario)
        until(lambda: agreed(peer, product))
        sent = [str(one["payloads"]) for one in product.events("ike-message") if one["sent"]]
        assert any("fragments)" in words for words in sent)
