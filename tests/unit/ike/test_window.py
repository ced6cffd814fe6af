# SPDX-License-Identifier: Apache-2.0
"""Repetition, duplicates, message ids: each bounded."""

from ringfence.ike.window import Answers, MessageIds, Patience, Repeater, digest


def test_waits_double_up_to_the_longest():
    patience = Patience(first_s=1, most_s=5)
    assert [patience.wait(tries) for tries in range(1, 6)] == [1, 2, 4, 5, 5]


def test_a_message_is_repeated_so_often_and_no_more():
    repeater = Repeater(Patience(first_s=1, most_s=16, tries=3))
    assert repeater.due is None
    repeater.sent(10)
    assert repeater.due == 11
    assert repeater.again(11)
    assert repeater.due == 13
    assert repeater.again(13)
    assert repeater.due == 17
    assert not repeater.again(17)
    assert repeater.due is None


def test_an_answer_ends_the_repetition_and_a_new_message_begins_it_anew():
    repeater = Repeater(Patience(tries=2))
    repeater.sent(0)
    repeater.again(1)
    repeater.answered()
    assert repeater.due is None
    repeater.sent(5)
    assert repeater.again(6)


def test_the_oldest_answers_are_forgotten():
    answers = Answers(most=2)
    answers.add(digest(b"one"), b"1")
    answers.add(digest(b"two"), None)
    answers.add(digest(b"one"), b"11")
    answers.add(digest(b"three"), b"3")
    assert digest(b"two") not in answers
    assert answers[digest(b"one")] == b"11"
    assert answers[digest(b"three")] == b"3"
    assert len(answers) == 2


def test_a_message_id_is_used_once():
    ids = MessageIds(most=3)
    assert not ids.take(0)
    assert ids.take(5)
    assert 5 in ids
    assert not ids.take(5)
    assert ids.take(6)
    assert not ids.spent
    assert ids.take(7)
    assert ids.spent
    assert not ids.take(8)
