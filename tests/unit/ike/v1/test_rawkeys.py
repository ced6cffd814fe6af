# SPDX-License-Identifier: Apache-2.0
"""Keys without certificates in main mode; the exchanges themselves are in tests/protocol/test_raw_keys.py."""

import pytest
from lab.authority import authority, new_key

from ringfence.crypto.signature import PrivateKey, Scheme
from ringfence.databases.identity import Identity
from ringfence.databases.rawkeys import KnownKey, PublicKeyAuth
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v1.payloads import CertPayload, SigPayload
from ringfence.ike.v1.rawkeys import is_meant, proven

KEY = PrivateKey(new_key("ecdsa-p256"))
WAY = PublicKeyAuth((KnownKey("peer.pub", KEY.public_info),))
NAME = Identity.parse("alice.lab")
HASH = bytes(32)


def chain(*said):
    return Chain(tuple(Decoded(payload, b"") for payload in said))


def test_a_certificate_in_the_message_is_what_it_is_about():
    assert is_meant(chain(SigPayload(b"")), (WAY,))
    assert not is_meant(chain(SigPayload(b"")), ())
    assert not is_meant(chain(CertPayload(4, authority().issue().der), SigPayload(b"")), (WAY,))


def test_who_has_signed():
    signature = KEY.sign(Scheme.ECDSA_HASH, HASH)
    assert proven(NAME, (WAY,), Scheme.ECDSA_HASH, HASH, signature).ways == (WAY,)
    for scheme, wrong in ((Scheme.ECDSA_HASH, bytes(64)), (Scheme.RSA_HASH, signature)):
        with pytest.raises(Aborted) as caught:
            proven(NAME, (WAY,), scheme, HASH, wrong)
        assert caught.value.reason is Reason.WRONG_SIGNATURE
