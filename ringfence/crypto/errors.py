# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a primitive.

``BadIcv`` is the crypto library's own exception under our name: the packet path calls the library's methods without a
layer of ours in between, so what it must catch is what they raise.
"""

from cryptography.exceptions import InvalidTag as BadIcv

from ringfence.errors import IpsecError

__all__ = ["BadIcv", "BadPublicValue", "CryptoError"]


class CryptoError(IpsecError):
    """Root of this package's errors."""


class BadPublicValue(CryptoError):
    """A peer's Diffie-Hellman value has the wrong length or lies outside the group."""
