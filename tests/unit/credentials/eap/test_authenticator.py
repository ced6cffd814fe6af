# SPDX-License-Identifier: Apache-2.0
"""The side that wants a proof, packet by packet (RFC 3748 §5)."""

import pytest

from ringfence.credentials.eap.authenticator import MOST_RESPONSES, Authenticator, Passed, Refused
from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.credentials.eap.method import Telling
from ringfence.credentials.eap.packet import Code, Packet, Type
from ringfence.secret import Secret

KEY = Secret(b"k" * 64)


def one_question(name, _identifier):
    answered = yield b"ask " + name.encode()
    if answered != b"right":
        raise Denied("wrong")
    return KEY


def on_and_on(_name, _identifier):
    while True:
        yield b""


def request(octets):
    packet = Packet.decode(octets)
    assert packet.code is Code.REQUEST
    return packet


def respond(side, to, kind, data=b""):
    return side.answer(Packet(Code.RESPONSE, to.identifier, kind, data).encode())


def begun(*kinds, ask=one_question, name=b"alice"):
    side = Authenticator(dict.fromkeys(kinds or (Type.GTC, Type.MD5), ask), 254)
    first = request(side.begin())
    assert (first.type, first.identifier) == (Type.IDENTITY, 254)
    return side, respond(side, first, Type.IDENTITY, name)


def test_a_whole_conversation():
    side, octets = begun()
    asked = request(octets)
    assert (asked.type, asked.data, asked.identifier) == (Type.GTC, b"ask alice", 255)
    assert respond(side, asked, Type.GTC, b"right") == Passed(Packet(Code.SUCCESS, 255).encode(), "alice", KEY)


def test_who_has_heard_why_may_go():
    def tells(_name, _identifier):
        yield Telling(b"no", "wrong")

    side, octets = begun(ask=tells)
    assert request(octets).data == b"no"
    assert side.told == '"alice": wrong'


def test_the_wrong_answer_is_refused():
    side, octets = begun()
    assert respond(side, request(octets), Type.GTC, b"no") == Refused(
        Packet(Code.FAILURE, 255).encode(), "alice", "wrong"
    )


def test_another_method_is_offered_once():
    side, octets = begun()
    second = request(respond(side, request(octets), Type.NAK, bytes((Type.MD5, Type.TLS))))
    assert (second.type, second.identifier) == (Type.MD5, 0)
    assert isinstance(respond(side, second, Type.NAK, bytes((Type.GTC,))), Refused)


def test_no_other_method_once_one_is_under_way():
    side, octets = begun(ask=on_and_on)
    second = request(respond(side, request(octets), Type.GTC))
    assert isinstance(respond(side, second, Type.NAK, bytes((Type.MD5,))), Refused)


@pytest.mark.parametrize("name", [b"", b"\0alice", b"\xff", b"a" * 254, b"al\nice"])
def test_nobody_is_let_in_without_a_name(name):
    assert isinstance(begun(name=name)[1], Refused)


def test_a_name_ends_with_a_zero():
    assert request(begun(name=b"alice\0networkid=x")[1]).data == b"ask alice"


def test_old_and_foreign_packets_are_no_answers():
    side, octets = begun()
    asked = request(octets)
    others = (Code.RESPONSE, 254), (Code.REQUEST, asked.identifier), (Code.SUCCESS, asked.identifier)
    for code, identifier in others:
        with pytest.raises(BadPacket):
            side.answer(Packet(code, identifier, Type.GTC).encode())
    assert isinstance(respond(side, asked, Type.MD5, b"right"), Refused)


def test_it_comes_to_an_end():
    side, octets = begun(ask=on_and_on)
    for _ in range(MOST_RESPONSES - 1):
        octets = respond(side, request(octets), Type.GTC)
    assert isinstance(respond(side, request(octets), Type.GTC), Refused)
