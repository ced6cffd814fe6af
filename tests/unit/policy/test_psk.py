# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.psk import encoded
from ringfence.policy.terms import PskEncoding
from ringfence.secret import Secret


@pytest.mark.parametrize(
    ("key", "utf16"),
    [
        (b"key", b"k\0e\0y\0"),
        ("ключ".encode(), "ключ".encode("utf-16-le")),
        (b"\xff\x00", b"\xff\x00"),
        (b"\0a", b"\0a"),
    ],
)
def test_characters_of_sixteen_bits(key: bytes, utf16: bytes) -> None:
    keys = {"a.psk": Secret(key)}
    assert encoded(keys, PskEncoding.UTF8) == keys
    assert encoded(keys, PskEncoding.UTF16) == {"a.psk": Secret(utf16)}


def test_octets_are_no_characters() -> None:
    key = Secret(b"ab", exact=True)
    assert encoded({"a.psk": key}, PskEncoding.UTF16)["a.psk"].reveal() == b"ab"
