# SPDX-License-Identifier: Apache-2.0
"""What a signature by a key without a certificate proves, in all versions of IKE (RFC 7670, RFC 2409 §5.1).

The key is one that the policy knows: by a file, then the peer need not show it; by a fingerprint, then it has to. What
the peer shows is never more than a hint which key it means. A key that the policy names somebody for proves that name
alone, and a peer that calls itself otherwise is told so, if the signature is right.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ringfence.crypto.errors import CryptoError
from ringfence.crypto.rawkeys import fingerprint, of_pkcs1
from ringfence.crypto.signature import PublicKey
from ringfence.databases.identity import Identity
from ringfence.databases.pad import Auth
from ringfence.databases.rawkeys import KnownKey, PublicKeyAuth
from ringfence.ike.claims import Claim
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.identities import same_identity

RAW_RSA, RAW_KEY = 11, 15
"""Encodings of CERT payloads: PKCS #1 (RFC 7296 §3.6), and SubjectPublicKeyInfo (RFC 7670 §3)."""
MOST_KEYS = 64
"""That are tried by one signature, of those that nobody is named for."""

Verify = Callable[[PublicKey], None]
"""Raises Aborted unless that key has signed."""


@dataclass(frozen=True, slots=True)
class Proven:
    """Whose key has signed."""

    claim: Claim
    ways: tuple[PublicKeyAuth, ...]
    """Those that know that key."""


def of(ways: Iterable[Auth]) -> tuple[PublicKeyAuth, ...]:
    """Those by keys without certificates."""
    return tuple(one for one in ways if isinstance(one, PublicKeyAuth))


def shown(payloads: Iterable[tuple[int, bytes]]) -> bytes:
    """The key in CERT payloads (encoding and data), as SubjectPublicKeyInfo; empty for none. Raises Aborted."""
    for encoding, data in payloads:
        try:
            if encoding == RAW_KEY:
                PublicKey(data)
                return data
            if encoding == RAW_RSA:
                return of_pkcs1(data)
        except CryptoError as error:
            raise Aborted(Reason.BAD_CERTIFICATE, f"the peer's public key: {error.message}") from error
    return b""


def prove(identity: Identity, info: bytes, ways: Iterable[PublicKeyAuth], verify: Verify) -> Proven:
    """Whose of the keys that ``ways`` know has signed; ``info`` is the one that the peer shows, if any.

    Raises Aborted: for another signature, for a key that nobody knows, for one that belongs to somebody else.
    """
    known = tuple(ways)
    if info:
        verify(PublicKey(info))
        return _meant(identity, info, known)
    keys = tuple(dict.fromkeys(key for way in known for key in way.keys if key.info and _may(key, identity)))
    refusal: Aborted | None = None
    for key in keys[:MOST_KEYS]:
        try:
            verify(PublicKey(key.info))
        except Aborted as error:
            refusal = error
        else:
            return _meant(identity, key.info, known)
    if refusal is None:
        raise _nobody(identity, known)
    names = " or ".join(one.source for one in keys)
    what = f"the peer's signature is none by the public key {names} that the policy knows of {identity}"
    raise Aborted(Reason.WRONG_SIGNATURE, what) from refusal


def _may(key: KnownKey, identity: Identity) -> bool:
    return key.identity is None or same_identity(key.identity, identity)


def _nobody(identity: Identity, ways: tuple[PublicKeyAuth, ...]) -> Aborted:
    if any(not key.info and _may(key, identity) for way in ways for key in way.keys):
        what = "the peer does not show its public key, and the policy has nothing but its fingerprint"
        return Aborted(Reason.BAD_CERTIFICATE, what)
    return Aborted(Reason.WRONG_IDENTITY, f"the peer calls itself {identity}, of whom the policy knows no public key")


def _meant(identity: Identity, info: bytes, ways: tuple[PublicKeyAuth, ...]) -> Proven:
    having = [(way, key) for way in ways for key in way.keys if key.is_key(info)]
    if not having:
        what = f"the peer's public key, sha256:{fingerprint(info).hex()}, is none that the policy knows"
        raise Aborted(Reason.UNTRUSTED, what)
    named = [key for way in ways for key in way.keys if key.identity and same_identity(key.identity, identity)]
    fitting = [(way, key) for way, key in having if _may(key, identity)]
    if named and not any(key in named for _, key in having):
        what = f"the peer calls itself {identity}, but the public key of that name is another one"
        raise Aborted(Reason.WRONG_IDENTITY, what)
    if not fitting:
        names = " or ".join(dict.fromkeys(str(key.identity) for _, key in having))
        what = f"the peer calls itself {identity}, but its public key is that of {names}"
        raise Aborted(Reason.WRONG_IDENTITY, what)
    vouched = any(key.identity is not None for _, key in fitting)
    claim = Claim(identity, (identity,), vouched=vouched)
    return Proven(claim, tuple(dict.fromkeys(way for way, _ in fitting)))
