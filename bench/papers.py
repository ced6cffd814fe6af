# SPDX-License-Identifier: Apache-2.0
"""An authority, and a certificate by ECDSA for each of two hosts, for ``exchanges.py``: in files for both programs."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from ringfence.credentials.keeper import LocalKeeper
from ringfence.crypto.signature import KeyKind, PrivateKey
from ringfence.databases.certification import CertificateAuth, OwnCertificate

SIDES = ("left", "right")
AUTHORITY = "CN=Bench CA"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _issue(subject: str, key: ec.EllipticCurvePrivateKey, above: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now, is_authority = datetime.now(UTC), key is above
    builder = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name("Bench CA"))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=30))
    constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
    builder = builder.add_extension(constraints, critical=True)
    if not is_authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        usage = x509.KeyUsage(True, *[False] * 8)
        builder = builder.add_extension(usage, critical=True)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key())
    builder = builder.add_extension(identifier, critical=False)
    identifier_of = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(identifier_of, critical=False).sign(above, hashes.SHA256())


def write_papers(folder: Path) -> None:
    """A folder for each side, as swanctl has it: ``x509ca``, ``x509``, ``private``."""
    above = ec.generate_private_key(ec.SECP256R1())
    root = _issue("Bench CA", above, above).public_bytes(Encoding.PEM)
    for side in SIDES:
        key = ec.generate_private_key(ec.SECP256R1())
        own = _issue(f"{side}.bench", key, above).public_bytes(Encoding.PEM)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for part, octets in (("x509ca", root), ("x509", own), ("private", secret)):
            (folder / side / part).mkdir(parents=True, exist_ok=True)
            (folder / side / part / "one.pem").write_bytes(octets)


@dataclass(frozen=True)
class Papers:
    """What one side of ours has."""

    folder: Path

    def _der(self, part: str) -> bytes:
        read = x509.load_pem_x509_certificate((self.folder / part / "one.pem").read_bytes())
        return read.public_bytes(Encoding.DER)

    @property
    def way(self) -> CertificateAuth:
        """As a PAD entry names it."""
        own = OwnCertificate("own", (self._der("x509"),))
        return CertificateAuth(AUTHORITY, KeyKind.P256, (self._der("x509ca"),), (own,))

    def keeper(self) -> LocalKeeper:
        """Who has the key."""
        keeper = LocalKeeper(lambda: datetime.now(UTC))
        key = load_pem_private_key((self.folder / "private" / "one.pem").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("another key than was written")
        keeper.hold({self.way.own[0].id: PrivateKey(key)})
        return keeper
