# SPDX-License-Identifier: Apache-2.0
"""SAs never show a key."""

from ringfence.crypto.suites import Cipher, Encryption
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa, Mode, Sa
from ringfence.databases.selector import Selector
from ringfence.net.address import parse_address
from ringfence.secret import Secret

A, B = parse_address("10.0.0.1"), parse_address("10.0.0.2")
KEY = bytes(range(36))


def sa(source: bytes, destination: bytes) -> Sa:
    cipher = Cipher(Encryption.AES_GCM_16, 256)
    return Sa(Protocol.ESP, 0x1234, Mode.TRANSPORT, source, destination, cipher, Secret(KEY), None, Secret(b""))


def test_no_key_in_text() -> None:
    child = ChildSa(1, 1, "rule", Selector.between("10.0.0.1", "10.0.0.2"), (sa(A, B),), (sa(B, A),))
    assert str(child) == "10.0.0.1 -> 10.0.0.2 by ESP 0x00001234 10.0.0.1 -> 10.0.0.2 transport aes256-gcm"
    assert child.mode is Mode.TRANSPORT
    for text in (repr(child), str(child)):
        assert KEY.hex() not in text
        assert repr(KEY) not in text
