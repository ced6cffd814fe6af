# SPDX-License-Identifier: Apache-2.0
"""Keys of a main mode that never was, for tests of what comes after it."""

from ringfence.crypto.suites import DhGroup, Hash
from ringfence.databases.proposal import IkeProposal
from ringfence.ike.v1.keys import MainKeys, Shared, derive
from ringfence.secret import Secret
from ringfence.testing.hosts import AES_128


def main_keys(key: bytes = b"a key of no value", proposal: IkeProposal | None = None) -> MainKeys:
    """The keys that two hosts with this pre-shared key have; another key gives others."""
    shared = Shared(
        initiator_cookie=b"initiate",
        responder_cookie=b"response",
        initiator_public=b"g^xi",
        responder_public=b"g^xr",
        initiator_nonce=b"initiator nonce",
        responder_nonce=b"responder nonce",
        secret=Secret(b"g^xy"),
    )
    return derive(proposal or IkeProposal(AES_128, Hash.SHA256, DhGroup.ECP_256), Secret(key), shared)
