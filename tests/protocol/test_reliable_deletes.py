# SPDX-License-Identifier: Apache-2.0
"""Deletes that a peer like Windows answers: repeated until they are heard, and no longer than that."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, assert_nothing_left, assert_one_pair, pair
from ringfence.audit import MainModeEnded, MessageExchanged, MessageIgnored
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.v1.vendors import Vendor


def like_windows(*, both_ways=False):
    """Two hosts, of which the second is known to answer deletes."""
    both = pair(POLICY)
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)
    for host in (both.a, both.b) if both_ways else (both.a,):
        (session,) = host.engine._sessions
        session.agreed = replace(session.agreed, vendors=session.agreed.vendors | {Vendor.RELIABLE_DELETE})
    both.network.seen.clear()
    return both


def informational(both):
    return [
        (path.local.address == both.a.address, datagram)
        for _, path, datagram in both.network.seen
        if Header.decode(datagram[:HEADER_OCTETS]).exchange == Exchange.INFORMATIONAL
    ]


def said(host):
    return [event.payloads for event in host.of(MessageExchanged) if event.exchange == "informational"]


def delete_child(both):
    both.network.do(both.a, both.a.engine.delete_child(both.a.using().id, both.network.now, "test"))


def delete_ike(both):
    (info,) = both.a.engine.ike_sas()
    both.network.do(both.a, both.a.engine.delete_ike(info.id, both.network.now, "test"))


def test_one_that_is_heard_is_not_repeated():
    both = like_windows()
    delete_child(both)
    both.run(100)
    assert said(both.a) == ["HASH NONCE D", "HASH NONCE D"]
    assert len(informational(both)) == 2
    assert both.a.using() is None
    assert not both.b.inbound
    (session,) = both.a.engine._sessions
    assert not session.busy


@pytest.mark.parametrize("lost", [1, 3])
@pytest.mark.parametrize("answers", [False, True], ids=["deletes", "answers"])
def test_one_that_gets_lost_is(lost, answers):
    both = like_windows()
    dropped = []

    def passes(datagram, path):
        ours = path.local.address == both.a.address
        if ours is not answers and len(dropped) < lost:
            dropped.append(datagram)
            return False
        return True

    both.network.passes = passes
    delete_child(both)
    both.run(60)
    assert not both.b.inbound
    assert len(dropped) == lost
    assert len({datagram for ours, datagram in informational(both) if ours}) == 1, "the same message each time"
    (session,) = both.a.engine._sessions
    assert not session.busy


def test_an_ike_sa_lives_until_its_own_delete_is_heard_and_does_nothing_else():
    both = like_windows()
    dropped = []
    both.network.passes = lambda datagram, _path: len(dropped) >= 3 or dropped.append(datagram)
    delete_ike(both)
    assert both.a.engine.ike_sas() == ()
    assert len(both.a.of(MainModeEnded)) == 1
    assert both.a.engine.next_timer() is not None
    both.run(60)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_a_peer_that_is_gone_is_left_in_peace_in_the_end():
    both = like_windows()
    both.network.passes = lambda _datagram, _path: False
    delete_ike(both)
    both.run(200)
    assert_nothing_left(both.a)
    *_, delete = [datagram for ours, datagram in informational(both) if ours]
    assert len([1 for ours, datagram in informational(both) if ours and datagram == delete]) == 7


def test_others_are_told_once():
    both = pair(POLICY)
    both.wish(both.a)
    both.run(1)
    delete_child(both)
    both.run(60)
    assert said(both.a) == ["HASH D"]


def test_a_forged_answer_silences_nothing():
    both = like_windows()
    forged = []

    def passes(datagram, path):
        if path.local.address == both.b.address:
            bent = bytearray(datagram)
            bent[-1] ^= 1
            forged.append(bytes(bent))
            both.network.inject(bytes(bent), path)
            return False
        return len(forged) > 2 or True

    both.network.passes = passes
    delete_child(both)
    both.run(0.5)
    (session,) = both.a.engine._sessions
    assert session.busy
    assert both.a.of(MessageIgnored)
    both.network.passes = lambda _datagram, _path: True
    both.run(10)
    assert not session.busy


def test_both_delete_at_once():
    both = like_windows(both_ways=True)
    delete_ike(both)
    (info,) = both.b.engine.ike_sas()
    both.network.do(both.b, both.b.engine.delete_ike(info.id, both.network.now, "test"))
    both.run(200)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_this_host_stops():
    both = like_windows()
    both.network.do(both.a, both.a.engine.shut_down(both.network.now))
    both.run(60)
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)
