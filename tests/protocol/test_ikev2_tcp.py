# SPDX-License-Identifier: Apache-2.0
"""Two engines whose messages go by TCP (RFC 9329): at once or behind UDP, and through lost connections."""

from dataclasses import replace

import pytest

from protocol.pairs import POLICY, A, B, Pair, assert_nothing_left, assert_one_pair, pair
from protocol.test_ikev2_certificates import meet2
from protocol.test_ikev2_fragments import LONG, WAYS
from ringfence.audit import KeyingChanged, MainModeEstablished, MainModeFailed, MessageIgnored
from ringfence.databases.proposal import Protocol
from ringfence.databases.tcp import Tcp, TcpUse
from ringfence.ike.effects import SendMessage
from ringfence.ike.errors import Reason
from ringfence.ike.flood import FloodLimits
from ringfence.ike.settings import IkeSettings
from ringfence.net.address import Endpoint, Path, parse_address
from ringfence.testing.hosts import AH_SHA256, ESP_GCM, HostPolicy, method
from ringfence.testing.network import path_between

ONLY = POLICY.with_(keying=(2,), tcp=Tcp(TcpUse.ONLY))
FALLBACK = POLICY.with_(keying=(2,), tcp=Tcp())
PORT = 4500


def by_tcp(policy: HostPolicy = ONLY, other: HostPolicy | None = None, **more: object) -> Pair:
    """Two hosts of which b listens."""
    both = pair(policy, other, **more)  # type: ignore[arg-type]
    both.network.listens.add((both.b.address, PORT))
    return both


def no_udp(both: Pair) -> None:
    both.network.passes = lambda _, path: path.tcp


def test_only_tcp_is_spoken_where_the_rule_says_so():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    child, _ = assert_one_pair(both)
    assert all(path.tcp for _, path, _ in both.network.seen)
    assert len(both.network.seen) == 4
    for host in (both.a, both.b):
        (sa,) = host.engine.ike_sas()
        assert sa.path.tcp
        assert host.kept == {sa.path}
        (event,) = host.of(MainModeEstablished)
        assert event.keying == "ikev2-tcp"
    path = child.outbound[-1].encapsulation
    assert path is not None
    assert path.tcp
    assert path.remote == Endpoint(parse_address(B), PORT)
    assert path.local.port >= 49152
    assert not child.outbound[-1].keepalive
    assert both.b.using().outbound[-1].encapsulation == path.reversed()


def test_nothing_is_said_twice_in_a_connection():
    both = by_tcp()
    both.network.passes = lambda _, path: path.local.port != PORT  # b is heard by nobody
    both.wish(both.a)
    both.run(60)
    assert len([path for _, path, _ in both.network.seen if path.local.address == both.a.address]) == 1
    (failed,) = both.a.of(MainModeFailed)
    assert failed.reason == Reason.PEER_SILENT.value
    assert not both.a.engine.ike_sas()


def test_large_messages_stay_whole():
    both = meet2(*WAYS, bob=LONG, begin=False)
    for host, policy in ((both.a, both.policy_a), (both.b, both.policy_b)):
        spd, pad = policy.compiled()
        by_tcp_only = replace(pad, entries=(replace(pad.entries[0], tcp=Tcp(TcpUse.ONLY)),))
        both.network.do(host, host.engine.apply(spd, by_tcp_only, both.network.now))
    both.network.listens.add((both.b.address, PORT))
    both.wish(both.a)
    both.run(5)
    assert_one_pair(both)
    assert len(both.network.seen) == 4
    assert max(len(datagram) for _, _, datagram in both.network.seen) > 2000


def test_tcp_comes_behind_udp_that_nobody_answers():
    both = by_tcp(FALLBACK)
    no_udp(both)
    both.wish(both.a)
    both.run(1.9)
    assert not any(path.tcp for _, path, _ in both.network.seen)
    both.run(1)
    assert_one_pair(both)
    (sa,) = [each for each in both.a.engine.ike_sas() if each.made_at is not None]
    assert sa.path.tcp
    (told,) = both.a.of(KeyingChanged)
    assert (told.was, told.now) == ("ikev2", "ikev2-tcp")
    both.run(10)  # UDP is given up
    assert len(both.a.engine.ike_sas()) == 1


