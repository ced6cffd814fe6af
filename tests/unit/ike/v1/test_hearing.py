# SPDX-License-Identifier: Apache-2.0
"""What a peer says by itself; deletes, suspicions and repetition are in test_session.py, questions in test_probe.py."""

import hmac

import pytest

from ringfence.audit import MessageIgnored
from ringfence.databases.proposal import Protocol
from ringfence.ike.effects import SendMessage
from ringfence.ike.errors import Reason
from ringfence.ike.happening import FirstContact, PeerDeleted
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1.channel import open_encrypted, seal
from ringfence.ike.v1.informational import protected
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import DeletePayload, NoncePayload, NotifyPayload
from ringfence.ike.v1.session import Session
from ringfence.ike.world import World
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
COOKIES = (b"initiate", b"response")


def side(policy, cookies, *, initiator):
    world = World(SeededRandom(policy.local), IkeSettings())
    world.spd, world.pad = policy.compiled()
    path = path_between(policy.local, policy.remote)
    return Session(1, path, cookies, tuple(world.pad), world, initiator=initiator)


def hand(session, datagram):
    return session.receive(Header.decode(datagram[:HEADER_OCTETS]), datagram, session.path)


def said(outputs):
    return [output.datagram for output in outputs if isinstance(output, SendMessage)]


def talk(messages):
    """Main mode up to the message with that number."""
    a, b = side(POLICY, (COOKIES[0], bytes(8)), initiator=True), side(POLICY.mirrored(), COOKIES, initiator=False)
    (datagram,) = said(a.begin(None, first_contact=lambda: False))
    header = Header.decode(datagram[:HEADER_OCTETS])
    (datagram,) = said(b.answer(header, datagram, first_contact=lambda: False))
    for number in range(2, messages):
        (datagram,) = said(hand((a, b)[number % 2], datagram))
    return a, b, datagram


def inform(sender, *payloads):
    sender._voice.inform(*payloads)
    return said(sender._voice.drain())[0]


def test_first_contact_under_the_keys():
    a, b, last = talk(6)
    hand(a, last)
    outputs = hand(b, inform(a, NotifyPayload(1, 1, b"", Notify.INITIAL_CONTACT)))
    assert FirstContact() in outputs


def test_nobody_is_asked_or_told_anything_before_main_mode_is_over():
    """Keys alone prove nothing: whoever did the key exchange with us has them."""
    a, b, _ = talk(4)
    keys = b._voice.keys
    for number, kind in enumerate((Notify.R_U_THERE, Notify.R_U_THERE_ACK, Notify.INITIAL_CONTACT), 1):
        notify = NotifyPayload(1, 1, b"".join(COOKIES), kind, bytes(4))
        iv = b._voice.phase2_iv(number)
        datagram, _ = seal(COOKIES, Exchange.INFORMATIONAL, number, protected(keys, number, notify), keys, iv)
        outputs = hand(b, datagram)
        assert said(outputs) == []
        assert not any(isinstance(output, FirstContact) for output in outputs)
        ignored = [
            output.event.reason for output in outputs if isinstance(getattr(output, "event", None), MessageIgnored)
        ]
        assert ignored == ([] if kind is Notify.INITIAL_CONTACT else [Reason.UNEXPECTED.value])
    assert a.agreed is b.agreed is None


def acknowledged(*payloads):
    """Two ends, a message of the one with these payloads, and what the other says and does."""
    a, b, last = talk(6)
    hand(a, last)
    datagram = inform(a, *payloads)
    return a, b, datagram, hand(b, datagram)


def test_a_delete_with_a_nonce_is_answered_under_its_own_number():
    nonce, delete = NoncePayload(b"the nonce of who deletes"), DeletePayload(1, 3, (b"spi1", b"spi2"))
    a, _, datagram, outputs = acknowledged(nonce, delete)
    (answer,) = said(outputs)
    assert [output for output in outputs if isinstance(output, PeerDeleted)] == [
        PeerDeleted(Protocol.ESP, (int.from_bytes(b"spi1"), int.from_bytes(b"spi2")))
    ]
    header = Header.decode(answer[:HEADER_OCTETS])
    assert answer[16:24] == datagram[16:24], "first payload, version, exchange, flags and number are the same"
    chain, _ = open_encrypted(header, answer, a._voice.keys, datagram[-16:])
    hash_2, fresh, again = chain
    assert again == delete
    assert len(fresh.data) == 32
    assert fresh != nonce
    keys = a._voice.keys
    mac = hmac.new(keys.a.reveal(), nonce.data + datagram[20:24] + chain.behind_first(), "sha256").digest()
    assert hash_2.data == mac


def test_it_is_answered_again_and_deletes_once():
    _, b, datagram, outputs = acknowledged(NoncePayload(b"a nonce "), DeletePayload(1, 3, (b"spi1",)))
    again = hand(b, datagram)
    assert said(again) == said(outputs)
    assert not any(isinstance(output, PeerDeleted) for output in again)


@pytest.mark.parametrize(
    "payloads",
    [
        (DeletePayload(1, 3, (b"spi1",)),),
        (NoncePayload(b"a nonce "), NotifyPayload(1, 1, b"", Notify.INITIAL_CONTACT)),
    ],
)
def test_nothing_else_is_answered(payloads):
    *_, outputs = acknowledged(*payloads)
    assert said(outputs) == []
