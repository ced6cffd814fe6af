# SPDX-License-Identifier: Apache-2.0
"""What cannot be agreed on with strongSwan: each cause has a reason of its own at our side, and leaves no state."""

import re

import pytest
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US, Scenario, both
from lab.product import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

PLAIN = Scenario("strongswan")
OTHER_NET = "10.77.199.0/24"

CASES = {
    # what is wrong: (the peer's settings, the event, its reason when we begin, and when they begin)
    "wrong key": ({"PSK": "another"}, "main-mode-failed", "wrong-preshared-key", "wrong-preshared-key"),
    "wrong identity": ({"LOCAL_ID": "mallory.lab"}, "main-mode-failed", "wrong-identity", "wrong-identity"),
    "no common main mode": ({"IKE": "aes192-sha512-modp4096"}, "main-mode-failed",
                            "refused-by-peer", "no-proposal-in-common"),
    "no common protection": ({"CHILD": "aes192-sha1"}, "quick-mode-failed", "refused-by-peer", "no-proposal-in-common"),
    # IKEv1 has no number for this suite, so strongSwan offers a proposal without a transform
    "nothing offered": ({"CHILD": "chacha20poly1305"}, "quick-mode-failed", "refused-by-peer", "no-proposal-in-common"),
    "wrong selectors": ({"MODE": "tunnel", "LOCAL_TS": OTHER_NET, "REMOTE_TS": OTHER_NET}, "quick-mode-failed",
                        "refused-by-peer", "wrong-selectors"),
}  # fmt: skip


@pytest.mark.parametrize("begins", [US, THEM])
@pytest.mark.parametrize("what", CASES)
def test_what_cannot_be_agreed_on_has_a_reason_and_leaves_nothing(strongswan, what, begins):
    settings, event, *reasons = CASES[what]
    reason = reasons[begins is THEM]
    with both(strongswan, PLAIN, **settings) as product:
        if begins is US:
            ping = strongswan.outside("ping", "-c", 1, "-W", 1, THEIRS[0], check=False)
            assert "100% packet loss" in ping
        else:
            strongswan.initiate(check=False)
        until(lambda: product.events(event), seconds=40)
        seen = product.events(event)
        assert {one["reason"] for one in seen} == {reason}, seen
        assert all(str(one["peer"]).startswith(THEIRS[0]) for one in seen)
        detail = str(seen[0]["detail"])
        assert len(detail) > 20, "a reason is a sentence"
        assert not re.search(r"Traceback|0x7f|<.*object", detail)
        if event == "main-mode-failed":
            until(lambda: product.main_modes == [], seconds=40)
        until(lambda: product.quick_modes == [])
        assert strongswan.states() == []
        [peer] = [one for one in product.status().peers if one.address == THEIRS[0]]
        assert peer.state.value in {"failing", "negotiating"}
        assert OURS[0] not in peer.address
