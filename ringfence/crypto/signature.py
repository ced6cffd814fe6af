# SPDX-License-Identifier: Apache-2.0
"""Signatures by which a computer proves who it is: one table of schemes, keys, and signing and verifying by them.

IKEv1 signs a hash as it stands: with RSA the PKCS #1 block holds it without a DigestInfo (RFC 2409 §5.1), with ECDSA it
is the hash of the curve (RFC 4754 §4), and the signature is r | s of fixed length. IKEv2 signs a message: RSA with
SHA-1 or ECDSA with the curve's hash where nothing was negotiated, else what an AlgorithmIdentifier says in front of the
signature (RFC 7427 §3), for which ECDSA has its DER form; EdDSA takes the message whole (RFC 8420).

``PrivateKey`` is the only thing here that is secret. It is used where credentials are kept, never in an engine.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from hmac import compare_digest

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    NoDigestInfo,
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
)

from ringfence.crypto.errors import BadKey, BadSignature, KeyMisfit

Public = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

SHA1 = hashes.SHA1()  # noqa: S303 - IKEv2 without RFC 7427 knows no other hash with RSA
SHA256, SHA384, SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
PEM_MARK = b"-----BEGIN"


class KeyKind(Enum):
    """What a key is; the value is the word for it."""

    RSA = "rsa"
    P256 = "ecdsa-p256"
    P384 = "ecdsa-p384"
    P521 = "ecdsa-p521"
    ED25519 = "ed25519"
    ED448 = "ed448"


_CURVES: dict[str, KeyKind] = {"secp256r1": KeyKind.P256, "secp384r1": KeyKind.P384, "secp521r1": KeyKind.P521}
_CURVE_HASH: dict[KeyKind, hashes.HashAlgorithm] = {
    KeyKind.P256: SHA256, KeyKind.P384: SHA384, KeyKind.P521: SHA512
}  # fmt: skip
_ORDER_OCTETS = {KeyKind.P256: 32, KeyKind.P384: 48, KeyKind.P521: 66}


class Scheme(Enum):
    """Ways to sign."""

    RSA_HASH = "rsa-hash"
    """IKEv1 method 3: the hash itself, padded as PKCS #1 v1.5 without DigestInfo."""
    ECDSA_HASH = "ecdsa-hash"
    """IKEv1 methods 9 to 11: the hash of the curve; r | s."""
    RSA_SHA1 = "rsa-sha1"
    """IKEv2 method 1."""
    ECDSA = "ecdsa"
    """IKEv2 methods 9 to 11: a message, by the curve's hash; r | s."""
    RSA_SHA256 = "rsa-sha256"
    RSA_SHA384 = "rsa-sha384"
    RSA_SHA512 = "rsa-sha512"
    PSS_SHA256 = "rsa-pss-sha256"
    PSS_SHA384 = "rsa-pss-sha384"
    PSS_SHA512 = "rsa-pss-sha512"
    ECDSA_SHA256 = "ecdsa-sha256"
    ECDSA_SHA384 = "ecdsa-sha384"
    ECDSA_SHA512 = "ecdsa-sha512"
    ED25519 = "ed25519"
    ED448 = "ed448"


class Style(Enum):
    """How a scheme lays out what it signs."""

    HASH = "hash"
    """PKCS #1 v1.5 or r | s, over a hash that was computed elsewhere."""
    FIXED = "fixed"
    """ECDSA, r | s over a message."""
    PKCS1 = "pkcs1"
    PSS = "pss"
    DER = "der"
    """ECDSA, SEQUENCE of r and s."""
    EDDSA = "eddsa"


@dataclass(frozen=True, slots=True)
class Row:
    """One scheme."""

    keys: frozenset[KeyKind]
    style: Style
    hash: hashes.HashAlgorithm | None = None
    """None for the curve's, or none at all."""
    hash_number: int = 0
    """In SIGNATURE_HASH_ALGORITHMS (RFC 7427 §7, RFC 8420 §2); 0 for a scheme that is not announced so."""
    identifier: bytes = b""
    """The DER AlgorithmIdentifier of RFC 7427; empty for a scheme that has a method of its own."""


def _der(tag: int, *parts: bytes) -> bytes:
    """One short DER value; everything here is shorter than 128 octets."""
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def _oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    octets = bytearray((first * 40 + second,))
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        octets += bytes(reversed(groups))
    return _der(0x06, bytes(octets))


NULL = _der(0x05)
_SHA2_OID = {
    "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2", "sha512": "2.16.840.1.101.3.4.2.3"
}  # fmt: skip
_HASH_NUMBER = {"sha256": 2, "sha384": 3, "sha512": 4}
IDENTITY_HASH = 5
"""The "hash" of EdDSA (RFC 8420 §2)."""


