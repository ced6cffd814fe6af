# SPDX-License-Identifier: Apache-2.0
"""The keeper of keys that were read from files: in the memory of this process, and away from every engine."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

from cryptography.x509 import load_der_x509_certificate

from ringfence.credentials.paths import validate
from ringfence.credentials.revocation import RevocationLists
from ringfence.crypto.errors import CryptoError
from ringfence.crypto.signature import PrivateKey
from ringfence.databases.certification import CertificateAuth
from ringfence.ike.effects import (
    Answer,
    Converse,
    Question,
    Sign,
    Signed,
    Solve,
    Solved,
    Staple,
    Stapled,
    Unfit,
    Validate,
)
from ringfence.ike.errors import Reason
from ringfence.ike.v2.puzzles import Puzzle, solve

if TYPE_CHECKING:
    from ringfence.credentials.eap.conversations import Conversations

EAP_EXTRA = 'pip install "ringfence[eap]"'


class LocalKeeper:
    """Answers with the keys that it was given."""

    def __init__(self, today: Callable[[], datetime], lists: RevocationLists | None = None) -> None:
        """``today`` says what time it is, with its zone."""
        self._today = today
        self._lists = lists or RevocationLists()
        self._keys: Mapping[str, PrivateKey] = {}
        self._eap: Conversations | None = None
        self._lock = Lock()

    def hold(self, keys: Mapping[str, PrivateKey]) -> None:
        """Have these and no others."""
        self._keys = dict(keys)

    def answer(self, question: Question) -> Answer:
        """Sign, or say whether a certificate is trusted."""
        match question:
            case Sign():
                return self._sign(question)
            case Validate():
                return self._validate(question.chain, question.ways, question.stapled)
            case Staple():
                return self._staple(question.chain)
            case Converse():
                return self._converse(question)
            case Solve(name, bits, text):
                return Solved(solve(Puzzle(name, bits), text))

    def _validate(
        self, chain: Sequence[bytes], ways: Sequence[CertificateAuth], stapled: Sequence[bytes] = ()
    ) -> Answer:
        return validate(chain, ways, self._today(), self._lists, stapled)

    def _staple(self, chain: Sequence[bytes]) -> Answer:
        """What the authority says of our own certificate, of which the second of ``chain`` is the issuer's."""
        one, issuer = (load_der_x509_certificate(der) for der in chain[:2])
        known = self._lists.responders.about(one, issuer, self._today())
        return Stapled(b"" if known is None or not known.good else known.octets)

    def _converse(self, question: Converse) -> Answer:
        with self._lock:
            if self._eap is None:
                try:
                    from ringfence.credentials.eap.conversations import Conversations
                except ModuleNotFoundError as error:
                    return Unfit(Reason.EAP_FAILED, f"{error.name} is missing, which EAP needs: {EAP_EXTRA}")
                self._eap = Conversations(lambda: self._today().timestamp(), self._validate)
            self._eap.hold(self._keys)
        return self._eap.answer(question)

    def _sign(self, question: Sign) -> Answer:
        key = self._keys.get(question.certificate)
        if key is None:
            return Unfit(Reason.NO_PRIVATE_KEY, "there is no private key for our certificate")
        try:
            return Signed(key.sign(question.scheme, question.octets))
        except (CryptoError, ValueError) as error:
            return Unfit(Reason.NO_PRIVATE_KEY, f"the key of our certificate cannot sign: {error}")
