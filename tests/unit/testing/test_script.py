# SPDX-License-Identifier: Apache-2.0
"""A script passes what fits and tells what does not."""

import pytest

from ringfence.ike.effects import RemoveChild
from ringfence.ike.errors import Aborted, Reason
from ringfence.ike.exchange import answer, conclude, perform, protect, request
from ringfence.ike.v1.payloads import KePayload, NoncePayload
from ringfence.testing.script import Mismatch, Script

NONCE, KE = NoncePayload(bytes(8)), KePayload(b"g")


def check(message):
    if message.chain.maybe(KePayload) is None:
        raise Aborted(Reason.BAD_KEY_EXCHANGE, "no KE")


def exchange():
    reply = yield from request(NONCE, check=check)
    yield from perform(RemoveChild(1, ""))
    yield from protect("keys")
    yield from answer(KE)
    yield from conclude(NONCE)
    if reply.chain.one(KePayload).public == b"bad":
        raise Aborted(Reason.WRONG_KEY, "bad")
    return reply.chain.one(KePayload)


def test_a_whole_play():
    script = Script(exchange()).asks(NONCE).refuses(Reason.BAD_KEY_EXCHANGE, NONCE).gets(KE, NONCE)
    assert script.does(RemoveChild).child_id == 1
    assert script.protects().answers(KePayload).gets(NONCE).concludes(NONCE).returns() == KE
    assert script.shield == "keys"


def test_errors():
    script = Script(exchange()).asks(NONCE).gets(KePayload(b"bad"))
    script.does(RemoveChild)
    error = script.protects().answers(KE).gets(NONCE).concludes(NONCE).raises(Reason.WRONG_KEY)
    assert error.detail == "bad"


@pytest.mark.parametrize(
    ("play", "told"),
    [
        (lambda: Script(exchange()).asks(KE), "NoncePayload .INSIST. instead of KePayload"),
        (lambda: Script(exchange()).answers(NONCE), "instead of"),
        (lambda: Script(exchange()).protects(), "instead of keys"),
        (lambda: Script(exchange()).does(RemoveChild), "instead of RemoveChild"),
        (lambda: Script(exchange()).returns(), "instead of the end"),
        (lambda: Script(exchange()).raises(Reason.WRONG_KEY), "instead of an error"),
        (lambda: Script(exchange()).asks(NONCE).refuses(Reason.WRONG_KEY, NONCE), "BAD_KEY_EXCHANGE instead of"),
        (lambda: Script(exchange()).asks(NONCE).refuses(Reason.WRONG_KEY, KE), "says NoncePayload\nKePayload passed"),
        (lambda: Script(exchange()).asks(NONCE).gets(KE).asks(KE), "instead of a message"),
    ],
)
def test_what_does_not_fit_is_told(play, told):
    with pytest.raises(Mismatch, match=told):
        play()
