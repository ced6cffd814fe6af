# SPDX-License-Identifier: Apache-2.0
"""Who gets which address under one IKE SA."""

import pytest
from protocol.warriors import FRONT, POOL, WARRIOR, compiled

from ringfence.databases.identity import Identity
from ringfence.databases.pool import Pool
from ringfence.ike.claims import Claim
from ringfence.ike.effects import Assign
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v2.assigning import Assigning, owner_of
from ringfence.ike.v2.configuration import Form
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import ConfigPayload, NotifyPayload
from ringfence.ike.v2.peers import Proved
from ringfence.ike.world import World
from ringfence.net.address import parse_address
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

ASKED = ConfigPayload(Form.REQUEST, ((1, b""), (13, b"")))
GIVEN = ConfigPayload(Form.REPLY, ((1, parse_address("10.9.0.7")),))
PATH = path_between("192.0.2.1", "203.0.113.5")


def chain(payload):
    return Chain((Decoded(payload, b""),))


def host(text, address):
    world = World(SeededRandom(address), IkeSettings())
    world.spd, world.pad = compiled(text, address)
    return world, Assigning(1, PATH, world)


def proved(world, name="alice.corp.example"):
    (entry,) = world.pad
    who = Identity.parse(name)
    return Proved(entry, entry.proposals[0], entry.local_identity, Claim(who, (who,)), entry.auth[0])


def test_a_lease_is_a_proved_names():
    alice, dn, address = map(Identity.parse, ("alice@corp.example", "CN=alice", "203.0.113.5"))
    pool = Pool("people", ())
    assert owner_of(Claim(address, (dn, alice)), pool) == dn  # what it calls itself proves nothing
    assert owner_of(Claim(alice, (dn, alice)), pool) == alice
    fixed = Pool("people", (), fixed={dn: (parse_address("10.9.0.7"),)})
    assert owner_of(Claim(alice, (dn, alice)), fixed) == dn


def test_a_pool_gives_and_says_what_is_protected():
    world, assigning = host(POOL + FRONT, "192.0.2.1")
    (reply,) = assigning.give(chain(ASKED), proved(world), anew=False)
    assert reply.attributes == ((1, parse_address("10.9.0.1")), (13, bytes.fromhex("0a010000ffff0000")))
    assert world.assignments.leases.held(1) == (parse_address("10.9.0.1"),)


def test_who_asks_for_nothing_gets_nothing():
    world, assigning = host(POOL + FRONT, "192.0.2.1")
    assert assigning.give(Chain(()), proved(world), anew=False) == ()
    assert world.assignments.leases.held(1) == ()


def test_a_rule_without_a_pool_gives_no_address_but_says_what_it_knows():
    text = FRONT.replace('pool = "people"', 'networks = "10.9.0.0/24"')
    world, assigning = host(text, "192.0.2.1")
    assert assigning.give(chain(ASKED), proved(world), anew=False) == ()
    (reply,) = assigning.give(chain(ConfigPayload(Form.REQUEST, ((1, b""), (7, b"")))), proved(world), anew=False)
    assert reply.attributes == ((7, b""),)


def test_an_empty_pool_refuses():
    world, assigning = host(POOL.replace("10.9.0.0/24", "10.9.0.9") + FRONT, "192.0.2.1")
    assigning.give(chain(ASKED), proved(world), anew=False)
    with pytest.raises(Refused, match="has no address for bob") as caught:
        Assigning(2, PATH, world).give(chain(ASKED), proved(world, "bob.corp.example"), anew=False)
    assert caught.value.reason is Reason.NO_ADDRESS


def test_one_family_of_two_is_better_than_none():
    world, assigning = host(POOL.replace(', "fd00:9::/112"', "") + FRONT, "192.0.2.1")
    (reply,) = assigning.give(chain(ConfigPayload(Form.REQUEST, ((1, b""), (8, b"")))), proved(world), anew=False)
    assert reply.attributes == ((1, parse_address("10.9.0.1")),)


def test_what_we_get_is_ours_and_asked_for_again():
    world, assigning = host(WARRIOR, "203.0.113.5")
    (entry,) = world.pad
    (effect,) = assigning.take(chain(GIVEN), entry)
    assert isinstance(effect, Assign)
    assert (effect.number, effect.peer) == (1, entry.name)
    (payload,) = assigning.ask(entry)
    assert payload.attributes[0] == (1, parse_address("10.9.0.7"))


def test_what_we_did_not_ask_for_is_not_ours():
    world, assigning = host(FRONT.replace(', pool = "people"', ""), "192.0.2.1")
    (entry,) = world.pad
    assert assigning.ask(entry) == ()
    assert assigning.take(chain(GIVEN), entry) == ()
    assert world.assignments.of(1) is None


def test_a_refusal_says_why():
    world, assigning = host(WARRIOR, "203.0.113.5")
    (entry,) = world.pad
    with pytest.raises(Refused, match="INTERNAL_ADDRESS_FAILURE"):
        assigning.take(chain(NotifyPayload(Notify.INTERNAL_ADDRESS_FAILURE)), entry)
