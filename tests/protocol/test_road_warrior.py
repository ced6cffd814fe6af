# SPDX-License-Identifier: Apache-2.0
"""Road warriors and their gateway: who gets which address, and that no other traffic goes through the tunnel."""

import pytest

from protocol.warriors import FRONT, POOL, WARRIOR, Front, addresses, flow, selectors
from ringfence.audit import MainModeEstablished, MessageExchanged, QuickModeFailed
from ringfence.databases.pool import Assignment
from ringfence.ike.errors import Reason
from ringfence.net.address import AddressRange, parse_address

OFFICE = ["10.9.0.1 -> 10.1.0.0/16"]


def packed(*texts: str) -> tuple[bytes, ...]:
    return tuple(map(parse_address, texts))


def test_a_road_warrior_comes_in_without_any_packet():
    front = Front()
    alice = front.warrior()
    front.run()
    assert selectors(alice) == OFFICE
    assert selectors(front.gateway) == ["10.1.0.0/16 -> 10.9.0.1"]
    (assigned,) = alice.assigned.values()
    assert assigned.given == Assignment(
        packed("10.9.0.1"), packed("10.1.0.53"), ("corp.example",), (AddressRange.parse("10.1.0.0/16"),)
    )
    said = [event.payloads for event in alice.of(MessageExchanged)][-2:]
    assert said == [
        "IDi IDr AUTH N(INITIAL_CONTACT) CP SA TSi TSr N(MOBIKE_SUPPORTED)",
        "IDr AUTH N(MOBIKE_SUPPORTED) CP SA TSi TSr",
    ]  # fmt: skip


def test_the_address_is_there_before_the_contract_is_used():
    front = Front()
    alice = front.warrior()
    front.run()
    order = [type(effect).__name__ for _, effect in alice.timeline]
    assert order.index("Assign") < order.index("InstallInbound") < order.index("InstallOutbound")


def test_each_has_an_address_and_keeps_it_over_reconnects():
    front = Front()
    alice, bob = front.warrior(), front.warrior("203.0.113.6", "bob")
    front.run()
    assert (addresses(alice), addresses(bob)) == ([packed("10.9.0.1")], [packed("10.9.0.2")])
    front.network.do(alice, alice.engine.shut_down(front.network.now))
    front.run()
    assert alice.assigned == {}
    assert selectors(front.gateway) == ["10.1.0.0/16 -> 10.9.0.2"]
    front.network.remove(alice)
    carol, again = front.warrior("203.0.113.7", "carol"), front.warrior("203.0.113.5")
    front.run()
    assert (addresses(carol), addresses(again)) == ([packed("10.9.0.3")], [packed("10.9.0.1")])


def test_who_crashed_takes_over_what_he_had():
    front = Front()
    alice = front.warrior()
    front.run()
    front.network.remove(alice)
    again = front.warrior()
    front.run()
    assert addresses(again) == [packed("10.9.0.1")]
    assert selectors(front.gateway) == ["10.1.0.0/16 -> 10.9.0.1"]


def test_a_gateway_that_crashed_gives_what_it_is_asked_for():
    front = Front()
    front.warrior()
    bob = front.warrior("203.0.113.6", "bob")
    front.run()
    assert addresses(bob) == [packed("10.9.0.2")]
    front.network.remove(front.gateway)
    front.gateway = front.start(POOL + FRONT, "192.0.2.1", "again")
    (info,) = bob.engine.ike_sas()
    front.network.do(bob, bob.engine.delete_ike(info.id, front.network.now, "a test"))
    front.run(70)
    assert addresses(bob) == [packed("10.9.0.2")]


def test_no_address_left_is_told_and_tried_again_later():
    front = Front(POOL.replace("10.9.0.0/24", "10.9.0.9") + FRONT)
    alice = front.warrior()
    front.run()
    bob = front.warrior("203.0.113.6", "bob")
    front.run()
    assert (addresses(alice), addresses(bob)) == ([packed("10.9.0.9")], [])
    (failed,) = front.gateway.of(QuickModeFailed)
    assert (failed.reason, failed.detail) == ("no-address", 'pool "people" has no address for bob.corp.example')
    assert bob.of(QuickModeFailed)[0].detail == "the peer refuses the child SA: INTERNAL_ADDRESS_FAILURE"
    assert bob.engine.ike_sas() == ()
    front.network.do(alice, alice.engine.shut_down(front.network.now))
    front.network.remove(alice)
    front.run(10)
    assert addresses(bob) == [packed("10.9.0.9")]


