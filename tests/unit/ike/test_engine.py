# SPDX-License-Identifier: Apache-2.0
"""The engine's entries, alone. What two engines do is in tests/protocol, what hostile messages do in tests/fuzz."""

from dataclasses import replace

import pytest
from protocol.pairs import assert_nothing_left, assert_one_pair, pair

from ringfence.audit import MainModeEnded, MessageIgnored, QuickModeEnded
from ringfence.databases.pad import Pad
from ringfence.databases.proposal import Protocol
from ringfence.databases.spd import Origin, Spd
from ringfence.ike.effects import AcquireFailed, Report, SendMessage, Signed
from ringfence.ike.engine import IkeEngine, IkeSettings
from ringfence.ike.flood import FloodLimits
from ringfence.ike.happening import PeerDeletedIke
from ringfence.ike.header import HEADER_OCTETS, Exchange, Header
from ringfence.ike.lifetime import IkeState
from ringfence.ike.v1.channel import open_clear, seal
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import HashPayload, NotifyPayload
from ringfence.place import Place
from ringfence.testing.hosts import ENTRY, ESP_CBC, ESP_GCM, HostPolicy, method
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
PATH = path_between(POLICY.local, POLICY.remote)


def engine(policy=POLICY, **settings):
    made = IkeEngine(random=SeededRandom(policy.local), settings=IkeSettings(**settings))
    made.apply(*policy.compiled(), 0.0)
    return made


def sent(effects):
    return [effect.datagram for effect in effects if isinstance(effect, SendMessage)]


def ignored(effects):
    return [e.event.reason for e in effects if isinstance(e, Report) and isinstance(e.event, MessageIgnored)]


def test_it_begins_with_nothing():
    made = IkeEngine(random=SeededRandom(0))
    assert made.next_timer() is None
    assert made.tick(5.0) == []
    assert made.ike_sas() == made.child_sas() == ()
    assert made.delete_child(1, 0.0, "") == made.delete_ike(1, 0.0, "") == made.child_expired(1, 0.0, "") == []
    assert made.rekey_child(1, 0.0, "") == []
    assert made.shut_down(0.0) == []
    assert made.apply(Spd(), Pad(), 0.0) == []


def test_a_message_of_an_unknown_ike_sa_is_answered_in_clear_to_peers_only():
    datagram, _ = seal((b"initiate", b"response"), Exchange.QUICK, 7, (HashPayload(b""),), main_keys(), bytes(16))
    effects = engine().receive(datagram, PATH, 0.0)
    assert ignored(effects) == ["unknown-cookie"]
    (answer,) = sent(effects)
    header = Header.decode(answer[:HEADER_OCTETS])
    assert open_clear(header, answer).one(NotifyPayload).kind == Notify.INVALID_COOKIE
    assert sent(engine().receive(datagram, path_between(POLICY.local, "198.51.100.1"), 0.0)) == []
    limited = engine(flood=FloodLimits(notifies_per_s=3))
    assert len([one for _ in range(9) for one in sent(limited.receive(datagram, PATH, 0.0))]) == 3


def test_answers_in_clear_are_not_answered():
    datagram, _ = seal((b"initiate", b"response"), Exchange.INFORMATIONAL, 7,
                       (NotifyPayload(1, 1, b"", Notify.INVALID_COOKIE),), None, b"")  # fmt: skip
    effects = engine().receive(datagram, PATH, 0.0)
    assert sent(effects) == []
    assert ignored(effects) == ["unknown-cookie"]


@pytest.mark.parametrize("datagram", [b"", b"x", bytes(28), bytes(1000)])
def test_no_messages(datagram):
    assert ignored(engine().receive(datagram, PATH, 0.0)) == ["malformed"]


def test_a_message_from_another_address_than_its_ike_sa():
    made = engine()
    (first,) = sent(made.acquire(ENTRY, POLICY.flow(), 0.0))
    other = engine(POLICY.mirrored())
    (second,) = sent(other.receive(first, path_between(POLICY.remote, POLICY.local), 0.0))
    assert ignored(made.receive(second, path_between(POLICY.local, "198.51.100.1"), 0.0)) == ["unexpected-message"]
    assert len(sent(made.receive(second, PATH, 0.0))) == 1


