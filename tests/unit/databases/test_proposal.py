# SPDX-License-Identifier: Apache-2.0
"""What may be put together to protect traffic, and what may not (RFC 4301 §4.1, RFC 4303 §3.2)."""

import pytest

from ringfence.crypto.suites import Authenticator, Cipher, DhGroup, Encryption, Hash, Integrity
from ringfence.databases.proposal import IkeProposal, Protocol, SecurityMethod, Transform

GCM = Cipher(Encryption.AES_GCM_16, 256)
CBC = Cipher(Encryption.AES_CBC, 128)
SHA256 = Authenticator(Integrity.HMAC_SHA256_128)


def test_words() -> None:
    esp, ah = Transform(Protocol.ESP, CBC, SHA256), Transform(Protocol.AH, None, SHA256, esn=True)
    assert str(SecurityMethod((esp, ah))) == "esp aes128-sha256 + ah sha256 esn"
    assert str(Transform(Protocol.ESP, GCM)) == "esp aes256-gcm"
    assert str(IkeProposal(CBC, Hash.SHA256, DhGroup.ECP_384)) == "aes128-sha256-ecp384"


@pytest.mark.parametrize(
    ("protocol", "cipher", "authenticator"),
    [
        (Protocol.AH, GCM, None),
        (Protocol.AH, None, None),
        (Protocol.ESP, None, SHA256),
        (Protocol.ESP, GCM, SHA256),
        (Protocol.ESP, CBC, None),
    ],
)
def test_integrity_exactly_once(protocol, cipher, authenticator) -> None:
    with pytest.raises(ValueError):
        Transform(protocol, cipher, authenticator)
