# SPDX-License-Identifier: Apache-2.0
"""IKEv2 after its beginning: renewal without a gap, collisions, deletion, restart, weather."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.pairs import POLICY, assert_nothing_left, assert_one_pair, assert_tidy, pair, receives, talk
from ringfence.audit import KeyingChanged, MainModeEstablished, PeerDead, QuickModeEstablished
from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.ike.dispatch import header_of
from ringfence.ike.effects import RemoveChild
from ringfence.ike.flood import FloodLimits
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v2.channel import is_response
from ringfence.ike.v2.numbers import Kind
from ringfence.testing.hosts import ESP_GCM, FAST_MAIN, method
from ringfence.testing.network import PERFECT, Link

V2 = POLICY.with_(keying=(2,))
WEATHER = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32)
links = st.builds(
    Link,
    delay_s=st.sampled_from([(0.01, 0.01), (0.001, 0.3), (0.01, 1.5)]),
    loss=st.sampled_from([0.0, 0.1, 0.3]),
    double=st.sampled_from([0.0, 0.2]),
)


def established(policy=V2, other=None, **kwargs):
    both = pair(policy, other, **kwargs)
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)
    return both


def each_moment(both, seconds, step=0.05):
    """Let time pass, and look at both hosts often: whatever one sends by, the other receives by."""
    for _ in range(int(seconds / step)):
        both.run(step)
        for sender, receiver in ((both.a, both.b), (both.b, both.a)):
            child = sender.using()
            assert child is not None, f"nothing to send by at {both.network.now:.2f} s"
            assert receives(receiver, child) is not None, f"a packet is lost at {both.network.now:.2f} s"


def renew(both, *hosts):
    for host in hosts:
        both.network.do(host, host.engine.rekey_child(host.using().id, both.network.now, "storm"))


def renew_ike(both, *hosts):
    """As if the soft limit of the IKE SA were reached."""
    for host in hosts:
        engine = host.engine
        (session,) = [each for each in engine._sessions if each.usable]
        engine._world.env.now = both.network.now
        engine._pursuit.renew_ike(session)
        both.network.do(host, engine._done())


@pytest.mark.parametrize("pfs", [None, DhGroup.CURVE25519])
def test_renewal_leaves_no_gap(pfs):
    both = established(V2.with_(methods=(method(ESP_GCM, seconds=60),), pfs=pfs))
    each_moment(both, 200)
    a, _ = assert_one_pair(both)
    assert a.replaces is not None
    assert len(both.a.of(QuickModeEstablished)) >= 4
    assert len(both.a.engine.child_sas()) <= 2
    assert len(both.a.of(MainModeEstablished)) == 1


def test_the_ike_sa_is_renewed_and_its_contracts_go_along():
    main = replace(FAST_MAIN, limits=Limits(seconds=100))
    both = established(V2.with_(main=(main,)))
    each_moment(both, 250)
    for host in (both.a, both.b):
        (info,) = host.engine.ike_sas()
        assert info.children == (host.using().id,)
        assert len(host.of(MainModeEstablished)) >= 3
        assert len(host.of(QuickModeEstablished)) == 1
    renew(both, both.b)
    each_moment(both, 7)
    assert_one_pair(both)


@WEATHER
@given(seeds)
def test_both_renew_in_the_same_moment(seed):
    both = established(seed=seed)
    renew(both, both.a, both.b)
    each_moment(both, 7)
    a, b = assert_one_pair(both)
    assert a.replaces == b.replaces == 1
    both.run(60)
    assert_tidy(both)


@WEATHER
@given(seeds)
def test_both_renew_the_ike_sa_in_the_same_moment(seed):
    both = established(seed=seed)
    renew_ike(both, both.a, both.b)
    each_moment(both, 7)
    both.run(60)
    assert_tidy(both)
    for host in (both.a, both.b):
        (info,) = host.engine.ike_sas()
        assert info.children == (host.using().id,)
    ours, theirs = (host.engine.ike_sas()[0] for host in (both.a, both.b))
    assert (ours.initiator_cookie, ours.responder_cookie) == (theirs.initiator_cookie, theirs.responder_cookie)


@WEATHER
@given(seeds, st.booleans())
def test_one_renews_the_ike_sa_while_the_other_renews_a_child_sa(seed, swapped):
    both = established(seed=seed)
    one, other = (both.b, both.a) if swapped else (both.a, both.b)
    renew_ike(both, one)
    renew(both, other)
    each_moment(both, 30)
    both.run(60)
    assert_tidy(both)


def test_both_begin_in_the_same_moment():
    both = pair(V2)
    both.wish(both.a)
    both.wish(both.b)
    both.run(3)
    assert_one_pair(both)
    both.run(100)
    assert_tidy(both)


def settle(both):
    """The sky clears, packets go both ways, and time passes."""
    both.run(70)
    both.network.link = PERFECT
    for _ in range(40):
        talk(both)
        both.run(2)
    both.run(60)


@WEATHER
@given(seeds, links, st.floats(0, 3))
def test_both_begin_at_about_the_same_time(seed, link, apart):
    both = pair(V2, seed=seed, link=link)
    both.wish(both.a)
    both.run(apart)
    both.wish(both.b)
    settle(both)
    assert_tidy(both)


moves = st.tuples(st.sampled_from("ab"), st.sampled_from(["child", "child", "ike", "delete"]), st.floats(0, 1.5))


@WEATHER
@given(seeds, links, st.lists(moves, max_size=8))
def test_storms_from_both_sides(seed, link, storm):
    both = established(seed=seed)
    both.network.link = link
    for side, what, pause in storm:
        host = getattr(both, side)
        if host.using() is not None:
            now = both.network.now
            if what == "child":
                renew(both, host)
            elif what == "delete":
                both.network.do(host, host.engine.delete_child(host.using().id, now, "storm"))
            elif len([each for each in host.engine._sessions if each.usable]) == 1:
                renew_ike(both, host)
        both.run(pause)
    settle(both)
    assert_tidy(both)


@WEATHER
@given(seeds, links, st.floats(0, 5), st.sampled_from(["a", "b", "both"]))
def test_a_restart_at_any_moment(seed, link, when, who):
    both = pair(V2, seed=seed, link=link)
    both.wish(both.a)
    both.run(when)
    host = both.restart(both.b, seed)
    if who in ("a", "both"):
        both.wish(both.a)
    if who in ("b", "both"):
        both.wish(host)
    settle(both)
    assert_tidy(both)


def test_a_peer_that_lost_its_memory_is_found_out():
    both = established()
    both.restart(both.b)
    for _ in range(20):
        talk(both)
        both.run(3)
    assert_one_pair(both)


def test_a_peer_that_is_gone_is_given_up_with_all_under_it():
    both = established()
    both.network.remove(both.b)
    renew(both, both.a)
    both.run(100)
    assert_nothing_left(both.a)


def test_a_lost_delete_of_the_ike_sa_is_repeated():
    both = established()
    dropped = []

    def passes(datagram, _path):
        if len(dropped) < 3 and header_of(datagram).exchange == Kind.INFORMATIONAL:
            dropped.append(datagram)
            return False
        return True

    both.network.passes = passes
    (info,) = both.a.engine.ike_sas()
    both.network.do(both.a, both.a.engine.delete_ike(info.id, both.network.now, "why not"))
    both.run(20)
    assert len(dropped) == 3
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_a_repeated_request_is_answered_with_the_same_octets():
    both = established()
    renew(both, both.a)
    both.run(1)
    answers = [each for each in both.b.sent if is_response(header_of(each))]
    path, request = next(
        (path, datagram) for _, path, datagram in both.network.seen
        if header_of(datagram).exchange == Kind.CREATE_CHILD_SA and not is_response(header_of(datagram))
    )  # fmt: skip
    both.network.inject(request, path)
    both.run(1)
    again = [each for each in both.b.sent if is_response(header_of(each))]
    assert again[len(answers) :] == [next(each for each in answers if header_of(each).exchange == Kind.CREATE_CHILD_SA)]
    assert len(both.b.of(QuickModeEstablished)) == 2


def test_an_honest_peer_gets_through_under_load_by_its_cookie():
    both = pair(V2, settings=IkeSettings(flood=FloodLimits(cookies_from=0)))
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)
    assert [header_of(each).exchange for each in both.a.sent] == [Kind.IKE_SA_INIT, Kind.IKE_SA_INIT, Kind.IKE_AUTH]


@pytest.mark.parametrize("order", [(2, 1), (2,)])
def test_a_peer_that_speaks_ikev1_only(order):
    both = pair(V2.with_(keying=order), POLICY.mirrored())
    both.wish(both.a)
    both.run(60)
    if order == (2,):
        assert both.a.failures
        assert both.a.using() is None
        return
    assert_one_pair(both)
    (event,) = both.a.of(KeyingChanged)
    assert (event.was, event.now) == ("ikev2", "ikev1")
    assert {event.keying for event in both.a.of(MainModeEstablished)} == {"ikev1"}


def test_who_may_not_speak_ikev2_does_not_answer_it():
    both = pair(V2, POLICY.mirrored())
    both.wish(both.a)
    both.run(1)
    assert both.b.sent == []
    assert both.b.engine.ike_sas() == ()


def test_a_message_in_another_version_than_its_ike_sa_changes_nothing():
    both = pair(POLICY)
    both.wish(both.a)
    both.network.passes = lambda _datagram, path: path.local.address == both.a.address
    both.run(0.5)
    (first, *_), path = both.b.sent, next(path for _, path, datagram in both.network.seen if datagram == both.b.sent[0])
    both.network.passes = lambda _datagram, _path: True
    both.network.inject(first[:17] + b"\x20" + first[18:], path)
    before = len(both.a.sent)
    both.run(0.1)
    assert len(both.a.sent) == before
    both.network.inject(first, path)
    both.run(2)
    assert_one_pair(both)


def test_the_policy_says_after_how_long_a_contract_is_in_question():
    both = established()
    assert both.a.using().unanswered_s == both.b.using().unanswered_s == 30, "made with the IKE SA"
    renew(both, both.a)
    both.run(2)
    assert both.a.using().unanswered_s == both.b.using().unanswered_s == 30, "made under it"
    assert established(V2.with_(dead_peer=None)).a.using().unanswered_s is None


def test_a_pulled_cable():
    both = established()
    both.network.remove(both.b)
    both.network.do(both.a, both.a.engine.child_unanswered(both.a.using().id, both.network.now))
    both.run(100)
    (event,) = both.a.of(PeerDead)
    assert (event.peer, event.children) == (V2.remote, 1)
    assert_nothing_left(both.a)


def test_a_peer_that_is_there_says_so():
    both = established()
    both.network.do(both.a, both.a.engine.child_unanswered(both.a.using().id, both.network.now))
    both.run(100)
    assert both.a.of(PeerDead) == []
    assert_one_pair(both)


def test_what_we_renew_is_deleted_before_it_ends():
    """Some peers send by the old one until they hear that it is gone, and that may have to wait for something else."""
    policy = V2.with_(methods=(method(ESP_GCM, seconds=8),))
    both = pair(policy)
    both.wish(both.a)
    both.run(40)
    gone = [effect.why for _, effect in both.a.timeline if isinstance(effect, RemoveChild)]
    assert len(gone) >= 4
    assert set(gone) == {"replaced by its successor"}
