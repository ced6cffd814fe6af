# SPDX-License-Identifier: Apache-2.0
"""A peer that says nothing any more: asked, given up, met again (RFC 3706)."""

import pytest

from protocol.pairs import POLICY, assert_one_pair, pair
from ringfence.audit import MainModeEnded, MessageExchanged, MessageIgnored, PeerDead, QuickModeEnded
from ringfence.databases.pad import DeadPeer
from ringfence.ike.header import Exchange
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v1 import vendors
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, NotifyPayload, ProtocolId, VendorPayload
from ringfence.ike.window import Patience

ASK = POLICY.with_(dead_peer=DeadPeer(30, 3))


def established(policy=ASK, **kwargs):
    both = pair(policy, **kwargs)
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)
    return both


def unanswered(both, host=None):
    host = host or both.a
    both.network.do(host, host.engine.child_unanswered(host.using().id, both.network.now))


def answered(both):
    both.network.do(both.a, both.a.engine.child_answered(1, both.network.now))


def asked(host, word="R-U-THERE"):
    """How often the host has said so."""
    return sum(event.sent and f"N({word})" in event.payloads for event in host.of(MessageExchanged))


def session(host):
    (found,) = host.engine._sessions
    return found


def numbers(host, kind):
    """Of the questions or answers that reach ``host``, from its own voice."""
    found = []
    voice = session(host)._hearing._probe._voice
    inform = voice.inform

    def listen(*payloads):
        found.extend(int.from_bytes(one.data) for one in payloads if getattr(one, "kind", None) == kind)
        inform(*payloads)

    voice.inform = listen
    return found


def test_the_policy_says_after_how_long_a_contract_is_in_question():
    assert established().a.using().unanswered_s == 30
    assert established(POLICY.with_(dead_peer=None)).a.using().unanswered_s is None


def test_a_peer_that_is_there_says_so_and_nothing_changes():
    both = established()
    questions, answers = numbers(both.a, Notify.R_U_THERE), numbers(both.b, Notify.R_U_THERE_ACK)
    for _ in range(3):
        unanswered(both)
        both.run(40)
    assert len(questions) == 3
    assert questions == answers == list(range(questions[0], questions[0] + 3))
    assert questions[0] < 1 << 31
    assert_one_pair(both)
    assert both.a.of(PeerDead) == both.a.of(QuickModeEnded) == []


def test_both_sides_may_ask_at_once():
    both = established()
    unanswered(both)
    unanswered(both, both.b)
    both.run(40)
    assert asked(both.a) == asked(both.b) == asked(both.a, "R-U-THERE-ACK") == asked(both.b, "R-U-THERE-ACK") == 1
    assert_one_pair(both)


def test_a_pulled_cable():
    both = established()
    both.network.passes = lambda _datagram, _path: False
    unanswered(both)
    both.run(1)
    unanswered(both)
    both.run(1.9)
    assert asked(both.a) == 2, "asked once more after a second, and not because somebody doubts again"
    assert_one_pair(both)
    both.run(5)
    assert asked(both.a) == 3
    assert not both.a.inbound
    assert not both.a.outbound
    assert both.a.engine.ike_sas() == both.a.engine.child_sas() == ()
    assert both.a.engine.next_timer() is None
    (dead,) = both.a.of(PeerDead)
    assert (dead.peer, dead.identity, dead.children) == (POLICY.remote, POLICY.remote, 1)
    assert dead.detail == "asked 3 times whether it is there, it did not answer"
    assert both.a.of(QuickModeEnded)[-1].why == both.a.of(MainModeEnded)[-1].why == "the peer is dead"


def test_after_that_the_next_packet_begins_anew():
    both = established()
    both.network.passes = lambda _datagram, _path: False
    unanswered(both)
    both.run(10)
    assert both.a.using() is None
    both.network.passes = lambda _datagram, _path: True
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)
    assert len(both.b.engine.ike_sas()) == 1, "what the peer had before is gone there, too"


@pytest.mark.parametrize("lost", [1, 2])
def test_lost_questions_and_lost_answers(lost):
    for sender in (0, 1):
        both = established()
        dropped = []

        def passes(datagram, path, both=both, dropped=dropped, sender=sender):
            mine = path.local.address == (both.a, both.b)[sender].address
            if mine and datagram[18] == Exchange.INFORMATIONAL and len(dropped) < lost:
                dropped.append(datagram)
                return False
            return True

        both.network.passes = passes
        questions = numbers(both.a, Notify.R_U_THERE)
        unanswered(both)
        both.run(60)
        assert len(dropped) == lost
        assert questions == list(range(questions[0], questions[0] + lost + 1))
        assert both.a.of(PeerDead) == []
        assert_one_pair(both)


def test_an_answer_that_crosses_the_next_question_counts():
    both = established()
    both.network.link = both.network.link.__class__(delay_s=(0.7, 0.7))
    unanswered(both)
    both.run(30)
    assert asked(both.a) == 2
    assert both.a.of(PeerDead) == []
    late = [event for event in both.a.of(MessageIgnored) if "nobody asks" in event.detail]
    assert len(late) == 1, "the answer to the second question comes when nobody asks any more"


