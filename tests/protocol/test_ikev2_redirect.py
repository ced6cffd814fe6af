# SPDX-License-Identifier: Apache-2.0
"""A client and two gateways (RFC 5685): sent on at first, when it has proved itself, and later; and by whom not."""

from dataclasses import replace

import pytest

from protocol.pairs import keys, start
from ringfence.audit import MainModeEnded, MainModeEstablished, MainModeFailed, MessageExchanged, MessageIgnored
from ringfence.audit import PeerSentElsewhere as Sent
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.pad import Pad
from ringfence.databases.sa import Mode
from ringfence.ike.errors import Reason
from ringfence.net.address import parse_address
from ringfence.testing.hosts import ANYWHERE, ENTRY, HostPolicy
from ringfence.testing.network import MemoryNetwork, path_between

CLIENT, ONE, TWO, STRANGER = "192.0.2.1", "198.51.100.7", "198.51.100.8", "203.0.113.9"
POLICY = HostPolicy(
    CLIENT, ONE, mode=Mode.TUNNEL, local_net="10.1.0.0/16", remote_net="10.2.0.0/16", keying=(2,), others=(TWO,)
)


class Three:
    """A client and two gateways."""

    def __init__(self, policy=POLICY, one=(), two=(), anywhere=False):
        self.network = MemoryNetwork("redirect")
        self.policy = policy
        theirs = policy.mirrored().with_(others=())
        if anywhere:
            theirs = theirs.with_(remote=ANYWHERE)
        self.client = start(self.network, policy, 0)
        self.one = start(self.network, theirs.with_(local=ONE, **dict(one)), 1)
        self.two = start(self.network, theirs.with_(local=TWO, **dict(two)), 2)

    def wish(self, seconds=5):
        self.network.acquire(self.client, ENTRY, self.policy.flow())
        self.network.run(seconds)

    def drain(self, host, to, seconds=5):
        clients = sum(one.refers for one in host.engine.ike_sas())
        effects = host.engine.drain(None if to is None else parse_address(to), self.network.now)
        self.network.do(host, effects)
        self.network.run(seconds)
        return clients

    def serving(self):
        """By which gateway the client's traffic goes."""
        child = self.client.using()
        return None if child is None else child.outbound[0].destination


def assert_with(three, gateway, host):
    child = three.client.using()
    assert child is not None
    assert child.outbound[0].destination == parse_address(gateway)
    other = host.using()
    assert keys(child.outbound) == keys(other.inbound)
    assert keys(other.outbound) == keys(child.inbound)


def said(host):
    return [one.payloads for one in host.of(MessageExchanged)]


def test_without_a_word_everybody_is_served():
    three = Three()
    three.wish()
    assert_with(three, ONE, three.one)
    assert "N(REDIRECT_SUPPORTED)" in said(three.client)[0]


def test_a_gateway_sends_on_whom_it_has_not_met():
    three = Three(one={"send_to": TWO})
    three.wish()
    assert_with(three, TWO, three.two)
    words = said(three.client)
    assert words[1] == "N(REDIRECT)"
    assert "N(REDIRECTED_FROM)" in words[2]
    (ours,) = three.client.of(Sent)
    assert (ours.peer, ours.to, ours.sent) == (ONE, TWO, False)
    assert three.one.engine.ike_sas() == ()
    assert not three.client.of(MainModeFailed)


def test_who_has_proved_itself_is_sent_on():
    """Two rules for that address, of which one sends its peers on: that it is this one shows in IKE_AUTH."""
    three = Three(one={"send_to": TWO})
    spd, (entry,) = three.one.engine._world.spd, three.one.engine._world.pad
    bob = Identity(IdentityKind.USER_FQDN, b"bob@corp.example")
    other = replace(entry, name="others", send_to=None, remote_identity=bob)
    three.network.do(three.one, three.one.engine.apply(spd, Pad((entry, other)), three.network.now))
    three.wish()
    assert_with(three, TWO, three.two)
    assert any(words.startswith("IDr AUTH N(REDIRECT)") for words in said(three.client))
    assert [event.sent for event in three.one.of(Sent)] == [True]
    assert three.one.engine.ike_sas() == ()


