# SPDX-License-Identifier: Apache-2.0
"""IKE SAs and tunnels that go on by other addresses (RFC 4555)."""

from dataclasses import replace
from itertools import product

import pytest

from protocol.roaming import (
    AWAY,
    CLIENT,
    ELSEWHERE,
    GATEWAY,
    HOME,
    SECOND,
    SERVES,
    Roaming,
    carries,
    ends,
    moves,
    said,
    where,
)
from protocol.test_ikev2_life import renew_ike
from ringfence.audit import MainModeEnded, MainModeEstablished, QuickModeEnded
from ringfence.ike.effects import RemoveChild
from ringfence.net.address import Endpoint, format_address, parse_address
from ringfence.testing.nat import MemoryNat
from ringfence.testing.network import Link, path_between


def test_both_say_that_they_can_and_go_by_port_4500_from_the_start():
    both = Roaming(CLIENT.with_(own=(HOME, AWAY))).begin()
    assert carries(both)
    auth = next(words for words in said(both.client) if "IDi" in words)
    assert auth.endswith("N(MOBIKE_SUPPORTED) N(ADDITIONAL_IP4_ADDRESS)")
    assert "N(MOBIKE_SUPPORTED)" in next(words for words in said(both.server) if "IDr" in words)
    assert [path.remote.port for _, path, _ in both.network.seen] == [500, 500, 4500, 4500]
    assert both.client.using().outbound[-1].encapsulation is None, "without NAT there is none for ESP"
    assert all(sa.mobike for host in (both.client, both.server) for sa in host.engine.ike_sas())


@pytest.mark.parametrize("which", ["client", "server"])
def test_nobody_moves_where_one_side_does_not(which):
    policies = {"client": CLIENT, "server": SERVES}
    policies[which] = policies[which].with_(mobike=False)
    both = Roaming(*policies.values()).begin()
    assert carries(both)
    assert not any(sa.mobike for host in (both.client, both.server) for sa in host.engine.ike_sas())
    both.arrive(AWAY)
    assert both.client.removed, "its address is gone, and so is the contract"
    assert where(both.server) == (GATEWAY, HOME)


def test_a_client_goes_elsewhere_and_all_goes_along():
    both = Roaming().begin()
    before = both.client.using(), both.server.using()
    both.arrive(AWAY)
    both.run()
    assert carries(both)
    assert (where(both.client), where(both.server)) == ((AWAY, GATEWAY), (GATEWAY, AWAY))
    assert (ends(both.client), ends(both.server)) == ([(AWAY, GATEWAY)], [(GATEWAY, AWAY)])
    for host, old in zip((both.client, both.server), before, strict=True):
        new = host.using()
        assert (new.id, new.outbound[0].spi, new.outbound[0].cipher_key) == (
            old.id, old.outbound[0].spi, old.outbound[0].cipher_key,
        )  # fmt: skip
        assert not host.removed
        assert len(host.of(MainModeEstablished)) == 1
        assert not host.of(MainModeEnded)
    assert moves(both.client) == [(f"{HOME} <-> {GATEWAY}", f"{AWAY} <-> {GATEWAY}")]
    assert moves(both.server) == [(f"{GATEWAY} <-> {HOME}", f"{GATEWAY} <-> {AWAY}")]


def test_the_gateway_sends_no_packet_to_where_nobody_has_shown_to_be():
    """The cookie comes back first; until then packets go where they went."""
    both = Roaming().begin()
    both.network.passes = lambda datagram, path: len(both.network.seen) < 7  # the cookie is lost
    both.arrive(AWAY)
    both.run(0.1)
    assert said(both.server)[-1] == "N(COOKIE2)"
    assert ends(both.server) == [(GATEWAY, AWAY)]
    assert where(both.server) == (GATEWAY, HOME)
    both.network.passes = lambda datagram, path: True
    both.run()
    assert where(both.server) == (GATEWAY, AWAY)
    assert carries(both)


def test_who_cannot_send_back_the_cookie_is_given_up():
    both = Roaming().begin()
    both.arrive(AWAY)
    both.run(0.015)
    both.network.passes = lambda datagram, path: format_address(path.local.address) == GATEWAY
    both.run(60)
    assert "N(COOKIE2)" in said(both.server)
    assert moves(both.server) == []
    assert not both.server.engine.ike_sas()
    assert len(both.server.of(QuickModeEnded)) == 1


def test_make_before_break():
    """Both addresses are there for a while: no moment without a way."""
    both = Roaming().begin()
    both.arrive(AWAY, HOME, leave=False)
    for _ in range(40):
        both.run(0.005)
        assert both.client.using() is not None
        assert where(both.client)[0] in (HOME, AWAY)
    both.run()
    assert where(both.client) == (AWAY, GATEWAY)
    both.network.leave(HOME)
    both.follow("client", own=(AWAY,))
    both.run()
    assert carries(both)
    assert len(moves(both.client)) == 1


