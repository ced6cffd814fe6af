# SPDX-License-Identifier: Apache-2.0
"""Identities, keys, and which key is whose."""

import pytest

from ringfence.databases.identity import Identity, IdentityKind
from ringfence.policy.errors import BadWord
from ringfence.transfer.swanctl.keys import Secret, choose, identity_word, key_word, parse_identity, parse_key

MOON, SUN = (Identity(IdentityKind.FQDN, name.encode()) for name in ("moon.example.org", "sun.example.org"))


@pytest.mark.parametrize(
    ("text", "kind", "data"),
    [
        ("moon.example.org", IdentityKind.FQDN, b"moon.example.org"),
        ("@moon", IdentityKind.FQDN, b"moon"),
        ("carol@example.org", IdentityKind.USER_FQDN, b"carol@example.org"),
        ("@@carol", IdentityKind.USER_FQDN, b"carol"),
        ("192.0.2.1", IdentityKind.IPV4_ADDRESS, bytes([192, 0, 2, 1])),
        ("ipv6:::1", IdentityKind.IPV6_ADDRESS, bytes(15) + b"\1"),
        ("fqdn:10.0.0.1", IdentityKind.FQDN, b"10.0.0.1"),
        ("email:#4142", IdentityKind.USER_FQDN, b"AB"),
        ("@#4142", IdentityKind.KEY_ID, b"AB"),
        ("keyid:AB", IdentityKind.KEY_ID, b"AB"),
        ("@[group]", IdentityKind.KEY_ID, b"group"),
        ("asn1dn:#3000", IdentityKind.DN, b"\x30\x00"),
    ],
)
def test_identities(text: str, kind: IdentityKind, data: bytes) -> None:
    found = parse_identity(text)
    assert found == Identity(kind, data)
    assert found is not None
    assert parse_identity(identity_word(found)) == found


def test_no_identities() -> None:
    assert parse_identity("%any") is parse_identity("") is None
    for text in ("C=CH, CN=moon", "*@example.org", "ipv4:x", "asn1dn:CN=x", "two words"):
        with pytest.raises(BadWord):
            parse_identity(text)


def test_keys() -> None:
    assert parse_key("a key") == "a key"
    assert parse_key("0x41_42") == "AB"
    assert parse_key("0xff00") == b"\xff\0"
    assert parse_key("0sQUI") == "AB"
    for text in ("", "0xabc", "0s!!"):
        with pytest.raises(BadWord):
            parse_key(text)
    assert key_word('a "key" \\') == '"a \\"key\\" \\\\"'
    for key in ("0xab", "0sab", "caf\u00e9", "a\nb", b"\xff"):
        assert parse_key(key_word(key)) == key


def test_the_key_for_two_sides() -> None:
    every, moons, suns, both = (
        Secret(name, 1, ids, name) for name, ids in (("e", ()), ("m", (MOON,)), ("s", (SUN,)), ("b", (MOON, SUN)))
    )
    assert choose([every, moons, suns, both], {MOON}, {SUN}) is both
    assert choose([every, moons, suns], {MOON}, {SUN}) is suns
    assert choose([every, moons], {MOON}, {SUN}) is moons
    assert choose([every, suns], {SUN}, {MOON}) is suns
    assert choose([every, suns], {MOON}, set()) is every
    assert choose([suns], {MOON}, set()) is None