@pytest.mark.parametrize("anywhere", [False, True])
def test_an_administrator_drains_a_gateway(anywhere):
    three = Three(anywhere=anywhere)
    three.wish()
    assert three.drain(three.one, TWO) == 1
    assert_with(three, TWO, three.two)
    assert three.one.engine.ike_sas() == ()
    assert three.one.using() is None
    assert [event.sent for event in three.one.of(Sent)] == [True]
    assert len(three.client.of(MainModeEnded)) == 1


def test_who_comes_in_while_it_drains_goes_on_and_later_is_served():
    three = Three()
    assert three.drain(three.one, TWO) == 0
    three.wish()
    assert_with(three, TWO, three.two)
    three.drain(three.one, None)
    three.drain(three.two, ONE)
    assert_with(three, ONE, three.one)


def test_who_does_not_know_of_it_is_served():
    three = Three(POLICY.with_(others=()), one={"send_to": TWO})
    three.wish()
    assert_with(three, ONE, three.one)
    assert three.drain(three.one, TWO) == 0
    assert_with(three, ONE, three.one)


@pytest.mark.parametrize("when", ["first", "later"])
def test_a_client_goes_only_where_its_policy_lets_it(when):
    one = {"send_to": STRANGER} if when == "first" else {}
    three = Three(one=one)
    three.wish()
    if when == "later":
        assert three.drain(three.one, STRANGER) == 1
        assert any(each.reason == Reason.ELSEWHERE.value for each in three.client.of(MessageIgnored))
    else:
        assert {each.reason for each in three.client.of(MainModeFailed)} == {Reason.ELSEWHERE.value}
    assert not three.client.of(Sent)
    assert three.serving() == (parse_address(ONE) if when == "later" else None)


def test_the_other_gateway_has_to_prove_itself_all_the_same():
    three = Three(one={"send_to": TWO}, two={"key": b"another key"})
    three.wish()
    assert three.serving() is None
    assert {each.reason for each in three.client.of(MainModeFailed)} == {Reason.WRONG_KEY.value}
    three.network.acquire(three.client, ENTRY, POLICY.flow())
    first = three.client.of(MessageExchanged)[-1]
    assert first.peer == ONE, "the first gateway is asked again"


def test_gateways_that_send_clients_to_each_other_are_not_followed_for_ever():
    three = Three(one={"send_to": TWO}, two={"send_to": ONE})
    three.wish(60)
    assert len(three.client.of(Sent)) == 5
    (failed,) = three.client.of(MainModeFailed)
    assert failed.reason == Reason.ELSEWHERE.value
    assert "within 300 seconds" in failed.detail


def test_a_forged_redirect_without_the_nonce_changes_nothing():
    three = Three()
    forged = []

    def passes(datagram, path):
        if datagram[18] == 34 and datagram[19] == 0x08 and not forged and path.local.address == parse_address(CLIENT):
            notify = bytes([1, 4]) + parse_address(TWO) + bytes(32)
            body = bytes([0, 0]) + (8 + len(notify)).to_bytes(2) + bytes([0, 0]) + (16407).to_bytes(2) + notify
            head = datagram[:8] + bytes(8) + bytes([41, 0x20, 34, 0x20]) + bytes(4) + (28 + len(body)).to_bytes(4)
            forged.append(head + body)
            three.network.inject(head + body, path_between(ONE, CLIENT))
        return True

    three.network.passes = passes
    three.wish()
    assert forged
    assert not three.client.of(Sent)
    assert_with(three, ONE, three.one)
    assert any("answers no request of ours" in each.detail for each in three.client.of(MessageIgnored))


def test_a_client_that_stays_is_ended(monkeypatch):
    three = Three()
    three.wish()
    ended = three.one.engine.ike_sas()[0].id
    monkeypatch.setattr(three.client.engine._redirection, "happen", lambda *_: None)
    three.drain(three.one, TWO, 20)
    assert three.one.engine.ike_sas()
    three.network.run(20)
    assert [each.ike_id for each in three.one.of(MainModeEnded)] == [ended]


def test_established_events_name_the_gateway():
    three = Three(one={"send_to": TWO})
    three.wish()
    (made,) = three.client.of(MainModeEstablished)
    assert made.peer == TWO
