# SPDX-License-Identifier: Apache-2.0
"""Files of certificates, authorities and their keys: read, held against each other, and judged by today's date.

A private key that others on this computer may read, or that is none of its certificate, is an error. What only ages
(a certificate near its end, a list out of date, an algorithm that is weak) is a warning.
"""

import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringfence.crypto.certificate import Certificate, read_bundle, read_certificates, same_dn
from ringfence.crypto.errors import BadCertificate, CryptoError
from ringfence.crypto.rawkeys import read_public
from ringfence.crypto.signature import KeyKind, PrivateKey
from ringfence.databases.certification import OwnCertificate
from ringfence.databases.rawkeys import OwnKey
from ringfence.place import Place
from ringfence.policy.certificates import AuthorityFile, CertificateFile, Wallet, distinguished
from ringfence.policy.errors import Finding, PolicyError, Severity
from ringfence.policy.model import Policy
from ringfence.policy.source import Source
from ringfence.policy.terms import PublicKeys
from ringfence.stores.errors import StoreError
from ringfence.stores.files import is_special, read_octets
from ringfence.stores.users import read_users

FILE_OCTETS = 16 << 20
NEAR = timedelta(days=30)
"""An end that is told of before."""
WEAK_BITS = 2048
WEAK_HASHES = ("md5", "sha1")
PUBLIC_FORMS = "It may be in PEM or DER, as OpenSSH writes it, or 0s and base64; ringfence key show prints ours."
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(slots=True)
class Read:
    """What was read."""

    wallet: Wallet = field(default_factory=Wallet)
    signers: dict[str, PrivateKey] = field(default_factory=dict)
    """Private keys by the thumbprints of their certificates."""
    findings: list[Finding] = field(default_factory=list)
    """Warnings."""


def read_wallet(
    policy: Policy, sources: Iterable[Source], place_of: Callable[[str], Path], now: datetime | None = None
) -> Read:  # fmt: skip
    """What the files of ``policy`` hold; raises PolicyError with all that is wrong with them.

    ``place_of`` says where a file is that the policy names.
    """
    sources = list(sources)
    users = read_users(policy, sources, place_of)
    raw = list(naming_keys(policy))
    if not policy.certificates and not policy.authorities and not raw:
        return Read(Wallet(eap=users))
    reader = _Reader({source.name: source for source in sources}, place_of, now or datetime.now(UTC))
    authorities: dict[str, tuple[bytes, ...]] = {}
    lists: dict[str, tuple[bytes, ...]] = {}
    own: list[OwnCertificate] = []
    for authority in policy.authorities:
        authorities[authority.name], lists[authority.name] = reader.authority(authority)
    for one in policy.certificates:
        found = reader.own(one)
        if found is not None:
            own.append(found[0])
            reader.signers[found[0].id] = found[1]
    for subject, each, places, place in raw:
        reader.raw(each, subject, places, place)
    if reader.wrong:
        raise PolicyError(reader.wrong)
    wallet = Wallet(authorities, lists, tuple(own), reader.public, reader.keys, users)
    return Read(wallet, reader.signers, reader.warnings)


def naming_keys(policy: Policy) -> Iterator[tuple[str, PublicKeys, Mapping[str, Place], Place]]:
    """What names keys without certificates: its subject, what it says, and where."""
    for subject, auth, places, place in policy.authenticating():
        yield from ((subject, one, places, place) for one in auth if isinstance(one, PublicKeys))


