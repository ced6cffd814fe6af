# SPDX-License-Identifier: Apache-2.0
"""Who may begin an IKE SA in which version, and what strangers are told."""

from dataclasses import replace

import pytest
from unit.ike.v2.test_stranger import FIRST, SAID

from ringfence.databases.pad import Ends, Pad, Xauth
from ringfence.databases.proposal import Protocol
from ringfence.ike.dispatch import header_of
from ringfence.ike.effects import SendMessage
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import Exchange, Flags, Header
from ringfence.ike.settings import IkeSettings
from ringfence.ike.strangers import denied_spis, entries_for, told_stranger, unknown_spi
from ringfence.ike.v2.channel import in_clear
from ringfence.ike.v2.stranger import unknown_spi as unknown_v2
from ringfence.ike.world import World
from ringfence.net.address import AddressRange
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between
from ringfence.testing.random import SeededRandom

PATH, ELSEWHERE = path_between("192.0.2.1", "192.0.2.2"), path_between("192.0.2.1", "192.0.2.9")
OLD = Header(b"initiate", bytes(8), 0, 0x10, Exchange.MAIN, Flags(0), 0)
NEW = in_clear(FIRST, SAID)


def world(*keying):
    made = World(SeededRandom(0), IkeSettings())
    made.spd, pad = HostPolicy("192.0.2.1", "192.0.2.2").compiled()
    made.pad = Pad(tuple(replace(each, keying=keying) for each in pad))
    return made


def said(effects):
    return [header_of(effect.datagram) for effect in effects if isinstance(effect, SendMessage)]


@pytest.mark.parametrize(("keying", "old", "new"), [((1,), True, False), ((2,), False, True), ((2, 1), True, True)])
def test_only_versions_that_the_policy_names(keying, old, new):
    for header, allowed in ((OLD, old), (header_of(NEW), new)):
        if allowed:
            assert entries_for(header, PATH, world(*keying)) == tuple(world(*keying).pad)
            continue
        with pytest.raises(Ignored) as raised:
            entries_for(header, PATH, world(*keying))
        assert raised.value.reason is Reason.VERSION


def test_a_version_without_users_does_not_do_where_one_is_wanted():
    made = world(2, 1)
    made.pad = Pad(tuple(replace(each, xauth=Xauth()) for each in made.pad))
    assert entries_for(OLD, PATH, made) == tuple(made.pad)
    with pytest.raises(Ignored) as raised:
        entries_for(header_of(NEW), PATH, made)
    assert raised.value.reason is Reason.VERSION


def test_only_with_our_address_that_the_policy_names():
    made = world(1, 2)
    (entry,) = made.pad
    made.pad = Pad((replace(entry, ends=(Ends(AddressRange.parse("192.0.2.2"), AddressRange.parse("192.0.2.7")),)),))
    for header in (OLD, header_of(NEW)):
        with pytest.raises(Ignored, match=r"how 192\.0\.2\.2 authenticates to 192\.0\.2\.1") as raised:
            entries_for(header, PATH, made)
        assert raised.value.reason is Reason.NO_PEER
        assert entries_for(header, path_between("192.0.2.7", "192.0.2.2"), made) == tuple(made.pad)
    encrypted = replace(OLD, flags=Flags.ENCRYPTED)
    assert told_stranger(encrypted, encrypted.encode(), PATH, made) == []
    assert unknown_spi(Protocol.ESP, 1, PATH, made) == []


def test_nobody_of_whom_the_policy_says_nothing():
    with pytest.raises(Ignored) as raised:
        entries_for(header_of(NEW), ELSEWHERE, world(2))
    assert raised.value.reason is Reason.NO_PEER
    assert told_stranger(header_of(NEW), NEW, ELSEWHERE, world(2)) == []
    assert unknown_spi(Protocol.ESP, 5000, ELSEWHERE, world(2)) == []


def test_a_later_version_is_told_which_we_speak():
    later = bytearray(NEW)
    later[17] = 0x30
    assert [header.major for header in said(told_stranger(header_of(later), bytes(later), PATH, world(2)))] == [2]


def test_unknown_ike_sas_in_either_version():
    encrypted = replace(OLD, responder_cookie=b"responde", flags=Flags.ENCRYPTED)
    assert [each.major for each in said(told_stranger(encrypted, encrypted.encode(), PATH, world(1)))] == [1]
    assert said(told_stranger(OLD, OLD.encode(), PATH, world(1))) == []
    assert said(told_stranger(header_of(NEW), NEW, PATH, world(2))) == []


@pytest.mark.parametrize(("keying", "major"), [((1,), 1), ((1, 2), 1), ((2, 1), 2)])
def test_unknown_spis_in_the_version_that_comes_first(keying, major):
    assert [each.major for each in said(unknown_spi(Protocol.ESP, 5000, PATH, world(*keying)))] == [major]


def test_what_a_message_denies():
    (effect, _) = unknown_v2(5000, PATH, world(2))
    assert (Protocol.ESP, 5000) in denied_spis(header_of(effect.datagram), effect.datagram)
    assert denied_spis(OLD, OLD.encode()) == ()
    later = replace(OLD, version=0x30)
    assert denied_spis(later, later.encode()) == ()
