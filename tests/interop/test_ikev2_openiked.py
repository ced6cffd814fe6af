# SPDX-License-Identifier: Apache-2.0
"""OpenIKED as IKEv2 peer: each side begins, with a preshared key and with certificates.

It installs its SAs by PF_KEY, so that only AES-CBC with SHA-1 can be tried.
"""

import os

import pytest
from interop.test_ikev1_certificates import certified
from lab.guest import OURS
from lab.ikev1 import THEM, US, Pings, Scenario, agreed, begin, both, lost
from lab.product import until

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not os.environ.get("RINGFENCE_FULL"), reason="part of the matrix"),
]

PROTECT = "esp aes128-sha1"
OUR_NAME = f'identity.local = "{OURS[0]}"'


def carries(peer, scenario, **settings):
    """A contract is made, carries traffic both ways, and both sides end it."""
    with both(peer, scenario, **settings) as product:
        begin(peer, product, scenario)
        ours, theirs = scenario.ends
        Pings(peer, scenario, 0.2).finish()
        assert not lost(peer.run("ping", "-c", 4, "-i", 0.1, "-W", 3, "-I", theirs, ours))
        assert agreed(peer, product)
        [made] = product.events("main-mode-established")
        assert (made["keying"], made["initiator"]) == ("ikev2", scenario.begins is US)
    until(lambda: not peer.states(), why="our deletes reach the peer")


@pytest.mark.parametrize("mode", ["transport", "tunnel"])
@pytest.mark.parametrize("begins", [US, THEM])
def test_with_a_preshared_key(openiked, mode, begins):
    carries(openiked, Scenario("openiked", mode, PROTECT, begins, version=2))


@pytest.mark.parametrize("kind", ["rsa", "ecdsa-p256"])
@pytest.mark.parametrize("begins", [US, THEM])
def test_with_certificates(openiked, kind, begins):
    scenario = certified(openiked, kind, begins, version=2, more=OUR_NAME, protect=PROTECT)
    carries(openiked, scenario, AUTH="cert")
