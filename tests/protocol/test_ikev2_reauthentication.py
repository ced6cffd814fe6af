# SPDX-License-Identifier: Apache-2.0
"""IKEv2: both sides prove again who they are, and no packet is lost by it (RFC 7296 §2.8.3, RFC 4478)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.pairs import assert_nothing_left, assert_one_pair, assert_tidy
from protocol.test_ikev2_eap import client, let_in, server
from protocol.test_ikev2_life import V2, WEATHER, each_moment, established, links, renew, renew_ike, seeds, settle
from protocol.warriors import FRONT, POOL, Front
from ringfence.audit import MainModeEnded, MainModeEstablished, MainModeFailed, MessageExchanged
from ringfence.ike.dispatch import header_of
from ringfence.ike.due import Due
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.v2 import initial
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.stranger import begins
from ringfence.testing.network import Link

ANEW = 'main-mode = { reauthenticate = "60 s" }\n'
HOURLY = V2.with_(reauthenticate_s=60)


def beginnings(host):
    return [each for each in host.sent if begins(header_of(each))]


@pytest.mark.parametrize("who", ["initiator", "both"])
def test_everything_is_made_anew_and_nothing_is_lost(who):
    both = established(HOURLY, HOURLY.mirrored() if who == "both" else V2.mirrored())
    (old,) = both.a.engine.ike_sas()
    first = both.a.using()
    each_moment(both, 200)
    for host in (both.a, both.b):
        (info,) = [each for each in host.engine.ike_sas() if host.using().id in each.children]
        assert info.id != old.id
        assert len(host.of(MainModeEstablished)) >= 4
        assert len(host.engine.ike_sas()) <= 2
    assert both.a.using().id != first.id
    assert beginnings(both.b) == [], "it only answers"
    both.run(13)
    assert_one_pair(both)


def test_the_initiator_hears_of_it_and_the_responder_holds_to_it():
    both = established(V2, V2.mirrored().with_(reauthenticate_s=60))
    answer = both.a.of(MessageExchanged)[3]
    assert "N(AUTH_LIFETIME)" in answer.payloads
    each_moment(both, 150)
    assert len(both.a.of(MainModeEstablished)) >= 3
    assert beginnings(both.b) == [], "it waits for the initiator"


def test_a_proof_that_is_too_old_counts_no_more():
    policy = V2.with_(initiate=False, reauthenticate_s=60)
    both = established(V2, policy.mirrored())
    (session,) = both.a.engine._sessions
    both.a.engine._timers.drop((Due.REAUTHENTICATE, session.id))
    both.run(57)
    assert both.b.using() is not None
    both.run(3)
    (event,) = both.b.of(MainModeEnded)
    assert event.why == "nobody has proved anew in time who they are"
    assert_nothing_left(both.a)
    assert_nothing_left(both.b)


def test_who_answered_begins_where_the_initiator_does_not():
    both = established(V2, V2.mirrored().with_(reauthenticate_s=60))
    (session,) = both.a.engine._sessions
    both.a.engine._timers.drop((Due.REAUTHENTICATE, session.id))
    each_moment(both, 75)
    assert len(beginnings(both.b)) == 1
    assert len(both.b.of(MainModeEstablished)) == 2


def test_other_keys_are_no_other_proof():
    both = established(HOURLY)
    for _ in range(3):
        both.run(11)
        renew_ike(both, both.a)
    both.run(1)
    assert beginnings(both.a)[1:] == []
    each_moment(both, 25)
    assert len(beginnings(both.a)) == 2


def test_a_responder_may_say_it_later():
    both = established()
    (session,) = both.b.engine._sessions
    session._requests.inform(NotifyPayload(Notify.AUTH_LIFETIME, (8).to_bytes(4)))
    both.network.do(both.b, session._voice.drain())
    each_moment(both, 8)
    assert len(beginnings(both.a)) == 2
    session._requests.inform(NotifyPayload(Notify.AUTH_LIFETIME, b"\0"))
    both.network.do(both.b, session._voice.drain())
    each_moment(both, 20)
    assert len(beginnings(both.a)) == 2


def test_nobody_says_that_it_is_the_first_contact():
    both = established(HOURLY)
    both.run(55)
    said = [each.payloads for each in both.a.of(MessageExchanged) if each.payloads.startswith("IDi")]
    assert ["INITIAL_CONTACT" in each for each in said] == [True, False]
    assert "the peer has begun anew" not in {each.why for each in both.b.of(MainModeEnded)}


def test_a_peer_that_does_not_agree_now_is_asked_again():
    both = established(V2.with_(reauthenticate_s=300), V2.mirrored())
    both.network.passes = lambda datagram, _path: header_of(datagram).exchange != Kind.IKE_SA_INIT
    both.run(200)
    each_moment(both, 75)
    assert both.a.of(MainModeFailed)
    both.network.passes = lambda _datagram, _path: True
    each_moment(both, 20)
    assert len(both.a.of(MainModeEstablished)) == 2
    both.run(20)
    assert_tidy(both)


def reauthenticate(both, *hosts):
    """As if a proof were old enough."""
    for host in hosts:
        engine = host.engine
        engine._world.env.now = both.network.now
        for session in [each for each in engine._sessions if each.usable]:
            engine._reauthentication.come_due(Due.REAUTHENTICATE, session)
        both.network.do(host, engine._done())


moves = st.tuples(
    st.sampled_from("ab"), st.sampled_from(["anew", "anew", "child", "ike", "delete"]), st.floats(0, 1.5)
)  # fmt: skip


@WEATHER
@given(seeds, links, st.lists(moves, max_size=6))
def test_storms_from_both_sides(seed, link, storm):
    both = established(seed=seed)
    both.network.link = link
    for side, what, pause in storm:
        host = getattr(both, side)
        if host.using() is None:
            pass
        elif what == "anew":
            reauthenticate(both, host)
        elif what == "child":
            renew(both, host)
        elif what == "delete":
            both.network.do(host, host.engine.delete_child(host.using().id, both.network.now, "storm"))
        elif len([each for each in host.engine._sessions if each.usable]) == 1:
            renew_ike(both, host)
        both.run(pause)
    settle(both)
    assert_tidy(both)


@WEATHER
@given(seeds, st.sampled_from(["a", "b", "ab"]))
def test_nothing_is_lost_where_two_percent_of_all_messages_are(seed, who):
    both = established(seed=seed)
    both.run(60)
    both.network.link = Link(loss=0.02)
    reauthenticate(both, *(getattr(both, one) for one in who))
    each_moment(both, 30)
    both.run(60)
    assert_tidy(both)


def test_a_road_warrior_keeps_his_address():
    front = Front(POOL + FRONT + ANEW)
    alice = front.warrior()
    front.run()
    (assigned,) = alice.assigned.values()
    first = alice.using().id
    for _ in range(60):
        front.run()
        assert alice.using() is not None
        assert {one.given.addresses for one in alice.assigned.values()} == {assigned.given.addresses}
    assert alice.using().id != first
    front.run(15)
    assert len(alice.assigned) == 1
    assert len(alice.outbound) == len(front.gateway.outbound) == 1
    assert len(front.gateway.engine.ike_sas()) == 1


def test_a_user_proves_himself_again_and_is_not_let_in_when_he_cannot():
    both = let_in(client(), server(), changes={"reauthenticate_s": 60})
    each_moment(both, 58)
    (a, b) = (len(each.of(MainModeEstablished)) for each in (both.a, both.b))
    assert a == b == 2
    assert beginnings(both.b) == []


def test_what_is_refused_now_is_asked_for_later_under_the_new_ike_sa(monkeypatch):
    def refuses(*_args, **_kwargs):
        raise Refused(Reason.NO_POLICY, "not now")

    both = established(HOURLY, V2.mirrored())
    monkeypatch.setattr(initial, "grants", refuses)
    each_moment(both, 50)
    (old, new) = sorted(both.a.engine.ike_sas(), key=lambda info: info.id)
    assert (len(old.children), len(new.children)) == (1, 0)
    each_moment(both, 12)
    assert_one_pair(both)
    assert len(both.a.of(MainModeEstablished)) == 2, "the new IKE SA is there already"
    both.run(12)
    assert [info.id for info in both.a.engine.ike_sas()] == [new.id]
    assert_tidy(both)
