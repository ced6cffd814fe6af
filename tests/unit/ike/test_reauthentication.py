# SPDX-License-Identifier: Apache-2.0
"""When both sides prove again who they are, and what an attempt comes to."""

from dataclasses import replace

import pytest
from protocol.pairs import POLICY, pair

from ringfence.databases.eap import EapAuth, EapMethod, Users
from ringfence.ike.due import Due
from ringfence.ike.happening import Limited
from ringfence.ike.lifetime import IkeState
from ringfence.ike.reauthentication import LEAST_S, _may_begin

V2 = POLICY.with_(keying=(2,))


class Host:
    """One of two hosts, and its IKE SA."""

    def __init__(self, **terms):
        self.both = pair(V2.with_(**terms))
        self.both.wish(self.both.a)
        self.both.run(1)
        self.host = self.both.a
        self.engine = self.host.engine
        self.world, self.timers = self.engine._world, self.engine._timers
        (self.session,) = self.engine._sessions

    def due(self, due=Due.REAUTHENTICATE, session=None):
        self.world.env.now = self.both.network.now
        self.engine._come_due(due, (session or self.session).id)
        self.both.network.do(self.host, self.engine._done())

    def when(self, session=None):
        return self.timers.when((Due.REAUTHENTICATE, (session or self.session).id))

    def others(self):
        return [each for each in self.engine._sessions if each is not self.session]


def test_the_initiator_does_so_before_the_responder():
    host = Host(reauthenticate_s=1000)
    assert 700 <= host.when() <= 801
    (session,) = host.both.b.engine._sessions
    assert 860 <= host.both.b.engine._timers.when((Due.REAUTHENTICATE, session.id)) <= 941
    assert host.timers.when((Due.UNPROVED, host.session.id)) == pytest.approx(1000, abs=1)


def test_nobody_wants_it_unless_the_policy_says_so():
    host = Host()
    assert host.when() is None
    assert host.timers.when((Due.UNPROVED, host.session.id)) is None


def test_what_the_peer_wants_counts_where_it_is_sooner():
    host = Host(reauthenticate_s=1000)
    own = host.when()
    host.engine._happen(host.session, Limited(100_000))
    assert host.when() == own
    host.engine._happen(host.session, Limited(100))
    assert host.when() < 100
    host.engine._happen(host.session, Limited(0))
    assert host.when() == pytest.approx(host.world.env.now + LEAST_S)


def test_contracts_are_made_anew_and_the_old_ike_sa_retires():
    host = Host()
    first = host.host.using().id
    host.due()
    (new,) = host.others()
    assert new.state is IkeState.NEGOTIATING
    assert [one.heir for one in host.world.anew] == [new.id]
    host.both.run(1)
    assert host.world.anew == []
    assert host.session.state is IkeState.SPENT
    assert host.host.using().id != first
    host.both.run(15)
    assert host.session.state is IkeState.GONE
    assert host.engine._sessions.get(new.id).usable


def test_not_while_something_is_under_way():
    host = Host()
    host.both.network.do(host.host, host.engine.rekey_child(host.host.using().id, host.both.network.now, "test"))
    host.due()
    assert host.others() == []
    assert host.when() == host.world.env.now + host.world.settings.moment_s
    host.both.run(2)
    assert len(host.others()) == 1


def test_not_twice_at_once():
    host = Host()
    host.due()
    host.due()
    assert len(host.others()) == 1


def test_nothing_to_keep_is_not_kept():
    host = Host()
    host.both.network.do(host.host, host.engine.delete_child(host.host.using().id, host.both.network.now, "test"))
    host.both.run(1)
    host.due()
    assert host.others() == []


def test_an_attempt_that_comes_to_nothing_is_made_again():
    host = Host()
    host.both.network.passes = lambda _datagram, _path: False
    host.due()
    host.both.run(32)
    assert host.others() == []
    assert host.world.anew == []
    assert host.session.usable
    assert host.when() > host.both.network.now
    host.both.network.passes = lambda _datagram, _path: True
    host.both.run(11)
    assert len(host.others()) == 1
    assert not host.session.usable


def test_a_rekeyed_ike_sa_is_followed():
    host = Host()
    host.due()
    (new,) = host.others()
    (attempt,) = host.world.anew
    host.world.hand_over(host.session.id, 77)
    host.world.hand_over(new.id, 78)
    assert (attempt.old, attempt.heir) == (77, 78)


def test_who_lets_users_in_waits_for_them():
    host = Host()
    way = EapAuth((EapMethod.MSCHAPV2,), None, None, Users("users", b""), None)
    entry = host.session.entry
    asks = replace(entry, auth=(way,))
    assert _may_begin(host.session, entry)
    assert _may_begin(host.session, asks), "who began may always"
    (session,) = host.both.b.engine._sessions
    assert _may_begin(session, entry)
    assert not _may_begin(session, asks)
