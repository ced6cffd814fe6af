# SPDX-License-Identifier: Apache-2.0
"""CERT and CERTREQ payloads (RFC 7296 §3.6, §3.7): what both sides show, what they ask for, which of ours is shown.

A request names authorities by the SHA-1 of their public keys, which proves nothing and need not. It says what its
sender prefers; who has nothing of it shows what there is, for the other may know more than it says. The first
certificate is the one whose key signs; those that lead from it to an authority stand behind it.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from ringfence.crypto.certificate import Certificate, same_dn
from ringfence.databases.certification import CertificateAuth, OwnCertificate, Revocation
from ringfence.databases.identity import Identity
from ringfence.databases.pad import Auth
from ringfence.ike.claims import MOST_CERTIFICATES, X509_SIGNATURE, identities, read_shown
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.identities import same_identity
from ringfence.ike.payload import Chain
from ringfence.ike.rawkeys import RAW_KEY, of
from ringfence.ike.v2.payloads import CertPayload, CertRequestPayload

AUTHORITY_OCTETS = 20
OCSP_CONTENT = 14
"""Encoding of an answer of OCSP, and of the wish for one (RFC 4806 §2)."""
MOST_ANSWERS = 8


def requests(several: Iterable[Auth]) -> tuple[CertRequestPayload, ...]:
    """What we ask for: the authorities of all ways, in one payload; one without any where the policy hides them.

    Where keys will do without certificates, they are asked for in a payload of their own.
    """
    ways = tuple(several)
    keys = (CertRequestPayload(RAW_KEY, b""),) if of(ways) else ()
    found = [one for one in ways if isinstance(one, CertificateAuth)]
    if not found:
        return keys
    anchors = (Certificate.read(one) for way in found if way.asks_by_name for one in way.anchors)
    named = CertRequestPayload(X509_SIGNATURE, b"".join(dict.fromkeys(one.key_id for one in anchors)))
    looks_up = any(way.revocation is not Revocation.NONE for way in found)
    return named, *((CertRequestPayload(OCSP_CONTENT, b""),) if looks_up else ()), *keys


def asked_for(chain: Chain) -> frozenset[bytes]:
    """The authorities that a peer asks for."""
    found = (one.authorities for one in chain.all(CertRequestPayload) if one.encoding == X509_SIGNATURE)
    return frozenset(data[at : at + AUTHORITY_OCTETS] for data in found for at in range(0, len(data), AUTHORITY_OCTETS))


def asks(chain: Chain) -> bool:
    """Whether a peer asks for certificates at all."""
    return any(one.encoding == X509_SIGNATURE for one in chain.all(CertRequestPayload))


def shown(chain: Chain) -> list[Certificate]:
    """The certificates of a message, the signer's first; raises Aborted for none."""
    found = read_shown((one.encoding, one.data) for one in chain.all(CertPayload))
    if not found:
        raise Aborted(Reason.BAD_CERTIFICATE, "the peer proves itself by a signature and shows no certificate")
    return found[:MOST_CERTIFICATES]


def asks_status(chain: Chain) -> bool:
    """Whether a peer wants to be shown that ours are not revoked."""
    return any(one.encoding == OCSP_CONTENT for one in chain.all(CertRequestPayload))


def status_payloads(octets: bytes) -> tuple[CertPayload, ...]:
    """What shows that; nothing where there is nothing."""
    return (CertPayload(OCSP_CONTENT, octets),) if octets else ()


def brought(chain: Chain) -> tuple[bytes, ...]:
    """What a peer brings of its authority's word about its certificate."""
    found = (one.data for one in chain.all(CertPayload) if one.encoding == OCSP_CONTENT)
    return tuple(islice(found, MOST_ANSWERS))


def with_issuer(own: OwnCertificate, ways: Iterable[CertificateAuth]) -> tuple[bytes, ...]:
    """Ours and its issuer's, in DER; nothing where the latter is not at hand."""
    anchors = (one for way in ways for one in way.anchors)
    issuers = (one for one in (*own.chain[1:], *anchors) if same_dn(Certificate.read(one).subject, own.leaf.issuer))
    issuer = next(issuers, None)
    return () if issuer is None else (own.chain[0], issuer)


def payloads(own: OwnCertificate) -> tuple[CertPayload, ...]:
    """What shows ours."""
    return tuple(CertPayload(X509_SIGNATURE, one) for one in own.chain)


def fits(own: OwnCertificate, way: CertificateAuth, wanted: frozenset[bytes]) -> bool:
    """Whether one of the authorities that a peer asks for vouches for ours."""
    above = [Certificate.read(one) for one in own.chain[1:]]
    last = Certificate.read(own.chain[-1]).issuer
    roots = (Certificate.read(one) for one in way.anchors)
    vouching = (*above, *(one for one in roots if same_dn(one.subject, last)))
    return any(one.key_id in wanted for one in vouching)


def choose(
    ways: Sequence[CertificateAuth], wanted: frozenset[bytes], name: Identity | None
) -> OwnCertificate | None:  # fmt: skip
    """Which of ours is shown to a peer that asks for these authorities, and for somebody of that ``name``.

    The name counts more than the authority, and the order of the policy least; None where there is none at all.
    """
    have = [(own, way) for way in ways for own in way.own]
    best = sorted(have, key=lambda one: (not is_called(one[0], name), not fits(one[0], one[1], wanted)))
    return best[0][0] if best else None


def is_called(own: OwnCertificate, name: Identity | None) -> bool:
    """Whether a certificate of ours has that name."""
    return name is None or any(same_identity(name, one) for one in identities(own.leaf))