class _Reader:
    def __init__(self, sources: Mapping[str, Source], place_of: Callable[[str], Path], now: datetime) -> None:
        self._sources = sources
        self._place_of = place_of
        self._now = now
        self.signers: dict[str, PrivateKey] = {}
        self.public: dict[str, bytes] = {}
        self.keys: dict[str, OwnKey] = {}
        self.wrong: list[Finding] = []
        self.warnings: list[Finding] = []

    def raw(self, one: PublicKeys, subject: str, places: Mapping[str, Place], place: Place) -> None:
        """The keys of a way without certificates: those of peers, and ours."""
        setting = next((key for key in ("auth", "first", "own-auth") if key in places), "auth")
        for name in one.public_files:
            octets = self._octets(subject, name, setting, places, place)
            if octets is not None:
                try:
                    self.public[name] = read_public(octets)
                except CryptoError as error:
                    what = f"is no public key: {error.message}"
                    self._wrong(subject, name, setting, places, place, what, PUBLIC_FORMS)
        if not one.own:
            return
        octets = self._octets(subject, one.own, setting, places, place)
        password = self._secret(one.password_file, subject, setting, places, place)
        if octets is None or not self._guard(subject, one.own, setting, places, place):
            return
        try:
            key = PrivateKey.load(octets, password)
        except CryptoError as error:
            cure = "Name the file with its password: password-file." if "encrypted" in error.message else ""
            self._wrong(subject, one.own, setting, places, place, f"is no key: {error.message}", cure)
            return
        self.keys[one.own] = own = OwnKey(one.own, key.public_info)
        self.signers[own.id] = key

    def authority(self, one: AuthorityFile) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
        """Its certificates and lists in DER."""
        subject = f'authority "{one.name}"'
        found = self._certificates(subject, one.file, "file", one.places, one.place)
        wanted = distinguished(one.name)
        fitting = [each for each in found if wanted and same_dn(each.subject, wanted, either_way=True)]
        if found and not fitting:
            names = " and ".join(f'"{each.subject_text}"' for each in found)
            self._wrong(subject, one.file, "file", one.places, one.place, f"is the certificate of {names}",
                        f"Name the table as its certificate does, or the right file for {one.name}.")  # fmt: skip
        for each in fitting:
            self._look(each, subject, one.file, one.places, one.place)
        texts = (self._octets(subject, name, "crl", one.places, one.place) for name in one.crl)
        return tuple(each.der for each in fitting), tuple(text for text in texts if text is not None)

    def own(self, one: CertificateFile) -> tuple[OwnCertificate, PrivateKey] | None:
        """A certificate of this computer and its key; None where something is wrong with them."""
        subject = f'certificate "{one.name}"'
        octets = self._octets(subject, one.file, "file", one.places, one.place)
        password = self._password(one, subject)
        if octets is None:
            return None
        bundle = self._bundle(octets, password, one, subject) if not one.key_file else None
        if one.key_file:
            chain = self._parsed(octets, subject, one.file, one)
            key = self._key(one, subject, password)
        elif bundle is not None:
            chain, key = bundle
            self._guard(subject, one.file, "file", one.places, one.place)
        else:
            return None
        if not chain or key is None:
            return None
        for name in one.chain:
            chain = (*chain, *self._certificates(subject, name, "chain", one.places, one.place))
        leaf = next((each for each in chain if each.public_info == key.public_info), None)
        if leaf is None:
            name, setting = (one.key_file, "key-file") if one.key_file else (one.file, "file")
            self._wrong(subject, name, setting, one.places, one.place, f"is not the key of {chain[0].subject_text}",
                        "Name the key that the certificate was requested with.")  # fmt: skip
            return None
        self._look(leaf, subject, one.file, one.places, one.place)
        above = tuple(each.der for each in _upwards(leaf, chain))
        return OwnCertificate(one.name, (leaf.der, *above)), key

    def _bundle(
        self, octets: bytes, password: bytes | None, one: CertificateFile, subject: str
    ) -> tuple[tuple[Certificate, ...], PrivateKey] | None:
        """Certificates and key in one file: PEM with both, or PKCS #12."""
        try:
            if b"-----BEGIN" in octets:
                return read_certificates(octets), PrivateKey.load(_key_part(octets), password)
            return read_bundle(octets, password)
        except CryptoError as error:
            cure = "Name the key by key-file, or the file with its password by password-file."
            self._wrong(subject, one.file, "file", one.places, one.place, f"has no key: {error.message}", cure)
            return None

    def _key(self, one: CertificateFile, subject: str, password: bytes | None) -> PrivateKey | None:
        octets = self._octets(subject, one.key_file, "key-file", one.places, one.place)
        if octets is None or not self._guard(subject, one.key_file, "key-file", one.places, one.place):
            return None
        try:
            return PrivateKey.load(octets, password)
        except CryptoError as error:
            cure = "Name the file with its password: password-file." if "encrypted" in error.message else ""
            self._wrong(subject, one.key_file, "key-file", one.places, one.place, f"is no key: {error.message}", cure)
            return None

    def _password(self, one: CertificateFile, subject: str) -> bytes | None:
        return self._secret(one.password_file, subject, "password-file", one.places, one.place)

    def _secret(
        self, name: str, subject: str, setting: str, places: Mapping[str, Place], place: Place
    ) -> bytes | None:  # fmt: skip
        if not name:
            return None
        octets = self._octets(subject, name, setting, places, place)
        self._guard(subject, name, setting, places, place)
        return None if octets is None else octets.removesuffix(b"\n").removesuffix(b"\r")

    def _guard(self, subject: str, name: str, setting: str, places: Mapping[str, Place], place: Place) -> bool:
        """Whether nobody else may read a key."""
        path = self._place_of(name)
        try:
            mode = path.stat().st_mode
        except OSError:
            return False
        if mode & OTHERS:
            who = "everybody" if mode & stat.S_IRWXO else "its group"
            self._wrong(subject, name, setting, places, place, f"is open to {who}", f"chmod 600 {path}")
        return not mode & OTHERS

    def _certificates(
        self, subject: str, name: str, setting: str, places: Mapping[str, Place], place: Place
    ) -> tuple[Certificate, ...]:
        octets = self._octets(subject, name, setting, places, place)
        if octets is None:
            return ()
        try:
            return read_certificates(octets)
        except BadCertificate as error:
            self._wrong(subject, name, setting, places, place, f"is no certificate: {error.message}", "")
            return ()

    def _parsed(self, octets: bytes, subject: str, name: str, one: CertificateFile) -> tuple[Certificate, ...]:
        try:
            return read_certificates(octets)
        except BadCertificate as error:
            self._wrong(subject, name, "file", one.places, one.place, f"is no certificate: {error.message}", "")
            return ()

    def _octets(
        self, subject: str, name: str, setting: str, places: Mapping[str, Place], place: Place
    ) -> bytes | None:  # fmt: skip
        path = self._place_of(name)
        try:
            if is_special(path):
                raise StoreError("it is no file")
            return read_octets(path, FILE_OCTETS, "it", missing=f"There is no {path}.")
        except StoreError as error:
            self._wrong(subject, name, setting, places, place, f"is wanted, but {error.message}", error.cure)
            return None

    def _look(self, one: Certificate, subject: str, name: str, places: Mapping[str, Place], place: Place) -> None:
        """Warn of what ages."""
        for what, cure in _doubts(one, self._now):
            at = places.get("file", place)
            text = f'{subject}: the certificate "{one.subject_text}" in {name} {what}.'
            self.warnings.append(Finding(text, at, subject, "file", cure=cure, severity=Severity.WARNING))

    def _wrong(
        self, subject: str, name: str, setting: str, places: Mapping[str, Place], place: Place, what: str, cure: str
    ) -> None:
        at = places.get(setting, place)
        source = self._sources.get(at.document)
        excerpt = source.excerpt_of(at, posixpath.basename(name)) if source else ""
        self.wrong.append(Finding(f'{subject}: the file "{name}" {what}.', at, subject, setting, excerpt, cure))


