# SPDX-License-Identifier: Apache-2.0
"""Successors of IKE SAs, and what ends with one."""

import pytest
from protocol.pairs import POLICY, assert_nothing_left, pair
from unit.ike.v2.test_keys import CBC, ENDS, SECRET

from ringfence.audit import MainModeEnded, QuickModeEnded
from ringfence.ike.errors import Reason
from ringfence.ike.happening import Inherits, Left, Lost, Succeeded, SuccessionFailed
from ringfence.ike.lifetime import IkeState
from ringfence.ike.sessions import Due
from ringfence.ike.v2.keys import derive
from ringfence.ike.v2.rekey import Successor


class Host:
    """One of two hosts, and its IKE SA."""

    def __init__(self):
        self.both = pair(POLICY.with_(keying=(2,)))
        self.both.wish(self.both.a)
        self.both.run(1)
        self.host = self.both.a
        self.engine = self.host.engine
        (self.session,) = self.engine._sessions

    def happen(self, happening, session=None):
        self.engine._world.env.now = self.both.network.now
        self.engine._succession.happen(session or self.session, happening)
        self.both.network.do(self.host, self.engine._done())

    def made(self, *, initiator=True):
        return Successor(derive(CBC, SECRET, ENDS), initiator, b"")

    def others(self):
        return [each for each in self.engine._sessions if each is not self.session]

    def children(self, session):
        return [record.child.id for record in self.engine._world.children.of(session.id)]


def test_a_successor_takes_over_and_who_made_it_ends_the_old_one():
    host = Host()
    (child,) = host.children(host.session)
    host.happen(Succeeded(host.made(), inherits=True))
    (new,) = host.others()
    assert host.children(new) == [child]
    assert host.session.state is IkeState.GONE
    assert new.made_at == host.both.network.now
    assert host.engine._timers.when((Due.RENEW_IKE, new.id)) is not None
    assert host.host.of(QuickModeEnded) == []


def test_the_peers_successor_takes_over_and_the_old_one_waits_for_its_end():
    host = Host()
    (child,) = host.children(host.session)
    host.happen(Succeeded(host.made(initiator=False), inherits=True))
    (new,) = host.others()
    assert host.children(new) == [child]
    assert host.session.state is IkeState.SPENT
    assert host.engine._timers.when((Due.RETIRE_IKE, host.session.id)) is not None


def test_until_it_is_known_which_counts_nothing_moves():
    host = Host()
    (child,) = host.children(host.session)
    host.happen(Succeeded(host.made(initiator=False), inherits=False))
    (new,) = host.others()
    assert (host.children(host.session), host.children(new)) == ([child], [])
    assert host.engine._timers.when((Due.RETIRE_IKE, new.id)) is not None
    host.happen(Inherits(ENDS.spis))
    assert host.children(new) == [child]
    assert host.engine._timers.when((Due.RETIRE_IKE, new.id)) is None


def test_a_successor_that_does_not_count_ends():
    host = Host()
    host.happen(Succeeded(host.made(), inherits=False, closes=True))
    assert host.others() == []
    assert len(host.children(host.session)) == 1
    host.happen(Inherits(b"nobody has these."))


def test_a_failed_rekeying_is_tried_again():
    host = Host()
    host.happen(SuccessionFailed(Reason.COLLISION, "not now"))
    when = host.engine._timers.when((Due.RENEW_IKE, host.session.id))
    assert when == pytest.approx(host.both.network.now + host.engine._world.settings.retry_s)


def test_a_lost_peer_takes_all_with_it():
    host = Host()
    host.happen(Lost(Reason.PEER_SILENT, "no answer"))
    assert [event.why for event in host.host.of(MainModeEnded)] == ["no answer"]
    assert len(host.host.of(QuickModeEnded)) == 1
    assert_nothing_left(host.host)
    host.happen(Left())


def test_only_a_successor_of_this_version():
    with pytest.raises(TypeError):
        Host().happen(Succeeded(object(), inherits=True))
