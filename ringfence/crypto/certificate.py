# SPDX-License-Identifier: Apache-2.0
"""What a certificate says (RFC 5280): names, issuer, public key, usages; nothing here believes it.

Distinguished names are compared as RFC 5280 §7.1 wants it in short: attribute by attribute, without case and with
spaces taken together, whatever string type holds them. As text they are read in either direction, for Windows writes
the root of the tree last and others first.
"""

import re
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.oid import NameOID

from ringfence.crypto.errors import BadCertificate, BadKey, CryptoError
from ringfence.crypto.signature import PEM_MARK, PrivateKey, PublicKey

E = TypeVar("E", bound=x509.ExtensionType)

MOST_CERTIFICATES = 32
"""In one bag or chain that a peer sends."""
UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
"""Windows: a user's or computer's name in its domain, as another name."""
UTF8_STRING = 0x0C


@dataclass(frozen=True)
class Certificate:
    """A certificate as it says of itself."""

    der: bytes = field(repr=False)
    subject: bytes = field(repr=False)
    """The distinguished name in DER; an empty sequence where the subject has none."""
    issuer: bytes = field(repr=False)
    dns: tuple[str, ...]
    emails: tuple[str, ...]
    addresses: tuple[bytes, ...]
    """4 or 16 octets each."""
    upns: tuple[str, ...]
    usages: tuple[str, ...] | None
    """Extended key usages as dotted numbers; None where it does not limit them."""
    key_usage: frozenset[str] | None
    """``digital_signature`` and the like; None where it does not limit them."""
    authority: bool
    """Whether it may issue others."""
    starts: datetime
    ends: datetime
    public_info: bytes = field(repr=False)
    """The SubjectPublicKeyInfo in DER."""
    hash_name: str
    """Of the issuer's signature; empty where there is none, as with EdDSA."""
    crl_urls: tuple[str, ...]
    serial: int

    @classmethod
    def read(cls, der: bytes) -> "Certificate":
        """Read DER octets; raises BadCertificate."""
        return _read(der)

    @property
    def subject_text(self) -> str:
        """The subject for people: ``CN=alice,O=Lab``."""
        return dn_text(self.subject)

    @property
    def issuer_text(self) -> str:
        """The issuer for people."""
        return dn_text(self.issuer)

    @property
    def names(self) -> tuple[str, ...]:
        """All alternative names for people."""
        return (*self.dns, *self.emails, *self.upns)

    @property
    def key(self) -> PublicKey:
        """Its public key; raises BadKey."""
        return PublicKey(self.public_info)

    @property
    def key_id(self) -> bytes:
        """The SHA-1 of its SubjectPublicKeyInfo (20 octets), by which IKEv2 and OCSP name an authority."""
        state = hashes.Hash(hashes.SHA1())  # noqa: S303 - names a key, no proof
        state.update(self.public_info)
        return state.finalize()

    def thumbprint(self, octets: int = 32) -> str:
        """In hex, by SHA-256, or SHA-1 (20 octets) as Windows writes it."""
        algorithm = hashes.SHA1() if octets == 20 else hashes.SHA256()  # noqa: S303 - names a certificate, no proof
        state = hashes.Hash(algorithm)
        state.update(self.der)
        return state.finalize().hex()

    def has_name(self, kind: str, name: str) -> bool:
        """Whether it has that name: ``dns``, ``upn``, ``email``, or an attribute of its subject such as ``cn``."""
        have = {"dns": self.dns, "upn": self.upns, "email": self.emails}.get(kind)
        values = self.attribute(kind.upper()) if have is None else have
        return name.casefold() in (value.casefold() for value in values)

    def attribute(self, kind: str) -> tuple[str, ...]:
        """The values of an attribute of the subject: ``CN``, ``O``, ``OU``, ``DC``."""
        return tuple(value for name, value in _attributes(self.subject) if name == kind)


@lru_cache(maxsize=256)
def _read(der: bytes) -> Certificate:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's remarks about old certificates are for their issuer
            found = x509.load_der_x509_certificate(der)
            return _described(found, der)
    except (ValueError, UnsupportedAlgorithm, x509.UnsupportedGeneralNameType, x509.DuplicateExtension) as error:
        raise BadCertificate(f"the certificate cannot be read: {error}") from error


