# SPDX-License-Identifier: Apache-2.0
"""Who a peer claims to be, and what makes that true, in all versions of IKE (RFC 4945 §3.1, RFC 7296 §3.5).

What a peer calls itself has to be one of its certificate's names; a key proves whatever name its owner says. Then the
policy is asked: whether an entry is for that name, and lets in all the names that were proved. Whether a certificate
is to be trusted is a question to the host, asked last: by then its owner has signed with its key.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.crypto.certificate import Certificate, unpack
from ringfence.crypto.errors import BadCertificate, BadKey, BadSignature, KeyMisfit
from ringfence.crypto.signature import Scheme
from ringfence.databases.certification import CertificateAuth, OwnCertificate
from ringfence.databases.eap import EapAuth
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import Auth, PadEntry
from ringfence.databases.proposal import IkeProposal
from ringfence.databases.rawkeys import OwnKey
from ringfence.ike.differences import compare_identity
from ringfence.ike.effects import Sign, Signed, Staple, Stapled, Trusted, Unfit, Validate
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.exchange import Exchange, consult
from ringfence.ike.identities import local_identity, same_identity, wanted_identity
from ringfence.net.address import Path

PKCS7, X509_SIGNATURE, X509_KEY_EXCHANGE = 1, 4, 5
"""Encodings of certificates (RFC 2408 §3.9, RFC 7296 §3.6)."""
MOST_CERTIFICATES = 16
_WRONG_ANSWER = Unfit(Reason.NO_PRIVATE_KEY, "the keeper of keys did not answer what it was asked")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a peer says it is, and what it can prove by what it has shown."""

    identity: Identity
    names: tuple[Identity, ...]
    """All that the same proof is about."""
    chain: tuple[bytes, ...] = ()
    """Its certificate in DER, and what it sent besides."""
    stapled: tuple[bytes, ...] = ()
    """What its authority says of it, as it has brought that (OCSP, in DER)."""
    vouched: bool = False
    """Whether the policy itself says whose the key is that proves it."""

    @property
    def certificate(self) -> str:
        """The subject of its certificate; empty for none."""
        return Certificate.read(self.chain[0]).subject_text if self.chain else ""


# Certificates ------------------------------------------------------------------------------------------------------


def read_shown(payloads: Iterable[tuple[int, bytes]]) -> list[Certificate]:
    """The certificates in CERT payloads (encoding and data), in their order; raises Aborted for one that is none."""
    found: list[Certificate] = []
    for encoding, data in payloads:
        try:
            if encoding in (X509_SIGNATURE, X509_KEY_EXCHANGE):
                found.append(Certificate.read(data))
            elif encoding == PKCS7:
                found += unpack(data)
        except BadCertificate as error:
            raise Aborted(Reason.BAD_CERTIFICATE, f"the peer's certificate: {error.message}") from error
    return found


def leaf_first(shown: Sequence[Certificate]) -> list[Certificate]:
    """The sender's own first: the one that issues no other; raises Aborted for none."""
    if not shown:
        raise Aborted(Reason.BAD_CERTIFICATE, "the peer proves itself by a signature and shows no certificate")
    issuers = {one.issuer for one in shown}
    return sorted(shown, key=lambda one: one.subject in issuers)[:MOST_CERTIFICATES]


def identities(leaf: Certificate) -> tuple[Identity, ...]:
    """All that a certificate proves somebody to be."""
    subject = () if not leaf.subject_text else (Identity(IdentityKind.DN, leaf.subject),)
    return (
        *subject,
        *(Identity(IdentityKind.FQDN, one.encode()) for one in leaf.dns),
        *(Identity(IdentityKind.USER_FQDN, one.encode()) for one in (*leaf.emails, *leaf.upns)),
        *map(Identity.of_address, leaf.addresses),
    )


def own_identity(leaf: Certificate) -> Identity:
    """What we call ourselves: our distinguished name as Windows does, else the first other name."""
    return identities(leaf)[0]


def claim_of(identity: Identity, certificates: Sequence[Certificate]) -> Claim:
    """What a peer calls itself, which its certificate, the first, has to confirm; raises Aborted."""
    leaf = certificates[0]
    names = identities(leaf)
    if not any(same_identity(identity, one) for one in names):
        words = ", ".join(map(str, names))
        what = f"the peer calls itself {identity}, but its certificate is for {words}"
        raise Aborted(Reason.WRONG_IDENTITY, what)
    return Claim(identity, names, tuple(one.der for one in certificates))


