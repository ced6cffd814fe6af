# SPDX-License-Identifier: Apache-2.0
"""One wish per protection, however many packets want it."""

from ringfence.ike.wishes import PATIENT_REPEATS, Wish, Wishes, key_of
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
PATH = path_between(POLICY.local, POLICY.remote)


def wish(protocol=None):
    policy = POLICY.with_(protocol=protocol)
    (entry,) = policy.compiled()[0]
    return Wish(entry, policy.selector, PATH)


def test_by_what_they_compete_for():
    wishes = Wishes()
    one, other = wish(), wish(6)
    wishes.add(one)
    wishes.add(other)
    assert len(wishes) == 2
    assert wishes.get(key_of(PATH, POLICY.selector)) is one
    assert list(wishes) == [one, other]
    wishes.remove(one)
    assert one not in wishes
    assert other in wishes


def test_a_wish_of_the_same_key_is_not_the_same_wish():
    wishes, old = Wishes(), wish()
    wishes.add(wish())
    wishes.remove(old)
    assert len(wishes) == 1
    assert old not in wishes


def test_flows_are_remembered_once_and_not_without_end():
    one = wish()
    for port in (1, 2, 2, 3, 4):
        one.add(POLICY.flow()._replace(source_port=port), most=3)
    assert [flow.source_port for flow in one.flows] == [1, 2, 3]


def test_a_quick_mode_that_is_not_heard_does_not_insist():
    one = wish()
    assert not one.insists
    one.nonce = b"n"
    assert one.insists
    one.repeats = PATIENT_REPEATS
    assert not one.insists


def test_towards_a_peer_that_knows_no_such_rule_none_insists():
    one = wish()
    one.nonce, one.may_insist = b"n", False
    assert not one.insists
