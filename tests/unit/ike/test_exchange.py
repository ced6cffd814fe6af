# SPDX-License-Identifier: Apache-2.0
"""Exchanges yield commands and get messages; the stepper takes them from one to the next."""

import pytest

from ringfence.crypto.signature import Scheme
from ringfence.ike.effects import RemoveChild, Sign, Signed
from ringfence.ike.exchange import (
    Consult,
    Do,
    Env,
    Finished,
    NoAnswer,
    Protect,
    Say,
    Stepper,
    Wait,
    accept,
    answer,
    conclude,
    consult,
    perform,
    protect,
    request,
)
from ringfence.ike.v1.payloads import NoncePayload
from ringfence.testing.random import SeededRandom
from ringfence.testing.script import message

NONCE = NoncePayload(bytes(8))


def whole():
    first = yield from request(NONCE)
    second = yield from answer(NONCE, NONCE)
    yield from perform(RemoveChild(1, "why"))
    yield from protect("keys")
    yield from conclude()
    return first, second


def test_every_helper_yields_its_command():
    one, two = message(NONCE), message(NONCE, NONCE)
    stepper = Stepper(whole())
    assert stepper.step() == Say((NONCE,), Wait.INSIST, accept)
    assert stepper.step(one) == Say((NONCE, NONCE), Wait.PATIENTLY, accept)
    assert stepper.step(two) == Do(RemoveChild(1, "why"))
    assert stepper.step() == Protect("keys")
    assert stepper.step() == Say((), Wait.NOT, accept)
    assert stepper.step() == Finished((one, two))


def test_who_waits_must_get_a_message():
    stepper = Stepper(whole())
    stepper.step()
    with pytest.raises(NoAnswer):
        stepper.step()


def test_who_asks_must_get_an_answer():
    question = Sign("00", Scheme.RSA_HASH, b"x")

    def asking():
        return (yield from consult(question))

    stepper = Stepper(asking())
    assert stepper.step() == Consult(question)
    assert stepper.step(Signed(b"y")) == Finished(Signed(b"y"))
    for given in (None, message(NONCE)):
        stepper = Stepper(asking())
        stepper.step()
        with pytest.raises(NoAnswer):
            stepper.step(given)


def test_an_exchange_that_is_given_up_is_closed():
    ended = []

    def tidy():
        try:
            yield from request(NONCE)
        finally:
            ended.append(True)

    stepper = Stepper(tidy())
    stepper.step()
    stepper.close()
    assert ended == [True]


def test_chance_and_time_come_from_outside():
    env = Env(SeededRandom(1), 5.0)
    assert env.number(4) == int.from_bytes(SeededRandom(1)(4))
    assert env.now == 5.0
