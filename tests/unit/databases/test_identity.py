# SPDX-License-Identifier: Apache-2.0
"""Identities as people write them and as IKE carries them (RFC 2407 §4.6.2.1: the numbers)."""

import pytest

from ringfence.databases.identity import Identity, IdentityKind


@pytest.mark.parametrize(
    ("text", "number", "data"),
    [
        ("10.0.0.1", 1, b"\x0a\x00\x00\x01"),
        ("fd00::1", 5, bytes.fromhex("fd000000000000000000000000000001")),
        ("host.corp.example", 2, b"host.corp.example"),
        ("alice@corp.example", 3, b"alice@corp.example"),
        ("keyid:0a0b", 11, b"\x0a\x0b"),
        ("dn:3000", 9, b"\x30\x00"),
        ("user:CORP\\alice", 256, b"CORP\\alice"),
    ],
)
def test_forms(text: str, number: int, data: bytes) -> None:
    identity = Identity.parse(text)
    assert (identity.kind.value, identity.data) == (number, data)
    assert str(identity) == text


def test_other_ways_to_write() -> None:
    assert Identity.parse("@host") == Identity(IdentityKind.FQDN, b"host")
    assert Identity.parse("keyid:my group") == Identity(IdentityKind.KEY_ID, b"my group")
    assert Identity.parse("dn:host") == Identity(IdentityKind.FQDN, b"dn:host")
    assert str(Identity(IdentityKind.FQDN, b"\xff")) == "\\xff"


def test_no_payload_can_carry_a_user() -> None:
    assert IdentityKind.USER.value > 255
