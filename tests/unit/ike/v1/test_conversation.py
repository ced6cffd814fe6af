# SPDX-License-Identifier: Apache-2.0
"""How one exchange runs: commands performed in order, failures told or not."""

import pytest

from ringfence.audit import MainModeFailed, QuickModeFailed
from ringfence.ike.effects import RemoveChild, Report, SendMessage
from ringfence.ike.errors import Aborted, Ignored, Reason, Refused
from ringfence.ike.exchange import Stepper, answer, conclude, perform, protect, request
from ringfence.ike.happening import MainFailed, QuickFailed
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.rules import Role
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1.channel import open_clear, seal
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import KePayload, NoncePayload, NotifyPayload
from ringfence.ike.v1.rules import MAIN_MODE, QUICK_MODE, Proof
from ringfence.ike.v1.running import Running
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.window import Patience
from ringfence.ike.world import World
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

COOKIES = b"initiate", b"response"
KE, NONCE = KePayload(b"g"), NoncePayload(bytes(8))


class Talk:
    """A conversation with one exchange."""

    def __init__(self, exchange, kind=Exchange.MAIN, role=Role.INITIATOR, number=2):
        self.world = World(SeededRandom(0), IkeSettings())
        path = path_between("192.0.2.1", "192.0.2.2")
        self.voice = Speaker(path, COOKIES, self.world.env, self.world.clear_notifies)
        self.voice.rule = "rule"
        self.results = []
        self.talk = Conversation(self.voice, self.world, lambda running, result: self.results.append(result))
        rules = MAIN_MODE[Proof.HASH] if kind is Exchange.MAIN else QUICK_MODE[:3]
        self.running = Running(kind, role, 0, Stepper(exchange), rules, Patience())
        self.running.number = number
        self.talk.main = self.running

    def go(self):
        self.talk.advance(self.running, None)
        return self.voice.drain()

    def take(self, *payloads):
        datagram, _ = seal(COOKIES, self.running.kind, 0, payloads, None, b"")
        self.talk.take(self.running, Header.decode(datagram[:HEADER_OCTETS]), datagram)
        return self.voice.drain()


def kinds(outputs):
    return [type(output) for output in outputs if not isinstance(output, Report)]


def test_commands_are_performed_in_order():
    keys = main_keys()

    def whole():
        yield from request(KE, NONCE)
        yield from perform(RemoveChild(1, "why"))
        yield from protect(keys)
        yield from conclude(KE)
        return "done"

    talk = Talk(whole())
    assert kinds(talk.go()) == [SendMessage]
    assert talk.running.repeater.due == 1.0
    assert kinds(talk.take(KE, NONCE)) == [RemoveChild, SendMessage]
    assert talk.results == ["done"]
    assert talk.voice.keys is keys
    assert talk.running.number == 5


def test_a_message_that_fails_its_check_changes_nothing():
    def picky():
        def check(message):
            if message.chain.one(KePayload).public != b"good":
                raise Ignored(Reason.BAD_HASH, "no")

        reply = yield from request(KE, NONCE, check=check)
        return reply.chain.one(KePayload).public

    talk = Talk(picky())
    talk.go()
    with pytest.raises(Ignored):
        talk.take(KE, NONCE)
    assert talk.running.number == 3
    assert talk.running.repeater.due == 1.0
    talk.take(KePayload(b"good"), NONCE)
    assert talk.results == [b"good"]


def test_a_message_must_be_the_next_of_the_other_side():
    def patient():
        yield from answer(KE, NONCE)

    talk = Talk(patient(), role=Role.RESPONDER, number=3)
    talk.go()
    assert talk.running.repeater.due is None
    with pytest.raises(Ignored, match="in clear"):
        talk.take(KE, NONCE)
    talk = Talk(patient(), role=Role.RESPONDER, number=3)
    with pytest.raises(Ignored, match="nobody waits for"):
        talk.take(KE, NONCE)
    talk.running.number = 6
    with pytest.raises(Ignored, match="nobody waits for"):
        talk.take(KE, NONCE)


def failing(error):
    yield from request(KE, NONCE)
    raise error


def test_a_failure_of_main_mode_is_told_in_clear_while_nothing_is_proved():
    talk = Talk(failing(Aborted(Reason.BAD_KEY_EXCHANGE, "bad value")))
    talk.go()
    outputs = talk.take(KE, NONCE)
    assert kinds(outputs) == [SendMessage, MainFailed]
    datagram = next(output.datagram for output in outputs if isinstance(output, SendMessage))
    chain = open_clear(Header.decode(datagram[:HEADER_OCTETS]), datagram)
    assert chain.one(NotifyPayload).kind == Notify.INVALID_KEY_INFORMATION
    (event,) = [o.event for o in outputs if isinstance(o, Report) and isinstance(o.event, MainModeFailed)]
    assert (event.reason, event.detail, event.initiator, event.rule) == ("bad-key-exchange", "bad value", True, "rule")
    assert talk.talk.main is None


def test_a_failure_of_quick_mode():
    talk = Talk(failing(Refused(Reason.NO_PROPOSAL, "none")), Exchange.QUICK, number=0)
    talk.go()
    talk.talk.quick[0] = talk.running
    talk.talk.fail(talk.running, Refused(Reason.NO_PROPOSAL, "none"), tell=True)
    outputs = talk.voice.drain()
    assert kinds(outputs) == [QuickFailed]
    assert [type(o.event) for o in outputs if isinstance(o, Report)] == [QuickModeFailed]
    assert talk.talk.quick == {}


def test_the_first_doubt_counts_and_is_told_once():
    talk = Talk(failing(Aborted(Reason.BAD_HASH, "")))
    talk.go()
    talk.talk.doubt(Aborted(Reason.CHANGED_PROPOSAL, "first"), tell=True)
    talk.talk.doubt(Aborted(Reason.BAD_HASH, "second"), tell=True)
    assert kinds(talk.voice.drain()) == [SendMessage]
    assert talk.running.doubt.detail == "first"
    talk.world.env.now = 2.0
    talk.talk.tick()
    (failed,) = [output for output in talk.voice.drain() if isinstance(output, MainFailed)]
    assert failed.reason is Reason.CHANGED_PROPOSAL
