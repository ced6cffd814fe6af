# SPDX-License-Identifier: Apache-2.0
"""The last word of a peer with the commit bit."""

import pytest

from ringfence.ike.errors import IkeError, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.flood import Bucket
from ringfence.ike.happening import Connected
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.payload import encode_chain
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1.channel import seal
from ringfence.ike.v1.commits import REMEMBERED, Commits
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import HashPayload, NotifyPayload
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.world import World
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

KEYS = main_keys()
COOKIES = b"initiate", b"response"
IV = bytes(range(16))
CONNECTED = NotifyPayload(1, 3, bytes(4), Notify.CONNECTED)


class Ended:
    """What is left of a quick mode."""

    def __init__(self, message_id):
        self.message_id = message_id
        self.iv = IV


@pytest.fixture
def commits():
    world = World(SeededRandom(1), IkeSettings())
    voice = Speaker(path_between("192.0.2.1", "192.0.2.2"), COOKIES, Env(SeededRandom(1)), Bucket(1))
    voice.keys, voice.last_block = KEYS, KEYS.first_iv
    found = Commits(voice, Conversation(voice, world, lambda _running, _result: None))
    found.add(Ended(7), 40)
    return found


def last_word(*payloads, kind=Exchange.QUICK, iv=IV, number=7):
    datagram, _ = seal(COOKIES, kind, number, payloads, KEYS, iv)
    return Header.decode(datagram[:HEADER_OCTETS]), datagram


def said(commits):
    return [one for one in commits._voice.drain() if isinstance(one, Connected)]


def hashed(make):
    _, octets = encode_chain((CONNECTED,))
    return HashPayload(make(octets)), CONNECTED


WORDS = {
    "none": (CONNECTED,),
    "informational": hashed(lambda rest: KEYS.phase2_hash(7, b"", rest)),
    "third": hashed(lambda rest: KEYS.connected(7, rest)),
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("kind", [Exchange.QUICK, Exchange.INFORMATIONAL])
@pytest.mark.parametrize("chained", [True, False])
def test_it_is_taken_in_every_form_once(commits, word, kind, chained):
    message = last_word(*word, kind=kind, iv=IV if chained else KEYS.phase2_iv(KEYS.first_iv, 7))
    commits.receive(*message)
    assert said(commits) == [Connected(40)]
    assert 7 not in commits


WRONG = {
    "hash": (hashed(lambda _rest: b"wrong" * 6), Reason.BAD_HASH),
    "word": ((NotifyPayload(1, 3, bytes(4), Notify.REPLAY_STATUS),), Reason.UNEXPECTED),
}


@pytest.mark.parametrize(("word", "reason"), WRONG.values(), ids=WRONG)
def test_what_is_none_is_ignored_and_it_may_still_come(commits, word, reason):
    with pytest.raises(IkeError) as caught:
        commits.receive(*last_word(*word))
    assert caught.value.reason is reason
    assert said(commits) == []
    commits.receive(*last_word(CONNECTED))
    assert said(commits) == [Connected(40)]


def test_in_clear_it_is_nothing(commits):
    datagram, _ = seal(COOKIES, Exchange.QUICK, 7, (CONNECTED,), None, b"")
    with pytest.raises(IkeError):
        commits.receive(Header.decode(datagram[:HEADER_OCTETS]), datagram)
    assert 7 in commits


def test_only_so_many_are_remembered(commits):
    for number in range(100, 100 + REMEMBERED):
        commits.add(Ended(number), number)
    assert 7 not in commits
    assert 100 + REMEMBERED - 1 in commits
