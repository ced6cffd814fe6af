# SPDX-License-Identifier: Apache-2.0
"""Whether a peer's certificate is to be trusted: its path, its time, its usages, its name, whether it is revoked.

Paths are built and checked by the crypto library (RFC 5280 §6), for which a certificate of IKE is neither a server's
nor a client's: its usages are ours to judge (RFC 4945 §5.1.3). The library says only that there is no path; what is
wrong with the nearest one is looked for afterwards, so that each cause has its own name.

A key usage has to allow signatures. Where extended key usages are said, one of them has to be of IKE, any, or one that
certificates of computers had before there was one for IKE, as Windows' own have (a server's, a client's, those of
IPsec's first drafts). RFC 4945 §5.1.3.12 leaves these to the local policy.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from ringfence.credentials.revocation import RevocationLists
from ringfence.crypto.certificate import Certificate
from ringfence.crypto.errors import CryptoError
from ringfence.crypto.signature import KeyKind
from ringfence.databases.certification import CertificateAuth
from ringfence.ike.effects import Answer, Trusted, Unfit
from ringfence.ike.errors import Reason

LONGEST = 8
"""Certificates between a peer's and its authority."""
RSA_BITS = 2048
"""Of a peer's key at least; the library wants as much of authorities."""
ANY_USAGE = "2.5.29.37.0"
IKE_USAGE = "1.3.6.1.5.5.7.3.17"
USAGES = {
    ANY_USAGE, IKE_USAGE,
    "1.3.6.1.5.5.8.2.2",  # IKE intermediate
    "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2",  # server, client
    "1.3.6.1.5.5.7.3.5", "1.3.6.1.5.5.7.3.6", "1.3.6.1.5.5.7.3.7",  # IPsec end system, tunnel, user
}  # fmt: skip
SIGNING_USAGES = {"digital_signature", "content_commitment"}

Path = list[x509.Certificate]


def validate(
    chain: Sequence[bytes], ways: Iterable[CertificateAuth], at: datetime, lists: RevocationLists,
    stapled: Sequence[bytes] = (),
) -> Answer:  # fmt: skip
    """``Trusted`` by the first of ``ways`` that will do, or ``Unfit`` with what is wrong by the nearest of them.

    ``chain`` is in DER, the peer's own certificate first; ``stapled`` are answers of OCSP that it brings.
    """
    try:
        leaf, *others = (_load(one) for one in chain)
        said = Certificate.read(chain[0])
    except (ValueError, CryptoError) as error:
        return Unfit(Reason.BAD_CERTIFICATE, f"the peer's certificate cannot be read: {error}")
    nearest: Unfit | None = None
    for way in ways:
        found = _by(way, leaf, others, said, at, lists, stapled)
        if found is None:
            return Trusted(way)
        if nearest is None or (nearest.reason is Reason.UNTRUSTED and found.reason is not Reason.UNTRUSTED):
            nearest = found
    return nearest or Unfit(Reason.UNTRUSTED, "the policy trusts no authority here")


def _load(der: bytes) -> x509.Certificate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x509.load_der_x509_certificate(der)


def _by(
    way: CertificateAuth, leaf: x509.Certificate, others: Path, said: Certificate, at: datetime, lists: RevocationLists,
    stapled: Sequence[bytes],
) -> Unfit | None:  # fmt: skip
    """What is wrong by this way; None for nothing."""
    anchors = [_load(one) for one in way.anchors]
    path = _path(leaf, others, anchors, at)
    if isinstance(path, Unfit):
        return path
    try:
        kind, bits = said.key.kind, said.key.bits
    except CryptoError as error:
        return Unfit(Reason.BAD_CERTIFICATE, f"{_name(said)}: {error.message}")
    if kind is not way.signing:
        wants = f"the policy wants {way.signing.value} from {way.authority}"
        return Unfit(Reason.WRONG_USAGE, f"{_name(said)} has a key of kind {kind.value}; {wants}")
    if kind is KeyKind.RSA and bits < RSA_BITS:
        return Unfit(Reason.BAD_CERTIFICATE, f"{_name(said)} has an RSA key of {bits} bits, which is too weak")
    return _misfit(way, said) or lists.check(path, way.revocation, way.lists, at, stapled)


def _name(said: Certificate) -> str:
    return f'the peer\'s certificate "{said.subject_text or ", ".join(said.names)}"'


