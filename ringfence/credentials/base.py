# SPDX-License-Identifier: Apache-2.0
"""The port ``Keeper``: it has the private keys, knows what time it is, and answers what an IKE engine asks.

An engine names a certificate and says what to sign; it never sees a key. The answer may take a while, so whoever asks
does it in a thread of its own.
"""

from collections.abc import Mapping
from typing import Protocol

from ringfence.crypto.signature import PrivateKey
from ringfence.ike.effects import Answer, Question


class Keeper(Protocol):
    """Keeps keys."""

    def hold(self, keys: Mapping[str, PrivateKey]) -> None:
        """Have these keys from now on, by the thumbprints of their certificates, and no others."""

    def answer(self, question: Question) -> Answer:
        """What an engine wants to know; never raises for what a peer sent."""