def test_who_asks_for_no_address_gets_no_contract():
    front = Front()
    mallory = WARRIOR.replace('address = "assigned"', 'networks = "10.9.0.7", gateway = "203.0.113.5"')
    host = front.start(mallory, "203.0.113.5")
    front.network.acquire(host, "office/10.9.0.7 <-> 10.1.0.0/16", flow("10.9.0.7", "10.1.0.1"))
    front.run()
    assert selectors(front.gateway) == []
    (failed,) = front.gateway.of(QuickModeFailed)
    assert failed.detail.startswith("the peer asks for no address")
    assert host.of(QuickModeFailed)[0].detail.endswith("FAILED_CP_REQUIRED")


def test_nobody_uses_the_address_of_another():
    front = Front()
    alice = front.warrior()
    front.run()
    bob = front.warrior("203.0.113.6", "bob", address='"10.9.0.1"')
    front.run()
    assert addresses(bob) == [packed("10.9.0.2")]
    assert sorted(selectors(front.gateway)) == ["10.1.0.0/16 -> 10.9.0.1", "10.1.0.0/16 -> 10.9.0.2"]
    assert selectors(alice) == OFFICE


def test_an_address_belongs_to_an_identity():
    front = Front(POOL + 'fixed = { "alice.corp.example" = "10.9.0.77" }\n' + FRONT)
    bob, alice = front.warrior("203.0.113.6", "bob", address='"10.9.0.77"'), front.warrior()
    front.run()
    assert (addresses(alice), addresses(bob)) == ([packed("10.9.0.77")], [packed("10.9.0.1")])


def test_the_contract_and_the_address_live_on_in_a_successor():
    front = Front()
    alice = front.warrior()
    front.run()
    before = dict(alice.assigned)
    front.run(8 * 3600)
    assert len(alice.of(MainModeEstablished)) > 1
    assert alice.assigned == before
    assert [str(alice.using().selector)] == OFFICE
    bob = front.warrior("203.0.113.6", "bob", address='"10.9.0.1"')
    front.run()
    assert addresses(bob) == [packed("10.9.0.2")]


def test_a_packet_from_another_address_has_no_chance():
    front = Front()
    alice = front.warrior()
    front.run()
    name = "office/0.0.0.0/0 <-> 10.1.0.0/16"
    front.network.acquire(alice, name, flow("203.0.113.5", "10.1.0.1"))
    front.run()
    (failure,) = alice.failures
    assert failure.reason == Reason.NO_ADDRESS.value
    assert selectors(alice) == OFFICE


def test_a_packet_that_waited_for_the_address_is_told():
    front = Front()
    alice = front.warrior()
    front.network.acquire(alice, "office/0.0.0.0/0 <-> 10.1.0.0/16", flow("203.0.113.5", "10.1.0.1"))
    front.run()
    (failure,) = alice.failures
    assert failure.detail == "it was sent before the peer gave us 10.9.0.1"


def test_it_comes_back_when_the_gateway_does():
    front = Front()
    alice = front.warrior()
    front.run()
    front.network.do(front.gateway, front.gateway.engine.shut_down(front.network.now))
    front.run()
    assert alice.assigned == {}
    front.follow(front.gateway, POOL + FRONT, "192.0.2.1")
    front.run(200)
    assert addresses(alice) == [packed("10.9.0.1")]
    assert [str(alice.using().selector)] == OFFICE


def test_another_policy_takes_the_address_away():
    front = Front()
    alice = front.warrior()
    front.run()
    front.follow(alice, "", "203.0.113.5")
    front.run()
    assert alice.assigned == {}
    assert alice.outbound == {}
    assert selectors(front.gateway) == []


def test_without_the_key_there_is_no_address():
    front = Front()
    mallory = front.warrior(key="other.psk")
    front.run(5)
    assert mallory.assigned == {}
    assert selectors(front.gateway) == []


@pytest.mark.parametrize(
    ("networks", "given", "protected"),
    [
        ('"fd00:1::/32"', packed("fd00:9::1"), ["fd00:9::1 -> fd00:1::/32"]),
        (
            '["10.1.0.0/16", "fd00:1::/32"]',
            packed("10.9.0.1", "fd00:9::1"),
            ["10.9.0.1 -> 10.1.0.0/16", "fd00:9::1 -> fd00:1::/32"],
        ),
        ('"any"', packed("10.9.0.1", "fd00:9::1"), ["10.9.0.1 -> 10.1.0.0/16", "fd00:9::1 -> fd00:1::/32"]),
    ],
)
def test_both_families(networks, given, protected):
    front = Front()
    alice = front.warrior(networks=networks)
    front.run(5)
    assert addresses(alice) == [given]
    assert sorted(selectors(alice)) == protected
