# SPDX-License-Identifier: Apache-2.0
"""Several key exchanges for one IKE SA, and for its successors and child SAs (RFC 9242, RFC 9370)."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol.pairs import POLICY, assert_one_pair, pair, talk
from protocol.test_ikev2_life import WEATHER, each_moment, established, links, renew, renew_ike, seeds
from ringfence.audit import MainModeEstablished, MainModeFailed, MessageExchanged, QuickModeEstablished
from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits, Protocol
from ringfence.ike.dispatch import header_of
from ringfence.ike.v2.channel import is_response
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import FRAGMENT
from ringfence.testing.hosts import ESP_GCM, FAST_MAIN, method

X25519, KEM, BIG, ECP = DhGroup.CURVE25519, DhGroup.ML_KEM_768, DhGroup.ML_KEM_1024, DhGroup.ECP_256
HYBRID = replace(FAST_MAIN, further=(KEM,))
LONG = replace(FAST_MAIN, further=(ECP, KEM, BIG))
V2 = POLICY.with_(keying=(2,), main=(HYBRID, FAST_MAIN))


def made(host):
    (event,) = host.of(MainModeEstablished)
    return event.proposal


def exchanges(host):
    return [each.exchange for each in host.of(MessageExchanged) if each.sent]


def keys(host):
    return [each.made.keys for each in host.engine._sessions if each.usable]


def test_a_further_exchange_makes_other_keys():
    both = established(V2)
    assert made(both.a) == made(both.b) == "aes256-sha256-x25519+mlkem768"
    assert exchanges(both.a) == ["IKE_SA_INIT", "IKE_INTERMEDIATE", "IKE_AUTH"]
    (ours,), (theirs,) = keys(both.a), keys(both.b)
    assert ours.d == theirs.d
    assert ours.transcript == theirs.transcript != b""


def test_three_of_them():
    both = established(V2.with_(main=(LONG,)))
    assert made(both.a) == "aes256-sha256-x25519+ecp256+mlkem768+mlkem1024"
    assert exchanges(both.b) == ["IKE_SA_INIT", *["IKE_INTERMEDIATE"] * 3, "IKE_AUTH"]


@pytest.mark.parametrize("pieces", [True, False])
def test_auth_covers_the_same_whether_it_comes_in_pieces_or_not(pieces):
    """RFC 9242 §3.3.2: a value of ML-KEM-1024 is too large for one piece."""
    policy = V2.with_(main=(replace(FAST_MAIN, further=(BIG,)),), fragmentation=pieces)
    both = established(policy)
    between = [each for _, _, each in both.network.seen if header_of(each).exchange == Kind.IKE_INTERMEDIATE]
    assert {header_of(each).next_payload == FRAGMENT for each in between} == {pieces}
    (ours,), (theirs,) = keys(both.a), keys(both.b)
    assert ours.transcript == theirs.transcript != b""


@pytest.mark.parametrize("knows", ["a", "b"])
def test_a_peer_without_it_gets_the_next_proposal(knows):
    plain = V2.with_(main=(FAST_MAIN,))
    both = established(V2, plain.mirrored()) if knows == "a" else established(plain, V2.mirrored())
    assert made(both.a) == made(both.b) == "aes256-sha256-x25519"
    assert "IKE_INTERMEDIATE" not in exchanges(both.a)


@pytest.mark.parametrize("knows", ["a", "b"])
def test_where_the_policy_demands_it_there_is_nothing_less(knows):
    strict, plain = V2.with_(main=(HYBRID,)), V2.with_(main=(FAST_MAIN,))
    both = pair(strict, plain.mirrored()) if knows == "a" else pair(plain, strict.mirrored())
    both.wish(both.a)
    both.run(10)
    assert both.a.of(MainModeFailed)
    assert not both.a.of(MainModeEstablished)
    assert not both.b.of(MainModeEstablished)


def test_the_same_seed_gives_the_same_octets():
    first, second, other = (established(V2, seed=seed) for seed in ("one", "one", "two"))
    said = [[datagram for _, _, datagram in each.network.seen] for each in (first, second, other)]
    assert said[0] == said[1] != said[2]


def test_renewal_leaves_no_gap_and_repeats_all_exchanges():
    policy = V2.with_(methods=(method(ESP_GCM, seconds=60),), pfs=X25519, pfs_further=(KEM,))
    both = established(policy)
    each_moment(both, 200)
    assert_one_pair(both)
    assert len(both.a.of(QuickModeEstablished)) >= 4
    assert "IKE_FOLLOWUP_KE" in exchanges(both.a) + exchanges(both.b)


def test_a_child_with_two_more_exchanges():
    both = established(V2.with_(pfs=X25519, pfs_further=(ECP, KEM)))
    renew(both, both.a)
    both.run(30)
    assert_one_pair(both)
    assert exchanges(both.a).count("IKE_FOLLOWUP_KE") == 2


def test_the_ike_sa_is_renewed_with_all_exchanges():
    main = replace(HYBRID, limits=Limits(seconds=100))
    both = established(V2.with_(main=(main,)))
    each_moment(both, 250)
    renewed = both.a.of(MainModeEstablished)
    assert len(renewed) >= 3
    assert {each.proposal for each in renewed} == {"aes256-sha256-x25519+mlkem768"}
    assert "IKE_FOLLOWUP_KE" in exchanges(both.a) + exchanges(both.b)
    renew(both, both.a)
    both.run(20)
    assert_one_pair(both)


def test_what_is_deleted_meanwhile_is_told_by_the_successor():
    """A peer may look for it under the new IKE SA only, which has taken over the contracts."""
    both = established(V2)
    (old,) = both.a.engine._sessions
    spis = old.cookies
    renew_ike(both, both.a)
    assert old.delete([(Protocol.ESP, 0x1234)]) == [], "it waits for its turn"
    both.run(5)
    assert_one_pair(both)
    asked = [
        header.initiator_cookie + header.responder_cookie == b"".join(spis)
        for _, path, datagram in both.network.seen
        if path.local.address == both.a.address and (header := header_of(datagram)).exchange == Kind.INFORMATIONAL
        if not is_response(header)
    ]
    assert asked.count(True) == 1, "the old IKE SA's own end"
    assert asked.count(False) == 1, "the delete"


STORMS = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])


@STORMS
@given(
    seed=seeds, rekey=st.sampled_from(["child", "ike", "both"]), late=st.sampled_from([0.0, 0.005, 0.012, 0.025, 0.04])
)
def test_both_renew_at_once(seed, rekey, late):
    policy = V2.with_(main=(replace(FAST_MAIN, further=(ECP, X25519)),), pfs=X25519, pfs_further=(ECP,))
    both = established(policy, seed=seed)
    for host in (both.a, both.b):
        if rekey in ("child", "both"):
            renew(both, host)
        if rekey in ("ike", "both"):
            renew_ike(both, host)
        both.run(late)
    both.run(60)
    talk(both)
    both.run(5)
    assert_one_pair(both)
    assert len(keys(both.a)) == len(keys(both.b)) == 1
    assert keys(both.a)[0].d == keys(both.b)[0].d


@WEATHER
@given(seed=seeds, link=links)
def test_bad_weather(seed, link):
    policy = V2.with_(main=(replace(FAST_MAIN, further=(ECP, DhGroup.ECP_384)),), pfs=X25519, pfs_further=(ECP,))
    both = pair(policy, seed=seed, link=link)
    for _ in range(40):
        talk(both)
        both.run(5)
    renew(both, *[host for host in (both.a, both.b) if host.using()])
    for _ in range(40):
        talk(both)
        both.run(5)
    both.network.link = pair().network.link
    for _ in range(10):
        talk(both)
        both.run(10)
    assert_one_pair(both)
