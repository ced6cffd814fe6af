# SPDX-License-Identifier: Apache-2.0
"""IKE SAs that live for less long than was thought."""

from dataclasses import replace

from protocol.pairs import POLICY, pair

from ringfence.audit import MainModeEnded, MainModeEstablished
from ringfence.databases.proposal import Limits
from ringfence.ike.happening import Shortened, Worn
from ringfence.testing.hosts import FAST_MAIN


def established(limits=None):
    main = replace(FAST_MAIN, limits=limits or Limits(28800))
    both = pair(POLICY.with_(main=(main,)))
    both.wish(both.a)
    both.run(1)
    (session,) = both.a.engine._sessions
    return both, session


def happen(both, what):
    (session,) = both.a.engine._sessions
    both.a.engine._take(session, [what])
    both.network.do(both.a, both.a.engine._done())


def test_a_peer_that_keeps_it_for_less():
    both, session = established()
    (before,) = both.a.engine.ike_sas()
    happen(both, Shortened(Limits(600)))
    (after,) = both.a.engine.ike_sas()
    assert before.expires_at == session.made_at + 28800
    assert after.expires_at == session.made_at + 600
    happen(both, Shortened(Limits(7200)))
    assert both.a.engine.ike_sas()[0].expires_at == session.made_at + 600, "only ever shorter"


def test_who_answered_does_not_obey():
    both, _ = established()
    (session,) = both.b.engine._sessions
    both.b.engine._take(session, [Shortened(Limits(600))])
    assert both.b.engine.ike_sas()[0].expires_at > 28000


def test_one_that_is_worn_is_replaced_and_then_ended():
    both, session = established()
    happen(both, Worn(out=False))
    both.run(1)
    assert len(both.a.of(MainModeEstablished)) == 2
    both.a.engine._take(session, [Worn(out=True)])
    both.network.do(both.a, both.a.engine._done())
    assert both.a.of(MainModeEnded)[-1].why == "all that may be encrypted under it has been"


def test_so_many_octets_are_encrypted_under_it_and_no_more():
    """A peer may offer such a limit; what it costs to renew contracts is counted on both sides."""
    both, _ = established(Limits(28800, 4096))
    for _ in range(12):
        (child,) = [each for each in both.a.engine.child_sas() if each.id == both.a.using().id]
        both.network.do(both.a, both.a.engine.rekey_child(child.id, both.network.now, "test"))
        both.run(60)
    made = both.a.of(MainModeEstablished)
    assert 3 <= len(made) <= 9
    assert both.a.using() is not None
    assert not both.a.engine._sessions.get(made[0].ike_id)
