# SPDX-License-Identifier: Apache-2.0
"""AUTH_LIFETIME as octets (RFC 4478 §3)."""

import pytest

from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.authlife import announced, told
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.testing.hosts import HostPolicy


def heard(*payloads):
    return Chain(tuple(Decoded(each, b"") for each in payloads))


def entry(seconds):
    _, pad = HostPolicy("192.0.2.1", "192.0.2.2", reauthenticate_s=seconds).compiled()
    return next(iter(pad))


def test_four_octets_of_seconds():
    (said,) = announced(entry(28_800))
    assert said.encode() == bytes.fromhex("00 00 4013 0000 7080".replace(" ", ""))
    assert told(heard(said)) == 28_800
    assert announced(entry(None)) == ()


@pytest.mark.parametrize("data", [b"", b"\0\0\0", bytes(5)])
def test_what_makes_no_sense_says_nothing(data):
    assert told(heard(NotifyPayload(Notify.AUTH_LIFETIME, data))) is None
    assert told(heard(NotifyPayload(Notify.COOKIE, bytes(4)))) is None


def test_zero_is_at_once():
    assert told(heard(NotifyPayload(Notify.AUTH_LIFETIME, bytes(4)))) == 0
