# SPDX-License-Identifier: Apache-2.0
"""What all IKE SAs share."""

from ringfence.databases.identity import Identity
from ringfence.ike.settings import IkeSettings
from ringfence.ike.wishes import Wish
from ringfence.ike.world import World
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")


def test_orders_count_up_with_room_in_front():
    world = World(SeededRandom(0), IkeSettings())
    first, second = world.next_order(), world.next_order()
    squeezed, again = world.order_before(second), world.order_before(second)
    assert first < squeezed < again < second < world.next_order()


def test_the_nonce_of_what_we_insist_on():
    world = World(SeededRandom(0), IkeSettings())
    (entry,) = POLICY.compiled()[0]
    wish = Wish(entry, POLICY.selector, path_between(POLICY.local, POLICY.remote))
    assert world.our_nonce(wish.key) is None
    world.wishes.add(wish)
    assert world.our_nonce(wish.key) is None
    wish.nonce = b"n"
    assert world.our_nonce(wish.key) == b"n"
    wish.repeats = 5
    assert world.our_nonce(wish.key) is None
    assert world.in_use(wish.key, Identity.parse("192.0.2.2")) is None


def test_the_rule_of_a_peer_is_named_where_there_is_one():
    from dataclasses import replace

    from ringfence.databases.spd import Origin, Spd

    world = World(SeededRandom(0), IkeSettings())
    world.spd, world.pad = POLICY.compiled()
    (peer,), (entry,) = world.pad, world.spd
    assert world.only_rule(peer) == "lab"
    assert world.only_rule(replace(peer, name="other")) == ""
    world.spd = Spd((entry, replace(entry, name="2", origin=Origin("second"))))
    assert world.only_rule(peer) == ""
