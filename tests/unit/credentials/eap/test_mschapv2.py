# SPDX-License-Identifier: Apache-2.0
"""MSCHAPv2 message by message, with the values of RFC 2759 §9.2."""

import pytest

from ringfence.credentials.eap import mschapv2
from ringfence.credentials.eap.errors import BadPacket, Denied
from ringfence.credentials.eap.method import Telling
from ringfence.secret import Secret

WORD = Secret(b"clientPass")
AUTHENTICATOR = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
PEER = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
RESPONSE = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
CHALLENGE = b"\x01\x2a\x00\x19\x10" + AUTHENTICATOR + b"srv1"
ANSWER = b"\x02\x2a\x00\x3a\x31" + PEER + bytes(8) + RESPONSE + b"\x00User"
PROOF = b"S=407A5589115FD0D6209F510FE9C04566932CDA56"


def success(text):
    return b"\x03\x2a" + (4 + len(text)).to_bytes(2) + text


def peer():
    made = mschapv2.answer(CHALLENGE, b"User", WORD, lambda octets: PEER[:octets])
    return made, next(made)


def server(password=WORD):
    values = iter((AUTHENTICATOR, b"\x2a", bytes(16), bytes(16)))
    return mschapv2.ask(password, lambda _: next(values), b"srv1")


def test_the_peers_side():
    made, reply = peer()
    assert reply.data == ANSWER
    assert not reply.done
    reply = made.send(success(PROOF + b" M=Welcome"))
    assert (reply.data, reply.done) == (b"\x03", True)
    assert reply.key is not None


@pytest.mark.parametrize("proof", [PROOF[:-1] + b"7", b"", PROOF.lower()])
def test_a_server_that_does_not_know_the_password_is_not_believed(proof):
    made, _ = peer()
    with pytest.raises(Denied, match="does not know"):
        made.send(success(proof))


@pytest.mark.parametrize(
    ("text", "why"),
    [(b"E=691 R=0", "wrong"), (b"E=648 R=0 C=00 V=3 M=x", "expired"), (b"E=99999 V", "refuses"), (b"\xff", "refuses")],
)
def test_a_failure_is_put_into_words(text, why):
    made, _ = peer()
    reply = made.send(b"\x04\x2a" + (4 + len(text)).to_bytes(2) + text)
    assert reply.data == b"\x04"
    assert not reply.done
    assert why in reply.refused


@pytest.mark.parametrize(
    "first", [b"", b"\x01", CHALLENGE[:20], b"\x03" + CHALLENGE[1:], CHALLENGE[:4] + b"\x0f" + CHALLENGE[5:]]
)
def test_what_is_no_challenge_is_refused(first):
    with pytest.raises(BadPacket):
        next(mschapv2.answer(first, b"User", WORD, bytes))


def test_the_servers_side():
    made = server()
    assert next(made) == CHALLENGE
    assert made.send(ANSWER) == success(PROOF + b" M=Welcome")
    with pytest.raises(StopIteration) as end:
        made.send(b"\x03")
    assert len(end.value.value) == 64


@pytest.mark.parametrize("password", [Secret(b"other"), None])
def test_a_wrong_password_is_told_and_denied(password):
    made = server(password)
    next(made)
    told = made.send(ANSWER)
    assert isinstance(told, Telling)
    assert told.data.startswith(b"\x04\x2a\x00")
    assert "wrong" in told.why
    with pytest.raises(Denied):
        made.send(b"\x04")


def test_a_peer_that_does_not_take_our_proof_has_no_key():
    made = server()
    next(made)
    made.send(ANSWER)
    with pytest.raises(Denied):
        made.send(b"\x04")


def test_a_password_that_is_no_text_cannot_be_used():
    with pytest.raises(BadPacket, match="not text"):
        mschapv2.hash_of(Secret(b"\xff"))
