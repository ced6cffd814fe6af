# SPDX-License-Identifier: Apache-2.0
"""Deletes that are repeated until they are heard; whole ones are in protocol/test_reliable_deletes.py."""

import pytest

from ringfence.ike.effects import SendMessage
from ringfence.ike.errors import IkeError, Reason
from ringfence.ike.exchange import Env, Message
from ringfence.ike.flood import Bucket
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1 import informational
from ringfence.ike.v1.channel import open_encrypted, seal
from ringfence.ike.v1.conversation import Conversation
from ringfence.ike.v1.farewells import Farewells
from ringfence.ike.v1.payloads import HashPayload
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.world import World
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

KEYS = main_keys()
COOKIES = b"initiate", b"response"
DELETE = informational.delete_ike(*COOKIES)


@pytest.fixture
def farewells():
    world = World(SeededRandom(1), IkeSettings())
    voice = Speaker(path_between("192.0.2.1", "192.0.2.2"), COOKIES, Env(SeededRandom(1)), Bucket(1))
    voice.keys, voice.last_block = KEYS, KEYS.first_iv
    return Farewells(voice, Conversation(voice, world, lambda _running, _result: None))


def sent(farewells):
    return [one.datagram for one in farewells._voice.drain() if isinstance(one, SendMessage)]


def answer(datagram, change=lambda payloads: payloads):
    """What a peer says to that delete."""
    header = Header.decode(datagram[:HEADER_OCTETS])
    chain, iv = open_encrypted(header, datagram, KEYS, KEYS.phase2_iv(KEYS.first_iv, header.message_id))
    payloads = change(informational.acknowledgement(KEYS, Message(header, chain), b"their own nonce"))
    reply, _ = seal(COOKIES, Exchange.INFORMATIONAL, header.message_id, payloads, KEYS, iv)
    return Header.decode(reply[:HEADER_OCTETS]), reply


def test_said_repeated_and_heard(farewells):
    farewells.say(DELETE)
    (first,) = sent(farewells)
    assert Header.decode(first[:HEADER_OCTETS]).message_id in farewells
    assert farewells.next_timer == 1.0
    farewells._voice.env.now = 1.0
    farewells.tick()
    assert sent(farewells) == [first]
    assert farewells.next_timer == 3.0
    farewells.receive(*answer(first))
    assert not len(farewells)
    assert farewells.next_timer is None


WRONG = {
    "hash": (lambda payloads: (HashPayload(bytes(32)), *payloads[1:]), Reason.BAD_HASH),
    "no delete": (lambda payloads: payloads[:2], Reason.PAYLOAD_MISSING),
    "the question": (lambda payloads: informational.protected(KEYS, 1, *payloads[1:]), Reason.BAD_HASH),
}


@pytest.mark.parametrize(("change", "reason"), WRONG.values(), ids=WRONG)
def test_what_is_no_answer(farewells, change, reason):
    farewells.say(DELETE)
    (first,) = sent(farewells)
    with pytest.raises(IkeError) as caught:
        farewells.receive(*answer(first, change))
    assert caught.value.reason is reason
    assert len(farewells) == 1


def test_without_keys_there_is_nothing_to_say(farewells):
    farewells._voice.keys = None
    farewells.say(DELETE)
    assert not len(farewells)
