# SPDX-License-Identifier: Apache-2.0
"""What a peer may ask under an IKE SA, what it is told, and what crosses."""

import pytest
from protocol.pairs import POLICY, pair

from ringfence.audit import MainModeEnded, QuickModeEnded, QuickModeFailed
from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Protocol
from ringfence.ike.dispatch import header_of
from ringfence.ike.effects import SendMessage
from ringfence.ike.exchange import Stepper
from ringfence.ike.v2 import child, keyexchange
from ringfence.ike.v2.dialogue import MOST_FOLLOWING
from ringfence.ike.v2.informational import delete_children, tell
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import Kind
from ringfence.ike.v2.payloads import KePayload, NoncePayload, NotifyPayload
from ringfence.ike.v2.running import Running
from ringfence.testing.network import path_between

V2 = POLICY.with_(keying=(2,))


class Asked:
    """A pair, of which a asks by hand."""

    def __init__(self, policy=V2):
        self.both = pair(policy)
        self.both.wish(self.both.a)
        self.both.run(1)
        (self.ours,) = self.both.a.engine._sessions
        (self.theirs,) = self.both.b.engine._sessions

    def __call__(self, kind, exchange):
        """The payloads of b's answer."""
        running = Running(kind, Stepper(exchange), self.ours._world.settings.patience)
        running.abandoned = False
        heard = []
        finish, fail = self.ours._talk._finish, self.ours._talk._fail
        self.ours._talk._finish = lambda _running, result: heard.append(result)
        self.ours._talk._fail = lambda _running, error: heard.append(error)
        self.ours._talk.ask(running)
        self.both.network.do(self.both.a, [each for each in self.ours._voice.drain() if isinstance(each, SendMessage)])
        self.both.run(0.1)
        self.ours._talk._finish, self.ours._talk._fail = finish, fail
        return heard

    def tell(self, kind, *payloads):
        (message,) = self(kind, tell(*payloads))
        return [*message.chain]


def test_an_empty_request_has_an_empty_answer():
    assert Asked().tell(Kind.INFORMATIONAL) == []


def test_a_delete_is_answered_with_the_other_half():
    asked = Asked()
    child_sa = asked.both.a.using()
    said = asked.tell(Kind.INFORMATIONAL, *delete_children([(Protocol.ESP, child_sa.inbound[0].spi)]))
    assert said == [*delete_children([(Protocol.ESP, child_sa.outbound[0].spi)])]
    assert len(asked.both.b.of(QuickModeEnded)) == 1


def test_an_unknown_spi_is_deleted_without_a_word():
    asked = Asked()
    assert asked.tell(Kind.INFORMATIONAL, *delete_children([(Protocol.ESP, 0x99999)])) == []
    assert asked.both.b.of(QuickModeEnded) == []


def test_what_is_not_there_is_not_rekeyed():
    asked = Asked()
    ground = asked.ours._requests._ground()
    entry = asked.ours._world.spd.entries[0]
    wanted = child.Wanted(entry, V2.selector, b"n" * 32, old=(Protocol.ESP, 0x99999))
    (error,) = asked(Kind.CREATE_CHILD_SA, child.initiate(ground, wanted, asked.ours._world.env))
    assert "CHILD_SA_NOT_FOUND" in error.message
    assert asked.both.b.engine.child_sas() != ()


def test_while_the_ike_sa_is_rekeyed_nothing_is_negotiated():
    asked = Asked()
    asked.theirs.succeed()
    ground, entry = asked.ours._requests._ground(), asked.ours._world.spd.entries[0]
    wanted = child.Wanted(entry, V2.selector, b"n" * 32)
    (error,) = asked(Kind.CREATE_CHILD_SA, child.initiate(ground, wanted, asked.ours._world.env))
    assert "TEMPORARY_FAILURE" in error.message


def test_an_authentic_message_without_sense_ends_the_ike_sa():
    asked = Asked()
    (error,) = asked(Kind.CREATE_CHILD_SA, tell(NoncePayload(bytes(16))))
    assert "INVALID_SYNTAX" in error.message
    assert len(asked.both.b.of(MainModeEnded)) == len(asked.both.a.of(MainModeEnded)) == 1


