# SPDX-License-Identifier: Apache-2.0
"""An IKE SA as people see it."""

from protocol.pairs import POLICY, A, B, pair

from ringfence.ike.infos import info_of
from ringfence.ike.lifetime import IkeState


def test_what_there_is_to_see():
    both = pair(POLICY.with_(keying=(2,)))
    both.wish(both.a)
    (session,) = both.a.engine._sessions
    early = info_of(session, (), None)
    assert (early.state, early.remote_identity, early.proof, early.children) == (IkeState.NEGOTIATING, None, "", ())
    both.run(1)
    records = both.a.engine._world.children.of(session.id)
    late = info_of(session, records, 99.0)
    assert (str(late.local_identity), str(late.remote_identity)) == (A, B)
    assert (late.version, late.state, late.initiator, late.expires_at) == (2, IkeState.ESTABLISHED, True, 99.0)
    assert late.children == (both.a.using().id,)
    assert "key" in late.proof
