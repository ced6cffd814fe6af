# SPDX-License-Identifier: Apache-2.0
"""Quick crash detection (RFC 6290): a host that has lost its memory says so at once, and nobody else can say it."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, A, B, Pair, assert_one_pair, receives
from protocol.test_ikev2_life import renew_ike
from ringfence.audit import MainModeEnded, MessageExchanged
from ringfence.ike.dispatch import header_of
from ringfence.ike.engine import IkeEngine
from ringfence.ike.v2.channel import Frame, in_clear
from ringfence.ike.v2.crash import Tokens
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.net.address import parse_address
from ringfence.secret import Secret
from ringfence.testing.network import MemoryNetwork, path_between
from ringfence.testing.random import SeededRandom

V2 = POLICY.with_(keying=(2,))
SECRETS = {A: Secret(b"a" * 32), B: Secret(b"b" * 32)}
FORGOTTEN = "the peer proves that it has forgotten the IKE SA"


def start(network, policy, seed, secret):
    engine = IkeEngine(random=SeededRandom(f"{policy.local} {seed}"), crash_secret=secret)
    host = network.add(policy.local, engine)
    network.do(host, engine.apply(*policy.compiled(), network.now))
    return host


def met(**secrets):
    """Two hosts with a contract, and their secrets."""
    known = {A: secrets.get("a", SECRETS[A]), B: secrets.get("b", SECRETS[B])}
    network = MemoryNetwork("crash")
    hosts = [start(network, each, 0, known[each.local]) for each in (V2, V2.mirrored())]
    both = Pair(network, *hosts, V2, V2.mirrored())
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)
    return both


def crash(both, secret=SECRETS[B]):
    """b loses all but its secret."""
    both.network.remove(both.b)
    both.b = start(both.network, both.policy_b, "again", secret)


def doubts(both):
    """a asks whether b is there."""
    both.network.do(both.a, both.a.engine.child_unanswered(both.a.using().id, both.network.now))
    both.run(0.1)


def whys(host):
    return [event.why for event in host.of(MainModeEnded)]


def test_a_crash_is_found_out_by_one_question():
    both = met()
    crash(both)
    doubts(both)
    assert whys(both.a) == [FORGOTTEN]
    assert both.a.using() is None
    said = [event.payloads for event in both.b.of(MessageExchanged) if event.sent]
    assert said == ["N(INVALID_IKE_SPI) N(QUICK_CRASH_DETECTION)"]
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)


def test_the_initiator_may_crash_as_well():
    both = met()
    both.a, both.b, both.policy_a, both.policy_b = both.b, both.a, both.policy_b, both.policy_a
    crash(both, SECRETS[A])
    doubts(both)
    assert whys(both.a) == [FORGOTTEN]


def test_a_packet_by_an_unknown_sa_is_enough():
    both = met()
    crash(both)
    (sa,) = both.a.using().outbound
    both.network.do(both.b, both.b.engine.unknown_spi(sa.protocol, sa.spi, path_between(B, A), both.network.now))
    both.run(0.2)
    assert whys(both.a) == [FORGOTTEN]


@pytest.mark.parametrize("secret", [None, Secret(b"c" * 32)])
def test_without_its_secret_it_is_only_a_sign(secret):
    both = met()
    crash(both, secret)
    doubts(both)
    assert whys(both.a) == []
    assert both.a.using() is not None


def test_who_makes_no_tokens_gives_none():
    both = met(b=None)
    (answer,) = [each for each in both.b.of(MessageExchanged) if each.exchange == "IKE_AUTH" and each.sent]
    assert "QUICK_CRASH_DETECTION" not in answer.payloads
    crash(both)
    doubts(both)
    assert whys(both.a) == []


def test_rekeyed_ike_sas_have_tokens_of_their_own():
    both = met()
    for host in (both.a, both.b):
        renew_ike(both, host)
        both.run(1)
    assert_one_pair(both)
    crash(both)
    doubts(both)
    assert FORGOTTEN in whys(both.a)
    assert both.a.using() is None


def clear(spis, *payloads, message_id=2, response=True):
    """What somebody says in clear of an IKE SA of a, as if b did."""
    return in_clear(Frame(spis, Kind.INFORMATIONAL, message_id, initiator=False, response=response), payloads)


def spis_of(host):
    (info,) = host.engine.ike_sas()
    return info.initiator_cookie, info.responder_cookie


def token_of(both, spis=None, remote=A):
    (said,) = Tokens(SECRETS[B]).made(spis or spis_of(both.a), parse_address(remote))
    return said


DENIAL = NotifyPayload(Notify.INVALID_IKE_SPI)


@pytest.mark.parametrize("change", ["another token", "no denial", "a request", "short", "sealed"])
def test_nobody_else_can_say_so(change):
    both = met()
    token, spis = token_of(both), spis_of(both.a)
    said = {
        "another token": clear(spis, DENIAL, replace(token, data=token.data[:-1] + b"?")),
        "no denial": clear(spis, token),
        "a request": clear(spis, DENIAL, token, response=False),
        "short": clear(spis, DENIAL, replace(token, data=token.data[:8])),
        "sealed": clear(spis, DENIAL, token) + bytes(4),
    }[change]
    both.network.inject(said, path_between(B, A))
    both.run(3)
    assert whys(both.a) == []
    assert_one_pair(both)


def test_the_token_itself_does():
    both = met()
    both.network.inject(clear(spis_of(both.a), DENIAL, token_of(both)), path_between(B, A))
    both.run(0.1)
    assert whys(both.a) == [FORGOTTEN]


def test_the_token_of_an_ike_sa_that_is_there_is_told_to_nobody():
    both = met()
    spis, before = spis_of(both.b), len(both.b.sent)
    frame = Frame(spis, Kind.INFORMATIONAL, 9, initiator=True, response=False)
    sealed = in_clear(frame, (NotifyPayload(Notify.COOKIE, bytes(40)),))
    sealed = sealed[:16] + b"\x2e" + sealed[17:]
    both.network.inject(sealed, path_between(A, B))
    both.network.inject(sealed, path_between("192.0.2.77", B))
    both.run(1)
    assert both.b.sent[before:] == []


def test_who_asks_from_elsewhere_gets_a_token_that_proves_nothing():
    both = met()
    elsewhere = token_of(both, remote="192.0.2.77")
    both.network.inject(clear(spis_of(both.a), DENIAL, elsewhere), path_between(B, A))
    both.run(1)
    assert whys(both.a) == []


def test_the_token_of_an_ike_sa_that_was_rekeyed_proves_nothing():
    """Its maker has forgotten the old IKE SA, and so tells its token whoever asks for it."""
    both = met()
    old = token_of(both)
    both.b.engine._world.tokens = Tokens(None)  # the new one is not told
    renew_ike(both, both.a)
    both.run(1)
    both.network.inject(clear(spis_of(both.a), DENIAL, old), path_between(B, A))
    both.run(1)
    assert whys(both.a) == ["rekeyed"]
    child = both.a.using()
    assert receives(both.b, child) is not None


def test_tokens_are_told_so_often_a_second():
    both = met()
    request = next(
        datagram
        for _, path, datagram in both.network.seen
        if header_of(datagram).exchange == Kind.IKE_AUTH and path.local.address == both.a.address
    )
    crash(both)
    for _ in range(500):
        both.network.inject(request, path_between(A, B))
    both.run(0.1)
    assert 0 < len(both.b.sent) <= 2 * both.b.engine._world.settings.flood.notifies_per_s
