# SPDX-License-Identifier: Apache-2.0
"""An exchange under way: its deadlines, its next rule, what silence means."""

import pytest

from ringfence.ike.exchange import Stepper, request
from ringfence.ike.header import Exchange
from ringfence.ike.rules import Role
from ringfence.ike.v1.rules import MAIN_MODE, QUICK_MODE, Proof
from ringfence.ike.v1.running import Running
from ringfence.ike.window import Patience


def running(kind=Exchange.MAIN, role=Role.INITIATOR, number=0):
    rules = MAIN_MODE[Proof.HASH] if kind is Exchange.MAIN else QUICK_MODE[:3]
    one = Running(kind, role, 0, Stepper(request()), rules, Patience(first_s=1))
    one.number = number
    return one


def test_the_next_deadline_of_all():
    one = running()
    assert one.next_timer is None
    one.life_ends = 30.0
    assert one.next_timer == one.deadline == 30.0
    one.repeater.sent(5)
    assert one.next_timer == 6.0
    one.doubt_ends = 5.5
    assert one.next_timer == one.deadline == 5.5


def test_the_next_rule():
    assert running(number=2).next_rule().name == "main mode message 3"
    assert running(number=6).next_rule() is None
    assert running(Exchange.QUICK, number=2).next_rule().name == "quick mode message 3"
    assert running(Exchange.QUICK, number=3).next_rule() is None


def test_names():
    assert running().name == "main mode"
    assert running().initiator
    assert not running(Exchange.QUICK, Role.RESPONDER).initiator
    assert running(Exchange.QUICK).name == "quick mode"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (running(number=1), "UDP port 500"),
        (running(number=3), "fell silent after main mode message 3"),
        (running(number=5), "may have another pre-shared key"),
        (running(Exchange.QUICK, number=1), "no answer to quick mode message 1"),
    ],
)
def test_silence_in_words(one, words):
    assert words in one.silence()
