# SPDX-License-Identifier: Apache-2.0
"""Preshared keys in the encoding that both sides use (Windows: preshared key encoding).

Windows up to Vista, and later ones by a setting, take the characters of a key as UTF-16, low octet first; others as
UTF-8, as a key file has them. What a key file says in hex or base64, or is no text, stays as it is.
"""

from collections.abc import Mapping

from ringfence.policy.terms import PskEncoding
from ringfence.secret import Secret


def encoded(keys: Mapping[str, Secret], encoding: PskEncoding) -> Mapping[str, Secret]:
    """The keys as they go into main mode."""
    if encoding is PskEncoding.UTF8:
        return keys
    return {name: _utf16(key) for name, key in keys.items()}


def _utf16(key: Secret) -> Secret:
    if key.exact:
        return key
    try:
        text = key.reveal().decode()
    except UnicodeDecodeError:
        return key
    return Secret(text.encode("utf-16-le")) if text.isprintable() else key