def _key_part(octets: bytes) -> bytes:
    """The private key in a PEM file with certificates beside it."""
    begin = octets.find(b"PRIVATE KEY-----")
    start = octets.rfind(b"-----BEGIN", 0, begin)
    end = octets.find(b"PRIVATE KEY-----", begin + 1)
    return octets[start : end + len(b"PRIVATE KEY-----") + 1] if begin >= 0 else octets


def _upwards(leaf: Certificate, others: Iterable[Certificate]) -> Iterable[Certificate]:
    """Who issued each, as far as they are there, without a root."""
    kept, last = list(others), leaf
    while True:
        found = next((one for one in kept if one.subject == last.issuer and one.subject != one.issuer), None)
        if found is None:
            return
        kept.remove(found)
        last = found
        yield found


def _doubts(one: Certificate, now: datetime) -> Iterable[tuple[str, str]]:
    if now > one.ends:
        yield f"expired at {one.ends:%Y-%m-%d %H:%M} UTC", "Renew it; or set the clock right, if it is wrong."
    elif now + NEAR > one.ends:
        yield f"expires at {one.ends:%Y-%m-%d %H:%M} UTC", "Renew it in time."
    if now < one.starts:
        yield f"is not valid before {one.starts:%Y-%m-%d %H:%M} UTC", "Set the clock right, if it is wrong."
    try:
        key = one.key
    except CryptoError as error:
        yield f"has a key of no use: {error.message}", "Use RSA or ECDSA."
        return
    if key.kind is KeyKind.RSA and key.bits < WEAK_BITS:
        yield f"has an RSA key of {key.bits} bits, which is weak and which peers refuse", "Use 2048 bits or more."
    if one.hash_name in WEAK_HASHES and one.subject != one.issuer:
        yield f"is signed with {one.hash_name}, which is weak and which peers refuse", "Have it issued with SHA-256."