def test_tcp_comes_behind_all_versions_by_udp():
    both = by_tcp(FALLBACK.with_(keying=(2, 1)))
    no_udp(both)
    both.wish(both.a)
    both.run(4)
    assert_one_pair(both)
    assert {(datagram[17] >> 4, path.tcp) for _, path, datagram in both.network.seen} == {
        (2, False), (1, False), (2, True),
    }  # fmt: skip
    both.run(60)
    (sa,) = both.a.engine.ike_sas()
    assert sa.path.tcp


def test_a_peer_of_ikev1_is_spoken_to_by_that_and_not_by_tcp():
    both = by_tcp(FALLBACK.with_(keying=(2, 1)), FALLBACK.mirrored().with_(keying=(1,), tcp=None))
    both.wish(both.a)
    both.run(60)
    assert_one_pair(both)
    assert [sa.version for sa in both.a.engine.ike_sas()] == [1]


def test_udp_that_is_only_slow_takes_over():
    both = by_tcp(FALLBACK)
    both.network.passes = lambda _, path: path.tcp or both.network.now > 4
    both.wish(both.a)
    both.run(60)
    (sa,) = both.a.engine.ike_sas()
    assert not sa.path.tcp
    child, _ = assert_one_pair(both)
    assert child.outbound[-1].encapsulation is None
    assert not both.a.kept
    assert not both.b.kept


def test_udp_is_enough_where_it_goes():
    both = by_tcp(FALLBACK)
    both.wish(both.a)
    both.run(30)
    assert_one_pair(both)
    assert not any(path.tcp for _, path, _ in both.network.seen)


def test_whoever_came_by_tcp_is_begun_with_by_it_again():
    both = by_tcp(FALLBACK)
    no_udp(both)
    both.wish(both.a)
    both.run(10)
    (sa,) = both.a.engine.ike_sas()
    both.network.do(both.a, both.a.engine.delete_ike(sa.id, both.network.now, "the test says so"))
    both.run(1)
    began = len(both.network.seen)
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)
    assert all(path.tcp for _, path, _ in both.network.seen[began:])


def test_a_peer_that_takes_no_connections():
    both = pair(ONLY)
    both.wish(both.a)
    both.run(5)
    (failed,) = both.a.of(MainModeFailed)
    assert failed.reason == Reason.PEER_SILENT.value
    assert "TCP" in failed.detail


def test_a_lost_connection_is_opened_anew():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    (before,) = both.a.engine.ike_sas()
    both.network.cut()
    both.run(1)
    (after,) = both.a.engine.ike_sas()
    assert after.id == before.id
    assert after.path.tcp
    assert after.path.local.port != before.path.local.port
    assert both.b.engine.ike_sas()[0].path == after.path.reversed()
    assert (both.a.kept, both.b.kept) == ({after.path}, {after.path.reversed()})
    a, b = both.a.using(), both.b.using()
    assert (a.outbound[0].spi, b.outbound[0].spi) == (b.inbound[0].spi, a.inbound[0].spi)
    assert a.outbound[-1].encapsulation == after.path
    assert b.outbound[-1].encapsulation == after.path.reversed()


def test_what_was_asked_is_asked_again_by_the_next_connection():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    (child,) = both.a.engine.child_sas()
    both.network.passes = lambda _, path: (
        path.local.address != both.b.address
    )  # the response is lost with the connection
    both.network.do(both.a, both.a.engine.rekey_child(child.id, both.network.now, "seconds"))
    both.run(1)
    both.network.passes = lambda *_: True
    both.network.cut()
    both.run(5)
    renewed = both.a.using()
    assert renewed.id != child.id
    assert renewed.outbound[0].spi == both.b.using().inbound[0].spi


def test_what_the_responder_asks_waits_for_the_next_connection():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    (child,) = both.b.engine.child_sas()
    both.network.passes = lambda _, path: path.local.address != both.b.address
    both.network.do(both.b, both.b.engine.rekey_child(child.id, both.network.now, "seconds"))
    both.run(1)
    both.network.passes = lambda *_: True
    both.network.cut()
    both.run(20)
    renewed = both.b.using()
    assert renewed.id != child.id
    assert renewed.outbound[0].spi == both.a.using().inbound[0].spi


def test_a_peer_that_is_gone_for_good():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    both.network.remove(both.b)
    both.network.listens.clear()
    both.network.cut()
    both.run(20)
    assert both.a.engine.ike_sas()
    tries = {path.local.port for _, path, _ in both.network.seen}
    assert len(tries) <= 8
    both.run(100)
    assert_nothing_left(both.a)
    assert not both.a.kept


def test_a_responder_opens_no_connection():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    both.network.remove(both.a)
    both.network.cut()
    sent = len(both.network.seen)
    both.run(5)
    assert len(both.network.seen) == sent


