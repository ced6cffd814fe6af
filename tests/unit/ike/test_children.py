# SPDX-License-Identifier: Apache-2.0
"""Contracts by id, by SPI, and by what they compete for."""

from dataclasses import replace

import pytest

from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa, Mode
from ringfence.databases.selector import Selector
from ringfence.ike.children import Children, Record
from ringfence.ike.lifetime import ChildEvent, ChildState
from ringfence.testing.associations import make_sa
from ringfence.testing.hosts import ESP_GCM, HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

POLICY = HostPolicy("192.0.2.1", "192.0.2.2")
PATH = path_between(POLICY.local, POLICY.remote)


def record(children, number, order, *, spi=None, events=(), protocol=None):
    spi = spi or 0x1000 + number
    out, into = make_sa(ESP_GCM, spi=spi + 0x100), make_sa(ESP_GCM, spi=spi)
    child = ChildSa(number, 1, "lab", POLICY.with_(protocol=protocol).selector, (out,), (into,))
    one = Record(child, 1, PATH, True, (order, 0))
    children.add(one)
    for event in events:
        one.happen(event)
    return one


AGREED = (ChildEvent.CONFIRMED,)
LIVE = (*AGREED, ChildEvent.SWITCHED)


def test_ids_and_spis_are_new_each_time():
    children = Children()
    assert [children.new_id() for _ in range(3)] == [1, 2, 3]
    random = SeededRandom(0)
    spis = [children.new_spi(random) for _ in range(200)]
    assert len(set(spis)) == 200
    assert min(spis) > 255


def test_an_spi_in_use_reserved_or_just_drawn_is_drawn_again():
    children = Children()
    record(children, 1, 1, spi=0x1001)
    draws = iter([bytes.fromhex("000000ff"), bytes.fromhex("00001001"), bytes.fromhex("00002002")] * 2 + [b"\1\1\1\1"])
    assert children.new_spi(lambda _octets: next(draws)) == 0x2002
    assert children.new_spi(lambda _octets: next(draws)) == 0x01010101


def test_several_peers_behind_one_address_are_told_apart():
    children = Children()
    names = [Identity.parse("one.example"), Identity.parse("two.example")]
    for number, name in enumerate(names, 1):
        one = record(Children(), number, number)
        children.add(Record(replace(one.child, peer=name), 1, PATH, True, (number, 0)))
    assert [each.child.id for each in children.with_identity(PATH, names[1])] == [2]
    assert children.with_identity(PATH.reversed(), names[1]) == ()
    children.remove(2)
    assert children.with_identity(PATH, names[1]) == ()
    assert len(children.with_identity(PATH, names[0])) == 1


def test_which_is_in_use():
    children = Children()
    first = record(children, 1, 2, events=LIVE)
    second = record(children, 2, 4)
    earlier = record(children, 3, 1, events=AGREED)
    other = record(children, 4, 9, events=LIVE, protocol=6)
    assert children.competing(first.key) == (earlier, first, second)
    assert children.newest(first.key) is first
    second.happen(ChildEvent.CONFIRMED)
    assert children.newest(first.key) is second
    first.happen(ChildEvent.REPLACED)
    assert not first.in_use
    assert children.newest(other.key) is other
    assert len(children) == 4
    assert list(children) == [first, second, earlier, other]


def test_by_spi_and_by_ike_sa():
    children = Children()
    one = record(children, 1, 1, spi=0x1001)
    remote = PATH.remote.address
    assert children.sent_by(remote, Protocol.ESP, 0x1101) is one
    assert children.sent_by(remote, Protocol.AH, 0x1101) is None
    assert children.sent_by(PATH.local.address, Protocol.ESP, 0x1101) is None
    assert children.of(1) == (one,)
    assert children.of(2) == ()
    assert children.get(1) is one
    assert children.get(2) is None


def test_a_forgotten_contract_is_nowhere():
    children = Children()
    one = record(children, 1, 1, spi=0x1001)
    twin = record(children, 2, 2, spi=0x1001 + 0x10)
    twin.child = replace(twin.child)
    assert children.remove(1) is one
    assert one.state is ChildState.GONE
    assert children.remove(1) is None
    assert children.sent_by(PATH.remote.address, Protocol.ESP, 0x1101) is None
    assert children.competing(one.key) == (twin,)
    children.remove(2)
    assert children.competing(one.key) == ()
    assert children.newest(one.key) is None


def test_a_peer_that_chose_an_spi_twice():
    children = Children()
    record(children, 1, 1, spi=0x1001)
    later = record(children, 2, 2, spi=0x1002)
    children.remove(2)
    out = make_sa(ESP_GCM, spi=0x1101)
    later = Record(replace(later.child, id=3, outbound=(out,)), 1, PATH, True, (3, 0))
    children.add(later)
    children.remove(1)
    assert children.sent_by(PATH.remote.address, Protocol.ESP, 0x1101) is later


def test_another_ike_sa_speaks_for_them():
    children = Children()
    one, two = record(children, 1, 1), record(children, 2, 2)
    children.move(1, 7)
    assert children.of(1) == ()
    assert children.of(7) == (one, two)
    assert one.ike_id == 7
    children.remove(1)
    children.move(9, 7)
    assert children.of(7) == (two,)
    assert children.with_peer(PATH.remote.address) == (two,)
    assert children.with_peer(PATH.local.address) == ()
    children.remove(2)
    assert children.with_peer(PATH.remote.address) == ()


def test_a_life_that_the_table_does_not_have():
    one = record(Children(), 1, 1)
    with pytest.raises(ValueError, match="SWITCHED cannot happen to what is LARVAL"):
        one.happen(ChildEvent.SWITCHED)


def test_whoever_has_a_tunnel_from_anywhere_keeps_its_traffic():
    anywhere = POLICY.with_(mode=Mode.TUNNEL, local_net="10.9.0.0/24", remote_net="10.1.0.0/16")
    (named,) = anywhere.compiled()[0]
    entry = replace(named, processing=replace(named.processing, tunnel_remote=None))
    one, other = Identity.parse("one.example"), Identity.parse("other.example")
    children = Children()
    out, into = make_sa(ESP_GCM, spi=0x1101), make_sa(ESP_GCM, spi=0x1001)
    narrow = Selector.between("10.9.0.0/24", "10.1.0.5")
    held = Record(ChildSa(1, 1, entry.name, narrow, (out,), (into,), peer=one), 1, PATH, False, (1, 0))
    children.add(held)
    assert children.rival(entry, narrow, other) is None, "it is not agreed on yet"
    held.happen(ChildEvent.CONFIRMED)
    assert children.rival(entry, narrow, other) == one
    assert children.rival(entry, entry.selector, other) == one, "all of it would be a part of it, too"
    assert children.rival(entry, narrow, one) is None, "its own it may renew"
    assert children.rival(entry, Selector.between("10.9.0.0/24", "10.1.0.6"), other) is None
    assert children.rival(named, narrow, other) is None, "that tunnel ends at one gateway"
    assert children.rival(replace(entry, name="another"), narrow, other) is None


def test_one_that_is_about_to_be_used_is_awaited():
    children, flow = Children(), POLICY.flow()
    one = record(children, 1, 1)
    for event, awaited in ((None, False), (ChildEvent.CONFIRMED, True), (ChildEvent.SWITCHED, False)):
        if event is not None:
            one.happen(event)
        assert children.is_awaited("lab", flow) is awaited
        assert not children.is_awaited("another", flow)
        assert not children.is_awaited("lab", flow.reversed())
