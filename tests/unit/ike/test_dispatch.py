# SPDX-License-Identifier: Apache-2.0
"""The first look at a datagram."""

from dataclasses import replace

import pytest

from ringfence.ike.dispatch import begins, header_of
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import Exchange, Flags, Header

FIRST = Header(b"initiate", bytes(8), 1, 0x10, Exchange.MAIN, Flags(0), 0)


def reason(call, *args):
    with pytest.raises(Ignored) as error:
        call(*args)
    return error.value.reason


def test_a_header():
    assert header_of(FIRST.over(b"body")) == replace(FIRST, length=32)


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (b"", Reason.MALFORMED),
        (bytes(27), Reason.MALFORMED),
        (FIRST.over(b"body")[:-1], Reason.MALFORMED),
        (FIRST.over(b"body") + b"x", Reason.MALFORMED),
        (replace(FIRST, version=0x00).over(b""), Reason.VERSION),
        (replace(FIRST, initiator_cookie=bytes(8)).over(b""), Reason.MALFORMED),
    ],
)
def test_what_is_no_message_of_ours(datagram, expected):
    assert reason(header_of, datagram) is expected


def test_what_begins_an_ike_sa():
    assert begins(FIRST)
    assert begins(replace(FIRST, exchange=Exchange.AGGRESSIVE))
    assert not begins(replace(FIRST, responder_cookie=b"response"))
    assert not begins(replace(FIRST, message_id=1))
    assert not begins(replace(FIRST, flags=Flags.ENCRYPTED))
    assert not begins(replace(FIRST, exchange=Exchange.INFORMATIONAL))
    assert not begins(replace(FIRST, exchange=Exchange.QUICK))


@pytest.mark.parametrize("exchange", [Exchange.BASE, Exchange.AUTHENTICATION_ONLY, Exchange.NEW_GROUP, 99])
def test_exchanges_that_nobody_serves(exchange):
    assert reason(begins, replace(FIRST, exchange=exchange)) is Reason.EXCHANGE_TYPE


@pytest.mark.parametrize(("version", "exchange", "flags", "begins_one"), [
    (0x20, 34, 0x08, True), (0x20, 34, 0x28, False), (0x20, 34, 0, False), (0x20, 35, 0x08, False),
    (0x30, 34, 0x08, False),
])  # fmt: skip
def test_what_begins_in_ikev2(version, exchange, flags, begins_one):
    header = replace(FIRST, version=version, exchange=exchange, flags=Flags(flags))
    assert begins(header_of(header.over(b""))) is begins_one
