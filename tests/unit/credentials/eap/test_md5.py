# SPDX-License-Identifier: Apache-2.0
"""MD5-Challenge; the hash is that of CHAP (RFC 1994 §4.1), computed by scapy's neighbour, hashlib."""

import hashlib

import pytest

from ringfence.credentials.eap import md5
from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.secret import Secret

WORD = Secret(b"secret")


def test_the_answer_is_the_hash_of_identifier_password_and_challenge():
    reply = next(md5.answer(b"\x04abcdserver", lambda: 9, b"alice", WORD))
    assert reply.data == b"\x10" + hashlib.md5(b"\x09secretabcd").digest() + b"alice"
    assert reply.done
    assert reply.key is None


@pytest.mark.parametrize("first", [b"", b"\x04abc"])
def test_a_challenge_that_is_cut_short_is_none(first):
    with pytest.raises(BadPacket):
        next(md5.answer(first, lambda: 9, b"alice", WORD))


@pytest.mark.parametrize("password", [Secret(b"other"), None])
def test_somebody_else_and_nobody_are_denied_alike(password):
    asking = md5.ask(lambda: 9, password, bytes, b"us")
    assert next(asking) == b"\x10" + bytes(16) + b"us"
    right = hashlib.md5(b"\x09secret" + bytes(16)).digest()
    with pytest.raises(Denied):
        asking.send(b"\x10" + right)
