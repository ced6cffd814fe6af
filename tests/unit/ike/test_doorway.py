# SPDX-License-Identifier: Apache-2.0
"""From a first message to a half-open IKE SA; what happens under a real flood is in ``protocol/test_flood.py``."""

import pytest
from unit.ike.v1.test_firsts import PATH, SAID, first

from ringfence.audit import FirstMessagesFlood
from ringfence.ike.dispatch import header_of
from ringfence.ike.doorway import Doorway
from ringfence.ike.effects import Report, SendMessage
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.flood import FloodLimits
from ringfence.ike.header import VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import encode_chain
from ringfence.ike.sessions import Sessions
from ringfence.ike.settings import IkeSettings
from ringfence.ike.timers import Timers
from ringfence.ike.v1.payloads import KePayload, NoncePayload, VendorPayload
from ringfence.ike.world import World
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

STRANGER = path_between("192.0.2.1", "192.0.2.77")


class Door:
    def __init__(self, cookies_from):
        self.world = World(SeededRandom(0), IkeSettings(flood=FloodLimits(cookies_from=cookies_from)))
        self.world.spd, self.world.pad = HostPolicy("192.0.2.1", "192.0.2.2").compiled()
        self.out = []
        self.sessions = Sessions(self.world, Timers(), self.take)
        self.doorway = Doorway(self.world, self.sessions, self.take, self.out.append)

    def take(self, session, outputs):
        self.out.extend(outputs)
        self.sessions.noted(session)

    def sent(self):
        return [each.datagram for each in self.out if isinstance(each, SendMessage)]


def test_by_day_a_first_message_makes_an_ike_sa():
    door = Door(cookies_from=1)
    door.doorway.answer(*first(), PATH)
    (session,) = door.sessions
    assert header_of(door.sent()[0]).responder_cookie == session.cookies[1]


def test_under_load_the_third_message_does_and_nothing_is_said_twice():
    door = Door(cookies_from=0)
    door.doorway.answer(*first(), PATH)
    assert len(door.sessions) == 0
    (answer,) = door.sent()
    assert [each.event for each in door.out if isinstance(each, Report)] == [FirstMessagesFlood(count=1, half_open=0)]
    cookies = header_of(answer).initiator_cookie, header_of(answer).responder_cookie
    number, octets = encode_chain((KePayload(bytes(31) + b"\x09"), NoncePayload(bytes(32))))
    third = Header(*cookies, number, VERSION_1, Exchange.MAIN, Flags(0), 0).over(octets)
    assert not door.doorway.recall(header_of(third), third, STRANGER)
    assert door.doorway.recall(header_of(third), third, PATH)
    (session,) = door.sessions
    assert session.cookies == cookies
    assert door.sent().count(answer) == 1
    assert len(door.sent()) == 2
    assert open_payload(door.sent()[1]) == KePayload.NUMBER


def open_payload(message):
    return header_of(message).next_payload


@pytest.mark.parametrize("exchange", [Exchange.AGGRESSIVE, Exchange.BASE])
def test_under_load_only_main_mode_is_answered(exchange):
    door = Door(cookies_from=0)
    _, message = first()
    message = message[:18] + bytes([exchange]) + message[19:]
    with pytest.raises(Ignored) as raised:
        door.doorway.answer(header_of(message), message, PATH)
    assert raised.value.reason is Reason.HALF_OPEN_LIMIT


def test_whoever_the_policy_does_not_know_gets_nothing_at_any_time():
    for cookies_from in (0, 10):
        door = Door(cookies_from)
        with pytest.raises(Ignored) as raised:
            door.doorway.answer(*first(), STRANGER)
        assert raised.value.reason is Reason.NO_PEER
        assert door.out == []


def test_what_is_no_first_message_leaves_nothing():
    door = Door(cookies_from=10)
    with pytest.raises(IkeError):
        door.doorway.answer(*first((VendorPayload(bytes(16)),)), PATH)
    assert len(door.sessions) == len(door.world.half_open) == 0


def test_only_what_belongs_to_a_main_mode_is_recalled():
    door = Door(cookies_from=0)
    header, message = first(SAID)
    door.doorway.answer(header, message, PATH)
    cookie = header_of(door.sent()[0]).responder_cookie
    for at, octet in ((18, Exchange.INFORMATIONAL), (19, Flags.ENCRYPTED), (23, 1), (17, 0x20)):
        other = bytearray(message)
        other[8:16], other[at] = cookie, octet
        assert not door.doorway.recall(header_of(bytes(other)), bytes(other), PATH)
    assert len(door.sessions) == 0
