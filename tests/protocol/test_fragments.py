# SPDX-License-Identifier: Apache-2.0
"""Large messages go in pieces between hosts that can, at once or when whole ones get lost ([MS-IKEE] §3.3)."""

import pytest

from protocol.pairs import POLICY, assert_one_pair, pair
from ringfence.audit import MessageExchanged, MessageIgnored
from ringfence.ike.v1.fragment import FRAGMENT
from ringfence.testing.hosts import AH_SHA256, ESP_CBC, ESP_GCM, method
from ringfence.testing.network import Link


def many(count):
    """Methods that make a large proposal."""
    return (*(method(ESP_CBC, AH_SHA256, seconds=3600 + n) for n in range(count)), method(ESP_GCM))


LARGE = POLICY.with_(methods=many(15))
MIDDLE = POLICY.with_(methods=many(5))


def pieces(both):
    return [datagram for _, _, datagram in both.network.seen if datagram[16] == FRAGMENT]


def agreed(policy, other=None, *, seconds=5, passes=None, **more):
    both = pair(policy, other, **more)
    if passes is not None:
        both.network.passes = passes
    both.wish(both.a)
    both.run(seconds)
    return both


def test_a_large_message_goes_in_pieces_at_once():
    both = agreed(LARGE)
    assert_one_pair(both)
    assert len(pieces(both)) >= 3
    assert all(len(datagram) <= 576 - 32 for datagram in pieces(both))
    told = [event for event in both.a.of(MessageExchanged) if "fragments" in event.payloads]
    assert [(event.exchange, event.number, event.sent) for event in told] == [("quick mode", 1, True)]
    assert f"(in {len(pieces(both))} fragments)" in told[0].payloads
    assert both.b.of(MessageIgnored) == []


def test_a_smaller_one_does_so_once_it_gets_lost():
    both = agreed(MIDDLE)
    assert pieces(both) == []
    both = agreed(MIDDLE, passes=lambda datagram, _path: len(datagram) <= 576 - 32)
    assert_one_pair(both)
    assert len(pieces(both)) >= 2
    assert len([e for e in both.a.of(MessageExchanged) if e.sent and "(again) (in " in e.payloads]) == 1


@pytest.mark.parametrize("who", ["we", "they", "nobody"])
def test_only_between_hosts_whose_policies_both_let_them(who):
    mine, theirs = LARGE.with_(fragmentation=who == "we"), LARGE.mirrored().with_(fragmentation=who == "they")
    both = agreed(mine, theirs)
    assert_one_pair(both)
    assert pieces(both) == []


def test_pieces_are_not_taken_where_the_policy_takes_none():
    whole = agreed(LARGE)
    both = agreed(POLICY.with_(fragmentation=False))
    (info,) = both.a.engine.ike_sas()
    forged = info.initiator_cookie + info.responder_cookie + pieces(whole)[0][16:]
    both.network.inject(forged, both.a.engine.ike_sas()[0].path)
    both.run(1)
    assert [event.reason for event in both.b.of(MessageIgnored)] == ["payload-type"]


@pytest.mark.parametrize("seed", range(6))
def test_bad_weather(seed):
    both = agreed(LARGE, seed=seed, seconds=60, link=Link((0.01, 0.2), loss=0.15, double=0.2))
    assert_one_pair(both)


def test_forged_pieces_cost_a_repetition_at_most():
    both = pair(LARGE)
    both.wish(both.a)
    both.run(0.055)  # main mode is all but over
    (info,) = both.b.engine.ike_sas()
    template = pieces(agreed(LARGE))[0]
    for number in range(1, 60):
        forged = info.initiator_cookie + info.responder_cookie + template[16:32] + bytes([0, 1, number % 7, 0])
        datagram = forged + bytes(100)
        datagram = datagram[:24] + len(datagram).to_bytes(4) + datagram[28:30] + (108).to_bytes(2) + datagram[32:]
        both.network.inject(datagram, both.a.engine.ike_sas()[0].path)
    both.run(20)
    assert_one_pair(both)


def test_pieces_of_another_ike_sa_and_pieces_in_pieces():
    both = agreed(POLICY)
    (info,) = both.a.engine.ike_sas()
    cookies = info.initiator_cookie + info.responder_cookie
    template = pieces(agreed(LARGE))[0]

    def send(inner):
        body = bytes(2) + (8 + len(inner)).to_bytes(2) + bytes([0, 9, 1, 1]) + inner
        head = cookies + bytes([FRAGMENT]) + template[17:24] + (28 + len(body)).to_bytes(4)
        both.network.inject(head + body, info.path)
        both.run(1)

    send(b"nothing")
    send(template[:24] + (28).to_bytes(4))
    send(cookies + template[16:24] + (28).to_bytes(4))
    assert [event.reason for event in both.b.of(MessageIgnored)] == ["malformed"] * 3
    assert_one_pair(both)