def _pss(algorithm: hashes.HashAlgorithm) -> bytes:
    """RSASSA-PSS with its parameters: hash, MGF1 with the same, salt of the hash's length (RFC 7427 A.4)."""
    hash_ = _der(0x30, _oid(_SHA2_OID[algorithm.name]), NULL)
    mask = _der(0x30, _oid("1.2.840.113549.1.1.8"), hash_)
    salt = _der(0x02, bytes((algorithm.digest_size,)))
    return _der(
        0x30, _oid("1.2.840.113549.1.1.10"), _der(0x30, _der(0xA0, hash_), _der(0xA1, mask), _der(0xA2, salt))
    )  # fmt: skip


_RSA = frozenset((KeyKind.RSA,))
_EC = frozenset(_ORDER_OCTETS)


def _pkcs1(algorithm: hashes.HashAlgorithm, last: int) -> Row:
    name = _der(0x30, _oid(f"1.2.840.113549.1.1.{last}"), NULL)
    return Row(_RSA, Style.PKCS1, algorithm, _HASH_NUMBER[algorithm.name], name)


def _ecdsa(algorithm: hashes.HashAlgorithm, last: int) -> Row:
    return Row(_EC, Style.DER, algorithm, _HASH_NUMBER[algorithm.name], _der(0x30, _oid(f"1.2.840.10045.4.3.{last}")))


SCHEMES: dict[Scheme, Row] = {
    Scheme.RSA_HASH: Row(_RSA, Style.HASH),
    Scheme.ECDSA_HASH: Row(_EC, Style.HASH),
    Scheme.RSA_SHA1: Row(_RSA, Style.PKCS1, SHA1),
    Scheme.ECDSA: Row(_EC, Style.FIXED),
    Scheme.RSA_SHA256: _pkcs1(SHA256, 11),
    Scheme.RSA_SHA384: _pkcs1(SHA384, 12),
    Scheme.RSA_SHA512: _pkcs1(SHA512, 13),
    Scheme.PSS_SHA256: Row(_RSA, Style.PSS, SHA256, 2, _pss(SHA256)),
    Scheme.PSS_SHA384: Row(_RSA, Style.PSS, SHA384, 3, _pss(SHA384)),
    Scheme.PSS_SHA512: Row(_RSA, Style.PSS, SHA512, 4, _pss(SHA512)),
    Scheme.ECDSA_SHA256: _ecdsa(SHA256, 2),
    Scheme.ECDSA_SHA384: _ecdsa(SHA384, 3),
    Scheme.ECDSA_SHA512: _ecdsa(SHA512, 4),
    Scheme.ED25519: Row(
        frozenset((KeyKind.ED25519,)), Style.EDDSA, None, IDENTITY_HASH, _der(0x30, _oid("1.3.101.112"))
    ),
    Scheme.ED448: Row(frozenset((KeyKind.ED448,)), Style.EDDSA, None, IDENTITY_HASH, _der(0x30, _oid("1.3.101.113"))),
}  # fmt: skip


def generic(kind: KeyKind, hash_numbers: Iterable[int]) -> tuple[Scheme, ...]:
    """Schemes of RFC 7427 for such a key that a peer with these hashes can verify, the best for it first.

    PSS goes before PKCS #1 v1.5 (RFC 8247 §3.2), and a curve's own hash before longer ones.
    """
    known = set(hash_numbers)
    found = [
        scheme for scheme, row in SCHEMES.items() if kind in row.keys and row.identifier and row.hash_number in known
    ]
    own = _CURVE_HASH.get(kind)
    return tuple(sorted(found, key=lambda one: (SCHEMES[one].style is not Style.PSS, SCHEMES[one].hash is not own)))


def scheme_of(identifier: bytes) -> Scheme | None:
    """The scheme that a DER AlgorithmIdentifier names; None for one that is not served."""
    return next((scheme for scheme, row in SCHEMES.items() if row.identifier == identifier != b""), None)


def _kind_of(key: object) -> KeyKind:
    match key:
        case rsa.RSAPublicKey() | rsa.RSAPrivateKey():
            return KeyKind.RSA
        case ec.EllipticCurvePublicKey() | ec.EllipticCurvePrivateKey() if key.curve.name in _CURVES:
            return _CURVES[key.curve.name]
        case ed25519.Ed25519PublicKey() | ed25519.Ed25519PrivateKey():
            return KeyKind.ED25519
        case ed448.Ed448PublicKey() | ed448.Ed448PrivateKey():
            return KeyKind.ED448
        case _:
            raise BadKey("this kind of key is not served: RSA, ECDSA P-256, P-384, P-521, Ed25519 and Ed448 are")


def _pss_padding(algorithm: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)


