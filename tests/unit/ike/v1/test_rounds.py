# SPDX-License-Identifier: Apache-2.0
"""Questions between main mode and quick mode, message by message; what they come to is in protocol/test_xauth.py."""

import pytest

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.flood import Bucket
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1 import informational, modeconfig
from ringfence.ike.v1.channel import seal
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.payloads import HashPayload
from ringfence.ike.v1.rounds import Rounds, ask
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.world import World
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom
from ringfence.testing.script import Script

KEYS = main_keys()
COOKIES = b"initiate", b"response"
QUESTION = modeconfig.ask_user()


@pytest.fixture
def rounds():
    world = World(SeededRandom(1), IkeSettings())
    voice = Speaker(path_between("192.0.2.1", "192.0.2.2"), COOKIES, Env(SeededRandom(1)), Bucket(1))
    voice.keys, voice.last_block = KEYS, KEYS.first_iv
    talk = Conversation(voice, world, lambda _running, _result: None)
    return Rounds(1, voice, talk, world, lambda _made: None)


def question(*payloads, number=7):
    datagram, _ = seal(COOKIES, Exchange.TRANSACTION, number, payloads, KEYS, KEYS.phase2_iv(KEYS.first_iv, number))
    return Header.decode(datagram[:HEADER_OCTETS]), datagram


def test_an_answer_has_the_hash_of_its_own():
    script = Script(ask(KEYS, 7, QUESTION), message_id=7, kind=Exchange.TRANSACTION)
    script.asks(*informational.protected(KEYS, 7, QUESTION))
    right = modeconfig.payload(modeconfig.Form.REPLY, [(modeconfig.User.NAME, b"alice")])
    script.refuses(Reason.BAD_HASH, HashPayload(bytes(32)), right)
    assert script.gets(*informational.protected(KEYS, 7, right)).returns() == right


@pytest.mark.parametrize("payloads", [
    informational.protected(KEYS, 7, QUESTION), (HashPayload(bytes(32)), QUESTION),
    informational.protected(KEYS, 7, modeconfig.status(passed=True)),
])  # fmt: skip
def test_before_the_computers_have_proved_themselves_nothing_is_answered(rounds, payloads):
    with pytest.raises(Ignored):
        rounds.receive(*question(*payloads), None)
    assert 7 not in rounds._voice.ids
    assert rounds._voice.drain() == []
