# SPDX-License-Identifier: Apache-2.0
"""The public half of a key file, private or public, for people who bring it to the other side."""

from pathlib import Path

from ringfence.crypto.errors import CryptoError
from ringfence.crypto.rawkeys import MOST_OCTETS, read_public
from ringfence.crypto.signature import PrivateKey
from ringfence.stores.errors import StoreError
from ringfence.stores.files import is_special, read_octets

FORMS = "It may be in PEM or DER; a public key also as OpenSSH writes it, or 0s and base64."


def public_of(path: Path, password_file: Path | None = None) -> bytes:
    """The SubjectPublicKeyInfo in DER of a key file; raises StoreError for what holds no key that is served."""
    octets = _octets(path, "the key")
    password = None
    if password_file is not None:
        password = _octets(password_file, "the password").removesuffix(b"\n").removesuffix(b"\r")
    try:
        return PrivateKey.load(octets, password).public_info
    except CryptoError as private:
        if password is not None or b"PRIVATE KEY" in octets:
            cure = "Name the file with its password: --password-file." if "encrypted" in private.message else ""
            raise StoreError(f"{path} is no key: {private.message}", place=str(path), cure=cure) from private
    try:
        return read_public(octets)
    except CryptoError as error:
        raise StoreError(f"{path} is no key: {error.message}", place=str(path), cure=FORMS) from error


def _octets(path: Path, what: str) -> bytes:
    if is_special(path):
        raise StoreError(f"{what} is no file", place=str(path))
    return read_octets(path, MOST_OCTETS, what, missing=f"There is no {path}.")
