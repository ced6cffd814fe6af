# SPDX-License-Identifier: Apache-2.0
"""Certificates of this computer and authorities that it trusts, as a document names their files.

Windows has stores for both; here the document says where they are. What the files hold is read elsewhere and comes
back as a ``Wallet``; no private key is in it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from ringfence.crypto.certificate import parse_dn, same_dn
from ringfence.crypto.signature import KeyKind
from ringfence.databases.certification import CertificateAuth, OwnCertificate, Revocation
from ringfence.databases.rawkeys import OwnKey
from ringfence.place import NOWHERE, Place
from ringfence.policy import xauth
from ringfence.policy.decode import Table
from ringfence.policy.eap import NO_FILES, EapFiles, RadiusTable, all_files
from ringfence.policy.model import KeyModule, Policy
from ringfence.policy.terms import (
    Anonymous,
    Auth,
    Certificate,
    Criteria,
    CrlCheck,
    Eap,
    Holder,
    PskFile,
    PublicKeys,
    SecondAuth,
    Signing,
    Xauth,
)
from ringfence.policy.texts import Pair, toml_list, toml_text

KINDS = {
    Signing.RSA: KeyKind.RSA, Signing.ECDSA_P256: KeyKind.P256, Signing.ECDSA_P384: KeyKind.P384,
    Signing.ECDSA_P521: KeyKind.P521, Signing.ED25519: KeyKind.ED25519, Signing.ED448: KeyKind.ED448,
}  # fmt: skip
FILE_CURE = "It is a file in PEM, DER or PKCS #12, as seen from the document's folder."


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A certificate of this computer."""

    name: str
    file: str
    """PEM or DER, with what leads to the authority behind it; or PKCS #12, with the key."""
    key_file: str = ""
    """Empty where ``file`` holds the key, too."""
    chain: tuple[str, ...] = ()
    """Files with what leads from it to the authority."""
    password_file: str = ""
    """With the password of the key, where it is encrypted."""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    @property
    def files(self) -> tuple[str, ...]:
        """All that it names."""
        return tuple(one for one in (self.file, self.key_file, *self.chain, self.password_file) if one)


