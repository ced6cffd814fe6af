# SPDX-License-Identifier: Apache-2.0
"""Whom to ask, how, and who is dead; the whole story is in protocol/test_dead_peers.py."""

from protocol.pairs import POLICY, pair

from ringfence.audit import PeerDead
from ringfence.databases.pad import DeadPeer
from ringfence.databases.spd import Spd
from ringfence.ike.liveness import RENEWAL_S


def test_contracts_that_are_gone_or_not_yet_made_are_in_no_question():
    both = pair()
    both.wish(both.a)
    for child_id in (1, 2):
        assert both.a.engine.child_unanswered(child_id, both.network.now) == []
        assert both.a.engine.child_answered(child_id, both.network.now) == []


def test_nobody_is_asked_where_the_policy_asks_nobody_any_more():
    both = pair()
    both.wish(both.a)
    both.run(2)
    spd, pad = POLICY.with_(dead_peer=None).compiled()
    both.network.do(both.a, both.a.engine.apply(spd, pad, both.network.now))
    (session,) = both.a.engine._sessions
    session.agreed = session.agreed.__class__(**{
        **{name: getattr(session.agreed, name) for name in session.agreed.__slots__}, "entry": next(iter(pad))
    })  # fmt: skip
    assert both.a.engine.child_unanswered(1, both.network.now) == []


def test_all_contracts_with_a_dead_peer_end_and_what_waits_goes_on():
    both = pair(POLICY.with_(dead_peer=DeadPeer(1, 1)))
    both.wish(both.a)
    both.run(2)
    both.network.remove(both.b)
    both.network.do(both.a, both.a.engine.child_unanswered(1, both.network.now))
    both.network.do(both.a, both.a.engine.rekey_child(1, both.network.now, "octets"))
    both.run(1.5)
    (dead,) = both.a.of(PeerDead)
    assert dead.children == 1
    assert [info.initiator for info in both.a.engine.ike_sas()] == [True], "the renewal is tried by a new main mode"
    both.run(60)
    assert both.a.engine.ike_sas() == ()


def test_a_renewal_asks_only_now_and_then():
    both = pair()
    both.wish(both.a)
    both.run(2)
    both.network.passes = lambda _datagram, _path: False
    both.a.engine._sessions.forget(next(iter(both.a.engine._sessions)))
    both.network.do(both.a, both.a.engine.apply(Spd(), both.a.engine._world.pad, both.network.now))
    assert RENEWAL_S >= 60
    assert both.a.engine.child_unanswered(1, both.network.now) == []
