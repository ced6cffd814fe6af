# SPDX-License-Identifier: Apache-2.0
"""Public keys without a certificate (RFC 7670): in all the forms in which programs write them, and the one inside.

Inside, a public key is a SubjectPublicKeyInfo in DER, as in a certificate. Files have it in PEM, in DER, as OpenSSH
writes it, as the record of DNS that Libreswan and strongSwan show (``0s`` and RFC 3110), or in a certificate, of which
then nothing but the key counts. A fingerprint is the SHA-256 of the SubjectPublicKeyInfo.
"""

import binascii
from base64 import b64decode, b64encode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
    load_ssh_public_key,
)

from ringfence.crypto.certificate import read_certificates
from ringfence.crypto.errors import BadKey, CryptoError
from ringfence.crypto.signature import PEM_MARK, Public, PublicKey

MOST_OCTETS = 64 << 10
"""Of a file with a public key."""
IN_BASE64 = b"0s"
SSH = (b"ssh-", b"ecdsa-sha2-")


def read_public(octets: bytes) -> bytes:
    """The SubjectPublicKeyInfo in DER of a file's content; raises BadKey for what is no key that is served."""
    if len(octets) > MOST_OCTETS:
        raise BadKey("it is too large for a public key")
    if b"-----BEGIN CERTIFICATE" in octets:
        try:
            info = read_certificates(octets)[0].public_info
        except CryptoError as error:
            raise BadKey(error.message) from error
    else:
        info = _encoded(_loaded(octets))
    PublicKey(info)  # its kind is one that is served
    return info


def _loaded(octets: bytes) -> object:
    text = octets.strip()
    try:
        if PEM_MARK in octets:
            return load_pem_public_key(octets)
        if text.startswith(SSH):
            return load_ssh_public_key(text.splitlines()[0])
        if text[:2].lower() == IN_BASE64:
            return _of_base64(b64decode(b"".join(text[2:].split()), validate=True))
        return load_der_public_key(octets)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm) as error:
        raise BadKey("it is no public key") from error


def _of_base64(octets: bytes) -> object:
    try:
        return load_der_public_key(octets)
    except ValueError:
        return _of_dns(octets)


def _of_dns(octets: bytes) -> rsa.RSAPublicKey:
    """An RSA key as RFC 3110 §2 has it; raises ValueError."""
    if len(octets) < 3:
        raise ValueError("too short")
    size, at = (octets[0], 1) if octets[0] else (int.from_bytes(octets[1:3]), 3)
    exponent, modulus = octets[at : at + size], octets[at + size :]
    return rsa.RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus)).public_key()


def _encoded(key: object) -> bytes:
    if not isinstance(key, Public):
        raise BadKey("this kind of key is not served: RSA, ECDSA P-256, P-384, P-521, Ed25519 and Ed448 are")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def of_pkcs1(octets: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a raw RSA key in PKCS #1 (RFC 7296 §3.6, encoding 11); raises BadKey."""
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("it is no public key") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadKey("it is no RSA key")
    return _encoded(key)


def fingerprint(info: bytes) -> bytes:
    """By which a key is told from all others (32 octets)."""
    state = hashes.Hash(hashes.SHA256())
    state.update(info)
    return state.finalize()


# For others ------------------------------------------------------------------------------------------------------


def as_pem(info: bytes) -> str:
    """For strongSwan and OpenIKED."""
    key = _known(info)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def as_openssh(info: bytes) -> str:
    """A line as OpenSSH has it; empty for Ed448, which OpenSSH does not know."""
    try:
        return _known(info).public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    except (ValueError, UnsupportedAlgorithm):
        return ""


def as_base64(info: bytes) -> str:
    """The SubjectPublicKeyInfo as a word, ``0s`` and base64: Libreswan's ``leftpubkey``, strongSwan's, too."""
    return f"0s{b64encode(info).decode()}"


def as_dns(info: bytes) -> str:
    """An RSA key as Libreswan's ``leftrsasigkey`` has it (RFC 3110), with ``0s``; empty for another kind."""
    key = _known(info)
    return "" if not isinstance(key, rsa.RSAPublicKey) else f"0s{b64encode(_in_dns(key)).decode()}"


def _in_dns(key: rsa.RSAPublicKey) -> bytes:
    numbers = key.public_numbers()
    exponent, modulus = (one.to_bytes((one.bit_length() + 7) // 8) for one in (numbers.e, numbers.n))
    size = bytes((len(exponent),)) if len(exponent) < 256 else b"\0" + len(exponent).to_bytes(2)
    return size + exponent + modulus


def _known(info: bytes) -> Public:
    key = load_der_public_key(info)
    if not isinstance(key, Public):
        raise BadKey("this kind of key is not served")
    return key
