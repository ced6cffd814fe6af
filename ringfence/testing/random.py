# SPDX-License-Identifier: Apache-2.0
"""Chance that repeats: the same seed gives the same octets, so a test that failed once can be run again."""

from hashlib import shake_128

from ringfence.crypto.suites import DhGroup
from ringfence.testing import mlkem


class SeededRandom:
    """Octets that look random; call it with how many are wanted."""

    def __init__(self, seed: int | str) -> None:
        self._seed = str(seed).encode()
        self._drawn = 0

    def __call__(self, octets: int) -> bytes:
        """The next ``octets`` octets."""
        self._drawn += 1
        return shake_128(b"%d %s" % (self._drawn, self._seed)).digest(octets)

    def encapsulate(self, group: DhGroup, public: bytes) -> tuple[bytes, bytes]:
        """Ciphertext and secret for an encapsulation key, which a crypto library would not repeat."""
        return mlkem.encapsulate(group, public, self(32))

    def below(self, limit: int) -> int:
        """A number from 0 up to and without ``limit``, for a test's own decisions."""
        return int.from_bytes(self(8)) % limit

    def chance(self, share: float) -> bool:
        """True in about ``share`` of the calls."""
        return int.from_bytes(self(8)) < share * 2**64

    def between(self, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        return low + (high - low) * int.from_bytes(self(8)) / 2**64
