# SPDX-License-Identifier: Apache-2.0
"""When contracts are switched to, retired and ended; seen on an engine whose peer is played."""

import pytest

from ringfence.audit import QuickModeEnded, QuickModeEstablished
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.sa import ChildSa
from ringfence.ike.contracts import RETIRED, Contracts
from ringfence.ike.effects import InstallOutbound, RemoveChild, Report, SendMessage
from ringfence.ike.happening import Prepared
from ringfence.ike.lifetime import ChildState, IkeEvent
from ringfence.ike.sessions import Due, Sessions
from ringfence.ike.settings import IkeSettings
from ringfence.ike.timers import Timers
from ringfence.ike.v1.main_mode import Agreed
from ringfence.ike.v1.vendors import Vendor
from ringfence.ike.wishes import Wish
from ringfence.ike.world import World
from ringfence.testing.associations import make_sa
from ringfence.testing.hosts import ENTRY, ESP_GCM, FAST_MAIN, HostPolicy
from ringfence.testing.mainmode import main_keys
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
PATH = path_between(POLICY.local, POLICY.remote)
PEER = Identity.parse(POLICY.remote)


class Bench:
    """Contracts under one IKE SA."""

    def __init__(self, *vendors):
        self.world = World(SeededRandom(0), IkeSettings())
        self.world.spd, self.world.pad = POLICY.compiled()
        self.timers, self.effects = Timers(), []
        self.sessions = Sessions(self.world, self.timers, self.take)
        self.contracts = Contracts(self.world, self.timers, self.sessions, self.take, self.effects.append)
        self.session = self.sessions.new(PATH, None, tuple(self.world.pad))
        (entry,) = self.world.pad
        self.session.agreed = Agreed(main_keys(), FAST_MAIN, entry, PEER, PEER, frozenset(vendors), False)
        self.session._voice.keys = self.session.agreed.keys
        self.session._voice.last_block = bytes(16)
        self.session.made_at = 0.0
        self.session.happen(IkeEvent.AUTHENTICATED)

    def take(self, _session, outputs):
        self.effects += outputs

    def at(self, now):
        self.world.env.now = now
        return self

    def prepare(self, *, ours, hard=3600):
        """A quick mode is about to be agreed on."""
        number = self.world.children.new_id()
        out, into = make_sa(ESP_GCM, spi=0x2000 + number), make_sa(ESP_GCM, spi=0x1000 + number)
        child = ChildSa(number, 1, ENTRY, POLICY.selector, (out,), (into,), Limits(hard), Limits(hard // 2), peer=PEER)
        wish = None
        if ours:
            wish = Wish(next(iter(self.world.spd)), POLICY.selector, PATH, order=self.world.next_order())
        self.contracts.prepared(self.session, Prepared(child, wish))
        return child

    def agree(self, **how):
        child = self.prepare(**how)
        return self.contracts.agreed(self.session, child)

    def installed(self):
        return [effect.child.id for effect in self.effects if isinstance(effect, InstallOutbound)]

    def due(self, due, record):
        return self.timers.when((due, record.child.id))


def test_who_answered_sends_at_once():
    bench = Bench()
    record = bench.agree(ours=False)
    assert record.state is ChildState.LIVE
    assert bench.installed() == [1]
    assert (bench.due(Due.RENEW, record), bench.due(Due.EXPIRE, record)) == (1800, 3600)
    (event,) = [e.event for e in bench.effects if isinstance(e, Report) and isinstance(e.event, QuickModeEstablished)]
    assert (event.spi_in, event.spi_out, event.protection) == ("0x00001001", "0x00002001", "esp aes256-gcm")
    assert (event.initiator, event.rule, event.mode) == (False, "lab", "transport")


def test_who_began_waits_unless_the_peer_is_known_to_be_ready():
    bench = Bench()
    record = bench.agree(ours=True)
    assert record.state is ChildState.AGREED
    assert bench.installed() == []
    assert bench.due(Due.SWITCH, record) == 0.1
    bench.contracts.switch(1)
    bench.contracts.switch(1)
    assert bench.installed() == [1]
    early = Bench(Vendor.RINGFENCE)
    assert early.agree(ours=True).state is ChildState.LIVE


def test_a_renewal_of_ours_waits_longer_but_never_until_the_old_one_ends():
    bench = Bench()
    bench.agree(ours=False, hard=100)
    assert bench.due(Due.SWITCH, bench.at(50).agree(ours=True)) == 55
    late = Bench()
    late.agree(ours=False, hard=100)
    assert late.due(Due.SWITCH, late.at(96).agree(ours=True)) == 98


@pytest.mark.parametrize(("ours", "seconds"), [(True, 10), (False, 30)])
def test_the_old_one_retires(ours, seconds):
    bench = Bench(Vendor.RINGFENCE)
    old = bench.agree(ours=False)
    bench.at(50).agree(ours=ours)
    assert old.state is ChildState.RETIRING
    assert bench.due(Due.RETIRE, old) == 50 + seconds
    assert bench.due(Due.RENEW, old) is None
    bench.contracts.end(1, RETIRED, tell=True)
    kinds = [type(effect) for effect in bench.effects]
    assert kinds.count(RemoveChild) == kinds.count(SendMessage) == 1


def test_one_that_is_agreed_on_after_its_successor_is_never_used():
    bench = Bench(Vendor.RINGFENCE)
    late = bench.prepare(ours=False)
    bench.agree(ours=False)
    record = bench.contracts.agreed(bench.session, late)
    assert record.state is ChildState.RETIRING
    assert bench.installed() == [2]


def test_one_that_was_deleted_before_it_was_agreed_on():
    bench = Bench()
    child = bench.prepare(ours=False)
    bench.contracts.end(child.id, "", tell=False)
    assert bench.contracts.agreed(bench.session, child) is None
    assert bench.contracts.end(child.id, "", tell=False) is None
    assert not [e for e in bench.effects if isinstance(e, Report) and isinstance(e.event, QuickModeEnded)]


def test_deleted_by_the_peer():
    bench = Bench()
    bench.agree(ours=False)
    assert bench.contracts.deleted_by_peer(bench.session, Protocol.ESP, 0x1001) is None
    assert bench.contracts.deleted_by_peer(bench.session, Protocol.ESP, 0x2001).child.id == 1
    assert bench.timers.next() is None


def test_another_peer_behind_the_same_address_deletes_nothing():
    bench = Bench()
    bench.agree(ours=False)
    stranger = Identity.parse("stranger.example")
    bench.session.agreed = Agreed(
        main_keys(), FAST_MAIN, bench.session.entry, PEER, stranger, frozenset(), False
    )  # fmt: skip
    assert bench.contracts.deleted_by_peer(bench.session, Protocol.ESP, 0x2001) is None
    bench.contracts.drop_before(bench.session, "")
    assert len(bench.world.children) == 1


def test_what_a_peer_that_began_anew_does_not_have():
    bench = Bench()
    bench.agree(ours=False)
    larval = bench.prepare(ours=False)
    bench.session.began_at = 5.0
    bench.contracts.drop_before(bench.session, "the peer has begun anew")
    assert [record.child.id for record in bench.world.children] == [larval.id]


def test_an_unknown_spi_is_told_once_a_second():
    bench = Bench()
    for _ in range(3):
        bench.contracts.unknown_spi(Protocol.ESP, 0x9999, PATH)
    sent = [effect.datagram for effect in bench.effects if isinstance(effect, SendMessage)]
    assert len(sent) == 1
    assert sent[0][19] & 1
    bench.at(2).contracts.unknown_spi(Protocol.ESP, 0x9999, PATH)
    assert len([effect for effect in bench.effects if isinstance(effect, SendMessage)]) == 2
    elsewhere = path_between(POLICY.local, "198.51.100.1")
    bench.contracts.unknown_spi(Protocol.ESP, 0x9999, elsewhere)
    assert len([effect for effect in bench.effects if isinstance(effect, SendMessage)]) == 2


def test_an_spi_that_is_known_by_now_is_not_denied():
    bench = Bench()
    [sa] = bench.prepare(ours=True).inbound
    bench.contracts.unknown_spi(Protocol.ESP, sa.spi, PATH)
    assert not [effect for effect in bench.effects if isinstance(effect, SendMessage)]


def test_without_an_ike_sa_an_unknown_spi_is_told_in_clear():
    bench = Bench()
    bench.sessions.forget(bench.session)
    bench.contracts.unknown_spi(Protocol.ESP, 0x9999, PATH)
    (sent,) = [effect.datagram for effect in bench.effects if isinstance(effect, SendMessage)]
    assert not sent[19] & 1
