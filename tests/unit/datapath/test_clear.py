# SPDX-License-Identifier: Apache-2.0
"""Clear traffic: remembered for a while outward, let in where a rule says so."""

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action
from ringfence.datapath.clear import ClearPairs, refuse_clear
from ringfence.datapath.verdict import Drop
from ringfence.net.flow import FlowKey
from ringfence.testing.contracts import make_entry

A, B, C = (bytes([10, 0, 0, last]) for last in (1, 2, 3))
OUT, IN = FlowKey(A, B, 6, 1, 2), FlowKey(B, A, 6, 2, 1)
NET = Selector.between("10.0.0.0/24", "10.0.0.0/24")


def test_a_pair_is_remembered_for_a_while():
    pairs = ClearPairs(300, 10)
    assert pairs.next_timer() is None
    assert ("rule", OUT, 0.0) not in pairs
    assert pairs.remember("rule", OUT, 0.0)
    assert ("rule", OUT._replace(source_port=9, protocol=17), 299.0) in pairs
    assert ("rule", OUT, 300.0) not in pairs
    assert ("another", OUT, 1.0) not in pairs
    assert ("rule", OUT._replace(destination=C), 1.0) not in pairs
    assert not pairs.remember("rule", OUT, 100.0)
    assert pairs.next_timer() == 400.0
    assert pairs.expire(399.0) == 0
    assert pairs.expire(400.0) == 1
    assert len(pairs) == 0


def test_the_oldest_is_forgotten_first():
    pairs = ClearPairs(300, 2)
    for number, at in ((1, 0.0), (2, 1.0), (1, 2.0), (3, 3.0)):
        pairs.remember(str(number), OUT, at)
    assert [(str(number), OUT, 4.0) in pairs for number in (1, 2, 3)] == [True, False, True]


def test_an_sa_or_another_policy_ends_it():
    pairs = ClearPairs(300, 10)
    for entry, flow in (("rule", OUT), ("rule", OUT._replace(destination=C)), ("gone", OUT)):
        pairs.remember(entry, flow, 0.0)
    pairs.forget("rule", Selector.between("10.0.0.1", "10.0.0.2"))
    assert len(pairs) == 2
    pairs.keep({"rule"})
    assert ("rule", OUT._replace(destination=C), 1.0) in pairs
    assert len(pairs) == 1


def test_what_may_come_in_clear():
    pairs = ClearPairs(300, 10)
    protect = make_entry(NET)
    assert refuse_clear(None, IN, pairs, 0.0) is None
    assert refuse_clear(make_entry(NET, action=Action.BYPASS), IN, pairs, 0.0) is None
    assert refuse_clear(make_entry(NET, action=Action.DISCARD), IN, pairs, 0.0) is Drop.BLOCKED
    assert refuse_clear(protect, IN, pairs, 0.0) is Drop.CLEAR_BUT_PROTECTION_REQUIRED
    assert refuse_clear(make_entry(NET, clear_in=True), IN, pairs, 0.0) is None
    pairs.remember("rule", OUT, 0.0)  # we talk to it in clear, so it may answer
    assert refuse_clear(protect, IN, pairs, 10.0) is None
    assert refuse_clear(protect, OUT, pairs, 10.0) is Drop.CLEAR_BUT_PROTECTION_REQUIRED
    assert refuse_clear(protect, IN, pairs, 300.0) is Drop.CLEAR_BUT_PROTECTION_REQUIRED
