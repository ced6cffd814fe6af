# SPDX-License-Identifier: Apache-2.0
"""Clear traffic: remembered for a while outward, let in where a rule says so."""

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action
from ringfence.datapath.clear import SoftSas, refuse_clear
from ringfence.datapath.verdict import Drop
from ringfence.net.flow import FlowKey
from ringfence.testing.contracts import make_entry

A, B, C = (bytes([10, 0, 0, last]) for last in (1, 2, 3))
OUT, IN = FlowKey(A, B, 6, 1, 2), FlowKey(B, A, 6, 2, 1)
THIRD = OUT._replace(destination=C)
NET = Selector.between("10.0.0.0/24", "10.0.0.0/24")


def test_a_pair_of_hosts_under_an_entry():
    soft = SoftSas(300, 10)
    assert soft.next_timer() is None
    assert soft.find("rule", OUT, 0.0) == (None, False)
    assert soft.begin("rule", OUT, 0.0)
    (one,) = soft
    assert (one.entry, one.flow, one.since, one.until, one.last_used) == ("rule", OUT, 0.0, 300.0, None)
    assert soft.find("rule", OUT._replace(source_port=9, protocol=17), 299.0) == (one, False)
    assert soft.find("another", OUT, 1.0) == soft.find("rule", THIRD, 1.0) == (None, False)
    one.spend(2, 99, 5.0)
    one.spend(1, 1, 6.0)
    assert (one.packets, one.octets, one.last_used) == (3, 100, 6.0)


def test_traffic_renews_it_and_says_so_once():
    soft = SoftSas(300, 10)
    soft.begin("rule", OUT, 0.0)
    (one,) = soft
    assert soft.find("rule", OUT, 599.9) == (one, True)
    assert soft.find("rule", OUT, 600.0) == (one, False)
    assert (one.since, one.until) == (0.0, 899.9)
    assert not soft.begin("rule", OUT, 700.0)
    assert one.until == 1000.0


def test_without_traffic_it_ends():
    soft = SoftSas(300, 10)
    soft.begin("rule", OUT, 0.0)
    soft.begin("rule", THIRD, 10.0)
    assert soft.next_timer() == 600.0
    assert not soft.has("rule", OUT, 600.0)
    assert soft.find("rule", OUT, 600.0) == (None, False)
    assert soft.expire(599.0) == 0
    assert soft.expire(600.0) == 1
    assert len(soft) == 1
    soft.begin("rule", OUT, 601.0)
    assert [one.flow for one in soft] == [THIRD, OUT]


def test_one_that_ended_begins_anew():
    soft = SoftSas(300, 10)
    soft.begin("rule", OUT, 0.0)
    assert soft.begin("rule", OUT, 600.0), "that is news again"
    assert [one.since for one in soft] == [600.0]


def test_that_which_ends_first_is_forgotten_first():
    soft = SoftSas(300, 2)
    for number, at in ((1, 0.0), (2, 1.0), (1, 2.0), (3, 3.0)):
        soft.begin(str(number), OUT, at)
    assert [soft.has(str(number), OUT, 4.0) for number in (1, 2, 3)] == [True, False, True]


def test_an_sa_or_another_policy_ends_it():
    soft = SoftSas(300, 10)
    for entry, flow in (("rule", OUT), ("rule", THIRD), ("gone", OUT)):
        soft.begin(entry, flow, 0.0)
    soft.forget("rule", Selector.between("10.0.0.1", "10.0.0.2"))
    assert len(soft) == 2
    soft.keep({"rule"})
    assert soft.has("rule", THIRD, 1.0)
    assert len(soft) == 1


def test_what_may_come_in_clear():
    soft = SoftSas(300, 10)
    protect = make_entry(NET)
    assert refuse_clear(None, IN, soft, 0.0) is None
    assert refuse_clear(make_entry(NET, action=Action.BYPASS), IN, soft, 0.0) is None
    assert refuse_clear(make_entry(NET, action=Action.DISCARD), IN, soft, 0.0) is Drop.BLOCKED
    assert refuse_clear(protect, IN, soft, 0.0) is Drop.CLEAR_BUT_PROTECTION_REQUIRED
    assert refuse_clear(make_entry(NET, clear_in=True), IN, soft, 0.0) is None
    soft.begin("rule", OUT, 0.0)  # we talk to it in clear, so it may answer
    assert refuse_clear(protect, IN, soft, 10.0) is None
    assert refuse_clear(protect, OUT, soft, 10.0) is Drop.CLEAR_BUT_PROTECTION_REQUIRED
    assert refuse_clear(protect, IN, soft, 600.0) is Drop.CLEAR_BUT_PROTECTION_REQUIRED
