# SPDX-License-Identifier: Apache-2.0
"""RFC 7296 §2.21, sentence by sentence: who is told of which error, and what dies of it."""

import pytest
from unit.ike.v2.test_requests import Asked

from protocol.pairs import A, B, assert_nothing_left, assert_one_pair, pair
from protocol.test_ikev2_life import V2, established, renew
from ringfence.audit import MainModeEnded, MainModeFailed, MessageExchanged
from ringfence.ike.dispatch import header_of
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.exchange import conclude
from ringfence.ike.v2 import child, initial
from ringfence.ike.v2.channel import Frame, in_clear, is_response
from ringfence.ike.v2.informational import tell
from ringfence.ike.v2.notifies import Answered, Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import DeletePayload, NoncePayload, NotifyPayload
from ringfence.testing.network import path_between


def sent(host, kind=None):
    """What it has said, as events have it."""
    return [each.payloads for each in host.of(MessageExchanged) if each.sent and kind in (None, each.exchange)]


def answers(host, kind):
    return [each for each in host.sent if header_of(each).exchange == kind and is_response(header_of(each))]


def error(kind, spis, notify, message_id=0):
    """What somebody says in clear instead of b."""
    return in_clear(Frame(spis, kind, message_id, initiator=False, response=True), (NotifyPayload(notify),))


# §2.21.1: IKE_SA_INIT ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notify", [Notify.NO_PROPOSAL_CHOSEN, Notify.INVALID_SYNTAX, Notify.AUTHENTICATION_FAILED, 99])
def test_a_forged_refusal_of_ike_sa_init_is_not_acted_upon_at_once(notify):
    both = pair(V2)
    both.wish(both.a)
    (info,) = both.a.engine.ike_sas()
    both.network.inject(error(Kind.IKE_SA_INIT, (info.initiator_cookie, bytes(8)), notify), path_between(B, A))
    both.run(2)
    assert_one_pair(both)


def test_an_honest_one_has_its_name_in_the_end():
    both = pair(V2)
    both.network.passes = lambda _datagram, path: path.local.address == both.b.address
    both.wish(both.a)
    (info,) = both.a.engine.ike_sas()
    spis = info.initiator_cookie, bytes(8)
    both.network.inject(error(Kind.IKE_SA_INIT, spis, Notify.NO_PROPOSAL_CHOSEN), path_between(B, A))
    both.run(5)
    assert [each.reason for each in both.a.of(MainModeFailed)] == [Reason.NO_PROPOSAL.value]


# §2.21.2: IKE_AUTH -------------------------------------------------------------------------------------------------


def test_whatever_proves_nothing_is_answered_with_one_notify_alone():
    both = pair(V2, V2.mirrored().with_(key=b"another"))
    both.wish(both.a)
    both.run(3)
    assert sent(both.b, "IKE_AUTH") == ["N(AUTHENTICATION_FAILED)"]
    assert_nothing_left(both.b)


CHILD_ERRORS = {
    Notify.NO_PROPOSAL_CHOSEN: Reason.NO_PROPOSAL,
    Notify.TS_UNACCEPTABLE: Reason.WRONG_SELECTORS,
    Notify.SINGLE_PAIR_REQUIRED: Reason.SINGLE_PAIR,
    Notify.INTERNAL_ADDRESS_FAILURE: Reason.NO_ADDRESS,
    Notify.FAILED_CP_REQUIRED: Reason.NO_ADDRESS,
    Notify.NO_ADDITIONAL_SAS: Reason.NO_POLICY,
}


@pytest.mark.parametrize("notify", CHILD_ERRORS)
def test_the_ike_sa_stays_where_the_child_sa_fails(monkeypatch, notify):
    def refuses(*_args, **_kwargs):
        raise Answered(CHILD_ERRORS[notify], "not this one", notify)

    monkeypatch.setattr(initial, "grants", refuses)
    both = pair(V2)
    both.wish(both.a)
    both.run(1)
    assert sent(both.b, "IKE_AUTH") == [f"IDr AUTH N({notify.name})"]
    for host in (both.a, both.b):
        (info,) = host.engine.ike_sas()
        assert info.made_at is not None
        assert host.of(MainModeEnded) == []


