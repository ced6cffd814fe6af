# SPDX-License-Identifier: Apache-2.0
"""DES, 3DES and MD5: for peers that know nothing better, and for nobody who did not ask.

Whoever needs one of them says ``legacy=True``, which comes down from a policy that says ``legacy = true``; otherwise
``LegacyRefused`` is raised (``ringfence.crypto.suites.refuse_legacy``). No other module names these primitives.
"""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes

from ringfence.crypto.suites import Encryption, Integrity, refuse_legacy

TRIPLE_DES_OCTETS = 24

# Which bits of a key, counted from 1, make each half of DES's key schedule (FIPS 46-3, permuted choice 1).
LEFT = (
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
)  # fmt: skip
RIGHT = (
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
)  # fmt: skip
UNMOVED = (0x0000000, 0xFFFFFFF, 0x5555555, 0xAAAAAAA)
"""Halves that the schedule's shifts turn into themselves or into one another."""


def triple_des(algorithm: Encryption, key: bytes, *, legacy: bool) -> TripleDES:
    """The block cipher of ``Encryption.DES`` (8 octets of key) or ``TRIPLE_DES`` (24); raises LegacyRefused.

    Single DES is 3DES with one key three times: the middle step undoes the first.
    """
    refuse_legacy(algorithm, allowed=legacy)
    return TripleDES(key * (TRIPLE_DES_OCTETS // len(key)))


def md5(*, legacy: bool) -> hashes.HashAlgorithm:
    """MD5 for HMAC (RFC 2403); raises LegacyRefused."""
    refuse_legacy(Integrity.HMAC_MD5_96, allowed=legacy)
    return hashes.MD5()  # noqa: S303 - the caller asked for it


def is_weak_des(key: bytes) -> bool:
    """Whether DES with this key undoes itself or another key's work: so do 16, which IKE refuses (RFC 2409 app. A)."""
    bits = f"{int.from_bytes(key):064b}"
    return all(int("".join(bits[place - 1] for place in half), 2) in UNMOVED for half in (LEFT, RIGHT))