def _rsa_padding(row: Row) -> padding.PSS | padding.PKCS1v15:
    return _pss_padding(row.hash) if row.style is Style.PSS and row.hash is not None else padding.PKCS1v15()


def _ec_terms(row: Row, kind: KeyKind) -> ec.ECDSA:
    algorithm = row.hash or _CURVE_HASH[kind]
    return ec.ECDSA(Prehashed(algorithm) if row.style is Style.HASH else algorithm)


class PublicKey:
    """Verifies; read from a SubjectPublicKeyInfo in DER."""

    def __init__(self, info: bytes) -> None:
        """Raises BadKey for what is no key that is served."""
        try:
            key = load_der_public_key(info)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BadKey("the public key cannot be read") from error
        self.kind = _kind_of(key)
        self._key = key
        self.bits = getattr(key, "key_size", 0)
        """Of RSA and ECDSA keys; 0 for the others."""

    def verify(self, scheme: Scheme, octets: bytes, signature: bytes) -> None:
        """Raise BadSignature unless ``signature`` is one of ``octets``; KeyMisfit where such a key never signs so."""
        row = SCHEMES[scheme]
        if self.kind not in row.keys:
            raise KeyMisfit(f"a key of kind {self.kind.value} does not sign by {scheme.value}")
        try:
            self._verify(row, octets, signature)
        except (InvalidSignature, ValueError) as error:
            raise BadSignature("the signature is wrong") from error

    def _verify(self, row: Row, octets: bytes, signature: bytes) -> None:
        match self._key:
            case rsa.RSAPublicKey():
                self._verify_rsa(self._key, row, octets, signature)
            case ec.EllipticCurvePublicKey():
                if row.style is not Style.DER:
                    signature = self._as_der(signature)
                self._key.verify(signature, octets, _ec_terms(row, self.kind))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                self._key.verify(signature, octets)

    def _verify_rsa(self, key: rsa.RSAPublicKey, row: Row, octets: bytes, signature: bytes) -> None:
        pad = _rsa_padding(row)
        if row.hash is not None:
            key.verify(signature, octets, pad, row.hash)
        elif not compare_digest(key.recover_data_from_signature(signature, pad, None), octets):
            raise InvalidSignature

    def _as_der(self, signature: bytes) -> bytes:
        octets = _ORDER_OCTETS[self.kind]
        if len(signature) != 2 * octets:
            raise InvalidSignature
        return encode_dss_signature(int.from_bytes(signature[:octets]), int.from_bytes(signature[octets:]))


class PrivateKey:
    """Signs; never shown, and kept where no engine is."""

    __slots__ = ("_key", "kind")

    def __init__(self, key: object) -> None:
        self.kind = _kind_of(key)
        self._key = key

    @classmethod
    def load(cls, octets: bytes, password: bytes | None = None) -> "PrivateKey":
        """A key in PEM or DER, PKCS #8 or the older forms; raises BadKey."""
        load = load_pem_private_key if PEM_MARK in octets else load_der_private_key
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the library's about small keys; policy check says it of ours
                key = load(octets, password)
        except TypeError as error:
            why = "it is encrypted" if password is None else "it is not encrypted, but there is a password for it"
            raise BadKey(why) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BadKey("the password is wrong, or it is no key" if password else "it is no private key") from error
        return cls(key)

    @property
    def public_info(self) -> bytes:
        """The SubjectPublicKeyInfo in DER, by which its certificate is known."""
        key = self._key
        if not isinstance(key, Private):
            raise BadKey("this kind of key is not served")
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def for_library(self) -> "Private":
        """The key as the crypto library has it, for TLS."""
        if not isinstance(self._key, Private):
            raise BadKey("this kind of key is not served")
        return self._key

    def sign(self, scheme: Scheme, octets: bytes) -> bytes:
        """The signature of ``octets``, as it goes on the wire; raises KeyMisfit."""
        row = SCHEMES[scheme]
        if self.kind not in row.keys:
            raise KeyMisfit(f"a key of kind {self.kind.value} does not sign by {scheme.value}")
        match self._key:
            case rsa.RSAPrivateKey():
                return self._key.sign(octets, _rsa_padding(row), row.hash or NoDigestInfo())
            case ec.EllipticCurvePrivateKey():
                made = self._key.sign(octets, _ec_terms(row, self.kind))
                return made if row.style is Style.DER else self._fixed(made)
            case ed25519.Ed25519PrivateKey() | ed448.Ed448PrivateKey():
                return self._key.sign(octets)
        raise KeyMisfit("this kind of key is not served")

    def _fixed(self, der: bytes) -> bytes:
        octets = _ORDER_OCTETS[self.kind]
        return b"".join(part.to_bytes(octets) for part in decode_dss_signature(der))

    def __repr__(self) -> str:
        return f"PrivateKey({self.kind.value})"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not written anywhere")
