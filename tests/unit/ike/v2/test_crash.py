# SPDX-License-Identifier: Apache-2.0
"""Tokens of quick crash detection as octets (RFC 6290 §4.1, §5.2)."""

import hmac

import pytest

from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.crash import MOST_SAID, Tokens, given, proves, stale
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.secret import Secret

SPIS = bytes(range(8)), bytes(range(8, 16))
REMOTE = bytes([192, 0, 2, 1])
DENIAL = NotifyPayload(Notify.INVALID_IKE_SPI)


def heard(*payloads):
    return Chain(tuple(Decoded(each, b"") for each in payloads))


def said(token):
    return NotifyPayload(Notify.QUICK_CRASH_DETECTION, token, 1)


def test_a_mac_of_both_spis_and_the_address():
    (token,) = Tokens(Secret(b"s" * 32)).made(SPIS, REMOTE)
    expected = hmac.digest(b"s" * 32, bytes(range(16)) + REMOTE, "sha256")
    assert token.encode() == bytes([1, 0]) + (16419).to_bytes(2) + expected


def test_no_secret_no_token_and_none_of_half_an_ike_sa():
    assert Tokens(None).made(SPIS, REMOTE) == ()
    assert Tokens(Secret(b"s" * 32)).made((SPIS[0], bytes(8)), REMOTE) == ()


@pytest.mark.parametrize(("octets", "taken"), [(15, False), (16, True), (128, True), (129, False)])
def test_how_long_a_token_may_be(octets, taken):
    token = bytes(octets)
    assert given(heard(said(token))) == (token if taken else None)
    assert proves(heard(DENIAL, said(token)), token) is taken


def test_the_last_one_counts():
    first, last = bytes(16), b"\1" * 16
    assert given(heard(said(first)), heard(said(last))) == last
    assert given(heard()) is None


def test_only_with_a_denial_and_only_where_one_was_given():
    token = b"t" * 32
    assert proves(heard(said(token), DENIAL), token)
    assert not proves(heard(said(token)), token)
    assert not proves(heard(DENIAL, said(token)), None)
    assert not proves(heard(DENIAL), token)


def test_not_many_of_one_message_are_looked_at():
    wrong, token = said(bytes(32)), b"t" * 32
    assert proves(heard(DENIAL, *[wrong] * (MOST_SAID - 1), said(token)), token)
    assert not proves(heard(DENIAL, *[wrong] * MOST_SAID, said(token)), token)


def test_what_is_left_of_a_token_proves_nothing():
    assert stale(None) is None
    assert stale(b"t" * 32) == b""
    assert not proves(heard(DENIAL, said(b"")), b"")
    assert not proves(heard(DENIAL, said(b"t" * 32)), b"")
