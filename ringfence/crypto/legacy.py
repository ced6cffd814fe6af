# SPDX-License-Identifier: Apache-2.0
"""DES, 3DES and MD5: for peers that know nothing better, and for nobody who did not ask.

Whoever needs one of them says ``legacy=True``, which comes down from a policy that says ``legacy = true``; otherwise
``LegacyRefused`` is raised (``ringfence.crypto.suites.refuse_legacy``). No other module names these primitives.
"""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes

from ringfence.crypto.suites import Encryption, Integrity, refuse_legacy

TRIPLE_DES_OCTETS = 24


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
