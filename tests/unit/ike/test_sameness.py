# SPDX-License-Identifier: Apache-2.0
"""What of a new policy is as it was."""

from dataclasses import replace

from ringfence.databases.pad import Ends
from ringfence.databases.spd import Origin
from ringfence.ike.sameness import same_entry, same_peer
from ringfence.net.address import AddressRange
from ringfence.testing.hosts import HostPolicy
from ringfence.testing.network import path_between

SPD, PAD = HostPolicy("192.0.2.1", "192.0.2.2").compiled()
(ENTRY,), (PEER,) = SPD.entries, PAD.entries
PATH = path_between("192.0.2.1", "192.0.2.2")


def test_an_entry_stays_wherever_it_is_written_and_whatever_may_be_clear():
    assert same_entry(ENTRY, replace(ENTRY, origin=Origin("elsewhere")))
    assert same_entry(ENTRY, replace(ENTRY, processing=replace(ENTRY.processing, clear_in=True, idle_s=9)))
    assert not same_entry(ENTRY, replace(ENTRY, processing=replace(ENTRY.processing, replay_window=128)))
    assert not same_entry(ENTRY, None)


def test_a_peer_stays_whoever_else_is_served():
    assert same_peer(PEER, replace(PEER, ends=(Ends(AddressRange.parse("192.0.2.0/24")),)), PATH)
    assert same_peer(PEER, replace(PEER, dead_peer=None), PATH)
    assert not same_peer(PEER, PEER, path_between("192.0.2.1", "192.0.2.3"))
    assert not same_peer(PEER, replace(PEER, keying=(2,)), PATH)
    elsewhere = (Ends(AddressRange.parse("192.0.2.2"), AddressRange.parse("192.0.2.9")),)
    assert not same_peer(PEER, replace(PEER, ends=elsewhere), PATH)
    assert not same_peer(PEER, None, PATH)
    assert not same_peer(None, PEER, PATH)