def test_who_opened_the_connection_opens_the_next_after_the_peer_has_rekeyed_the_ike_sa():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    (session,) = both.b.engine._sessions
    both.b.engine._take(session, session.succeed())
    both.network.do(both.b, both.b.engine._done())
    both.run(1)
    both.network.cut()
    both.run(2)
    (sa,) = both.a.engine.ike_sas()
    assert not sa.initiator  # the successor is b's
    assert both.b.engine.ike_sas()[0].path == sa.path.reversed()


def test_the_end_of_an_ike_sa_releases_its_connection():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    (sa,) = both.a.engine.ike_sas()
    both.network.do(both.a, both.a.engine.delete_ike(sa.id, both.network.now, "the test says so"))
    both.run(1)
    assert not both.b.engine.ike_sas()
    assert (both.a.kept, both.b.kept) == (set(), set())


def test_who_is_asked_for_no_cookie_although_many_are_half_open():
    settings = IkeSettings(flood=FloodLimits(cookies_from=0))
    both = by_tcp(settings=settings)
    both.wish(both.a)
    both.run(1)
    assert_one_pair(both)
    assert len(both.network.seen) == 4


@pytest.mark.parametrize("theirs", [None, Tcp(TcpUse.FALLBACK)], ids=["no-tcp", "ikev1"])
def test_nobody_comes_by_tcp_whose_rule_does_not_say_so(theirs):
    keying = (2,) if theirs is None else (1,)
    both = by_tcp(ONLY, ONLY.mirrored().with_(tcp=theirs, keying=keying))
    both.wish(both.a)
    both.run(5)
    assert not both.b.engine.ike_sas()
    assert "TCP" in both.b.of(MessageIgnored)[0].detail


def test_ah_does_not_go_by_tcp():
    both = by_tcp(ONLY.with_(methods=(method(AH_SHA256),)))
    both.wish(both.a)
    both.run(1)
    assert not both.a.engine.child_sas()
    assert both.a.failures[0].reason == Reason.NAT.value


def test_ah_is_left_out_where_there_is_esp():
    both = by_tcp(ONLY.with_(methods=(method(AH_SHA256), method(ESP_GCM))))
    both.wish(both.a)
    both.run(1)
    child, _ = assert_one_pair(both)
    assert [sa.protocol for sa in child.outbound] == [Protocol.ESP]


def test_a_connection_of_somebody_else_moves_nothing():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    (sa,) = both.b.engine.ike_sas()
    recorded = [(datagram, path) for _, path, datagram in both.network.seen if path.local.address == both.a.address]
    another = Path(Endpoint(parse_address(A), 50000), Endpoint(parse_address(B), PORT), tcp=True)
    for datagram, _ in recorded:  # replayed, and bent
        both.network.inject(datagram, another)
        both.network.inject(datagram[:-1] + bytes([datagram[-1] ^ 1]), another)
        both.network.inject(datagram, path_between(A, B, PORT))
    both.run(1)
    assert [each.path for each in both.b.engine.ike_sas() if each.made_at is not None] == [sa.path]


def test_udp_does_not_take_an_ike_sa_out_of_its_connection():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    (sa,) = both.b.engine.ike_sas()
    (session,) = both.a.engine._sessions
    session._voice.path = path_between(A, B, PORT)  # somebody in between takes our messages out of it
    both.network.do(both.a, [each for each in session.probe() if isinstance(each, SendMessage)])
    both.run(1)
    assert both.b.engine.ike_sas()[0].path == sa.path
    assert both.network.seen[-1][1] == path_between(B, A, PORT)  # but who asks is answered


def test_a_policy_that_takes_tcp_away_ends_what_goes_by_it():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    spd, pad = ONLY.mirrored().compiled()
    fewer = replace(pad, entries=(replace(pad.entries[0], tcp=None),))
    both.network.do(both.b, both.b.engine.apply(spd, fewer, both.network.now))
    both.run(1)
    assert not both.b.engine.ike_sas()
    assert not both.a.engine.ike_sas()


def test_a_policy_that_says_how_to_come_to_tcp_ends_nothing():
    both = by_tcp()
    both.wish(both.a)
    both.run(1)
    spd, pad = ONLY.mirrored().compiled()
    both.network.do(both.b, both.b.engine.apply(spd, replace(pad, entries=(replace(pad.entries[0], tcp=Tcp()),)), 1.0))
    assert both.b.engine.ike_sas()