def test_a_restarted_peer_is_met_again():
    both = established()
    both.restart(both.b)
    unanswered(both)
    both.run(10)
    assert both.a.of(PeerDead) == [], "it says that it does not know us"
    assert len(both.b.engine.ike_sas()) == 1, "so there is a new main mode"
    assert both.a.using() is None, "in it the peer has said that it has nothing with us"
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)


def test_answers_with_a_wrong_number_are_no_sign_of_life():
    both = established()
    probe = session(both.b)._hearing._probe
    probe._say = lambda kind, number, say=probe._say: say(kind, number + 1000)
    unanswered(both)
    both.run(20)
    assert asked(both.b, "R-U-THERE-ACK") == 3
    assert len(both.a.of(PeerDead)) == 1
    assert [event.reason for event in both.a.of(MessageIgnored)] == ["unexpected-message"] * 3


@pytest.mark.parametrize("data", [b"", b"\0\0\0", bytes(5), bytes(64)])
def test_questions_without_a_number_are_ignored(data):
    both = established()
    (info,) = both.a.engine.ike_sas()
    voice = session(both.b)._voice
    spi = info.initiator_cookie + info.responder_cookie
    for kind in (Notify.R_U_THERE, Notify.R_U_THERE_ACK):
        voice.inform(NotifyPayload(IPSEC_DOI, ProtocolId.ISAKMP, spi, kind, data))
    both.network.do(both.b, voice.drain())
    both.run(1)
    assert [event.reason for event in both.a.of(MessageIgnored)] == ["malformed"] * 2
    assert asked(both.a, "R-U-THERE-ACK") == 0
    assert_one_pair(both)


def test_what_comes_in_meanwhile_clears_the_peer():
    both = established()
    both.network.passes = lambda datagram, _path: datagram[18] != Exchange.INFORMATIONAL
    unanswered(both)
    both.run(4)
    answered(both)
    both.run(60)
    assert asked(both.a) == 3
    assert both.a.of(PeerDead) == []
    assert_one_pair(both)


def test_a_new_main_mode_meanwhile_clears_the_peer():
    both = established()
    both.network.passes = lambda datagram, _path: datagram[18] != Exchange.INFORMATIONAL
    unanswered(both)
    both.run(2)
    both.network.do(both.a, both.a.engine.delete_child(99, both.network.now, "nothing"))
    old = session(both.a)
    both.a.engine._pursuit.renew_ike(old)
    both.network.do(both.a, both.a.engine._done())
    both.run(60)
    assert both.a.of(PeerDead) == []
    assert_one_pair(both)


def test_questions_go_on_by_the_ike_sa_that_speaks_for_the_contract():
    both = established(ASK.with_(master_key_pfs=True))
    unanswered(both)
    both.run(10)
    assert asked(both.b, "R-U-THERE-ACK") == 1, "also where it makes no quick mode any more"
    assert_one_pair(both)


@pytest.fixture
def silent_about_dpd(monkeypatch):
    """Hosts that do not say that they answer questions, as Windows."""
    from ringfence.ike.v1 import main_mode

    monkeypatch.setattr(main_mode, "announced", lambda **_: (VendorPayload(vendors.OURS),))


def test_who_answers_no_questions_is_asked_by_a_renewal(silent_about_dpd):
    both = established()
    first = both.a.using()
    unanswered(both)
    both.run(5)
    a, _ = assert_one_pair(both)
    assert a.replaces == first.id
    assert asked(both.a) == 0
    unanswered(both)
    both.run(5)
    assert both.a.using().id != a.id, "it is another contract that is in question now"
    newest = both.a.using()
    both.run(100)
    unanswered(both)
    unanswered(both)
    both.run(5)
    assert len([e for e in both.a.of(MessageExchanged) if e.exchange == "quick mode" and e.sent and e.number == 1]) == 4
    assert both.a.using().replaces == newest.id


def test_and_is_dead_if_it_does_not_answer_a_main_mode_either(silent_about_dpd):
    patience = IkeSettings(patience=Patience(first_s=1, most_s=2, tries=2))
    both = established(settings=patience)
    both.network.passes = lambda _datagram, _path: False
    unanswered(both)
    both.run(2.9)
    assert_one_pair(both)
    both.run(6)
    (dead,) = both.a.of(PeerDead)
    assert dead.children == 1
    assert dead.detail.startswith("no answer: nobody there speaks IKE")
    assert both.a.using() is None
    assert both.a.engine.ike_sas() == ()


def test_without_an_ike_sa_a_renewal_asks():
    both = established()
    both.network.do(both.a, both.a.engine.child_unanswered(77, both.network.now))
    old = session(both.a)
    both.a.engine._sessions.forget(old)
    unanswered(both)
    both.run(3)
    assert asked(both.a) == 0
    assert both.a.using().replaces == 1
    assert len(both.a.engine.ike_sas()) == 1


def test_a_policy_that_asks_otherwise_keeps_what_there_is():
    both = established()
    both.network.do(both.a, both.a.engine.apply(*POLICY.with_(dead_peer=None).compiled(), both.network.now))
    both.run(1)
    assert_one_pair(both)
    assert both.a.of(MainModeEnded) == []
