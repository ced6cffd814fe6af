# SPDX-License-Identifier: Apache-2.0
"""ML-KEM (FIPS 203): the initiator sends an encapsulation key, the responder draws a secret and encrypts it to that.

Keys are made of a seed from the caller's ``random``, d and z of FIPS 203 §6.1. The library draws what it encapsulates
by itself and takes it from nobody; so a source of chance that is to repeat a whole exchange may ``Encapsulates`` on its
own, as the one of tests does, slowly.

Which parameter sets there are is the library's choice: it may have been built without one.
"""

from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mlkem

from ringfence.crypto.errors import CryptoError
from ringfence.crypto.suites import GROUPS, DhGroup
from ringfence.secret import Secret

SEED_OCTETS = 64


class NotBuilt(CryptoError):
    """The crypto library has no such mechanism."""


class _Private(Protocol):
    def decapsulate(self, ciphertext: bytes, /) -> bytes: ...
    def public_key(self) -> "_Public": ...


class _Public(Protocol):
    def encapsulate(self) -> tuple[bytes, bytes]: ...
    def public_bytes_raw(self) -> bytes: ...


@runtime_checkable
class Encapsulates(Protocol):
    """Chance that repeats what the library would draw anew."""

    def encapsulate(self, group: DhGroup, public: bytes) -> tuple[bytes, bytes]:
        """Ciphertext and secret; raises ValueError for what is no encapsulation key."""


class _Generates(Protocol):
    def from_seed_bytes(self, data: bytes, /) -> _Private: ...


class _Reads(Protocol):
    def from_public_bytes(self, data: bytes, /) -> _Public: ...


@dataclass(frozen=True, slots=True)
class _Classes:
    private: _Generates
    public: _Reads


_LIBRARY: dict[DhGroup, _Classes] = {
    DhGroup.ML_KEM_768: _Classes(mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey),
    DhGroup.ML_KEM_1024: _Classes(mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey),
}


@cache
def available(group: DhGroup) -> bool:
    """Whether the library has it."""
    try:
        Decapsulator(group, bytes(SEED_OCTETS))
    except NotBuilt:
        return False
    return True


class Decapsulator:
    """The initiator's key pair."""

    def __init__(self, group: DhGroup, seed: bytes) -> None:
        """Raises NotBuilt."""
        try:
            self._key = _classes(group).private.from_seed_bytes(seed)
        except UnsupportedAlgorithm as error:
            raise _not_built(group) from error
        self.public = self._key.public_key().public_bytes_raw()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """The secret; raises ValueError for a wrong length only."""
        return self._key.decapsulate(ciphertext)


def encapsulate(group: DhGroup, public: bytes, random: object) -> tuple[bytes, Secret]:
    """Ciphertext and secret for who has the key to ``public``; raises ValueError for what is no such key, NotBuilt."""
    if isinstance(random, Encapsulates):
        ciphertext, secret = random.encapsulate(group, public)
        return ciphertext, Secret(secret)
    try:
        secret, ciphertext = _classes(group).public.from_public_bytes(public).encapsulate()
    except UnsupportedAlgorithm as error:
        raise _not_built(group) from error
    return ciphertext, Secret(secret)


def _classes(group: DhGroup) -> _Classes:
    if group not in _LIBRARY:
        raise _not_built(group)
    return _LIBRARY[group]


def _not_built(group: DhGroup) -> NotBuilt:
    return NotBuilt(f"the crypto library has no {GROUPS[group].word}", cure="A newer one may have it.")
