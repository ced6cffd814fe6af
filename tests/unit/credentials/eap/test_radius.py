# SPDX-License-Identifier: Apache-2.0
"""What is asked of a RADIUS server, and what its answers come to; a real one: tests/interop/test_eap.py."""

import socket

import pytest

from ringfence.credentials.eap.authenticator import Passed, Refused
from ringfence.credentials.eap.errors import BadPacket
from ringfence.credentials.eap.packet import Code, Packet, Type
from ringfence.credentials.eap.radius import Attribute, RadiusAuthenticator, Reply, Unreachable, ask
from ringfence.databases.eap import RadiusServer
from ringfence.secret import Secret

ONE, TWO = (RadiusServer(name, f"{name}.lab", Secret(b"s"), identifier=f"{name}-nas") for name in ("one", "two"))
ACCEPT, REJECT, CHALLENGE = 2, 3, 11
IDENTITY = Packet(Code.RESPONSE, 0, Type.IDENTITY, b"alice").encode()
QUESTION = Packet(Code.REQUEST, 1, Type.MD5, b"x" * 300).encode()


class Servers:
    """Answers in turn, and what was asked."""

    def __init__(self, *replies, silent=()):
        self.replies, self.silent, self.asked = list(replies), silent, []

    def __call__(self, server, attributes):
        self.asked.append((server.name, attributes))
        if server.name in self.silent:
            raise Unreachable("silent")
        return self.replies.pop(0)


def challenge(octets=QUESTION, state=b"s1"):
    return Reply(CHALLENGE, {Attribute.EAP_MESSAGE: [octets[:253], octets[253:]], Attribute.STATE: [state]})


def begun(servers, *names):
    side = RadiusAuthenticator(names or (ONE,), "192.0.2.7", servers)
    assert Packet.decode(side.begin()).type == Type.IDENTITY
    return side


def test_a_conversation_passes_through():
    key = Secret(b"k" * 64)
    servers = Servers(
        challenge(), Reply(ACCEPT, {Attribute.EAP_MESSAGE: [b"\3\1\0\4"], Attribute.USER_NAME: [b"Alice"]}, key)
    )
    side = begun(servers)
    assert side.answer(IDENTITY) == QUESTION
    assert side.answer(Packet(Code.RESPONSE, 1, Type.MD5, b"y").encode()) == Passed(b"\3\1\0\4", "Alice", key)
    (_, first), (_, second) = servers.asked
    assert first[Attribute.USER_NAME] == [b"alice"]
    assert first[Attribute.CALLING_STATION] == [b"192.0.2.7"]
    assert first[Attribute.NAS_IDENTIFIER] == [b"one-nas"]
    assert Attribute.STATE not in first
    assert second[Attribute.STATE] == [b"s1"]


def test_a_long_packet_goes_in_several_attributes():
    servers = Servers(challenge(), challenge())
    side = begun(servers)
    side.answer(IDENTITY)
    long = Packet(Code.RESPONSE, 1, Type.TLS, bytes(1000)).encode()
    side.answer(long)
    pieces = servers.asked[1][1][Attribute.EAP_MESSAGE]
    assert b"".join(pieces) == long
    assert max(map(len, pieces)) == 253


def test_a_refusal_says_what_the_server_says():
    side = begun(Servers(Reply(REJECT, {Attribute.REPLY_MESSAGE: [b"account", b"locked"]})))
    assert side.answer(IDENTITY) == Refused(b"\4\0\0\4", "alice", "account locked")


def test_a_verdict_counts_more_than_the_packet_in_it():
    side = begun(Servers(Reply(REJECT, {Attribute.EAP_MESSAGE: [b"\3\5\0\4"]})))
    assert side.answer(IDENTITY).packet == b"\4\5\0\4"


def test_the_next_server_is_asked_where_one_is_silent():
    servers = Servers(challenge(), challenge(), silent=("one",))
    side = begun(servers, ONE, TWO)
    side.answer(IDENTITY)
    side.answer(Packet(Code.RESPONSE, 1, Type.MD5).encode())
    assert [name for name, _ in servers.asked] == ["one", "two", "two"]
    with pytest.raises(Unreachable):
        begun(Servers(silent=("one", "two")), ONE, TWO).answer(IDENTITY)


@pytest.mark.parametrize("packet", [QUESTION, b"\2\1\0\5\4", b"\2"])
def test_what_is_no_answer_is_not_passed_on(packet):
    servers = Servers()
    with pytest.raises(BadPacket):
        begun(servers).answer(packet)
    assert not servers.asked


def test_a_challenge_has_to_be_a_request():
    with pytest.raises(BadPacket):
        begun(Servers(challenge(b"\3\1\0\4"))).answer(IDENTITY)


def test_a_server_that_is_not_there_is_named():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        server = RadiusServer("main", "127.0.0.1", Secret(b"s"), port, timeout_s=0.05, tries=2)
        with pytest.raises(Unreachable, match=f'"main" \\(127.0.0.1, port {port}\\) does not answer'):
            ask(server, {Attribute.USER_NAME: [b"alice"]})
        silent.settimeout(5)
        first, _ = silent.recvfrom(4096)
        second, _ = silent.recvfrom(4096)
    assert first == second
    assert 80 in first  # Message-Authenticator
