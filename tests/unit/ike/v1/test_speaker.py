# SPDX-License-Identifier: Apache-2.0
"""What one IKE SA sends, with its IVs, and how it tells of it."""

from ringfence.audit import MessageIgnored
from ringfence.ike.effects import Report, SendMessage
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.exchange import Env, Message, Stepper, request
from ringfence.ike.flood import Bucket
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.rules import Role
from ringfence.ike.v1.channel import open_encrypted
from ringfence.ike.v1.informational import check
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import HashPayload, IdPayload, NotifyPayload, SaPayload
from ringfence.ike.v1.rules import MAIN_MODE, QUICK_MODE, Proof
from ringfence.ike.v1.running import Running
from ringfence.ike.v1.speaker import Speaker
from ringfence.ike.window import Patience
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

PATH = path_between("192.0.2.1", "192.0.2.2")
NOTIFY = NotifyPayload(1, 1, b"", Notify.INVALID_COOKIE)


def speaker(keys=None):
    voice = Speaker(PATH, (b"initiate", b"response"), Env(SeededRandom(0)), Bucket(2))
    if keys:
        voice.keys, voice.last_block = keys, keys.first_iv
    return voice


def sent(voice):
    return [output.datagram for output in voice.drain() if isinstance(output, SendMessage)]


def running(kind, rules, number):
    one = Running(kind, Role.INITIATOR, 0 if kind is Exchange.MAIN else 7, Stepper(request()), rules, Patience())
    one.number = number
    return one


def header_of(datagram):
    return Header.decode(datagram[:HEADER_OCTETS])


def test_main_mode_is_clear_up_to_message_4_even_with_keys():
    voice = speaker(main_keys())
    voice.say(running(Exchange.MAIN, MAIN_MODE[Proof.HASH], 3), ())
    voice.say(running(Exchange.MAIN, MAIN_MODE[Proof.HASH], 4), (IdPayload(1, 0, 0, bytes(4)), HashPayload(b"h")))
    clear, encrypted = sent(voice)
    assert not header_of(clear).encrypted
    assert header_of(encrypted).encrypted
    assert voice.last_block == encrypted[-16:]


def test_quick_modes_keep_ivs_of_their_own():
    voice = speaker(main_keys())
    one = running(Exchange.QUICK, QUICK_MODE[:3], 0)
    one.iv = voice.phase2_iv(7)
    before = voice.last_block
    voice.say(one, (HashPayload(b"h"), SaPayload(1, 1, ())))
    (datagram,) = sent(voice)
    assert one.iv == datagram[-16:]
    assert voice.last_block == before
    voice.say_again(one)
    assert sent(voice) == [datagram]


def test_every_message_is_told():
    voice = speaker(main_keys())
    one = running(Exchange.MAIN, MAIN_MODE[Proof.HASH], 4)
    voice.say(one, (IdPayload(1, 0, 0, bytes(4)),))
    voice.say_again(one)
    voice.heard(one, 6, (HashPayload(b""),), bytes(19) + b"\1" + bytes(80))
    told = [output.event for output in voice.drain() if isinstance(output, Report)]
    assert [(event.sent, event.number, event.payloads, event.encrypted) for event in told] == [
        (True, 5, "ID", True), (True, 5, "ID (again)", True), (False, 6, "HASH", True),
    ]  # fmt: skip
    voice.report_ignored(Ignored(Reason.BAD_HASH, "bad"))
    (output,) = voice.drain()
    assert output.event == MessageIgnored(peer="192.0.2.2", reason="bad-hash", detail="bad")


def test_protected_information():
    keys = main_keys()
    voice = speaker(keys)
    voice.inform(NOTIFY)
    voice.inform()
    (datagram,) = sent(voice)
    header = header_of(datagram)
    assert header.message_id
    assert header.message_id in voice.ids
    chain, _ = open_encrypted(header, datagram, keys, voice.phase2_iv(header.message_id))
    check(keys, Message(header, chain))
    assert chain.one(NotifyPayload) == NOTIFY


def test_without_keys_nothing_protected_is_said():
    voice = speaker()
    voice.inform(NOTIFY)
    assert voice.drain() == []
    assert voice.phase2_iv(1) == b""


def test_notifies_in_clear_are_limited():
    voice = speaker()
    for _ in range(5):
        voice.inform_in_clear(NOTIFY)
    assert len(sent(voice)) == 2


def test_message_ids_do_not_repeat():
    voice = speaker()
    numbers = [voice.new_message_id() for _ in range(100)]
    assert len(set(numbers)) == 100
    assert 0 not in numbers
