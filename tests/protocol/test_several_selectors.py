# SPDX-License-Identifier: Apache-2.0
"""Several networks at each side of one tunnel, and one child SA for all of them (RFC 7296 §2.9)."""

from dataclasses import replace

import pytest

from protocol.warriors import Front, flow, selectors
from ringfence.audit import QuickModeEstablished, QuickModeFailed
from ringfence.ike.errors import Reason
from ringfence.ike.v2 import child
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.refusals import REASONS

EAST, WEST = "192.0.2.1", "203.0.113.5"


def net_to_net(here: str, there: str, mine: str, theirs: str) -> str:
    return f"""
[[rule]]
name = "branch"
keying = "ikev2"
local = {{ networks = [{mine}], gateway = "{here}" }}
remote = {{ networks = [{theirs}], gateway = "{there}" }}
auth = {{ psk-file = "people.psk" }}
"""


EASTERN, WESTERN = '"10.1.0.0/24", "10.1.1.0/24"', '"10.2.0.0/24", "10.2.1.0/24"'
ALL = [f"10.2.{west}.0/24 -> 10.1.{east}.0/24" for west in (0, 1) for east in (0, 1)]
FIRST = "branch/10.2.0.0/24 <-> 10.1.0.0/24"


def both(east: str = EASTERN, east_knows: str = WESTERN, west: str = WESTERN, west_knows: str = EASTERN):
    front = Front(net_to_net(EAST, WEST, east, east_knows))
    return front, front.start(net_to_net(WEST, EAST, west, west_knows), WEST)


def wish(front, host, source="10.2.0.1", destination="10.1.0.1"):
    entry = f"branch/{source.rpartition('.')[0]}.0/24 <-> {destination.rpartition('.')[0]}.0/24"
    front.network.acquire(host, entry, flow(source, destination))
    front.run()


def test_one_child_sa_is_for_all_pairs():
    front, west = both()
    wish(front, west)
    assert selectors(west) == ALL
    assert len(west.outbound) == len(front.gateway.outbound) == 1
    assert selectors(front.gateway) == sorted(" -> ".join(reversed(one.split(" -> "))) for one in ALL)
    (made,) = west.of(QuickModeEstablished)
    assert set(made.selector.split(", ")) == set(ALL)


def test_packets_that_wait_for_other_pairs_are_served_by_it():
    front, west = both()
    for source, destination in (("10.2.0.1", "10.1.0.1"), ("10.2.1.1", "10.1.0.1"), ("10.2.1.1", "10.1.1.1")):
        entry = f"branch/{source[:-2]}.0/24 <-> {destination[:-2]}.0/24"
        front.network.acquire(west, entry, flow(source, destination))
    front.run(10)
    assert len(west.outbound) == 1


def test_a_successor_carries_the_same():
    front, west = both()
    wish(front, west)
    front.run(3600 * 0.95)
    assert len(west.of(QuickModeEstablished)) > 1
    assert {str(one.selector) for one in west.using().shares} == set(ALL)


def test_the_responder_grants_what_both_have():
    front, west = both(east='"10.1.0.0/24"')
    wish(front, west)
    assert selectors(west) == ["10.2.0.0/24 -> 10.1.0.0/24", "10.2.1.0/24 -> 10.1.0.0/24"]
    assert len(west.outbound) == 1


def test_networks_within_networks_are_narrowed_each():
    front, west = both(east='"10.1.0.0/16"', west_knows=EASTERN)
    wish(front, west)
    assert selectors(west) == ALL
    assert selectors(front.gateway)[0] == "10.1.0.0/24 -> 10.2.0.0/24"


def test_a_policy_that_loses_one_of_them_ends_the_child_sa():
    front, west = both()
    wish(front, west)
    front.follow(west, net_to_net(WEST, EAST, '"10.2.0.0/24"', EASTERN), WEST)
    front.run()
    assert west.outbound == {}


def test_traffic_that_nobody_has_in_common_is_refused():
    front, west = both(east_knows='"10.3.0.0/24"')
    wish(front, west)
    assert selectors(west) == []
    assert {one.reason for one in west.of(QuickModeFailed)} == {Reason.WRONG_SELECTORS.value}
    assert len(front.gateway.of(QuickModeFailed)) == 2, "all together, and what is needed alone"


@pytest.mark.parametrize("notify", [Notify.SINGLE_PAIR_REQUIRED, Notify.TS_UNACCEPTABLE])
def test_a_peer_that_takes_one_pair_gets_one(monkeypatch, notify):
    plain = child.grants

    def picky(chain, ground, offered, env, *, first):
        if len(chain.one(child.TsInitiatorPayload).selectors) > 1:
            raise Answered(REASONS[notify], "one pair", notify)
        return plain(chain, ground, replace(offered, entries=offered.entries[:1]), env, first=first)

    monkeypatch.setattr("ringfence.ike.v2.initial.grants", picky)
    monkeypatch.setattr(child, "grants", picky)
    front, west = both()
    wish(front, west)
    assert selectors(west) == ["10.2.0.0/24 -> 10.1.0.0/24"]