def test_who_is_told_of_bad_syntax_beside_a_proof_has_no_ike_sa(monkeypatch):
    """As strongSwan says it whose policy makes no child SA along with the IKE SA."""

    def refuses(*_args, **_kwargs):
        raise Answered(Reason.NO_POLICY, "not this one", Notify.INVALID_SYNTAX)

    monkeypatch.setattr(initial, "grants", refuses)
    both = pair(V2)
    both.wish(both.a)
    both.run(3)
    (failed,) = both.a.of(MainModeFailed)
    assert "INVALID_SYNTAX" in failed.detail
    assert both.a.engine.ike_sas() == ()
    assert len(both.a.failures) == 1


@pytest.mark.parametrize("payloads", [
    (NoncePayload(bytes(32)),), (NotifyPayload(Notify.COOKIE, bytes(16)), NoncePayload(bytes(32))),
])  # fmt: skip
def test_a_malformed_request_of_ike_auth_gets_that_notify_and_nothing_of_it_is_looked_at(payloads):
    both = pair(V2)
    both.network.passes = lambda datagram, _path: header_of(datagram).exchange != Kind.IKE_AUTH
    both.wish(both.a)
    both.run(0.1)
    (ours,) = both.a.engine._sessions
    (request,) = ours._voice.made(Kind.IKE_AUTH, 1, payloads, response=False)
    both.network.passes = lambda _datagram, _path: True
    both.network.inject(request, path_between(A, B))
    both.run(0.05)
    assert sent(both.b, "IKE_AUTH") == ["N(INVALID_SYNTAX)"]
    assert [each.made_at for each in both.b.engine.ike_sas()] in ([], [None])
    assert not both.b.inbound


# §2.21.3: under an IKE SA ------------------------------------------------------------------------------------------


def test_each_request_with_an_error_has_an_answer_and_the_error_goes_with_it():
    asked = Asked()
    ground, entry = asked.ours._requests._ground(), asked.ours._world.spd.entries[0]
    wanted = child.Wanted(
        entry, V2.selector, b"n" * 32, old=(entry.processing.methods[0].transforms[0].protocol, 0x999)
    )
    (failed,) = asked(Kind.CREATE_CHILD_SA, child.initiate(ground, wanted, asked.ours._world.env))
    assert "CHILD_SA_NOT_FOUND" in failed.message
    assert asked.both.b.of(MainModeEnded) == []


def test_who_says_invalid_syntax_has_no_ike_sa_any_more_and_says_no_more():
    asked = Asked()
    (answer,) = asked(Kind.CREATE_CHILD_SA, tell(NoncePayload(bytes(16))))
    assert isinstance(answer, Aborted)
    assert "INVALID_SYNTAX" in answer.message
    assert len(asked.both.b.of(MainModeEnded)) == 1


@pytest.mark.parametrize("notify", [Notify.INVALID_SYNTAX, Notify.AUTHENTICATION_FAILED])
def test_who_is_told_so_ends_it_too_without_a_delete(monkeypatch, notify):
    def breaks(*_args, **_kwargs):
        yield from conclude(NotifyPayload(notify))
        raise Refused(Reason.COLLISION, "for the test")

    both = established()
    monkeypatch.setattr(child, "respond", breaks)
    before = len(sent(both.a, "INFORMATIONAL"))
    renew(both, both.a)
    both.run(1)
    (event,) = both.a.of(MainModeEnded)
    assert notify.name in event.why
    assert sent(both.a, "INFORMATIONAL")[before:] == [], "no delete for what the peer has not"
    assert both.a.using() is None


