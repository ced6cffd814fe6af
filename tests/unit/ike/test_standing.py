# SPDX-License-Identifier: Apache-2.0
"""When a contract that is to be there without packets is begun, and how patiently."""

from itertools import pairwise

import pytest
from protocol.warriors import WARRIOR, Front, compiled

from ringfence.audit import MessageExchanged
from ringfence.databases.spd import Spd
from ringfence.ike.sessions import Due
from ringfence.ike.settings import IkeSettings
from ringfence.ike.standing import Standing
from ringfence.ike.timers import Timers
from ringfence.ike.world import World
from ringfence.testing.random import SeededRandom


class FakePursuit:
    """Notes what is wanted; a test says what of it is still under way."""

    def __init__(self, world):
        self.world = world
        self.begun = []
        self.under_way = False

    def want(self, entry, selector, path):
        self.begun.append((self.world.env.now, str(selector), str(path.remote)))

    def is_wanted(self, selector, path):
        return self.under_way


@pytest.fixture
def setting():
    world = World(SeededRandom("standing"), IkeSettings())
    world.env.now = 100.0
    timers, pursuit = Timers(), FakePursuit(world)
    world.spd, world.pad = compiled(WARRIOR, "203.0.113.5")
    return world, timers, pursuit, Standing(world, timers, pursuit)


def test_it_is_begun_at_once_and_then_ever_more_patiently(setting):
    world, timers, pursuit, standing = setting
    standing.follow(world.spd)
    for _ in range(9):
        standing.look()
        world.env.now = timers.when((Due.STANDING, 0))
    begun = [when for when, _, _ in pursuit.begun]
    assert [later - sooner for sooner, later in pairwise(begun)] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert pursuit.begun[0][1:] == ("0.0.0.0/0 -> 10.1.0.0/16", "192.0.2.1:500")


def test_it_is_not_begun_twice(setting):
    world, timers, pursuit, standing = setting
    pursuit.under_way = True
    standing.follow(world.spd)
    standing.look()
    assert pursuit.begun == []
    assert timers.when((Due.STANDING, 0)) is None


def test_another_policy_wants_nothing_any_more(setting):
    world, _, pursuit, standing = setting
    standing.follow(world.spd)
    standing.follow(Spd())
    standing.look()
    assert pursuit.begun == []


def test_who_may_not_begin_and_who_is_offline_wait(setting):
    world, _, pursuit, standing = setting
    world.spd, world.pad = compiled(WARRIOR + "initiate = false", "203.0.113.5")
    standing.follow(world.spd)
    standing.look()
    world.spd, world.pad = compiled(WARRIOR, "fd77::5")
    standing.follow(world.spd)
    standing.look()
    assert pursuit.begun == []


def test_a_family_that_the_gateway_does_not_have_is_left_alone():
    front = Front("""
[pool.people]
addresses = "10.9.0.0/24"
[[rule]]
name = "people"
keying = "ikev2"
local = { networks = "any", gateway = "192.0.2.1" }
remote = { gateway = "any", pool = "people" }
auth = { psk-file = "people.psk" }
allow = { computers = ["*.corp.example"] }
identity = { local = "gw.corp.example" }
""")
    alice = front.warrior(networks='"any"')
    front.run(100)
    assert [str(one.selector) for one in alice.outbound.values()] == ["10.9.0.1 -> 0.0.0.0/0"]
    asked = [one.exchange for one in alice.of(MessageExchanged) if one.sent]
    assert asked == ["IKE_SA_INIT", "IKE_INTERMEDIATE", "IKE_AUTH"]
