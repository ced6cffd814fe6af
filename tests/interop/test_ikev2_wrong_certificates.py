# SPDX-License-Identifier: Apache-2.0
"""Wrong certificates with strongSwan, beyond those of their own dates and usages: revoked, without a path, and ours.

Each is judged by both: we have a reason of its own, and the peer has no SA.
"""

import os

import pytest
from interop.test_ikev1_certificates import NOW, TIME, Certified
from interop.test_ikev2_certificates import refused
from lab.authority import DAY, authority
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
BOTH = pytest.mark.parametrize("begins", [US, THEM])
if not FULL:
    pytestmark.append(pytest.mark.skip(reason="part of make interop"))


def made(peer, begins, theirs, ours=None, *, chain=(), lists=(), root=None) -> Certified:
    """A scenario with these certificates; ``chain`` is what strongSwan has above its own."""
    folder = peer.share / "certs"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    root = root or ROOT
    root.write(folder, "ca")
    theirs.write(folder, THEIRS[0])
    (ours or root.issue(f"CN={OURS[0]},O=Lab", kind="rsa", names=OURS, number=6, **TIME)).write(folder, OURS[0])
    for number, one in enumerate(chain):
        (folder / f"chain-{number}.pem").write_bytes(one.pem)
    for number, octets in enumerate(lists):
        (folder / f"{number}.crl").write_bytes(octets)
    scenario = Checked(peer.kind, begins=begins, version=2)
    words = {"folder": str(folder), "kind": "rsa", "lists": [f"{folder}/{one}.crl" for one in range(len(lists))]}
    for name, value in words.items():
        object.__setattr__(scenario, name, value)
    return scenario


class Checked(Certified):
    """A scenario with lists of revoked certificates."""

    lists = ()

    @property
    def policy(self) -> str:
        text = super().policy
        if not self.lists:
            return text
        said = f'file = "{self.folder}/ca.pem"'
        return '[global]\ncrl-check = "revoked"\n' + text.replace(
            said, f"{said}\ncrl = {self.lists!r}".replace("'", '"')
        )


ROOT = authority(kind="rsa", starts=NOW - DAY)


def theirs_of(issuer, **terms):
    return issuer.issue(f"CN={THEIRS[0]},O=Lab", kind="rsa", names=THEIRS, number=5, **{**TIME, **terms})


@BOTH
def test_one_that_is_revoked_by_a_list(strongswan, begins):
    theirs = theirs_of(ROOT)
    scenario = made(strongswan, begins, theirs, lists=[ROOT.crl(theirs, at=NOW - DAY / 24)])
    refused(strongswan, scenario, "certificate-revoked")


@BOTH
def test_one_whose_issuer_is_no_authority(strongswan, begins):
    """A member of the authority issues certificates itself; strongSwan does not even send his."""
    member = ROOT.issue("CN=A Member,O=Lab", kind="rsa", number=2, **TIME)
    scenario = made(strongswan, begins, theirs_of(member), chain=[member])
    refused(strongswan, scenario, "untrusted-authority")


def test_ours_is_refused_and_we_are_told(strongswan):
    """The peer says no more than that."""
    terms = {**TIME, "starts": NOW - 9 * DAY, "ends": NOW - DAY / 24}
    ours = ROOT.issue(f"CN={OURS[0]},O=Lab", kind="rsa", names=OURS, number=6, **terms)
    refused(strongswan, made(strongswan, US, theirs_of(ROOT), ours), "refused-by-peer")
