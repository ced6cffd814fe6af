# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a primitive.

``BadIcv`` is the crypto library's own exception under our name: the packet path calls the library's methods without a
layer of ours in between, so what it must catch is what they raise.
"""

from cryptography.exceptions import InvalidTag as BadIcv

from ringfence.errors import IpsecError

__all__ = ["BadCertificate", "BadIcv", "BadKey", "BadPublicValue", "BadSignature", "CryptoError", "KeyMisfit"]


class CryptoError(IpsecError):
    """Root of this package's errors."""


class BadPublicValue(CryptoError):
    """A peer's Diffie-Hellman value has the wrong length or lies outside the group."""


class BadSignature(CryptoError):
    """A signature is not one of what it should be of, by the key that it should be by."""


class BadKey(CryptoError):
    """Octets that are no key, or one of a kind that is not served."""


class KeyMisfit(CryptoError):
    """A key of this kind does not sign in this way."""


class BadCertificate(CryptoError):
    """Octets that are no certificate that can be read."""
