# SPDX-License-Identifier: Apache-2.0
"""What of a new policy is as it was."""

from dataclasses import replace

from ringfence.databases.spd import Origin
from ringfence.ike.sameness import same_entry, same_peer
from ringfence.net.address import AddressRange, parse_address
from ringfence.testing.hosts import HostPolicy

SPD, PAD = HostPolicy("192.0.2.1", "192.0.2.2").compiled()
(ENTRY,), (PEER,) = SPD.entries, PAD.entries
THERE = parse_address("192.0.2.2")


def test_an_entry_stays_wherever_it_is_written_and_whatever_may_be_clear():
    assert same_entry(ENTRY, replace(ENTRY, origin=Origin("elsewhere")))
    assert same_entry(ENTRY, replace(ENTRY, processing=replace(ENTRY.processing, clear_in=True, idle_s=9)))
    assert not same_entry(ENTRY, replace(ENTRY, processing=replace(ENTRY.processing, replay_window=128)))
    assert not same_entry(ENTRY, None)


def test_a_peer_stays_whoever_else_is_served():
    assert same_peer(PEER, replace(PEER, remote=(AddressRange.parse("192.0.2.0/24"),)), THERE)
    assert same_peer(PEER, replace(PEER, dead_peer=None), THERE)
    assert not same_peer(PEER, PEER, parse_address("192.0.2.3"))
    assert not same_peer(PEER, replace(PEER, keying=(2,)), THERE)
    assert not same_peer(PEER, None, THERE)
    assert not same_peer(None, PEER, THERE)
