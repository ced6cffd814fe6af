# SPDX-License-Identifier: Apache-2.0
"""Public keys in the forms of files: the same key comes of each, and what is none says so."""

import hashlib
from base64 import b64encode
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.authority import authority, new_key

from ringfence.crypto.errors import BadKey
from ringfence.crypto.rawkeys import (
    MOST_OCTETS,
    as_base64,
    as_dns,
    as_openssh,
    as_pem,
    fingerprint,
    of_pkcs1,
    read_public,
)

KINDS = ("rsa", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "ed448")


def info_of(kind):
    return new_key(kind).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_key_comes_of_each_form(kind):
    info = info_of(kind)
    forms = [info, as_pem(info).encode(), as_base64(info).encode() + b"\n"]
    forms += [one.encode() for one in (as_openssh(info), as_dns(info)) if one]
    assert {read_public(one) for one in forms} == {info}
    assert bool(as_dns(info)) == (kind == "rsa")
    assert bool(as_openssh(info)) == (kind != "ed448")
    assert fingerprint(info) == hashlib.sha256(info).digest()


def test_a_certificate_stands_for_its_key():
    issued = authority().issue()
    assert read_public(issued.pem) == issued.key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


def test_rsa_in_dns_is_exponent_and_modulus():
    key = new_key("rsa")
    numbers = key.public_key().public_numbers()
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    octets = b"\x03" + numbers.e.to_bytes(3) + numbers.n.to_bytes(256)
    assert as_dns(info) == f"0s{b64encode(octets).decode()}"
    long = b"\0" + (3).to_bytes(2) + numbers.e.to_bytes(3) + numbers.n.to_bytes(256)
    assert read_public(b"0s" + b64encode(long)) == info


def test_rsa_in_pkcs1():
    key = new_key("rsa").public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert of_pkcs1(key.public_bytes(Encoding.DER, PublicFormat.PKCS1)) == info
    for octets in (b"", b"0", info_of("ecdsa-p256")):
        with pytest.raises(BadKey):
            of_pkcs1(octets)


@pytest.mark.parametrize("octets", [
    b"", b"hello", b"0s", b"0s!!!", b"0sAAAA", b"ssh-rsa AAAA",
    b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----",
    b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", b"x" * (MOST_OCTETS + 1),
])  # fmt: skip
def test_what_is_none(octets):
    with pytest.raises(BadKey):
        read_public(octets)


def test_a_private_key_is_no_public_key():
    with pytest.raises(BadKey):
        read_public(authority().issue().key_pem())


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_nothing_else_is_raised(octets):
    for given_octets in (octets, b"0s" + b64encode(octets), b"ssh-rsa " + octets):
        with suppress(BadKey):
            assert read_public(given_octets)
