# SPDX-License-Identifier: Apache-2.0
"""Requests and responses: one at a time, numbered, repeated, answered again."""

import pytest
from unit.ike.v2.test_voice import voice

from ringfence.ike.dispatch import header_of
from ringfence.ike.effects import SendMessage
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.exchange import Stepper
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v2 import dialogue
from ringfence.ike.v2.dialogue import Dialogue
from ringfence.ike.v2.informational import delete_ike, tell
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import NoncePayload
from ringfence.ike.v2.running import Running
from ringfence.ike.window import Patience
from ringfence.ike.world import World
from ringfence.testing.random import SeededRandom


class Side:
    """One end with its dialogue."""

    def __init__(self, *, initiator):
        self.world = World(SeededRandom(initiator), IkeSettings())
        self.voice = voice(initiator=initiator)
        self.over = []
        self.failed = []
        self.talk = Dialogue(
            self.voice, self.world,
            lambda running, result: self.over.append((running, result)),
            lambda running, error: self.failed.append((running, error)),
        )  # fmt: skip

    def ask(self, *payloads):
        running = Running(Kind.INFORMATIONAL, Stepper(tell(*payloads)), Patience(first_s=1, tries=2))
        self.talk.ask(running)
        return running

    def sent(self):
        return [each.datagram for each in self.voice.drain() if isinstance(each, SendMessage)]

    def at(self, now):
        self.world.env.now = now
        self.talk.tick()
        return self.sent()


def answer(theirs, request):
    """What the other end says to a request."""
    header = header_of(request)
    if not theirs.talk.is_duplicate(header, request):
        theirs.talk.request(header, request)
        theirs.talk.answer(header, request, ())
    (said,) = theirs.sent()
    return said


def test_one_at_a_time_and_numbered():
    ours, theirs = Side(initiator=True), Side(initiator=False)
    first, second = ours.ask(), ours.ask(delete_ike())
    (request,) = ours.sent()
    assert (ours.talk.current, [*ours.talk.waiting]) == (first, [second])
    response = answer(theirs, request)
    ours.talk.receive_response(header_of(response), response)
    (request,) = ours.sent()
    assert header_of(request).message_id == 1
    assert ours.talk.current is second
    response = answer(theirs, request)
    ours.talk.receive_response(header_of(response), response)
    assert [running for running, _ in ours.over] == [first, second]
    assert ours.talk.exchanges == ()
    assert ours.talk.next_timer is None


def test_a_response_counts_once():
    ours, theirs = Side(initiator=True), Side(initiator=False)
    ours.ask()
    response = answer(theirs, ours.sent()[0])
    ours.talk.receive_response(header_of(response), response)
    with pytest.raises(Ignored):
        ours.talk.receive_response(header_of(response), response)
    assert len(ours.over) == 1


def test_repeated_octet_for_octet_and_then_given_up():
    ours = Side(initiator=True)
    running = ours.ask()
    (request,) = ours.sent()
    assert ours.talk.next_timer == 1.0
    assert ours.at(1.0) == [request]
    assert ours.at(3.0) == []
    assert [(each, error.reason) for each, error in ours.failed] == [(running, Reason.PEER_SILENT)]


def test_the_last_request_is_answered_again_with_the_same_octets():
    ours, theirs = Side(initiator=True), Side(initiator=False)
    ours.ask()
    (request,) = ours.sent()
    assert answer(theirs, request) == answer(theirs, request)


@pytest.mark.parametrize("message_id", [1, 5, 2**32 - 1])
def test_a_number_out_of_turn_is_ignored(message_id):
    ours, theirs = Side(initiator=True), Side(initiator=False)
    (request,) = ours.voice.say(Kind.INFORMATIONAL, message_id, (), response=False)
    with pytest.raises(Ignored) as raised:
        theirs.talk.request(header_of(request), request)
    assert raised.value.reason is Reason.USED_MESSAGE_ID


def test_a_forged_response_changes_nothing():
    ours, theirs = Side(initiator=True), Side(initiator=False)
    ours.ask()
    response = answer(theirs, ours.sent()[0])
    forged = response[:-1] + bytes([response[-1] ^ 1])
    with pytest.raises(Ignored):
        ours.talk.receive_response(header_of(forged), forged)
    ours.talk.receive_response(header_of(response), response)
    assert len(ours.over) == 1


def test_nonsense_under_the_keys_fails_the_exchange():
    ours, theirs = Side(initiator=True), Side(initiator=False)
    running = ours.ask()
    (nonsense,) = theirs.voice.say(Kind.INFORMATIONAL, 0, (NoncePayload(bytes(16)),), response=True)
    ours.talk.receive_response(header_of(nonsense), nonsense)
    assert [(each, error.reason) for each, error in ours.failed] == [(running, Reason.PAYLOAD_UNEXPECTED)]


def test_what_is_abandoned_is_awaited_and_forgotten():
    ours, theirs = Side(initiator=True), Side(initiator=False)
    running, later = ours.ask(), ours.ask()
    running.abandoned = True
    response = answer(theirs, ours.sent()[0])
    ours.talk.receive_response(header_of(response), response)
    assert (ours.over, ours.failed) == ([], [])
    assert ours.talk.current is later


def test_a_last_word_needs_no_turn():
    ours = Side(initiator=True)
    ours.ask()
    ours.sent()
    ours.talk.say_now(Kind.INFORMATIONAL, (delete_ike(),))
    (said,) = ours.sent()
    assert header_of(said).message_id == 1


def test_message_ids_end(monkeypatch):
    ours, theirs = Side(initiator=True), Side(initiator=False)
    monkeypatch.setattr(dialogue, "MOST_IDS", 1)
    assert not ours.talk.spent
    ours.ask()
    response = answer(theirs, ours.sent()[0])
    ours.talk.receive_response(header_of(response), response)
    assert ours.talk.spent
    assert theirs.talk.spent
