# SPDX-License-Identifier: Apache-2.0
"""Public keys without certificates in IKE_AUTH (RFC 7670): CERT and CERTREQ of encoding 15, and AUTH by them.

    initiator                                            responder
    IKE_SA_INIT …                                     ->
                                                      <- { …, CERTREQ (15) }
    { IDi, [CERT (15),] AUTH, CERTREQ (15), … }       ->
                                                      <- { IDr, [CERT (15),] AUTH, … }

Who asks for keys is shown ours; who does not ask knows it. A message that has a certificate is about that certificate,
whatever else it shows: so nobody takes the name from one and the key from the other.
"""

from collections.abc import Iterable

from ringfence.crypto.errors import CryptoError
from ringfence.crypto.signature import PublicKey
from ringfence.databases.identity import Identity
from ringfence.databases.pad import Auth
from ringfence.databases.rawkeys import OwnKey
from ringfence.ike.claims import PKCS7, X509_KEY_EXCHANGE, X509_SIGNATURE
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain
from ringfence.ike.rawkeys import RAW_KEY, Proven, of, prove, shown
from ringfence.ike.v2 import signatures
from ringfence.ike.v2.payloads import AuthPayload, CertPayload, CertRequestPayload

CERTIFICATES = (PKCS7, X509_SIGNATURE, X509_KEY_EXCHANGE)


def asks(chain: Chain) -> bool:
    """Whether a peer wants to be shown keys without certificates."""
    return any(one.encoding == RAW_KEY for one in chain.all(CertRequestPayload))


def payloads(own: OwnKey, asked: Chain) -> tuple[CertPayload, ...]:
    """What shows ours to who asks so."""
    return (CertPayload(RAW_KEY, own.info),) if asks(asked) else ()


def is_meant(chain: Chain, ways: Iterable[Auth]) -> bool:
    """Whether the signature in a message is to be by a key that ``ways`` know, and by no certificate's."""
    return bool(of(ways)) and not any(one.encoding in CERTIFICATES for one in chain.all(CertPayload))


def proven(
    chain: Chain, identity: Identity, signed: bytes, hashes: frozenset[int], ways: Iterable[Auth], *, sha1: bool
) -> Proven:
    """Who has signed a message, by one of the keys that ``ways`` know; raises Aborted."""
    auth = chain.one(AuthPayload)

    def verify(key: PublicKey) -> None:
        scheme, signature = signatures.read(auth, lambda: key.kind, hashes, sha1=sha1)
        try:
            key.verify(scheme, signed, signature)
        except CryptoError as error:
            what = f"the peer's signature is none by its public key: {error.message}"
            raise Aborted(Reason.WRONG_SIGNATURE, what) from error

    info = shown((one.encoding, one.data) for one in chain.all(CertPayload))
    return prove(identity, info, of(ways), verify)
