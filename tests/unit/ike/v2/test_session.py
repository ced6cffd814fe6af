# SPDX-License-Identifier: Apache-2.0
"""One IKE SA of IKEv2, as the engine sees it."""

import pytest
from protocol.pairs import POLICY, pair

from ringfence.ike.effects import SendMessage
from ringfence.ike.errors import Reason
from ringfence.ike.happening import Left, Suspicion
from ringfence.ike.header import Header
from ringfence.ike.lifetime import IkeState
from ringfence.ike.v2.channel import Frame, in_clear
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.testing.network import path_between

V2 = POLICY.with_(keying=(2,))


@pytest.fixture
def both():
    made = pair(V2)
    made.wish(made.a)
    made.run(1)
    return made


def session(host):
    (one,) = host.engine._sessions
    return one


def test_what_it_is(both):
    ours, theirs = session(both.a), session(both.b)
    assert (ours.initiator, theirs.initiator) == (True, False)
    assert ours.cookies == theirs.cookies
    assert ours.usable
    assert not ours.busy
    assert not ours.peer_behind_nat
    assert ours.next_timer is None
    assert ours.serves(ours.entry)
    assert not ours.serves(None)
    assert ours.entry.name == "peers"
    assert ours.rule == "lab"


def test_a_probe_asks_and_is_answered(both):
    ours, theirs = session(both.a), session(both.b)
    (sent,) = [each.datagram for each in ours.probe() if isinstance(each, SendMessage)]
    assert ours.busy
    assert ours.probe() == []
    both.network.do(both.b, both.b.engine.receive(sent, path_between(V2.remote, V2.local), both.network.now))
    both.run(1)
    assert not ours.busy
    assert theirs.usable


def test_a_last_word_is_awaited(both):
    ours = session(both.a)
    outputs = ours.delete((), itself=True)
    assert len([each for each in outputs if isinstance(each, SendMessage)]) == 1
    assert ours.closing
    assert not ours.usable
    assert ours.delete((), itself=True) == []
    ours._world.env.now = 1000.0
    for _ in range(10):
        outputs = ours.tick()
        ours._world.env.now += 100
        if Left() in outputs:
            break
    else:
        pytest.fail("it never gives up")


def test_a_hint_in_clear_is_only_a_suspicion(both):
    ours = session(both.a)
    frame = Frame(ours.cookies, Kind.INFORMATIONAL, 0, initiator=False, response=True)
    datagram = in_clear(frame, (NotifyPayload(Notify.INVALID_IKE_SPI),))
    outputs = ours.receive(Header.decode(datagram[:28]), datagram, ours.path)
    assert [each for each in outputs if isinstance(each, Suspicion)]
    assert ours.state is IkeState.ESTABLISHED


def test_ending_gives_up_what_waits(both):
    ours = session(both.a)
    ours.succeed()
    assert ours.busy
    assert ours.end_exchanges(Reason.PEER_DELETED, "why") == []
    assert ours.busy, "the answer to what was asked is awaited"


def test_in_another_version_nothing_is_said(both):
    ours = session(both.a)
    datagram = bytearray(in_clear(Frame(ours.cookies, Kind.INFORMATIONAL, 0, initiator=False, response=False), ()))
    datagram[17] = 0x10
    outputs = ours.receive(Header.decode(bytes(datagram[:28])), bytes(datagram), ours.path)
    assert not [each for each in outputs if isinstance(each, SendMessage)]
