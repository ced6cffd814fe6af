# SPDX-License-Identifier: Apache-2.0
"""Minutes of traffic while both sides make new keys all the time: nothing is lost, and nothing grows."""

import re
from pathlib import Path

import pytest
from lab.ikev1 import PEERS, Pings, Scenario, begin, both
from lab.product import Product

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

SECONDS = 180
GROWTH_KIB = 16 * 1024


def resident_kib(product: Product) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{product.status().pid}/status").read_text())
    assert found
    return int(found[1])


@pytest.mark.parametrize("peer", PEERS, indirect=True)
def test_keys_change_for_minutes_and_nothing_is_lost(peer):
    scenario = Scenario(peer.kind, "tunnel", lifetime="11 s", main_mode_lifetime="40 s", pfs="modp2048")
    with both(peer, scenario, CHILD_LIFETIME=14, CHILD_REKEY=9, IKE_LIFETIME=60, IKE_REKEY=50) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 20).finish()
        before = resident_kib(product)
        Pings(peer, scenario, 10 * SECONDS, "-i", 0.002).finish()
        assert resident_kib(product) < before + GROWTH_KIB
        assert len(product.events("quick-mode-established")) >= SECONDS // 12
        assert len(product.quick_modes) <= 12
        assert len(product.main_modes) <= 6
