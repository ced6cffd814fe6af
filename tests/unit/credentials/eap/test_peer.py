# SPDX-License-Identifier: Apache-2.0
"""The side that proves itself, packet by packet (RFC 3748 §5)."""

import pytest

from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.credentials.eap.method import Reply
from ringfence.credentials.eap.packet import Code, Packet, Type
from ringfence.credentials.eap.peer import MOST_REQUESTS, LetIn, Peer
from ringfence.secret import Secret

KEY = Secret(b"k" * 64)


def echo(first, identifier):
    yield Reply(first + b"!")
    yield Reply(bytes((identifier(),)), done=True, key=KEY)


def asked(kind, data=b"", identifier=5):
    return Packet(Code.REQUEST, identifier, kind, data).encode()


def told(peer, kind, data=b"", identifier=5):
    answered = peer.answer(asked(kind, data, identifier))
    assert isinstance(answered, bytes)
    packet = Packet.decode(answered)
    assert (packet.code, packet.identifier) == (Code.RESPONSE, identifier)
    return packet.type, packet.data


@pytest.fixture
def peer():
    return Peer(b"alice", {Type.GTC: echo})


def test_a_whole_conversation(peer):
    assert told(peer, Type.IDENTITY) == (Type.IDENTITY, b"alice")
    assert told(peer, Type.NOTIFICATION, b"hello") == (Type.NOTIFICATION, b"")
    assert told(peer, Type.GTC, b"x") == (Type.GTC, b"x!")
    assert told(peer, Type.GTC, b"y", 9) == (Type.GTC, b"\x09")
    assert peer.answer(Packet(Code.SUCCESS, 9).encode()) == LetIn(KEY)


def test_another_method_is_declined_for_ours(peer):
    assert told(peer, Type.MD5) == (Type.NAK, bytes((Type.GTC,)))
    assert told(peer, Type.GTC, b"x") == (Type.GTC, b"x!")
    assert told(Peer(b"alice", {}), Type.MD5) == (Type.NAK, b"\0")


def test_a_method_that_has_begun_is_not_left_for_a_weaker_one():
    peer = Peer(b"alice", {Type.MSCHAPV2: echo, Type.GTC: echo})
    assert told(peer, Type.MSCHAPV2, b"x") == (Type.MSCHAPV2, b"x!")
    assert told(peer, Type.GTC, b"x")[0] == Type.NAK


def test_success_counts_only_when_the_method_is_through(peer):
    success = Packet(Code.SUCCESS, 5).encode()
    with pytest.raises(Denied):
        peer.answer(success)
    told(peer, Type.GTC, b"x")
    with pytest.raises(Denied):
        peer.answer(success)


def test_failure_and_nonsense_end_it(peer):
    with pytest.raises(Denied, match="does not let us in"):
        peer.answer(Packet(Code.FAILURE, 5).encode())
    with pytest.raises(BadPacket):
        peer.answer(Packet(Code.RESPONSE, 5, Type.IDENTITY).encode())
    told(peer, Type.GTC, b"x")
    told(peer, Type.GTC, b"x")
    with pytest.raises(BadPacket, match="through"):
        peer.answer(asked(Type.GTC))


def test_questions_without_end_are_given_up(peer):
    for _ in range(MOST_REQUESTS):
        told(peer, Type.IDENTITY)
    with pytest.raises(BadPacket, match="no end"):
        peer.answer(asked(Type.IDENTITY))
