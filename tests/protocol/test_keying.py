# SPDX-License-Identifier: Apache-2.0
"""Which version of IKE two hosts come to speak, how soon, and what somebody in between can make of that."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, Pair, assert_one_pair, assert_tidy, pair
from ringfence.audit import KeyingChanged, KeyingKept, MainModeEstablished
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.demand import Demand, Grant
from ringfence.databases.spd import Spd
from ringfence.ike.dispatch import header_of
from ringfence.ike.keying import FIRST_S
from ringfence.ike.lifetime import IkeState
from ringfence.ike.v2.numbers import Kind
from ringfence.testing.network import Link, MemoryHost

BOTH = POLICY.with_(keying=(2, 1))
ONLY_1, ONLY_2 = POLICY.with_(keying=(1,)), POLICY.with_(keying=(2,))


def made(host: MemoryHost) -> list[str]:
    return [event.keying for event in host.of(MainModeEstablished)]


def majors(host: MemoryHost) -> set[int]:
    """Versions that a host has said anything in."""
    return {header_of(each).major for each in host.sent}


def drop(both: Pair, version: int) -> None:
    """Somebody in between lets nothing of one version through."""
    both.network.passes = lambda datagram, _path: header_of(datagram).major != version


def test_a_peer_of_ikev1_costs_no_second_and_is_told():
    both = pair(BOTH, ONLY_1.mirrored())
    both.wish(both.a)
    both.run(0.9)
    assert_one_pair(both)
    assert made(both.a) == ["ikev1"]
    (changed,) = both.a.of(KeyingChanged)
    assert (changed.was, changed.now, changed.rule) == ("ikev2", "ikev1", "lab")
    assert "has not answered IKEv2" in changed.why
    both.run(60)
    assert_tidy(both)
    assert [sa.version for sa in both.a.engine.ike_sas()] == [1], "IKEv2 is not tried for ever"


def test_one_that_is_far_away_is_tried_by_both_and_speaks_the_first():
    both = pair(BOTH, link=Link(delay_s=(0.4, 0.4)))
    both.wish(both.a)
    both.run(30)
    assert majors(both.a) == {1, 2}
    assert made(both.a) == made(both.b) == ["ikev2"]
    assert not both.a.of(KeyingChanged)
    both.run(60)
    assert_tidy(both)


def test_a_lost_packet_does_not_decide():
    both = pair(BOTH)
    lost = [True]
    both.network.passes = lambda datagram, _path: header_of(datagram).major != 2 or not lost
    both.wish(both.a)
    both.run(0.9)
    assert made(both.a) == ["ikev1"]
    first, _ = assert_one_pair(both)
    lost.clear()
    both.run(2)
    assert made(both.a) == ["ikev1", "ikev2"]
    both.run(60)
    assert_tidy(both)
    assert both.a.using() != first
    assert [sa.version for sa in both.a.engine.ike_sas()] == [2]


def test_who_has_spoken_the_first_is_not_talked_down():
    both = pair(BOTH)
    both.wish(both.a)
    both.run(1)
    assert made(both.a) == ["ikev2"]
    drop(both, 2)
    new = both.restart(both.b)
    for sa in both.a.engine.ike_sas():
        both.network.do(both.a, both.a.engine.delete_ike(sa.id, both.network.now, "test"))
    both.wish(both.a)
    both.run(100)
    assert majors(both.a) == {2}
    assert majors(new) == set()
    (failure,) = both.a.failures
    assert failure.reason == "peer-silent"
    (kept,) = both.a.of(KeyingKept)
    assert (kept.keying, kept.instead) == ("ikev2", "ikev1")
    both.run(FIRST_S)
    both.wish(both.a)
    both.run(1)
    assert made(both.a) == ["ikev2", "ikev1"], "after an hour it may have become another"
    assert both.a.of(KeyingChanged)


def test_another_policy_knows_nothing_of_that():
    both = pair(BOTH)
    both.wish(both.a)
    both.run(1)
    drop(both, 2)
    both.network.do(both.a, both.a.engine.apply(*BOTH.with_(key=b"another").compiled(), both.network.now))
    both.wish(both.a)
    both.run(1)
    assert majors(both.a) == {1, 2}


def test_a_peer_that_begins_with_the_later_one_although_it_has_spoken_the_first_is_told():
    both = pair(BOTH)
    both.wish(both.a)
    both.run(1)
    for sa in both.a.engine.ike_sas():
        both.network.do(both.a, both.a.engine.delete_ike(sa.id, both.network.now, "test"))
    both.run(1)
    both.policy_b = ONLY_1.mirrored()
    both.restart(both.b)
    both.wish(both.b)
    both.run(1)
    assert made(both.a) == ["ikev2", "ikev1"]
    (changed,) = both.a.of(KeyingChanged)
    assert "the peer began so" in changed.why


def test_a_wrong_key_is_one_in_every_version():
    both = pair(BOTH, BOTH.with_(key=b"another key").mirrored())
    both.wish(both.a)
    both.run(60)
    assert majors(both.a) == {2}
    assert {one.reason for one in both.a.failures} == {"wrong-preshared-key"}


@pytest.mark.parametrize("later", [False, True], ids=["with the IKE SA", "under it"])
def test_a_refused_contract_leads_to_no_other_version_and_leaves_the_ike_sa(later):
    both = pair(BOTH)
    if later:
        both.wish(both.a)
        both.run(1)
    (entry,), pad = BOTH.mirrored().compiled()
    demand = Demand((Grant("files", admission=Admission((Pattern("carol.lab"),))),))
    both.network.do(both.b, both.b.engine.apply(Spd((replace(entry, demand=demand),)), pad, both.network.now))
    both.run(1)
    both.wish(both.a)
    both.run(60)
    assert majors(both.a) == majors(both.b) == {2}
    assert both.a.engine.child_sas() == both.b.engine.child_sas() == ()
    assert [len(host.engine.ike_sas()) for host in (both.a, both.b)] == [1, 1]


def test_silence_behind_the_first_answer_is_no_other_version():
    """Who lets the first messages of IKEv2 pass, and drops the proofs, does not get IKEv1 instead."""
    both = pair(BOTH)
    both.network.passes = lambda datagram, _path: header_of(datagram).exchange != Kind.IKE_AUTH
    both.wish(both.a)
    both.run(100)
    assert majors(both.a) == {2}
    (failure,) = both.a.failures
    assert failure.reason == "peer-silent"


def test_the_other_order():
    both = pair(POLICY.with_(keying=(1, 2)), ONLY_2.mirrored())
    both.wish(both.a)
    both.run(0.9)
    assert_one_pair(both)
    assert made(both.a) == ["ikev2"]
    (changed,) = both.a.of(KeyingChanged)
    assert (changed.was, changed.now) == ("ikev1", "ikev2")


def test_silence_in_all_versions_is_one_failure():
    both = pair(BOTH)
    both.network.remove(both.b)
    both.wish(both.a)
    both.run(0.15)
    assert majors(both.a) == {2}
    both.run(0.1)
    assert majors(both.a) == {1, 2}
    both.run(60)
    (failure,) = both.a.failures
    assert failure.reason == "peer-silent"
    assert both.a.engine.ike_sas() == ()
    assert both.a.engine.next_timer() is None


def test_what_nobody_has_heard_is_given_up_when_the_peer_begins():
    both = pair(BOTH)
    both.network.passes = lambda _datagram, path: path.local.address != both.a.address
    both.wish(both.a)
    both.run(3.1)
    both.network.passes = lambda _datagram, _path: True
    both.wish(both.b)
    both.run(60)
    assert_tidy(both)
    assert made(both.a) == made(both.b) == ["ikev2"]


def test_both_begin_at_once():
    for seed in range(5):
        both = pair(BOTH, seed=seed)
        both.wish(both.a)
        both.wish(both.b)
        both.run(60)
        assert_tidy(both)
        assert set(made(both.a)) == set(made(both.b)) == {"ikev2"}


def test_a_lossy_path_ends_in_one_version():
    for seed in range(8):
        both = pair(BOTH, seed=seed, link=Link(loss=0.25))
        both.wish(both.a)
        both.wish(both.b)
        both.run(200)
        assert_one_pair(both)
        states = [sa.state for sa in both.a.engine.ike_sas()]
        assert IkeState.NEGOTIATING not in states