def _described(found: x509.Certificate, der: bytes) -> Certificate:
    names = _extension(found, x509.SubjectAlternativeName)
    usage = _extension(found, x509.ExtendedKeyUsage)
    basic = _extension(found, x509.BasicConstraints)
    upns = [one.value for one in names.get_values_for_type(x509.OtherName) if one.type_id == UPN] if names else []
    algorithm = found.signature_hash_algorithm
    return Certificate(
        der=der,
        subject=found.subject.public_bytes(),
        issuer=found.issuer.public_bytes(),
        dns=tuple(names.get_values_for_type(x509.DNSName)) if names else (),
        emails=tuple(names.get_values_for_type(x509.RFC822Name)) if names else (),
        addresses=tuple(
            one.packed for one in names.get_values_for_type(x509.IPAddress) if hasattr(one, "packed")
        ) if names else (),
        upns=tuple(_utf8(value) for value in upns if value[:1] == bytes((UTF8_STRING,))),
        usages=None if usage is None else tuple(one.dotted_string for one in usage),
        key_usage=_key_usage(found),
        authority=basic is not None and basic.ca,
        starts=found.not_valid_before_utc.astimezone(UTC),
        ends=found.not_valid_after_utc.astimezone(UTC),
        public_info=found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        hash_name="" if algorithm is None else algorithm.name,
        crl_urls=_crl_urls(found),
        serial=found.serial_number,
    )  # fmt: skip


