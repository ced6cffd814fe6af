# SPDX-License-Identifier: Apache-2.0
"""What becomes of what was wanted of a gateway that sends its clients away."""

from protocol.test_ikev2_redirect import CLIENT, ONE, TWO, Three, assert_with

from ringfence.audit import MainModeEnded, MainModeFailed, PeerSentElsewhere
from ringfence.net.address import parse_address
from ringfence.testing.hosts import ENTRY


def test_several_packets_wait_for_one_contract_with_the_other_gateway() -> None:
    three = Three(one={"send_to": TWO})
    for _ in range(3):
        three.network.acquire(three.client, ENTRY, three.policy.flow())
    three.network.run(5)
    assert_with(three, TWO, three.two)
    assert len(three.client.engine.child_sas()) == 1
    assert not three.client.of(MainModeFailed)


def test_a_wish_of_the_client_under_the_old_gateway_is_not_lost() -> None:
    three = Three()
    three.wish()
    child = three.client.using()
    three.network.do(three.one, three.one.engine.drain(parse_address(TWO), three.network.now))
    three.network.do(three.client, three.client.engine.rekey_child(child.id, three.network.now, "now"))
    three.network.run(5)
    assert_with(three, TWO, three.two)
    assert len(three.client.engine.child_sas()) == 1
    assert [event.to for event in three.client.of(PeerSentElsewhere)] == [TWO]


def test_what_the_administrator_is_told() -> None:
    three = Three()
    three.wish()
    three.drain(three.one, TWO)
    assert [str(event) for event in three.one.of(PeerSentElsewhere)] == [f"{CLIENT} is sent to the gateway {TWO}"]
    assert [str(event) for event in three.client.of(PeerSentElsewhere)] == [f"{ONE} sends us to {TWO}"]
    assert [event.why for event in three.client.of(MainModeEnded)] == [f"the peer sends us to {TWO}"]


def test_an_order_for_the_other_family_or_for_ourselves_sends_nobody() -> None:
    three = Three()
    three.wish()
    for nowhere in ("2001:db8::1", ONE):
        three.drain(three.one, nowhere)
        assert_with(three, ONE, three.one)
