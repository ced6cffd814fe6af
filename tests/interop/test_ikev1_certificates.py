# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan prove themselves to us by certificates in main mode, and we to them; or they do not.

The peer's files lie in the folder that its guest shares with us, ours beside them. What goes wrong is judged by both:
we have a reason of its own for each cause, and the peer has no SA.
"""

import os
from datetime import UTC, datetime

import pytest
from lab.authority import CODE, DAY, authority
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US, Pings, Scenario, agreed, begin, both
from lab.product import until

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
NOW = datetime.now(UTC)
TIME = {"starts": NOW - DAY, "ends": NOW + 100 * DAY}
SIGNING = ("rsa", "ecdsa-p256", "ecdsa-p384")


class Certified(Scenario):
    """A scenario in which both sides have certificates in a folder."""

    folder = ""
    kind = "rsa"
    more = ""

    @property
    def policy(self) -> str:
        trusted = f"""
            [authority."CN=Lab CA, O=Lab"]
            file = "{self.folder}/ca.pem"
            [certificate."this computer"]
            file = "{self.folder}/{OURS[0]}.pem"
            key-file = "{self.folder}/{OURS[0]}.key"
        """
        way = f'{{ certificate = "CN=Lab CA, O=Lab", signing = "{self.kind}" }}'
        return trusted + super().policy.replace('{ psk-file = "lab.psk" }', way) + self.more


def certified(peer, kind="rsa", begins=US, *, version=1, more="", protect="esp aes256-gcm", **issued) -> Certified:
    """Both sides' files, made anew; ``issued`` changes the peer's certificate. An authority of EdDSA keys has ECDSA."""
    folder = peer.share / "certs"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    above = "ecdsa-p256" if kind.startswith("ed") else kind
    root = authority(kind=above, starts=NOW - DAY)
    issuer, chain = root, []
    if issued.pop("chain", False):
        middle = root.issue("CN=Middle CA,O=Lab", ca=True, number=2, **TIME)
        issuer = middle.issue("CN=Low CA,O=Lab", ca=True, number=3, **TIME)
        chain = [issuer, middle]
    other = issued.pop("other", False)
    theirs = (authority("CN=Other CA", above, starts=NOW - DAY, number=4) if other else issuer).issue(
        f"CN={THEIRS[0]},O=Lab", number=5, **{"names": THEIRS, "kind": kind, **TIME, **issued}
    )
    ours = issuer.issue(f"CN={OURS[0]},O=Lab", kind=kind, names=OURS, number=6, **TIME)
    root.write(folder, "ca")
    ours.write(folder, OURS[0])
    theirs.write(folder, THEIRS[0])
    (folder / f"{OURS[0]}.pem").write_bytes(b"".join(one.pem for one in (ours, *chain)))
    for number, one in enumerate(chain):
        (folder / f"chain-{number}.pem").write_bytes(one.pem)
    (folder / f"{THEIRS[0]}.p12").write_bytes(theirs.p12(b"lab", THEIRS[0]))
    made = Certified(peer.kind, protect=protect, begins=begins, version=version)
    for name, value in (("folder", str(folder)), ("kind", kind), ("more", more)):
        object.__setattr__(made, name, value)
    return made


CELLS = [("strongswan", "rsa", US, False), ("strongswan", "ecdsa-p256", THEM, True)]
MORE = [
    *(("strongswan", kind, begins, chain) for kind in SIGNING for begins in (US, THEM) for chain in (False, True)),
    *(("libreswan", "rsa", begins, False) for begins in (US, THEM)),
]


@pytest.mark.parametrize(("peer", "kind", "begins", "chain"), CELLS if not FULL else MORE, indirect=["peer"])
def test_both_prove_themselves_by_certificates(peer, kind, begins, chain):
    scenario = certified(peer, kind, begins, chain=chain)
    with both(peer, scenario, AUTH="cert", REMOTE_ID=f"O=Lab, CN={OURS[0]}") as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.2).finish()
        assert agreed(peer, product)
        [main_mode] = product.main_modes
        assert main_mode.initiator == (begins is US)
        [event] = product.events("main-mode-established")
        assert event["local_identity"] == f"CN={OURS[0]},O=Lab"
        assert event["remote_identity"] == THEIRS[0]


WRONG = {
    "another authority": ({"other": True}, "untrusted-authority"),
    "expired": ({"starts": NOW - 9 * DAY, "ends": NOW - DAY / 24}, "certificate-expired"),
    "too early": ({"starts": NOW + DAY / 2}, "certificate-not-yet-valid"),
    "for code": ({"usages": (CODE,)}, "wrong-certificate-usage"),
}


@pytest.mark.skipif(not FULL, reason="part of make interop")
@pytest.mark.parametrize("begins", [US, THEM])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_certificate_of_the_peer_has_a_name_and_leaves_nothing(strongswan, what, begins):
    issued, reason = WRONG[what]
    scenario = certified(strongswan, begins=begins, **issued)
    with both(strongswan, scenario, AUTH="cert", REMOTE_ID=f"O=Lab, CN={OURS[0]}") as product:
        if begins is US:
            strongswan.outside("ping", "-c", 1, "-W", 1, THEIRS[0], check=False)
        else:
            strongswan.initiate(check=False)
        until(lambda: product.events("main-mode-failed"), seconds=40)
        assert {one["reason"] for one in product.events("main-mode-failed")} == {reason}
        until(lambda: product.main_modes == [] == product.quick_modes, seconds=40)
        until(lambda: not strongswan.states())