@dataclass(frozen=True, slots=True)
class AuthorityFile:
    """An authority that is trusted, or that this computer's certificates are from."""

    name: str
    """Its distinguished name, as rules name it."""
    file: str
    crl: tuple[str, ...] = ()
    """Files with its lists of revoked certificates."""
    place: Place = field(default=NOWHERE, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    @property
    def files(self) -> tuple[str, ...]:
        """All that it names."""
        return self.file, *self.crl


def credential_files(policy: Policy) -> tuple[str, ...]:
    """The files of certificates, authorities, their keys and lists, of users and their passwords, each once."""
    ways = (one for _, auth, _, _ in policy.authenticating() for one in auth)
    named: list[AuthorityFile | CertificateFile | RadiusTable | Eap | PublicKeys | Xauth] = [*policy.authorities]
    named += [*policy.certificates, *policy.radius, *(one for one in ways if isinstance(one, Eap | PublicKeys))]
    named += [one for _, one, _, _ in xauth.said(policy)]
    named += [one for _, one, _, _ in xauth.second_eap(policy)]
    return tuple(dict.fromkeys(file for one in named for file in one.files))


def decode_certificate(table: Table, name: str) -> CertificateFile:
    """``[certificate."NAME"]``."""
    found = CertificateFile(
        name,
        table.file("file") or "",
        table.file("key-file") or "",
        _files(table, "chain"),
        table.file("password-file") or "",
        table.place,
        table.places(table.data),
    )
    _need_file(table)
    table.finish()
    return found


def decode_authority(table: Table, name: str) -> AuthorityFile:
    """``[authority."CN=Corp Root CA"]``."""
    found = AuthorityFile(
        name, table.file("file") or "", _files(table, "crl"), table.place, table.places(table.data)
    )  # fmt: skip
    _need_file(table)
    if distinguished(name) is None:
        table.complain("", "has to be named as the authority is, such as CN=Corp Root CA, O=Corp")
    table.finish()
    return found


def _need_file(table: Table) -> None:
    if not table.has("file"):
        table.complain("file", "is missing", cure=FILE_CURE)


def _files(table: Table, key: str) -> tuple[str, ...]:
    return tuple(table.source.beside(one) for one in table.words(key, str) or ())


def certificate_pairs(one: CertificateFile) -> Iterator[Pair]:
    """Its settings as text."""
    yield "file", toml_text(one.file), False
    if one.key_file:
        yield "key-file", toml_text(one.key_file), False
    if one.chain:
        yield "chain", toml_list(one.chain), False
    if one.password_file:
        yield "password-file", toml_text(one.password_file), False


def authority_pairs(one: AuthorityFile) -> Iterator[Pair]:
    """Its settings as text."""
    yield "file", toml_text(one.file), False
    if one.crl:
        yield "crl", toml_list(one.crl), False


def distinguished(text: str) -> bytes | None:
    """A distinguished name that a document says; None for what is none."""
    try:
        return parse_dn(text)
    except ValueError:
        return None


def same_authority(one: str, other: str) -> bool:
    """Whether two texts name one authority, in either direction."""
    first, second = distinguished(one), distinguished(other)
    return one == other or (first is not None and second is not None and same_dn(first, second, either_way=True))


def could_be_served(auth: Auth) -> TypeGuard[Certificate]:
    """Whether it is by a computer's certificate, such as can be served where its authority is known."""
    return isinstance(auth, Certificate) and auth.holder is Holder.COMPUTER and not (auth.health or auth.mapping)


def served(auth: Auth, authorities: Iterable[str], keying: Collection[KeyModule] = ()) -> bool:
    """Whether a way to authenticate can be gone with these authorities, by these protocols.

    Nobody need prove anything (``anonymous``) in IKEv2 alone.
    """
    if isinstance(auth, Anonymous):
        return {*keying} == {KeyModule.IKEV2}
    if isinstance(auth, PskFile | PublicKeys):
        return True
    if isinstance(auth, Eap):
        return auth.certificate is None or served(auth.certificate, authorities)
    return could_be_served(auth) and any(same_authority(auth.authority, one) for one in authorities)


def served_second(auth: SecondAuth, authorities: Iterable[str], keying: Collection[KeyModule]) -> bool:
    """Whether a second authentication can be done so: of users, in IKEv2 alone (RFC 4739)."""
    if {*keying} != {KeyModule.IKEV2}:
        return False
    if isinstance(auth, Eap):
        return auth.certificate is None or served(auth.certificate, authorities)
    return of_user(auth) and any(same_authority(auth.authority, one) for one in authorities)


def of_user(auth: SecondAuth) -> TypeGuard[Certificate]:
    """Whether it is by a user's certificate, that stands for no account of a domain."""
    return isinstance(auth, Certificate) and auth.holder is Holder.USER and not auth.mapping


@dataclass(frozen=True, slots=True)
class Wallet:
    """What the files of a policy hold, but for private keys."""

    authorities: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """By name: its own certificates in DER."""
    lists: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """By name: its lists of revoked certificates."""
    own: tuple[OwnCertificate, ...] = ()
    public: Mapping[str, bytes] = field(default_factory=dict)
    """By the file's name: a peer's key, its SubjectPublicKeyInfo in DER."""
    keys: Mapping[str, OwnKey] = field(default_factory=dict)
    """By the file's name: ours, without certificates."""
    eap: EapFiles = NO_FILES
    """Of users and those who know them; the only secrets here."""

    def way(self, wanted: Certificate, check: CrlCheck) -> CertificateAuth:
        """What a rule wants, with what there is for it."""
        name = next((one for one in self.authorities if same_authority(one, wanted.authority)), "")
        validate = wanted.criteria is not Criteria.SELECT
        bare = CertificateAuth(
            authority=wanted.authority,
            signing=KINDS[wanted.signing],
            anchors=self.authorities.get(name, ()),
            usages=wanted.eku if validate else (),
            name_kind=wanted.name_kind.value if validate and wanted.name_kind else "",
            name=wanted.name if validate else "",
            thumbprint=wanted.hash if validate else "",
            asks_by_name=not wanted.exclude_ca_name,
            revocation=Revocation(check.value),
            lists=self.lists.get(name, ()),
        )
        own = tuple(one for one in self.own if _is_of(one, bare) and _is_selected(one, wanted))
        return CertificateAuth(**{name: getattr(bare, name) for name in bare.__slots__} | {"own": own})


EMPTY = Wallet()


def together(wallets: Iterable[Wallet]) -> Wallet:
    """What several stores have, the first of a name before the others."""
    found = list(wallets)
    authorities = {name: one for each in reversed(found) for name, one in each.authorities.items()}
    lists = {name: one for each in reversed(found) for name, one in each.lists.items()}
    own = {one.name: one for each in reversed(found) for one in each.own}
    public = {name: one for each in reversed(found) for name, one in each.public.items()}
    keys = {name: one for each in reversed(found) for name, one in each.keys.items()}
    return Wallet(
        authorities, lists, tuple(own.values()), public, keys, all_files(each.eap for each in reversed(found))
    )


def _is_of(one: OwnCertificate, way: CertificateAuth) -> bool:
    """Whether it signs so, and its path ends at the authority."""
    return one.leaf.key.kind is way.signing and any(
        same_dn(issuer, name) for issuer in one.issuers for name in way.names
    )


def _is_selected(one: OwnCertificate, wanted: Certificate) -> bool:
    if wanted.criteria is Criteria.VALIDATE:
        return True
    leaf = one.leaf
    if wanted.hash and not wanted.follow_renewal and leaf.thumbprint(len(wanted.hash) // 2) != wanted.hash:
        return False
    if wanted.name_kind is not None and not leaf.has_name(wanted.name_kind.value, wanted.name):
        return False
    return all(usage in (leaf.usages or ()) for usage in wanted.eku)
