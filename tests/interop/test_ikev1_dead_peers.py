# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan are asked whether they are there, and ask; then the cable is pulled (RFC 3706)."""

import os

import pytest
from lab.guest import OURS, THEIRS
from lab.ikev1 import PEERS, Scenario, agreed, begin
from lab.product import running, until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))

CUT = "add table inet cut; add chain inet cut in {{ type filter hook input priority 0; }}; "
CUT += "add rule inet cut in {what} drop"


def said(product, word, *, sent):
    """Whether a message with that notify was sent, or came."""
    return any(one["sent"] is sent and f"N({word})" in one["payloads"] for one in product.events("ike-message"))


@pytest.mark.parametrize("peer", PEERS if FULL else ["strongswan"], indirect=True)
def test_questions_are_answered_and_silence_ends_it(peer):
    scenario = Scenario(peer.kind)
    peer.up(**scenario.settings, DPD=1)
    try:
        with running(peer.netns, '[global]\ndead-peer = { after = "1 s", tries = 2 }\n' + scenario.policy) as product:
            begin(peer, product, scenario)
            peer.outside("nft", CUT.format(what="ip protocol esp"))
            peer.outside("ping", "-c", 8, "-i", 0.2, "-W", 0.2, THEIRS[0], check=False)
            until(lambda: said(product, "R-U-THERE-ACK", sent=False), why="we ask, and the peer answers")
            peer.run("ping", "-c", 8, "-i", 0.2, "-W", 0.2, OURS[0], check=False)
            until(lambda: said(product, "R-U-THERE-ACK", sent=True), why="the peer asks, and we answer")
            assert not product.events("peer-dead")
            assert agreed(peer, product)
            peer.outside("nft", "add rule inet cut in drop")
            peer.outside("ping", "-c", 15, "-i", 0.2, "-W", 0.2, THEIRS[0], check=False)
            until(lambda: bool(product.events("peer-dead")))
            assert product.quick_modes == []
            peer.outside("nft", "delete table inet cut")
            begin(peer, product, scenario)
            assert peer.run("ping", "-c", 3, "-W", 3, OURS[0]).count("bytes from") == 3
    finally:
        peer.outside("nft", "delete table inet cut", check=False)
