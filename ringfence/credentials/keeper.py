# SPDX-License-Identifier: Apache-2.0
"""The keeper of keys that were read from files: in the memory of this process, and away from every engine."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ringfence.credentials.paths import validate
from ringfence.credentials.revocation import RevocationLists
from ringfence.crypto.errors import CryptoError
from ringfence.crypto.signature import PrivateKey
from ringfence.ike.effects import Answer, Question, Sign, Signed, Unfit
from ringfence.ike.errors import Reason


class LocalKeeper:
    """Answers with the keys that it was given."""

    def __init__(self, today: Callable[[], datetime], lists: RevocationLists | None = None) -> None:
        """``today`` says what time it is, with its zone."""
        self._today = today
        self._lists = lists or RevocationLists()
        self._keys: Mapping[str, PrivateKey] = {}

    def hold(self, keys: Mapping[str, PrivateKey]) -> None:
        """Have these and no others."""
        self._keys = dict(keys)

    def answer(self, question: Question) -> Answer:
        """Sign, or say whether a certificate is trusted."""
        if isinstance(question, Sign):
            return self._sign(question)
        return validate(question.chain, question.ways, self._today(), self._lists)

    def _sign(self, question: Sign) -> Answer:
        key = self._keys.get(question.certificate)
        if key is None:
            return Unfit(Reason.NO_PRIVATE_KEY, "there is no private key for our certificate")
        try:
            return Signed(key.sign(question.scheme, question.octets))
        except (CryptoError, ValueError) as error:
            return Unfit(Reason.NO_PRIVATE_KEY, f"the key of our certificate cannot sign: {error}")
