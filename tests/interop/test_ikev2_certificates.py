# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan prove themselves to us by certificates in IKEv2, and we to them; or they do not.

What goes wrong is judged by both: we have a reason of its own for each cause, and the peer has no SA.
"""

import os

import pytest
from interop.test_ikev1_certificates import TIME, WRONG, certified
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US, Pings, agreed, begin, both
from lab.product import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
OUR_NAME = f"O=Lab, CN={OURS[0]}"
KINDS = ("rsa", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "ed448")

CELLS = [("strongswan", "rsa", US, False), ("strongswan", "ed25519", THEM, True)]
MORE = [
    *(("strongswan", kind, begins, chain) for kind in KINDS for begins in (US, THEM) for chain in (False, True)),
    *(("libreswan", kind, begins, False) for kind in ("rsa", "ecdsa-p256") for begins in (US, THEM)),
]


@pytest.mark.parametrize(("peer", "kind", "begins", "chain"), CELLS if not FULL else MORE, indirect=["peer"])
def test_both_prove_themselves_by_certificates(peer, kind, begins, chain):
    scenario = certified(peer, kind, begins, version=2, chain=chain)
    with both(peer, scenario, AUTH="cert", AUTHBY=AUTHBY.get(kind, "rsasig"), REMOTE_ID=OUR_NAME) as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.2).finish()
        assert agreed(peer, product)
        [main_mode] = product.main_modes
        assert main_mode.initiator == (begins is US)
        [event] = product.events("main-mode-established")
        assert event["keying"] == "ikev2"
        assert event["local_identity"] == f"CN={OURS[0]},O=Lab"
        assert event["remote_identity"] == THEIRS[0]


AUTHBY = {"ecdsa-p256": "ecdsa"}
"""What Libreswan calls it."""


def refused(peer, scenario, reason, **settings):
    """We refuse the peer for that reason, and neither side has anything."""
    with both(peer, scenario, **{"AUTH": "cert", "REMOTE_ID": OUR_NAME, **settings}) as product:
        if scenario.begins is US:
            peer.outside("ping", "-c", 1, "-W", 1, THEIRS[0], check=False)
        else:
            peer.initiate(check=False)
        until(lambda: product.events("main-mode-failed"), seconds=40)
        assert {one["reason"] for one in product.events("main-mode-failed")} == {reason}
        until(lambda: product.main_modes == [] == product.quick_modes, seconds=40)
        until(lambda: not peer.states())


@pytest.mark.skipif(not FULL, reason="part of make interop")
@pytest.mark.parametrize("begins", [US, THEM])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_certificate_of_the_peer_has_a_name_and_leaves_nothing(strongswan, what, begins):
    issued, reason = WRONG[what]
    refused(strongswan, certified(strongswan, begins=begins, version=2, **issued), reason)


@pytest.mark.skipif(not FULL, reason="part of make interop")
@pytest.mark.parametrize("begins", [US, THEM])
def test_a_member_of_the_authority_is_not_whom_the_rule_names(strongswan, begins):
    scenario = certified(strongswan, begins=begins, version=2, more='identity.remote = "carol.lab"', **TIME)
    refused(strongswan, scenario, "wrong-identity" if begins is THEM else "refused-by-peer")


@pytest.mark.skipif(not FULL, reason="part of make interop")
@pytest.mark.parametrize(("peer", "begins"), [("strongswan", US), ("strongswan", THEM)], indirect=["peer"])
def test_a_chain_of_three_passes_a_link_of_1280_octets_in_pieces(peer, begins):
    """RFC 7383; fragments of IP are counted by our side's kernel, and there is none."""
    scenario = certified(peer, "rsa", begins, version=2, chain=True)

    def fragments() -> list[str]:
        lines = peer.outside("cat", "/proc/net/snmp").splitlines()
        names, values = (line.split() for line in lines if line.startswith("Ip:"))
        counts = dict(zip(names, values, strict=True))
        return [counts[name] for name in ("ReasmReqds", "FragCreates")]

    with both(peer, scenario, AUTH="cert", REMOTE_ID=OUR_NAME) as product:
        peer.outside("ip", "link", "set", "lab0", "mtu", 1280)
        peer.run("ip", "link", "set", "eth0", "mtu", 1280)
        before = fragments()
        begin(peer, product, scenario)
        assert agreed(peer, product)
        told = [one["payloads"] for one in product.events("ike-message") if "fragments)" in one["payloads"]]
        assert told, "we cut what we say"
        assert "received fragment #1" in peer.log()
        assert "splitting IKE message" in peer.log()
        assert fragments() == before