def _extension(found: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return found.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


_USAGES = ("digital_signature", "content_commitment", "key_cert_sign", "crl_sign")


def _key_usage(found: x509.Certificate) -> frozenset[str] | None:
    usage = _extension(found, x509.KeyUsage)
    return None if usage is None else frozenset(name for name in _USAGES if getattr(usage, name))


def _crl_urls(found: x509.Certificate) -> tuple[str, ...]:
    points = _extension(found, x509.CRLDistributionPoints)
    names = [name for point in points or () for name in point.full_name or ()]
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _utf8(value: bytes) -> str:
    return value[2:].decode(errors="backslashreplace") if value[1:2] < b"\x80" else ""


# Distinguished names -----------------------------------------------------------------------------------------------

_TYPES = {
    NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATION_NAME: "O", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.DOMAIN_COMPONENT: "DC", NameOID.COUNTRY_NAME: "C", NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST", NameOID.EMAIL_ADDRESS: "E", NameOID.STREET_ADDRESS: "STREET",
    NameOID.USER_ID: "UID", NameOID.SERIAL_NUMBER: "SERIALNUMBER",
}  # fmt: skip
_OIDS = {word: oid for oid, word in _TYPES.items()} | {"S": NameOID.STATE_OR_PROVINCE_NAME}
_OIDS["EMAILADDRESS"] = NameOID.EMAIL_ADDRESS


@lru_cache(maxsize=1024)
def _attributes(der: bytes) -> tuple[tuple[str, str], ...]:
    """Type and value of each attribute, the root of the tree first; none of what is no name."""
    try:
        name = x509.Name.from_bytes(der)
    except ValueError:
        return ()
    return tuple(map(_said, name))


def _said(one: x509.NameAttribute[str | bytes]) -> tuple[str, str]:
    return _TYPES.get(one.oid, one.oid.dotted_string), one.value if isinstance(one.value, str) else one.value.hex()


def dn_text(der: bytes) -> str:
    """A distinguished name for people, the root of the tree last; hex for what is none."""
    parts = [f"{kind}={_escaped(value)}" for kind, value in reversed(_attributes(der))]
    return ",".join(parts) or ("" if der == b"\x30\0" else der.hex())


def _escaped(value: str) -> str:
    return "".join(f"\\{one}" if one in ',+"\\<>;' else one for one in value)


def parse_dn(text: str) -> bytes:
    """A distinguished name as people write it, with the root of the tree last, in DER; raises ValueError.

    RFC 4514, with blanks around its signs, ``;`` for ``,`` and quotation marks as older texts have them. Compare what
    comes out by ``same_dn``: the name that is meant may have other string types.
    """
    rdns = [x509.RelativeDistinguishedName([_attribute(one) for one in _split(rdn, "+")]) for rdn in _split(text, ",;")]
    if not rdns:
        raise ValueError("an empty distinguished name")
    return x509.Name(list(reversed(rdns))).public_bytes()


def _attribute(piece: str) -> x509.NameAttribute[str]:
    """One attribute, such as ``OU=Servers``; raises ValueError."""
    kind, sign, raw = piece.partition("=")
    oid = _OIDS.get(kind.strip().upper())
    if oid is None and kind.strip()[:1].isdigit():
        oid = x509.ObjectIdentifier(kind.strip())
    value = _string(bytes.fromhex(raw.strip()[1:])) if raw.strip().startswith("#") else _unescaped(raw)
    if oid is None or not sign or not value:
        raise ValueError(f'"{piece.strip()}" is no part of a distinguished name such as CN=alice, O=Lab')
    return x509.NameAttribute(oid, value, _validate=False)


def _split(text: str, signs: str) -> list[str]:
    """The parts between any of these signs, but for those that are escaped or in quotation marks; still escaped."""
    pieces, piece, escaped, quoted = [], "", False, False
    for one in text:
        if escaped or one == "\\":
            escaped = not escaped
        elif one == '"':
            quoted = not quoted
        elif one in signs and not quoted:
            pieces.append(piece)
            piece = ""
            continue
        piece += one
    if escaped or quoted:
        raise ValueError(f'"{text.strip()}" ends within an escape or quotation marks')
    return [*pieces, piece] if piece.strip() or pieces else []


_TOKEN = re.compile(r'((?:\\[0-9A-Fa-f]{2})+)|\\(.)|"|([^\\"]+)', re.DOTALL)


def _unescaped(raw: str) -> str:
    """The text of a value (RFC 4514 §3): pairs of hex are octets of UTF-8; raises ValueError."""
    trimmed = raw.strip()
    if trimmed != raw.lstrip() and (len(trimmed) - len(trimmed.rstrip("\\"))) % 2:
        trimmed += " "  # an escaped blank
    tokens = _TOKEN.findall(trimmed)
    return "".join(bytes.fromhex(octets.replace("\\", "")).decode() or one or plain for octets, one, plain in tokens)


def _string(octets: bytes) -> str:
    """The text of a string in BER, after ``#``; raises ValueError."""
    if len(octets) < 2 or octets[0] not in _STRINGS or octets[1] != len(octets) - 2:
        raise ValueError("a value that is no string")
    return octets[2:].decode(_STRINGS[octets[0]])


_STRINGS = {UTF8_STRING: "utf-8", 0x13: "ascii", 0x16: "ascii", 0x14: "latin-1", 0x1E: "utf-16-be"}
"""Encodings by tag: UTF8String, PrintableString, IA5String, TeletexString, BMPString."""


@lru_cache(maxsize=1024)
def _comparable(der: bytes) -> tuple[frozenset[tuple[str, str]], ...]:
    """Its attributes, level by level, as they are compared."""
    try:
        name = x509.Name.from_bytes(der)
    except ValueError:
        return ()
    return tuple(
        frozenset((kind, " ".join(value.split()).casefold()) for kind, value in map(_said, rdn)) for rdn in name.rdns
    )


def same_dn(one: bytes, other: bytes, *, either_way: bool = False) -> bool:
    """Whether two distinguished names are the same; with ``either_way`` also if one is written root first."""
    if one == other:
        return True
    ours, theirs = _comparable(one), _comparable(other)
    return bool(ours) and (ours == theirs or (either_way and ours == theirs[::-1]))


# Files and bags ----------------------------------------------------------------------------------------------------


def read_certificates(octets: bytes) -> tuple[Certificate, ...]:
    """All certificates of a file in PEM, DER or PKCS #7; raises BadCertificate when there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if PEM_MARK in octets:
                found = x509.load_pem_x509_certificates(octets)
            else:
                found = [x509.load_der_x509_certificate(octets)]
    except (ValueError, UnsupportedAlgorithm):
        return unpack(octets)
    return tuple(Certificate.read(one.public_bytes(Encoding.DER)) for one in found)


def unpack(octets: bytes) -> tuple[Certificate, ...]:
    """The certificates of a PKCS #7 bag, as Windows may send its chain; raises BadCertificate."""
    load = pkcs7.load_pem_pkcs7_certificates if PEM_MARK in octets else pkcs7.load_der_pkcs7_certificates
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = load(octets)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCertificate("it is no certificate") from error
    if not found or len(found) > MOST_CERTIFICATES:
        raise BadCertificate(f"it has {len(found)} certificates")
    return tuple(Certificate.read(one.public_bytes(Encoding.DER)) for one in found)


def read_bundle(octets: bytes, password: bytes | None) -> tuple[tuple[Certificate, ...], PrivateKey]:
    """A PKCS #12 file: its certificate and what leads to the root, and its key; raises CryptoError."""
    try:
        bundle = load_pkcs12(octets, password)
    except (ValueError, UnsupportedAlgorithm) as error:
        why = "its password is wrong" if password else "it needs a password, or is no PKCS #12 file"
        raise BadKey(why) from error
    if bundle.cert is None or bundle.key is None:
        raise CryptoError("it has no certificate with a key")
    chain = (bundle.cert, *bundle.additional_certs)
    return tuple(Certificate.read(one.certificate.public_bytes(Encoding.DER)) for one in chain), PrivateKey(bundle.key)