@pytest.mark.parametrize("notify", [Notify.NO_ADDITIONAL_SAS, Notify.TEMPORARY_FAILURE, 8191])
def test_any_other_error_ends_nothing_but_what_was_asked(monkeypatch, notify):
    def refuses(*_args, **_kwargs):
        yield from conclude(NotifyPayload(notify))
        raise Refused(Reason.COLLISION, "for the test")

    both = established()
    monkeypatch.setattr(child, "respond", refuses)
    renew(both, both.a)
    both.run(1)
    assert both.a.of(MainModeEnded) == []
    assert_one_pair(both)


@pytest.mark.parametrize("kind", [8191, 20000, 65535])
def test_unknown_notifies_in_a_request_mean_nothing(kind):
    asked = Asked()
    assert asked.tell(Kind.INFORMATIONAL, NotifyPayload(kind)) == []
    assert asked.both.b.of(MainModeEnded) == []


def test_an_error_in_a_response_is_answered_with_no_error():
    both = established()
    (theirs,) = both.b.engine._sessions
    both.network.passes = lambda datagram, path: path.local.address == both.a.address
    both.network.do(both.a, both.a.engine.child_unanswered(both.a.using().id, both.network.now))
    both.run(0.05)
    (answer,) = theirs._voice.made(Kind.INFORMATIONAL, 2, (DeletePayload(3, (b"short",)),), response=True)
    both.network.passes = lambda _datagram, _path: True
    both.network.inject(answer, path_between(B, A))
    both.run(1)
    assert not any("INVALID" in payloads for payloads in sent(both.a))


# §2.21.4: outside of an IKE SA -------------------------------------------------------------------------------------


def stranger_to(both):
    """b has forgotten the IKE SA of a, and gets a message of it."""
    request = next(
        datagram
        for _, path, datagram in both.network.seen
        if header_of(datagram).exchange == Kind.IKE_AUTH and path.local.address == both.a.address
    )
    both.restart(both.b)
    return request


def test_a_request_of_an_unknown_ike_sa_is_answered_in_clear_with_its_spis_and_its_number():
    both = established()
    request = stranger_to(both)
    both.network.inject(request, path_between(A, B))
    both.run(0.1)
    answer = both.b.sent[0]
    asked, said = header_of(request), header_of(answer)
    assert (said.initiator_cookie, said.responder_cookie) == (asked.initiator_cookie, asked.responder_cookie)
    assert (said.message_id, said.exchange, is_response(said)) == (asked.message_id, asked.exchange, True)
    assert set(sent(both.b)) == {"N(INVALID_IKE_SPI)"}


def test_a_response_of_an_unknown_ike_sa_is_answered_by_nothing():
    both = established()
    response = next(each for each in both.b.sent if header_of(each).exchange == Kind.IKE_AUTH)
    new = both.restart(both.a)
    both.network.inject(response, path_between(B, A))
    both.run(1)
    assert new.sent == []


@pytest.mark.parametrize("notify", [Notify.INVALID_IKE_SPI, Notify.INVALID_SPI, Notify.INVALID_SYNTAX])
def test_what_is_said_in_clear_changes_nothing_and_is_asked_about_seldom(notify):
    both = established()
    (info,) = both.a.engine.ike_sas()
    spis = info.initiator_cookie, info.responder_cookie
    before = len(both.a.sent)
    for number in range(20):
        both.network.inject(error(Kind.INFORMATIONAL, spis, notify, number), path_between(B, A))
        both.run(0.5)
    assert len(both.a.sent) - before <= 1, "one question whether the peer is there, in half a minute"
    assert both.a.of(MainModeEnded) == []
    assert_one_pair(both)


def test_a_packet_by_an_unknown_spi_is_told_under_the_ike_sa():
    both = established()
    before = len(sent(both.b))
    (sa,) = both.a.using().outbound
    both.network.do(both.b, both.b.engine.unknown_spi(sa.protocol, 0x7777, path_between(B, A), both.network.now))
    both.run(1)
    (message,) = [each for each in both.b.of(MessageExchanged) if each.sent][before:]
    assert message.encrypted
    assert_one_pair(both)