@pytest.mark.parametrize("kind", [Kind.CREATE_CHILD_SA, Kind.INFORMATIONAL])
def test_nothing_is_asked_before_the_peer_is_authenticated(kind):
    both = pair(V2)
    both.network.passes = lambda datagram, _path: header_of(datagram).exchange != Kind.IKE_AUTH
    both.wish(both.a)
    both.run(0.1)
    (ours,) = both.a.engine._sessions
    (theirs,) = both.b.engine._sessions
    (said,) = ours._voice.say(kind, 1, (NotifyPayload(Notify.INITIAL_CONTACT),), response=False)
    effects = both.b.engine.receive(said, path_between(V2.remote, V2.local), both.network.now)
    assert theirs.made is None
    assert not both.b.inbound
    assert isinstance(effects, list)


def test_a_key_exchange_that_is_not_there_does_not_go_on():
    asked = Asked()
    value = KePayload(19, bytes(64))
    for link in ((), (NotifyPayload(Notify.ADDITIONAL_KEY_EXCHANGE, b"unknown"),)):
        (said,) = asked.tell(Kind.IKE_FOLLOWUP_KE, value, *link)
        assert said.kind == Notify.STATE_NOT_FOUND


class HalfDone(Asked):
    """A pair whose child SAs have two key exchanges, of which a asks for the first only."""

    def __init__(self):
        super().__init__(V2.with_(pfs=DhGroup.CURVE25519, pfs_further=(DhGroup.ECP_256,)))
        self.entry, self.selector = self.both.a.engine._world.spd.entries[0], self.both.policy_a.selector

    def begin(self):
        """The link that b answers with."""
        env, processing = self.ours._world.env, self.entry.processing
        wanted = child.Wanted(self.entry, self.selector, env.random(32))
        offer = child.Asked(wanted, None, self.ours._world.children, env).payloads(processing.exchanges)
        half = keyexchange.half_of(processing.pfs, env)
        said = self.tell(Kind.CREATE_CHILD_SA, *offer, NoncePayload(wanted.nonce), *keyexchange.ke_of(half))
        (link,) = [each.data for each in said if isinstance(each, NotifyPayload) and each.kind == 16441]
        return link

    def go_on(self, link):
        half = keyexchange.half_of(DhGroup.ECP_256, self.ours._world.env)
        said = NotifyPayload(Notify.ADDITIONAL_KEY_EXCHANGE, link)
        return self.tell(Kind.IKE_FOLLOWUP_KE, *keyexchange.ke_of(half), said)


def test_a_link_serves_once():
    asked = HalfDone()
    link = asked.begin()
    assert [type(each) for each in asked.go_on(link)] == [KePayload]
    assert [each.kind for each in asked.go_on(link)] == [Notify.STATE_NOT_FOUND]


def test_what_is_half_done_is_forgotten_after_a_while():
    asked = HalfDone()
    link = asked.begin()
    asked.both.run(asked.ours._world.settings.half_open_s + 1)
    (failed,) = asked.both.b.of(QuickModeFailed)
    assert "does not go on" in failed.detail
    assert [each.kind for each in asked.go_on(link)] == [Notify.STATE_NOT_FOUND]
    assert asked.both.b.engine.ike_sas()


def test_a_peer_leaves_so_many_half_done():
    asked = HalfDone()
    links = [asked.begin() for _ in range(MOST_FOLLOWING + 1)]
    assert [each.kind for each in asked.go_on(links[0])] == [Notify.STATE_NOT_FOUND]
    assert [type(each) for each in asked.go_on(links[-1])] == [KePayload]


def test_a_wrong_further_value_is_refused_and_the_ike_sa_stays():
    asked = HalfDone()
    link = NotifyPayload(Notify.ADDITIONAL_KEY_EXCHANGE, asked.begin())
    (said,) = asked.tell(Kind.IKE_FOLLOWUP_KE, KePayload(19, bytes(64)), link)
    assert said.kind == Notify.INVALID_SYNTAX
    assert asked.both.b.engine.ike_sas()
    assert asked.tell(Kind.INFORMATIONAL) == []
