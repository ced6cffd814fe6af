# SPDX-License-Identifier: Apache-2.0
"""Keys without certificates in IKE_AUTH; the exchanges themselves are in tests/protocol/test_raw_keys.py."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lab.authority import authority, new_key

from ringfence.crypto.signature import PrivateKey, Scheme
from ringfence.databases.identity import Identity
from ringfence.databases.rawkeys import KnownKey, OwnKey, PublicKeyAuth
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2 import rawkeys, signatures
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import CertPayload, CertRequestPayload

RSA = new_key("rsa")
KEY = PrivateKey(RSA)
WAY = PublicKeyAuth((KnownKey("peer.pub", KEY.public_info),))
NAME = Identity.parse("alice.lab")
SIGNED = b"what is signed"
AUTH = signatures.encoded(AuthMethod.SIGNATURE, Scheme.PSS_SHA256, KEY.sign(Scheme.PSS_SHA256, SIGNED))


def chain(*said):
    return Chain(tuple(Decoded(payload, b"") for payload in said))


def test_ours_is_shown_to_who_asks():
    own = OwnKey("alice.key", KEY.public_info)
    assert rawkeys.payloads(own, chain(CertRequestPayload(15, b""))) == (CertPayload(15, KEY.public_info),)
    assert rawkeys.payloads(own, chain(CertRequestPayload(4, b""))) == ()


def test_a_certificate_in_the_message_is_what_it_is_about():
    """Whatever it shows besides."""
    assert rawkeys.is_meant(chain(AUTH), (WAY,))
    assert not rawkeys.is_meant(chain(AUTH), ())
    both = CertPayload(15, KEY.public_info), CertPayload(4, authority().issue().der)
    assert not rawkeys.is_meant(chain(*both, AUTH), (WAY,))


@pytest.mark.parametrize("shown", [
    (), (CertPayload(15, KEY.public_info),),
    (CertPayload(11, RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)),),
])  # fmt: skip
def test_who_has_signed(shown):
    message = chain(*shown, AUTH)
    assert rawkeys.proven(message, NAME, SIGNED, frozenset(), (WAY,), sha1=False).ways == (WAY,)
    with pytest.raises(Aborted) as caught:
        rawkeys.proven(message, NAME, b"something else", frozenset(), (WAY,), sha1=False)
    assert caught.value.reason is Reason.WRONG_SIGNATURE