def test_without_any_address_the_ike_sa_waits_for_one():
    both = Roaming().begin()
    both.network.leave(HOME)
    both.follow("client", own=())
    both.run(20)
    assert not both.client.removed
    both.arrive(AWAY)
    both.run()
    assert carries(both)
    assert where(both.server) == (GATEWAY, AWAY)


def test_home_again_and_again():
    both = Roaming().begin()
    for address in (AWAY, ELSEWHERE, HOME, AWAY, HOME) * 3:
        both.arrive(address)
        both.run(1)
        assert carries(both)
        assert where(both.server) == (GATEWAY, address)
    assert len(moves(both.server)) == 15


def test_quicker_than_the_answer():
    both = Roaming().begin()
    for address in (AWAY, ELSEWHERE, HOME, AWAY):
        both.arrive(address)
        both.run(0.003)
    both.run(5)
    assert carries(both)
    assert where(both.server) == (GATEWAY, AWAY)
    assert where(both.client) == (AWAY, GATEWAY)


LOOKS = "N(NAT_DETECTION_SOURCE_IP) N(NAT_DETECTION_DESTINATION_IP)"
LOST = [set(), *({number} for number in range(6)), *(set(pair) for pair in product(range(4), range(4)))]


@pytest.mark.parametrize("lost", LOST, ids=str)
def test_every_message_of_a_move_may_be_lost(lost):
    both = Roaming().begin()
    first = len(both.network.seen)
    both.network.passes = lambda datagram, path: len(both.network.seen) - first - 1 not in lost
    both.arrive(AWAY)
    both.run(12)
    assert carries(both)
    assert (where(both.client), where(both.server)) == ((AWAY, GATEWAY), (GATEWAY, AWAY))


@pytest.mark.parametrize("seed", range(20))
def test_weather(seed):
    link = Link(delay_s=(0.001, 0.4), loss=0.2, double=0.2)
    both = Roaming(link=link, seed=seed)
    both.begin(20)
    for address in (AWAY, HOME, ELSEWHERE):
        both.arrive(address)
        both.run(25)
    assert carries(both)
    assert where(both.server) == (GATEWAY, ELSEWHERE)


# Nobody else ------------------------------------------------------------------------------------------------------


def test_what_comes_again_moves_nothing_back():
    both = Roaming().begin()
    both.arrive(AWAY)
    both.run()
    recorded = [
        (datagram, path) for _, path, datagram in both.network.seen if path.local.address == both.client.address
    ]
    recorded += [(datagram, path) for _, path, datagram in both.network.seen]
    both.arrive(ELSEWHERE)
    both.run()
    for datagram, path in recorded:
        both.network.inject(datagram, path)
    both.run(5)
    assert where(both.server) == (GATEWAY, ELSEWHERE)
    assert ends(both.server) == [(GATEWAY, ELSEWHERE)]
    assert carries(both)


def test_a_copy_from_elsewhere_moves_nothing():
    """Whoever sees a message and sends it on from his own address, behind the first: no second answer counts."""
    both = Roaming().begin()
    both.arrive(AWAY)
    both.run()
    (before,) = both.server.engine.ike_sas()
    for _, path, datagram in list(both.network.seen):
        if format_address(path.local.address) != GATEWAY:
            both.network.inject(datagram, path_between(ELSEWHERE, GATEWAY, 4500))
    both.run(5)
    assert both.server.engine.ike_sas()[0].path == before.path
    assert where(both.server) == (GATEWAY, AWAY)


def test_a_message_that_says_nothing_of_addresses_moves_nobody():
    """Not even an authentic one from another address: so paths can be tried."""
    both = Roaming().begin()
    (session,) = both.client.engine._sessions
    both.network.also(both.client, AWAY)
    effects = both.client.engine._sessions.get(session.id).probe()
    for effect in effects:
        if hasattr(effect, "datagram"):
            path = replace(effect.path, local=Endpoint(parse_address(AWAY), 4500))
            both.network.inject(effect.datagram, path)
    both.run()
    assert ends(both.server) == [(GATEWAY, HOME)]
    assert said(both.server)[-1] == "", "it is answered, from there to there"
    assert format_address(both.network.seen[-1][1].remote.address) == AWAY


def test_the_policy_says_where_a_peer_may_be():
    both = Roaming(server=SERVES.with_(roams="192.0.2.0/24")).begin()
    both.arrive(AWAY)
    both.run(1)
    assert said(both.server)[-2:] == [f"{LOOKS} N(UNACCEPTABLE_ADDRESSES)", ""]
    assert moves(both.server) == []
    assert not both.client.engine.ike_sas(), "there is no way back for it, so it says that this is the end"
    assert not both.server.engine.ike_sas()


def test_who_is_refused_stays_where_it_was_as_long_as_it_can():
    both = Roaming(server=SERVES.with_(roams="192.0.2.0/24")).begin()
    both.arrive(AWAY, HOME, leave=False)
    both.run(3)
    assert ends(both.client) == [(HOME, GATEWAY)]
    assert carries(both)


def test_a_rule_that_is_changed_to_nobody_moves_holds_at_once():
    both = Roaming().begin()
    both.follow("server", mobike=False)
    both.arrive(AWAY)
    both.run(1)
    assert "N(UNACCEPTABLE_ADDRESSES)" in said(both.server)[-2]
    assert moves(both.server) == []


