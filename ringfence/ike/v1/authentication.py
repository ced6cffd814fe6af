# SPDX-License-Identifier: Apache-2.0
"""Methods of authentication in main mode: their numbers, and which way of the policy each stands for (RFC 2409 app. A).

Certificates of several authorities that sign alike are one method on the wire; which authority it is about, requests
and certificates say later. With ECDSA the curve says which hash makes what is signed (RFC 4754 §4).
"""

from collections.abc import Iterable
from enum import IntEnum

from ringfence.crypto.prf import Prf
from ringfence.crypto.signature import KeyKind, Scheme
from ringfence.crypto.suites import Hash
from ringfence.databases.certification import CertificateAuth
from ringfence.databases.pad import Auth, PadEntry, PresharedKey
from ringfence.databases.rawkeys import OwnKey, PublicKeyAuth


class Authentication(IntEnum):
    """How the sides prove themselves."""

    PRESHARED_KEY = 1
    RSA_SIGNATURE = 3
    ECDSA_P256 = 9
    ECDSA_P384 = 10
    ECDSA_P521 = 11
    XAUTH_KEY = 65001
    """A pre-shared key, and then the initiator's user proves himself."""
    XAUTH_RSA = 65005


_SIGNED = {
    KeyKind.RSA: Authentication.RSA_SIGNATURE,
    KeyKind.P256: Authentication.ECDSA_P256,
    KeyKind.P384: Authentication.ECDSA_P384,
    KeyKind.P521: Authentication.ECDSA_P521,
}
_HASHES = {
    Authentication.ECDSA_P256: Hash.SHA256,
    Authentication.ECDSA_P384: Hash.SHA384,
    Authentication.ECDSA_P521: Hash.SHA512,
}


def method_of(auth: Auth) -> Authentication | None:
    """The method that ``auth`` is offered by; None for one that IKEv1 cannot say."""
    match auth:
        case PresharedKey():
            return Authentication.PRESHARED_KEY
        case CertificateAuth():
            return _SIGNED.get(auth.signing)
        case PublicKeyAuth(own=OwnKey() as own):
            return _SIGNED.get(own.kind)
        case _:
            return None


def usable(entry: PadEntry) -> tuple[Auth, ...]:
    """The ways of ``entry`` that we can go: those by key, and by certificates and public keys of which we have one."""
    signed = CertificateAuth | PublicKeyAuth
    return tuple(one for one in entry.auth if isinstance(one, PresharedKey) or (isinstance(one, signed) and one.own))


WITH_USER = {
    Authentication.PRESHARED_KEY: Authentication.XAUTH_KEY,
    Authentication.RSA_SIGNATURE: Authentication.XAUTH_RSA,
}
"""Methods that say that a user proves himself afterwards; there are no others."""


def methods(ways: Iterable[Auth]) -> tuple[Authentication, ...]:
    """Each method once, in order."""
    return tuple(dict.fromkeys(found for one in ways if (found := method_of(one)) is not None))


def methods_for(entry: PadEntry) -> tuple[Authentication, ...]:
    """Those that we can go by with a peer of ``entry``."""
    found = methods(usable(entry))
    return found if entry.xauth is None else tuple(WITH_USER[one] for one in found if one in WITH_USER)


def machine(method: Authentication) -> Authentication:
    """How the two computers prove themselves, whether a user follows or not."""
    return next((plain for plain, one in WITH_USER.items() if one is method), method)


def signing(ways: Iterable[Auth], method: Authentication) -> tuple[CertificateAuth | PublicKeyAuth, ...]:
    """Those ways that a method by signature stands for."""
    known = (one for one in ways if isinstance(one, CertificateAuth | PublicKeyAuth))
    return tuple(one for one in known if method_of(one) is machine(method))


def scheme_for(method: Authentication) -> Scheme:
    """How a hash is signed."""
    return Scheme.RSA_HASH if machine(method) is Authentication.RSA_SIGNATURE else Scheme.ECDSA_HASH


def prf_for(method: Authentication, negotiated: Prf) -> Prf:
    """What makes the hash that is signed."""
    return Prf(_HASHES[method]) if method in _HASHES else negotiated
