# SPDX-License-Identifier: Apache-2.0
"""The errors keep their names and their root."""

from cryptography.exceptions import InvalidTag

from ringfence.crypto.errors import BadIcv, BadPublicValue, CryptoError
from ringfence.errors import IpsecError


def test_roots():
    assert issubclass(BadPublicValue, CryptoError)
    assert issubclass(CryptoError, IpsecError)
    assert BadIcv is InvalidTag  # what the library raises, with no layer in between
