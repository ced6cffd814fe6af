# SPDX-License-Identifier: Apache-2.0
"""Public keys without certificates in main mode (RFC 2409 §5.1, where CERT is optional): ID and SIG, nothing beside.

Nobody shows such a key in IKEv1: both sides know it, as Libreswan does it. Signatures by RSA and by ECDSA are those of
certificates, and so are the numbers of the methods; a message with a certificate is about that certificate.
"""

from collections.abc import Iterable

from ringfence.crypto.errors import CryptoError
from ringfence.crypto.signature import PublicKey, Scheme
from ringfence.databases.identity import Identity
from ringfence.databases.pad import Auth
from ringfence.ike.claims import PKCS7, X509_KEY_EXCHANGE, X509_SIGNATURE
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain
from ringfence.ike.rawkeys import Proven, of, prove
from ringfence.ike.v1.payloads import CertPayload

CERTIFICATES = (PKCS7, X509_SIGNATURE, X509_KEY_EXCHANGE)


def is_meant(chain: Chain, ways: Iterable[Auth]) -> bool:
    """Whether the signature in a message is to be by a key that ``ways`` know, and by no certificate's."""
    return bool(of(ways)) and not any(one.encoding in CERTIFICATES for one in chain.all(CertPayload))


def proven(identity: Identity, ways: Iterable[Auth], scheme: Scheme, octets: bytes, signature: bytes) -> Proven:
    """Who has signed ``octets``, by one of the keys that ``ways`` know; raises Aborted."""

    def verify(key: PublicKey) -> None:
        try:
            key.verify(scheme, octets, signature)
        except CryptoError as error:
            what = f"the peer's signature is none by its public key: {error.message}"
            raise Aborted(Reason.WRONG_SIGNATURE, what) from error

    return prove(identity, b"", of(ways), verify)