# The path ----------------------------------------------------------------------------------------------------------


def _path(leaf: x509.Certificate, others: Path, anchors: Path, at: datetime) -> Path | Unfit:
    if not anchors:
        return Unfit(Reason.UNTRUSTED, "the authority's own certificate is not there")
    verifier = (
        PolicyBuilder()
        .store(Store(anchors))
        .time(at)
        .max_chain_depth(LONGEST)
        .extension_policies(ca_policy=_AUTHORITY, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    try:
        return verifier.verify(leaf, others).chain
    except (VerificationError, ValueError, UnsupportedAlgorithm) as error:
        return _diagnosed(leaf, others, anchors, at, str(error))


def _signs_certificates(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an authority's key is not for signing certificates")


_AUTHORITY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs_certificates)
)


def _diagnosed(leaf: x509.Certificate, others: Path, anchors: Path, at: datetime, words: str) -> Unfit:
    """Why there is no path."""
    path = next(_ways_up([leaf], others, anchors), None)
    if path is None:
        subject, issuer = (_words(one) for one in (leaf.subject, leaf.issuer))
        trusted = " or ".join(dict.fromkeys(_words(one.subject) for one in anchors))
        what = f'the peer\'s certificate "{subject}" is issued by "{issuer}"'
        return Unfit(Reason.UNTRUSTED, f"{what}, from where no path leads to {trusted}")
    for one in path:
        who = "the peer's certificate" if one is leaf else "the certificate of an authority above it,"
        if at > one.not_valid_after_utc:
            when = f"{one.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
            return Unfit(Reason.CERTIFICATE_EXPIRED, f'{who} "{_words(one.subject)}" expired at {when}')
        if at < one.not_valid_before_utc:
            skew = one.not_valid_before_utc - at
            when = f"{one.not_valid_before_utc:%Y-%m-%d %H:%M} UTC, {_span(skew.total_seconds())} from now"
            what = f"is not valid before {when} by the clock here"
            return Unfit(Reason.CERTIFICATE_EARLY, f'{who} "{_words(one.subject)}" {what}')
    why = words.removeprefix("validation failed: ").removeprefix("candidates exhausted: ")
    return Unfit(Reason.BAD_CERTIFICATE, f'the peer\'s certificate "{_words(leaf.subject)}" is not taken: {why[:200]}')


def _ways_up(path: Path, others: Path, anchors: Path) -> Iterator[Path]:
    """Paths by names and signatures alone."""
    if len(path) > LONGEST:
        return
    for one in (*anchors, *others):
        if one not in path and _issued(path[-1], one):
            if one in anchors:
                yield [*path, one]
            else:
                yield from _ways_up([*path, one], others, anchors)


def _issued(one: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _words(name: x509.Name) -> str:
    return name.rfc4514_string() or "no name"


def _span(seconds: float) -> str:
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours" if seconds < 172800 else f"{seconds / 86400:.0f} days"


# What the policy wants of it ---------------------------------------------------------------------------------------


def _misfit(way: CertificateAuth, said: Certificate) -> Unfit | None:
    """What of the policy's description does not fit."""
    if said.key_usage is not None and not said.key_usage & SIGNING_USAGES:
        return Unfit(Reason.WRONG_USAGE, f"{_name(said)} has a key usage that allows no signatures")
    usages = None if said.usages is None else set(said.usages)
    if usages is not None and not usages & USAGES:
        return Unfit(Reason.WRONG_USAGE, f"{_name(said)} is for {', '.join(sorted(usages))}, none of them for IKE")
    lacking = [] if usages is None and not way.usages else [one for one in way.usages if one not in (usages or ())]
    if lacking and ANY_USAGE not in (usages or ()):
        return Unfit(Reason.WRONG_USAGE, f"{_name(said)} lacks the usage {', '.join(lacking)} that the policy wants")
    if way.thumbprint and said.thumbprint(len(way.thumbprint) // 2) != way.thumbprint:
        return Unfit(Reason.WRONG_USAGE, f"{_name(said)} is not the one with the thumbprint {way.thumbprint}")
    if way.name and not said.has_name(way.name_kind, way.name):
        return Unfit(Reason.WRONG_USAGE, f"{_name(said)} does not name {way.name_kind} {way.name}")
    return None
