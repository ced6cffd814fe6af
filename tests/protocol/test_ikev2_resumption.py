# SPDX-License-Identifier: Apache-2.0
"""IKE SAs that are resumed by tickets (RFC 5723): when, by whom, for how long; and how nobody else comes in by one."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, assert_one_pair, pair
from protocol.test_certificates import ALICE, BOB, meet, own, way
from protocol.test_ikev2_certificates import V2 as CERTIFIED
from protocol.test_ikev2_life import established
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged
from ringfence.databases.admission import Admission, Pattern
from ringfence.databases.proposal import Limits
from ringfence.ike.effects import Unfit, Validate
from ringfence.ike.errors import Reason
from ringfence.ike.lifetime import IkeEvent
from ringfence.ike.v2.notifies import Notify
from ringfence.testing.hosts import FAST_MAIN

V2 = POLICY.with_(keying=(2,), resumption=True)
RESUME = 38


def cut(both, *hosts):
    """The hosts lose their IKE SAs as they do with a peer that does not answer."""
    for host in hosts or (both.a, both.b):
        for session in [*host.engine._sessions]:
            host.engine._sessions.end(session, IkeEvent.DELETED, "cut", tell=False, reason=Reason.PEER_SILENT)
        both.network.do(host, host.engine.tick(both.network.now))


def said(host):
    return [one.payloads for one in host.of(MessageExchanged)]


def kinds(host):
    return [one.exchange for one in host.of(MessageExchanged)]


def again(both, seconds=5, host=None):
    """What is wanted once more, and the exchanges that it takes."""
    before = len(kinds(both.a))
    both.wish(host or both.a)
    both.run(seconds)
    return kinds(both.a)[before:]


def resumed(host):
    return [each.proof.endswith(", resumed") for each in host.engine.ike_sas() if each.made_at is not None]


def test_who_was_cut_off_comes_back_without_a_key_exchange():
    both = established(V2)
    assert "N(TICKET_REQUEST)" in said(both.a)[2]
    assert "N(TICKET_LT_OPAQUE)" in said(both.a)[3]
    cut(both)
    assert again(both) == ["IKE_SESSION_RESUME"] * 2 + ["IKE_AUTH"] * 2
    assert_one_pair(both)
    assert resumed(both.a) == resumed(both.b) == [True]
    words = said(both.a)[-4:]
    assert words[0].startswith("NONCE N(TICKET_OPAQUE)")
    assert "KE" not in f"{words[0]} {words[1]}".split()
    assert not any("CERT" in one for one in words)
    keys = [each.made.keys for host in (both.a, both.b) for each in host.engine._sessions]
    assert len({one.d.reveal() for one in keys}) == 1


def test_it_goes_on_for_as_long_as_the_proof_counts():
    main = replace(FAST_MAIN, limits=Limits(seconds=1000))
    both = established(V2.with_(main=(main,)))
    for _ in range(3):
        both.run(250)
        cut(both)
        assert again(both)[0] == "IKE_SESSION_RESUME"
    both.run(200)  # renewed before, by a proof of now
    assert resumed(both.a) == resumed(both.b) == [False]
    assert_one_pair(both)


def test_a_ticket_that_is_over_is_not_tried():
    main = replace(FAST_MAIN, limits=Limits(seconds=1000))
    both = established(V2.with_(main=(main,)))
    cut(both)
    both.run(1001)
    assert again(both)[0] == "IKE_SA_INIT"
    assert_one_pair(both)


@pytest.mark.parametrize("who", ["a", "b"])
def test_without_the_word_in_both_policies_nobody_asks_or_gives(who):
    silent = V2.with_(resumption=False)
    both = established(*((silent, V2.mirrored()) if who == "a" else (V2, silent.mirrored())))
    assert "TICKET_LT_OPAQUE" not in " ".join(said(both.a))
    cut(both)
    assert again(both)[0] == "IKE_SA_INIT"


def test_a_gateway_that_forgot_says_so_and_the_client_begins_as_ever_at_once():
    both = established(V2)
    cut(both, both.a)
    both.restart(both.b)
    assert again(both) == ["IKE_SESSION_RESUME"] * 2 + ["IKE_SA_INIT"] * 2 + ["IKE_AUTH"] * 2
    assert "N(TICKET_NACK)" in said(both.a)[-5]
    assert_one_pair(both)
    assert resumed(both.a) == [False]
    assert not both.a.of(MainModeFailed)


def test_who_is_let_in_no_longer_does_not_come_back():
    both = established(V2)
    cut(both)
    other = both.policy_b.with_(admissions=(Admission((Pattern("bob.lab"),)),))
    both.network.do(both.b, both.b.engine.apply(*other.compiled(), both.network.now))
    assert again(both, 60)[:3] == ["IKE_SESSION_RESUME", "IKE_SESSION_RESUME", "IKE_SA_INIT"]
    assert len(both.b.of(MainModeEstablished)) == 1


@pytest.mark.parametrize("change", [{"key": b"another key"}, {"resumption": False}])
def test_another_policy_takes_no_ticket_of_the_old_one(change):
    both = established(V2)
    cut(both)
    other = both.policy_b.with_(**change)
    both.network.do(both.b, both.b.engine.apply(*other.compiled(), both.network.now))
    assert again(both)[2] == "IKE_SA_INIT"
    assert resumed(both.b) in ([], [False])


def test_a_certificate_that_is_trusted_no_longer_does_not_come_back():
    both = meet((way(own(ALICE)),), (way(own(BOB)),), policy=CERTIFIED.with_(resumption=True),
                other=CERTIFIED.mirrored().with_(resumption=True))  # fmt: skip
    cut(both)
    assert again(both)[:3] == ["IKE_SESSION_RESUME", "IKE_SESSION_RESUME", "IKE_AUTH"]
    assert resumed(both.b) == [True]
    cut(both)
    answer = both.b.keeper.answer

    def revoked(question, *more):
        if isinstance(question, Validate):
            return Unfit(Reason.REVOKED, "its authority has withdrawn it")
        return answer(question, *more)

    both.b.keeper.answer = revoked
    again(both, 30)
    assert Reason.REVOKED.value in {each.reason for each in both.b.of(MainModeFailed)}
    assert resumed(both.b) == []


def wire(both):
    """All datagrams of the client from now on."""
    found = []

    def passes(datagram, path):
        if path.local.address == both.a.address:
            found.append((datagram, path))
        return True

    both.network.passes = passes
    return found


def test_a_ticket_serves_once():
    both = established(V2)
    cut(both)
    seen = wire(both)
    assert again(both)[0] == "IKE_SESSION_RESUME"
    cut(both)
    (first, path) = next(one for one in seen if one[0][18] == RESUME)
    made = len(both.b.of(MainModeEstablished))
    both.network.inject(first, path)
    both.run(5)
    assert len(both.b.of(MainModeEstablished)) == made
    assert said(both.b)[-1] == "N(TICKET_NACK)"
    assert both.b.engine.ike_sas() == ()


def test_who_repeats_a_ticket_takes_it_from_nobody():
    """Somebody in between is faster with what he saw; he has no keys, so it is spent by its owner."""
    both = established(V2)
    cut(both)
    stolen = []

    def passes(datagram, path):
        if datagram[18] == RESUME and path.local.address == both.a.address and not stolen:
            stolen.append(b"attacker" + datagram[8:])
            both.network.inject(stolen[0], path)
        return True

    both.network.passes = passes
    again(both)
    assert stolen
    assert_one_pair(both)
    assert resumed(both.a) == [True]


def test_the_name_of_a_ticket_without_its_keys_is_nothing():
    both = established(V2)
    cut(both)
    (held,) = both.a.engine._world.tickets._held._tickets.items()
    key, ticket = held
    forged = replace(ticket, d=type(ticket.d)(bytes(len(ticket.d.reveal()))))
    both.a.engine._world.tickets._held._tickets[key] = forged
    again(both)
    assert len(both.b.of(MainModeEstablished)) == 1
    assert both.b.engine._world.tickets.find(ticket.octets, both.network.now) is not None, "its owner can still use it"


def test_what_was_ended_on_purpose_is_not_resumed():
    both = established(V2)
    (info,) = both.b.engine.ike_sas()
    both.network.do(both.b, both.b.engine.delete_ike(info.id, both.network.now, "by hand"))
    both.run(5)
    assert again(both)[0] == "IKE_SA_INIT"


def test_a_renewed_ike_sa_may_be_resumed():
    both = established(V2)
    for session in both.a.engine._sessions:
        both.network.do(both.a, both.a.engine._take(session, session.succeed()) or both.a.engine.tick(both.network.now))
    both.run(60)
    cut(both)
    assert again(both)[0] == "IKE_SESSION_RESUME"
    assert_one_pair(both)


def test_under_load_it_takes_a_cookie(monkeypatch):
    both = established(V2)
    cut(both)
    monkeypatch.setattr(type(both.b.engine._world.half_open), "crowded", property(lambda _: True))
    before = len(said(both.a))
    again(both)
    words = said(both.a)[before:]
    assert words[1] == "N(COOKIE)"
    assert words[2].startswith("N(COOKIE) NONCE N(TICKET_OPAQUE)")
    assert_one_pair(both)
    assert resumed(both.a) == [True]


def test_numbers_are_those_of_the_rfc():
    names = Notify.TICKET_LT_OPAQUE, Notify.TICKET_REQUEST, Notify.TICKET_ACK, Notify.TICKET_NACK, Notify.TICKET_OPAQUE
    assert names == (16409, 16410, 16411, 16412, 16413)


def test_a_lost_message_is_said_again():
    both = pair(V2)
    both.wish(both.a)
    both.run(5)
    cut(both)
    lost = []

    def passes(datagram, _path):
        if len(lost) < 2:
            lost.append(datagram)
            return False
        return True

    both.network.passes = passes
    again(both, 30)
    assert_one_pair(both)
    assert resumed(both.a) == resumed(both.b) == [True]