def test_first_messages_of_one_cookie():
    made, other = engine(), engine(POLICY.mirrored())
    (first,) = sent(made.acquire(ENTRY, POLICY.flow(), 0.0))
    back = path_between(POLICY.remote, POLICY.local)
    (second,) = sent(other.receive(first, back, 0.0))
    assert sent(other.receive(first, back, 0.1)) == [second]
    assert len(other.ike_sas()) == 1
    bent = first[:-1] + b"x"
    assert sent(other.receive(bent, back, 0.2)) == []
    assert len(other.ike_sas()) == 1


def test_an_ike_sa_as_people_see_it():
    made = engine()
    made.acquire(ENTRY, POLICY.flow(), 0.0)
    (info,) = made.ike_sas()
    assert (info.state, info.initiator, info.entry, info.rule) == (IkeState.NEGOTIATING, True, "peers", "lab")
    assert info.path == PATH
    assert info.remote_identity is info.proposal is info.made_at is info.expires_at is None
    assert info.responder_cookie == bytes(8)
    assert info.children == ()


def test_an_unknown_spi_without_an_ike_sa():
    made = engine()
    (datagram,) = sent(made.unknown_spi(Protocol.ESP, 0x1001, PATH, 0.0))
    notify = open_clear(Header.decode(datagram[:HEADER_OCTETS]), datagram).one(NotifyPayload)
    assert (notify.kind, notify.protocol, notify.spi) == (Notify.INVALID_SPI, 3, b"\0\0\x10\x01")
    assert made.unknown_spi(Protocol.ESP, 0x1001, PATH, 0.5) == []
    assert ignored(engine(POLICY.mirrored()).receive(datagram, path_between(POLICY.remote, POLICY.local), 0.0)) == [
        "unknown-cookie"
    ]


def test_what_is_returned_is_not_returned_again():
    made = engine()
    assert sent(made.acquire(ENTRY, POLICY.flow(), 0.0))
    assert made.tick(0.5) == []
    assert len(sent(made.tick(1.0))) == 1
    assert made.tick(1.0) == []


# With a peer ------------------------------------------------------------------------------------------------------


def made():
    both = pair()
    both.wish(both.a)
    both.run(2)
    assert_one_pair(both)
    return both


def whys(host, kind):
    return [event.why for event in host.of(kind)]


def test_the_ends_of_a_contract():
    for end in ("delete_child", "child_expired"):
        both = made()
        both.network.do(both.a, getattr(both.a.engine, end)(1, both.network.now, "because"))
        both.run(1)
        assert whys(both.a, QuickModeEnded) == ["because"]
        assert whys(both.b, QuickModeEnded) == ["deleted by the peer"]
        assert both.a.engine.child_sas() == both.b.engine.child_sas() == ()
        assert len(both.a.engine.ike_sas()) == 1


def test_the_end_of_an_ike_sa():
    both = made()
    both.network.do(both.b, both.b.engine.delete_ike(1, both.network.now, "because"))
    both.run(1)
    assert whys(both.b, MainModeEnded) == ["because"]
    assert whys(both.a, MainModeEnded) == ["deleted by the peer"]
    for host in (both.a, both.b):
        assert_nothing_left(host)


def test_renewal_and_expiry_come_by_time():
    both = pair(POLICY.with_(methods=(method(ESP_GCM, seconds=100),)))
    both.wish(both.a)
    both.run(90)
    a, _ = assert_one_pair(both)
    assert a.replaces == 1
    both.network.remove(both.b)
    both.run(100)
    assert whys(both.a, QuickModeEnded)[-1] == "its lifetime is over"
    assert both.a.engine.child_sas() == ()


