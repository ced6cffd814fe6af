# SPDX-License-Identifier: Apache-2.0
"""What Windows' clusters want: to know who is new to them, and contracts that end soon without traffic."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, assert_one_pair, pair
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.v1.channel import open_clear
from ringfence.ike.v1.vendors import Vendor, recognised


def firsts(both):
    """What the first messages of main modes say of their senders."""
    found = []
    for _, _, datagram in both.network.seen:
        header = Header.decode(datagram[:HEADER_OCTETS])
        if header.exchange in (Exchange.MAIN, Exchange.AGGRESSIVE) and header.responder_cookie == bytes(8):
            found.append(recognised(open_clear(header, datagram)))
    return found


@pytest.mark.parametrize("aggressive", [False, True])
def test_who_has_nothing_with_a_peer_says_so_in_its_first_message(aggressive):
    both = pair(POLICY.with_(aggressive=aggressive))
    both.wish(both.a)
    both.run(1)
    assert Vendor.INITIAL_CONTACT in firsts(both)[0]
    both.run(28800)
    assert len(firsts(both)) > 1
    assert not any(Vendor.INITIAL_CONTACT in said for said in firsts(both)[1:]), "these are renewals"


@pytest.mark.parametrize("cluster", [False, True])
def test_with_a_cluster_contracts_end_after_a_minute_without_traffic(cluster):
    both = pair(POLICY)
    both.wish(both.a)
    both.run(1)
    (session,) = both.a.engine._sessions
    if cluster:
        session.agreed = replace(session.agreed, vendors=session.agreed.vendors | {Vendor.CLUSTER})
    both.network.do(both.a, both.a.engine.rekey_child(both.a.using().id, both.network.now, "test"))
    both.run(1)
    a, b = assert_one_pair(both)
    assert (a.idle_s == 60) is cluster
    assert b.idle_s != 60
