# SPDX-License-Identifier: Apache-2.0
"""Lifetimes of both phases between two hosts, and the commit bit of a peer that does as Windows does."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, assert_one_pair, pair, receives
from ringfence.audit import MainModeEnded, MainModeEstablished, MessageExchanged, QuickModeEstablished
from ringfence.databases.proposal import Limits
from ringfence.ike.header import HEADER_OCTETS, Exchange, Flags, Header
from ringfence.ike.v1.channel import seal
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import NotifyPayload
from ringfence.net.address import Path
from ringfence.testing.hosts import ESP_GCM, FAST_MAIN, method


def main(seconds=28800, octets=None):
    return (replace(FAST_MAIN, limits=Limits(seconds, octets)),)


def established(policy=POLICY, other=None):
    both = pair(policy, other)
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)
    return both


@pytest.mark.parametrize("short", [600, 28799])
def test_a_main_mode_lives_as_long_as_the_stricter_side_has_it(short):
    both = established(POLICY.with_(main=main()), POLICY.mirrored().with_(main=main(short)))
    for host in (both.a, both.b):
        (session,) = host.engine.ike_sas()
        assert session.proposal.limits == Limits(short)
        assert round(session.expires_at - session.made_at) == short
    (sixth,) = [each for each in both.a.of(MessageExchanged) if (each.exchange, each.number) == ("main mode", 6)]
    assert "N(RESPONDER-LIFETIME)" in sixth.payloads


def test_nothing_is_said_where_the_initiator_has_the_shorter_life():
    both = established(POLICY.with_(main=main(600)), POLICY.mirrored().with_(main=main()))
    assert not any("RESPONDER" in each.payloads for each in both.a.of(MessageExchanged))
    assert [host.engine.ike_sas()[0].proposal.limits for host in (both.a, both.b)] == [Limits(600)] * 2


def test_both_renew_and_nobody_is_left_with_a_dead_main_mode():
    both = established(POLICY.with_(main=main()), POLICY.mirrored().with_(main=main(120)))
    both.run(1000)
    assert len(both.a.of(MainModeEstablished)) >= 8
    assert {each.why for host in (both.a, both.b) for each in host.of(MainModeEnded)} == {
        "replaced by a newer one", "deleted by the peer",
    }  # fmt: skip
    assert_one_pair(both)


def test_quick_modes_under_way_outlive_a_new_main_mode():
    """Main modes change at every moment of many renewals, and no packet is ever lost."""
    policy = POLICY.with_(main=main(40), methods=(method(ESP_GCM, seconds=11),))
    both = established(policy)
    for _ in range(2400):
        both.run(0.05)
        for sender, receiver in ((both.a, both.b), (both.b, both.a)):
            child = sender.using()
            assert child is not None
            assert receives(receiver, child) is not None
    assert len(both.a.of(MainModeEstablished)) + len(both.b.of(MainModeEstablished)) >= 6
    assert len(both.a.of(QuickModeEstablished)) >= 10


def test_octets_that_run_out_sooner_than_thought_leave_no_gap():
    """With another make we send by the old SAs for a while after a renewal, unless there is nothing left of them."""
    both = established()
    old = both.a.using()
    for session in both.a.engine._sessions:
        session.agreed = replace(session.agreed, vendors=frozenset())
    both.network.do(both.a, both.a.engine.rekey_child(old.id, both.network.now, "octets"))
    both.run(1)
    assert both.a.using() is old
    both.network.do(both.a, both.a.engine.child_expired(old.id, both.network.now, "octets"))
    assert both.a.using().replaces == old.id
    both.run(1)
    assert_one_pair(both)


# The commit bit ----------------------------------------------------------------------------------------------------


class Committing:
    """Makes of a host one that sets the commit bit in message 2 and says CONNECTED in the end, where a test lets it."""

    def __init__(self, both):
        self.both = both
        both.network.passes = self.passes

    def passes(self, datagram, path):
        header = Header.decode(datagram[:HEADER_OCTETS])
        if header.exchange != Exchange.QUICK:
            return True
        from_responder = path.local.address == self.both.b.address
        if from_responder and Flags.COMMIT not in header.flags:
            self.both.network.inject(replace(header, flags=header.flags | Flags.COMMIT).over(datagram[28:]), path)
            return False
        if not from_responder and len(datagram) < 100:
            self.third = header, datagram, path
        return True

    def connect(self):
        header, datagram, path = self.third
        (session,) = [each for each in self.both.b.engine._sessions if each.agreed]
        word = NotifyPayload(1, 3, bytes(4), Notify.CONNECTED)
        cookies = header.initiator_cookie, header.responder_cookie
        fourth, _ = seal(cookies, Exchange.QUICK, header.message_id, (word,), session.agreed.keys, datagram[-16:])
        self.both.network.inject(fourth, Path(path.remote, path.local))


def test_we_send_once_a_peer_with_the_commit_bit_is_ready():
    both = pair()
    peer = Committing(both)
    both.wish(both.a)
    both.run(0.5)
    assert both.a.using() is None, "it has not said so"
    peer.connect()
    both.run(0.01)
    assert_one_pair(both)


def test_its_word_may_get_lost():
    both = pair()
    Committing(both)
    both.wish(both.a)
    both.run(0.9)
    assert both.a.using() is None
    both.run(0.5)
    assert_one_pair(both)