def check_signature(leaf: Certificate, scheme: Scheme, octets: bytes, signature: bytes) -> None:
    """Raise Aborted unless the owner of ``leaf`` has signed ``octets``."""
    try:
        leaf.key.verify(scheme, octets, signature)
    except (BadSignature, BadKey, KeyMisfit) as problem:
        text = f'the peer\'s signature is none by the key of its certificate "{leaf.subject_text}"'
        raise Aborted(Reason.WRONG_SIGNATURE, f"{text}: {problem}") from problem


def in_words(auth: Auth | None, claim: Claim | None = None) -> str:
    """How a peer has proved who it is, for people: ``certificate CN=Lab CA: CN=bob,O=Lab``."""
    if auth is None:
        return ""
    return f"{auth}: {claim.certificate}" if claim is not None and claim.chain else str(auth)


# Questions to the host ---------------------------------------------------------------------------------------------


def _raised(answer: object) -> IkeError:
    """What the host's refusal ends in."""
    refused = answer if isinstance(answer, Unfit) else _WRONG_ANSWER
    return Aborted(refused.reason, refused.detail)


def signature(own: OwnCertificate | OwnKey, scheme: Scheme, octets: bytes) -> Exchange[bytes]:
    """Ours, by that key or the one of that certificate; raises Aborted for none."""
    answer = yield from consult(Sign(own.id, scheme, octets))
    if isinstance(answer, Signed):
        return answer.signature
    raise _raised(answer)


def status(chain: tuple[bytes, ...]) -> Exchange[bytes]:
    """What the authority of a certificate of ours says of it; empty for nothing. ``chain`` is it and its issuer's."""
    answer = yield from consult(Staple(chain))
    return answer.octets if isinstance(answer, Stapled) else b""


def judge(claim: Claim, ways: Iterable[Auth]) -> Exchange[CertificateAuth]:
    """By which of ``ways`` the claim is true, since an authority vouches for it; raises Aborted for none."""
    found = tuple(one for one in ways if isinstance(one, CertificateAuth))
    answer = yield from consult(Validate(claim.chain, found, claim.stapled))
    if isinstance(answer, Trusted):
        return answer.way
    raise _raised(answer)


# What the policy says of it ----------------------------------------------------------------------------------------


def same_algorithms(one: IkeProposal, other: IkeProposal) -> bool:
    """Whether they differ in their lifetimes at most."""
    return (one.cipher, one.hash, one.group, one.further) == (other.cipher, other.hash, other.group, other.further)


def is_ours(entry: PadEntry, auth: Auth, local: Identity, path: Path) -> bool:
    """Whether we would have called ourselves so; without a word in the policy, as our certificate does."""
    if entry.local_identity is None and isinstance(auth, CertificateAuth | EapAuth):
        return True
    return same_identity(local_identity(entry, path), local)


def is_named(entry: PadEntry, claim: Claim, path: Path, *, inner: bool) -> bool:
    """Whether it is who the entry is for; who is let in by name need not be called by the address that we see.

    Nor need who has a certificate, or a user: without a word in the policy, whoever is vouched for will do. The
    ``inner`` address of a peer behind NAT stands for the one that we see.
    """
    vouched = inner or claim.chain or claim.vouched or claim.identity.kind is IdentityKind.USER
    if entry.remote_identity is None and (vouched or not entry.names_nobody):
        return True
    return any(same_identity(one, wanted_identity(entry, path)) for one in claim.names)


def check_identity(entry: PadEntry, claim: Claim, path: Path, *, inner: bool) -> None:
    """Raise Aborted unless the entry wants and lets in who has proved ``claim``."""
    if not is_named(entry, claim, path, inner=inner):
        wanted = wanted_identity(entry, path)
        what = "the peer shows a certificate of" if claim.chain else "the peer has the right key but is"
        raise Aborted(
            Reason.WRONG_IDENTITY,
            f"{what} {claim.identity}, not {wanted}",
            comparison=compare_identity(claim.identity, wanted),
        )
    if not entry.admits(*claim.names):
        rule = entry.origin.rule
        what = f'the peer proved to be {claim.identity}, whom rule "{rule}" does not let in'
        raise Aborted(Reason.NOT_AUTHORIZED, what)


def is_wanted(entry: PadEntry, claim: Claim, path: Path, *, inner: bool) -> bool:
    """Whether ``check_identity`` would pass."""
    return entry.admits(*claim.names) and is_named(entry, claim, path, inner=inner)
