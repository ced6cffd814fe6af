# SPDX-License-Identifier: Apache-2.0
"""Numbers and repetition of questions; what they lead to is in protocol/test_dead_peers.py."""

import pytest

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.exchange import Env
from ringfence.ike.happening import PeerSilent
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, NotifyPayload, ProtocolId
from ringfence.ike.v1.probe import Probe
from ringfence.ike.window import Patience

PATIENCE = Patience(first_s=1, most_s=4, tries=3)


class Voice:
    """Notes what is said."""

    cookies = (b"initiate", b"response")

    def __init__(self):
        self.said = []

    def inform(self, notify):
        assert (notify.doi, notify.protocol, notify.spi) == (IPSEC_DOI, ProtocolId.ISAKMP, b"initiateresponse")
        self.said.append((notify.kind, int.from_bytes(notify.data)))

    def emit(self, output):
        self.said.append(output)


def probe(first):
    voice, env = Voice(), Env(lambda octets: first.to_bytes(octets))
    return Probe(voice, env), voice, env


def notify(kind, number, *, spi=b"initiateresponse", protocol=ProtocolId.ISAKMP):
    return NotifyPayload(IPSEC_DOI, protocol, spi, kind, number.to_bytes(4))


def test_numbers_begin_at_random_below_half_and_go_up_by_one():
    asks, voice, env = probe(0xFFFFFFFE)
    asks.ask(PATIENCE)
    asks.ask(PATIENCE)
    times = []
    while asks.due is not None:
        times.append(asks.due)
        env.now = asks.due
        asks.tick()
    first = 0x7FFFFFFE
    assert times == [1, 3, 7]
    assert voice.said[:3] == [(Notify.R_U_THERE, first), (Notify.R_U_THERE, first + 1), (Notify.R_U_THERE, first + 2)]
    assert voice.said[3:] == [PeerSilent("asked 3 times whether it is there, it did not answer")]
    asks.ask(PATIENCE)
    assert voice.said[-1] == (Notify.R_U_THERE, first + 3)


def test_nothing_is_asked_before_its_time():
    asks, voice, env = probe(5)
    asks.tick()
    asks.ask(PATIENCE)
    env.now = 0.9
    asks.tick()
    assert voice.said == [(Notify.R_U_THERE, 5)]


def test_only_a_number_that_is_asked_counts():
    asks, _, env = probe(5)
    asks.ask(PATIENCE)
    env.now = 1.0
    asks.tick()
    for number in (4, 7, 0):
        with pytest.raises(Ignored) as error:
            asks.take(notify(Notify.R_U_THERE_ACK, number))
        assert error.value.reason is Reason.UNEXPECTED
        assert asks.due is not None
    asks.take(notify(Notify.R_U_THERE_ACK, 5))
    assert asks.due is None
    with pytest.raises(Ignored):
        asks.take(notify(Notify.R_U_THERE_ACK, 6))


def test_one_question():
    asks, voice, env = probe(5)
    asks.ask(Patience(first_s=2, tries=1))
    env.now = 2.0
    asks.tick()
    assert voice.said[-1] == PeerSilent("asked once whether it is there, it did not answer")


def test_who_asks_is_answered():
    asks, voice, _ = probe(5)
    asks.take(notify(Notify.R_U_THERE, 77))
    asks.take(notify(Notify.R_U_THERE, 77, spi=b"broken"))
    assert voice.said == [(Notify.R_U_THERE_ACK, 77)] * 2
    for wrong in (notify(Notify.R_U_THERE, 1, protocol=3), NotifyPayload(1, 1, b"", Notify.R_U_THERE, bytes(3))):
        with pytest.raises(Ignored) as error:
            asks.take(wrong)
        assert error.value.reason is Reason.MALFORMED