# Further -----------------------------------------------------------------------------------------------------------


def test_an_ike_sa_that_was_renewed_moves_as_well_and_the_first_initiator_decides():
    both = Roaming().begin()

    class Pair:
        network = both.network

    renew_ike(Pair, both.server)  # the responder begins the successor
    both.run(40)
    assert [sa.initiator for sa in both.client.engine.ike_sas()] == [False]
    both.arrive(AWAY)
    both.run()
    assert carries(both)
    assert where(both.server) == (GATEWAY, AWAY)


@pytest.mark.parametrize("who", ["client", "server"])
def test_contracts_are_renewed_after_a_move(who):
    both = Roaming().begin()
    both.arrive(AWAY)
    both.run()
    host = getattr(both, who)
    old = host.using()
    both.network.do(host, host.engine.rekey_child(old.id, both.network.now, "test"))
    both.run(15)
    assert carries(both)
    assert host.using().id != old.id
    assert where(both.server) == (GATEWAY, AWAY)
    assert {effect.why for effect in host.removed} == {"replaced by its successor"} or host.removed


def test_a_client_goes_behind_nat_and_comes_out_again():
    inner, outer = "10.9.9.9", "203.0.113.77"
    both = Roaming(nats=(MemoryNat(outer, [inner]),)).begin()
    both.arrive(inner)
    both.run()
    ours, theirs = both.client.using().outbound[-1], both.server.using().outbound[-1]
    assert str(ours.encapsulation.local) == f"{inner}:4500"
    assert ours.keepalive
    assert format_address(theirs.encapsulation.remote.address) == outer
    assert theirs.encapsulation.remote.port not in (500, 4500)
    assert not theirs.keepalive
    both.arrive(AWAY)
    both.run()
    assert carries(both)
    assert both.client.using().outbound[-1].encapsulation is both.server.using().outbound[-1].encapsulation is None


def test_a_nat_that_forgets_is_found_out():
    inner, outer = "10.9.9.9", "203.0.113.77"
    nat = MemoryNat(outer, [inner])
    both = Roaming(CLIENT.with_(local=inner, own=(inner,)), nats=(nat,)).begin()
    before = both.server.using().outbound[-1].encapsulation
    nat.forget()
    child = both.client.using()
    both.network.do(both.client, both.client.engine.child_unanswered(child.id, both.network.now))
    both.run()
    after = both.server.using().outbound[-1].encapsulation
    assert after.remote.address == before.remote.address
    assert after.remote.port != before.remote.port


def test_a_gateway_with_two_addresses_is_reached_by_the_other():
    """The path fails; what is asked is tried by the other one, and everything goes there."""
    server = SERVES.with_(own=(GATEWAY, SECOND))
    client = CLIENT.with_(roams="0.0.0.0/0")
    both = Roaming(client, server)
    # the client's own rule names the gateway by its first address
    both.network.also(both.server, SECOND)
    spd, _ = client.with_(roams="").compiled()
    both.network.do(both.client, both.client.engine.apply(spd, client.compiled()[1], 0.0))
    both.begin()
    both.network.passes = lambda datagram, path: GATEWAY not in (
        format_address(path.local.address), format_address(path.remote.address),
    )  # fmt: skip
    child = both.client.using()
    both.network.do(both.client, both.client.engine.child_unanswered(child.id, both.network.now))
    both.run(15)
    assert carries(both)
    assert where(both.client) == (HOME, SECOND)
    assert where(both.server) == (SECOND, HOME)


def test_a_gateway_that_loses_its_address_says_so():
    server = SERVES.with_(own=(GATEWAY,))
    client = CLIENT.with_(roams="0.0.0.0/0")
    both = Roaming(client, server)
    spd, _ = client.with_(roams="").compiled()
    both.network.do(both.client, both.client.engine.apply(spd, client.compiled()[1], 0.0))
    both.begin()
    both.network.also(both.server, SECOND)
    both.network.leave(GATEWAY)
    both.follow("server", local=SECOND, own=(SECOND,))
    both.run(5)
    assert carries(both)
    assert where(both.client) == (HOME, SECOND)
    assert where(both.server) == (SECOND, HOME)
    assert not [each for each in both.server.removed if isinstance(each, RemoveChild)]


def test_without_nat_traversal_nobody_may_change_an_address():
    nat = MemoryNat("203.0.113.77", ["10.9.9.9"])
    both = Roaming(CLIENT.with_(nat_traversal=False), SERVES.with_(nat_traversal=False), nats=(nat,)).begin()
    assert carries(both)
    assert "N(NO_NATS_ALLOWED)" in next(words for words in said(both.client) if "IDi" in words)
    both.arrive(AWAY)
    both.run()
    assert carries(both)
    both.arrive("10.9.9.9")
    both.run(5)
    assert sum("N(UNEXPECTED_NAT_DETECTED)" in words for words in said(both.server)) == 3
    assert len(moves(both.server)) == 1
