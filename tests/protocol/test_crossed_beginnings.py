# SPDX-License-Identifier: Apache-2.0
"""Both begin a main mode, one of them unheard at first: its repetition must not end what the other has made."""

from protocol.pairs import assert_one_pair, pair


def test_a_late_first_message_does_not_end_the_main_mode_that_the_peer_made():
    both = pair()
    lost = []
    both.network.passes = lambda datagram, path: path.local.address != both.a.address or bool(lost)
    both.wish(both.a)
    both.run(0.4)
    lost.append(True)
    both.wish(both.b)
    both.run(0.4)
    assert len(both.b.engine.child_sas()) == 1, "by the main mode of b"
    both.run(5)
    assert_one_pair(both)
    known = [{sa.initiator_cookie for sa in host.engine.ike_sas()} for host in (both.a, both.b)]
    assert known[0] == known[1], "neither believes in an IKE SA that the other has given up"
