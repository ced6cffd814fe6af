# SPDX-License-Identifier: Apache-2.0
"""Signatures in AUTH payloads (RFC 7427, RFC 8420, RFC 4754, RFC 7296 §2.15).

Who can says in IKE_SA_INIT which hashes it verifies; the other then signs by one of them, and names the algorithm in
front of the signature. With somebody who does not, ECDSA signs by the hash of its curve, and RSA by SHA-1, which
collides: a policy has to allow it. Nor does a policy that allows it take it from a peer that announced better hashes,
for that one would have used them, had somebody in between not taken away what we announced.
"""

from collections.abc import Callable, Iterable

from ringfence.crypto.certificate import Certificate
from ringfence.crypto.errors import CryptoError
from ringfence.crypto.signature import IDENTITY_HASH, SCHEMES, KeyKind, Scheme, generic, scheme_of
from ringfence.ike.claims import check_signature
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.payload import Chain
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import AuthPayload, NotifyPayload
from ringfence.wire import DecodeError, Reader

HASHES = (2, 3, 4, IDENTITY_HASH)
"""What we verify: SHA-256, SHA-384, SHA-512, and EdDSA's (RFC 7427 §7, RFC 8420 §2)."""
HASH_OCTETS = 2
CURVES = {
    AuthMethod.ECDSA_256: KeyKind.P256, AuthMethod.ECDSA_384: KeyKind.P384, AuthMethod.ECDSA_521: KeyKind.P521
}  # fmt: skip
SIGNED = (AuthMethod.RSA, AuthMethod.SIGNATURE, *CURVES)
"""Methods by signature that are served."""


def announcement() -> NotifyPayload:
    """Which hashes we verify (RFC 7427 §4)."""
    data = b"".join(number.to_bytes(HASH_OCTETS) for number in HASHES)
    return NotifyPayload(Notify.SIGNATURE_HASH_ALGORITHMS, data)


def announced(first: Chain) -> frozenset[int]:
    """Those of our hashes that the peer announces in its message of IKE_SA_INIT."""
    found = set[int]()
    for notify in first.all(NotifyPayload):
        if notify.kind == Notify.SIGNATURE_HASH_ALGORITHMS:
            pairs = range(0, len(notify.data) - 1, HASH_OCTETS)
            found |= {int.from_bytes(notify.data[at : at + HASH_OCTETS]) for at in pairs}
    return frozenset(found & {*HASHES})


def way_to_sign(kind: KeyKind, hashes: Iterable[int], *, sha1: bool) -> tuple[AuthMethod, Scheme]:
    """How a key signs for a peer that verifies by ``hashes``; raises Aborted where nothing is left."""
    for scheme in generic(kind, hashes):
        return AuthMethod.SIGNATURE, scheme
    for method, curve in CURVES.items():
        if kind is curve:
            return method, Scheme.ECDSA
    if kind is KeyKind.RSA and sha1:
        return AuthMethod.RSA, Scheme.RSA_SHA1
    better = "" if kind is not KeyKind.RSA else "but SHA-1, which the policy allows only with legacy = true"
    what = f"the peer announces no hash by which a key of kind {kind.value} could sign {better}".rstrip()
    raise Aborted(Reason.WRONG_METHOD, what)


def encoded(method: AuthMethod, scheme: Scheme, signature: bytes) -> AuthPayload:
    """The AUTH payload of a signature."""
    if method is not AuthMethod.SIGNATURE:
        return AuthPayload(method, signature)
    identifier = SCHEMES[scheme].identifier
    return AuthPayload(method, len(identifier).to_bytes(1) + identifier + signature)


def check(payload: AuthPayload, leaf: Certificate, signed: bytes, hashes: frozenset[int], *, sha1: bool) -> None:
    """Raise Aborted unless the owner of ``leaf``, who announced ``hashes``, has signed."""
    scheme, signature = read(payload, lambda: _kind(leaf), hashes, sha1=sha1)
    check_signature(leaf, scheme, signed, signature)


def read(
    payload: AuthPayload, kind_of: Callable[[], KeyKind], hashes: frozenset[int], *, sha1: bool
) -> tuple[Scheme, bytes]:
    """The scheme and the signature of an AUTH payload by a key of that kind; raises Aborted."""
    if payload.method == AuthMethod.SIGNATURE:
        return _generic(payload.data)
    if payload.method == AuthMethod.RSA:
        if not sha1 or hashes:
            why = "it has announced better hashes" if sha1 else "the policy allows it only with legacy = true"
            raise Aborted(Reason.WRONG_METHOD, f"the peer signs by RSA with SHA-1, but {why}")
        return Scheme.RSA_SHA1, payload.data
    curve = next(curve for method, curve in CURVES.items() if method == payload.method)
    kind = kind_of()
    if kind is not curve:
        what = f"the peer signs by {curve.value}, but its key is of kind {kind.value}"
        raise Aborted(Reason.WRONG_SIGNATURE, what)
    return Scheme.ECDSA, payload.data


def _kind(leaf: Certificate) -> KeyKind:
    try:
        return leaf.key.kind
    except CryptoError as error:
        raise Aborted(Reason.BAD_CERTIFICATE, f"the peer's certificate: {error.message}") from error


def _generic(data: bytes) -> tuple[Scheme, bytes]:
    """The algorithm and the signature of RFC 7427 §3."""
    reader = Reader(data)
    try:
        (octets,) = reader.take(1)
        identifier = reader.take(octets)
    except DecodeError as error:
        raise _unserved("a signature that ends too early") from error
    scheme = scheme_of(identifier)
    if scheme is None:
        raise _unserved(f"the algorithm {identifier.hex()}, which is not served")
    return scheme, reader.rest()


def _unserved(what: str) -> IkeError:
    return Aborted(Reason.WRONG_SIGNATURE, f"the peer signs by {what}")
