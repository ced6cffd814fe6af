# SPDX-License-Identifier: Apache-2.0
"""An authority of a test: makes certificates as right or as wrong as asked for."""

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509 import ocsp as answers

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SERVER, CODE, IKE = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.17"


@cache
def rsa_key(number: int, bits: int = 2048):
    """One of a few, for each takes a while to make."""
    return rsa.generate_private_key(65537, bits)


def new_key(kind: str, number: int = 0):
    """A key of that kind."""
    curves = {"ecdsa-p256": ec.SECP256R1, "ecdsa-p384": ec.SECP384R1, "ecdsa-p521": ec.SECP521R1}
    if kind in curves:
        return ec.generate_private_key(curves[kind]())
    if kind.startswith("rsa"):
        return rsa_key(number, int(kind[3:] or 2048))
    return (ed448.Ed448PrivateKey if kind == "ed448" else ed25519.Ed25519PrivateKey).generate()


@dataclass
class Issued:
    """A certificate and its key; an authority's can issue others."""

    certificate: x509.Certificate
    key: object
    issuer: "Issued | None" = None
    kind: str = "ecdsa-p256"
    serials: list[int] = field(default_factory=list)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def subject(self) -> str:
        return self.certificate.subject.rfc4514_string()

    def key_pem(self, password: bytes | None = None) -> bytes:
        how = BestAvailableEncryption(password) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)

    def p12(self, password: bytes, name: str = "lab") -> bytes:
        others = [self.issuer.certificate] if self.issuer else None
        return pkcs12.serialize_key_and_certificates(
            name.encode(), self.key, self.certificate, others, BestAvailableEncryption(password)
        )

    def bag(self, *more: "Issued") -> bytes:
        """PKCS #7, as Windows sends a chain."""
        return pkcs7.serialize_certificates([self.certificate, *(one.certificate for one in more)], Encoding.DER)

    def issue(
        self, name: str = "CN=alice,O=Lab", *, kind: str | None = None, names: tuple[str, ...] = (), ca: bool = False,
        usages: tuple[str, ...] = (), key_usage: bool | None = True, starts: datetime = NOW - DAY,
        ends: datetime = NOW + 365 * DAY, number: int = 1, crl: str = "", ocsp: str = "", length: int | None = None,
    ) -> "Issued":  # fmt: skip
        """One that this authority vouches for; ``key_usage`` False allows no signatures, None says nothing."""
        kind = kind or self.kind
        key = new_key(kind, number)
        made = _certificate(
            name, self.certificate.subject, key, self.key, ca=ca, starts=starts, ends=ends, length=length,
            extensions=[*_extensions(names, usages, crl, ocsp), *([] if ca else _usage(key_usage))],
        )  # fmt: skip
        return Issued(made, key, self, kind)

    def crl(self, *revoked: "Issued", at: datetime = NOW, lasts: timedelta = 7 * DAY) -> bytes:
        """The list of those that it has revoked, in DER."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(at - DAY).next_update(at + lasts)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(at - DAY).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def says(
        self, one: "Issued", *, revoked: bool = False, unknown: bool = False, at: datetime = NOW,
        lasts: timedelta | None = 7 * DAY, by: "Issued | None" = None,
    ) -> bytes:  # fmt: skip
        """What it says of one that it has issued (OCSP, in DER), by itself or by whom it lets answer."""
        status, signer = answers.OCSPCertStatus, by or self
        said = status.UNKNOWN if unknown else status.REVOKED if revoked else status.GOOD
        builder = answers.OCSPResponseBuilder().add_response(
            one.certificate, self.certificate, hashes.SHA1(), said,
            at, None if lasts is None else at + lasts, at - DAY if revoked else None, None,
        )  # fmt: skip
        builder = builder.responder_id(answers.OCSPResponderEncoding.HASH, signer.certificate)
        if by is not None:
            builder = builder.certificates([by.certificate])
        return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def write(self, folder: Path, name: str) -> None:
        """``name.pem`` and ``name.key``, as a person would keep them."""
        (folder / f"{name}.pem").write_bytes(self.pem)
        (folder / f"{name}.key").write_bytes(self.key_pem())
        (folder / f"{name}.key").chmod(0o600)


def authority(
    name: str = "CN=Lab CA,O=Lab", kind: str = "ecdsa-p256", *, starts: datetime = NOW - 10 * DAY,
    ends: datetime = NOW + 3650 * DAY, number: int = 0,
) -> Issued:  # fmt: skip
    """A root."""
    key = new_key(kind, number)
    subject = x509.Name.from_rfc4514_string(name)
    return Issued(_certificate(name, subject, key, key, ca=True, starts=starts, ends=ends), key, None, kind)


def _certificate(name, issuer, key, signer, *, ca, starts, ends, extensions=(), length=None):
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(name) if name else x509.Name([]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca, length), critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.KeyUsage))
    if ca:
        builder = builder.add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
    edwards = isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(signer, None if edwards else hashes.SHA256())


def _key_usage(**allowed: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def _usage(signs: bool | None):
    if signs is None:
        return []
    return [_key_usage(digital_signature=True) if signs else _key_usage(key_encipherment=True)]


def _extensions(names, usages, crl, ocsp):
    if ocsp:
        address = x509.UniformResourceIdentifier(ocsp)
        yield x509.AuthorityInformationAccess([x509.AccessDescription(x509.OID_OCSP, address)])
    if names:
        yield x509.SubjectAlternativeName([_alternative(one) for one in names])
    if usages:
        yield x509.ExtendedKeyUsage([x509.ObjectIdentifier(one) for one in usages])
    if crl:
        address = x509.UniformResourceIdentifier(crl)
        yield x509.CRLDistributionPoints([x509.DistributionPoint([address], None, None, None)])


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.RFC822Name(text) if "@" in text else x509.DNSName(text)
