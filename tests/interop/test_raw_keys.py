# SPDX-License-Identifier: Apache-2.0
"""strongSwan and Libreswan prove themselves to us by keys without certificates, and we to them; or they do not.

Libreswan makes its key itself, and says it in words of its own, which are what our policy names.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lab.authority import new_key
from lab.guest import OURS, THEIRS
from lab.ikev1 import THEM, US, Pings, Scenario, agreed, begin, both
from lab.product import until

from ringfence.crypto.rawkeys import as_dns, as_pem
from ringfence.crypto.signature import PrivateKey

pytestmark = [pytest.mark.lab, pytest.mark.timeout(180)]

FULL = bool(os.environ.get("RINGFENCE_FULL"))
KINDS = ("rsa", "ecdsa-p256", "ecdsa-p384", "ed25519", "ed448")
CELLS = [("strongswan", 2, "ecdsa-p256", THEM)]
MORE = [
    *(("strongswan", 2, kind, begins) for kind in KINDS for begins in (US, THEM)),
    *(("strongswan", 1, kind, begins) for kind in ("rsa", "ecdsa-p256") for begins in (US, THEM)),
    *(("libreswan", version, "rsa", begins) for version in (1, 2) for begins in (US, THEM)),
]  # fmt: skip


@dataclass(frozen=True)
class Raw(Scenario):
    """A scenario in which both know the other's key."""

    folder: Path = Path()

    @property
    def policy(self) -> str:
        way = f'{{ public-key = "{self.folder}/{THEIRS[0]}.pub", key-file = "{self.folder}/{OURS[0]}.key" }}'
        return super().policy.replace('{ psk-file = "lab.psk" }', way)


def raw(peer, version, kind, begins, *, known=True) -> Raw:
    """Both sides' files, made anew; without ``known`` the peer has another key than the one that we know."""
    folder = peer.share / "certs"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for number, name in enumerate((OURS[0], THEIRS[0]), 1):
        key = new_key(kind, number)
        private = folder / f"{name}.key"
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        private.chmod(0o600)
        info = PrivateKey(key).public_info
        (folder / f"{name}.pub").write_text(as_pem(info))
        (folder / f"{name}.word").write_text(f"rsasigkey={as_dns(info)}\n")
    if not known:
        info = PrivateKey(new_key(kind, 3)).public_info
        (folder / "wrong.pub").write_text(as_pem(info))
    return Raw(peer.kind, begins=begins, version=version, folder=folder)


@pytest.mark.parametrize(("peer", "version", "kind", "begins"), MORE if FULL else CELLS, indirect=["peer"])
def test_both_prove_themselves_by_keys(peer, version, kind, begins):
    scenario = raw(peer, version, kind, begins)
    with both(peer, scenario, AUTH="rawkey") as product:
        begin(peer, product, scenario)
        Pings(peer, scenario, 0.2).finish()
        assert agreed(peer, product)
        [event] = product.events("main-mode-established")
        assert (event["local_identity"], event["remote_identity"]) == (OURS[0], THEIRS[0])


@pytest.mark.skipif(not FULL, reason="part of make interop")
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("begins", [US, THEM])
def test_another_key_comes_to_nothing_on_either_side(strongswan, version, begins):
    scenario = raw(strongswan, version, "rsa", begins, known=False)
    policy = scenario.policy.replace(f"{THEIRS[0]}.pub", "wrong.pub")
    with both(strongswan, scenario, policy=policy, AUTH="rawkey") as product:
        if begins is US:
            strongswan.outside("ping", "-c", 1, "-W", 1, THEIRS[0], check=False)
        else:
            strongswan.initiate(check=False)
        until(lambda: product.events("main-mode-failed"), seconds=40)
        assert {one["reason"] for one in product.events("main-mode-failed")} == {"wrong-signature"}
        until(lambda: product.quick_modes == [], seconds=40)
        until(lambda: not strongswan.states())