def test_a_new_policy_ends_what_it_changes_and_nothing_else():
    both = made()
    spd, pad = POLICY.compiled()
    moved = Spd(tuple(replace(entry, origin=Origin("elsewhere", Place("other.toml", 9))) for entry in spd))
    both.network.do(both.a, both.a.engine.apply(moved, pad, both.network.now))
    both.run(1)
    assert_one_pair(both)
    looser = Spd(tuple(replace(one, processing=replace(one.processing, clear_in=True, idle_s=600)) for one in moved))
    both.network.do(both.a, both.a.engine.apply(looser, pad, both.network.now))
    both.run(1)
    assert_one_pair(both)
    changed, _ = POLICY.with_(methods=(method(ESP_CBC),)).compiled()
    both.network.do(both.a, both.a.engine.apply(changed, pad, both.network.now))
    both.run(1)
    assert whys(both.a, QuickModeEnded) == ["the policy has changed"]
    assert len(both.a.engine.ike_sas()) == 1
    both.network.do(both.a, both.a.engine.apply(changed, Pad(), both.network.now))
    both.run(1)
    assert_nothing_left(both.a)


def test_who_waits_under_a_rule_that_changes_is_not_told_of_failure():
    """The packet path decides anew on what waits, and asks again."""
    both = pair(POLICY, seed=1)
    both.wish(both.a)
    changed, pad = POLICY.with_(methods=(method(ESP_CBC),)).compiled()
    effects = both.a.engine.apply(changed, pad, both.network.now)
    assert not [effect for effect in effects if isinstance(effect, AcquireFailed)]
    both.network.do(both.a, effects)
    both.wish(both.a)
    effects = both.a.engine.apply(Spd(), pad, both.network.now)
    assert [effect.reason for effect in effects if isinstance(effect, AcquireFailed)] == ["policy-changed"]


def test_a_peer_that_says_later_that_it_has_nothing_else():
    both = made()
    both.run(5)
    (b,) = both.b.engine._sessions
    second = both.b.engine._sessions.new(b.path, None, b.entries)
    both.network.do(both.b, [])
    both.b.engine._pursuit.begin_main(second)
    both.network.do(both.b, both.b.engine.tick(both.network.now))
    both.run(2)
    assert len(both.a.engine.ike_sas()) == 2
    second._voice.inform(NotifyPayload(1, 1, b"".join(second.cookies), Notify.INITIAL_CONTACT))
    both.b.engine._take(second, second._voice.drain())
    both.network.do(both.b, both.b.engine.tick(both.network.now))
    both.run(1)
    assert whys(both.a, QuickModeEnded) == ["the peer has begun anew"]
    assert len(both.a.engine.ike_sas()) == 1


def test_an_ike_sa_may_delete_another_of_the_same_peer_only():
    both = made()
    (session,) = both.a.engine._sessions
    other = both.a.engine._sessions.new(path_between(POLICY.local, "198.51.100.1"), b"stranger", session.entries)
    both.a.engine._happen(session, PeerDeletedIke(b"".join(other.cookies)))
    both.a.engine._happen(session, PeerDeletedIke(bytes(16)))
    assert len(both.a.engine.ike_sas()) == 2
    both.a.engine._happen(session, PeerDeletedIke(b"".join(session.cookies)))
    assert len(both.a.engine.ike_sas()) == 1


def test_a_denied_spi_of_a_contract_without_an_ike_sa_brings_a_new_one():
    both = made()
    (session,) = both.b.engine._sessions
    both.b.engine._sessions.forget(session)
    (session,) = both.a.engine._sessions
    both.a.engine._sessions.forget(session)
    (child,) = both.a.engine.child_sas()
    spi = child.outbound[0].spi
    (theirs,) = both.b.engine.child_sas()
    both.b.engine._world.children.remove(theirs.id)
    path = path_between(POLICY.remote, POLICY.local)
    both.network.do(both.b, both.b.engine.unknown_spi(Protocol.ESP, spi, path, both.network.now))
    both.run(2)
    a, _ = assert_one_pair(both)
    assert a.replaces == child.id


def test_an_answer_that_nobody_asked_for_changes_nothing():
    made = engine()
    assert made.answered(7, Signed(b"x"), 1.0) == []
