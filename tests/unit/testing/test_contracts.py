# SPDX-License-Identifier: Apache-2.0
"""The makers of contracts for tests make what they say."""

from ringfence.crypto.suites import Encryption
from ringfence.databases.sa import Mode
from ringfence.databases.spd import Action
from ringfence.datapath.verdict import Deliver
from ringfence.net.ip import build
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import describe, entry_for, joined, make_child, make_entry, mirrored

GCM, SHA = esp_suite(Encryption.AES_GCM_16), AH_SUITES[0]


def test_a_contract_and_its_mirror_fit():
    for child in (make_child(GCM), make_child(GCM, SHA, mode=(Mode.TUNNEL, Mode.TRANSPORT)), make_child(GCM, udp=True)):
        peer = mirrored(child)
        assert mirrored(peer) == child
        assert [sa.spi for sa in peer.outbound] == [sa.spi for sa in child.inbound]
        assert peer.selector == child.selector.reversed()
    path = make_child(GCM, udp=True).outbound[0].encapsulation
    assert (path.local.address, path.remote.port) == (bytes([192, 0, 2, 1]), 4500)


def test_numbers_make_other_keys_and_spis():
    first, second = make_child(GCM), make_child(GCM, number=2)
    keys = {sa.cipher_key.reveal() for child in (first, second) for sa in (*child.outbound, *child.inbound)}
    assert len(keys) == 4
    assert {sa.spi for sa in (*first.outbound, *first.inbound)} == {0x201, 0x281}


def test_two_joined_paths_talk():
    child = make_child(GCM, local="2001:db8::1", remote="2001:db8::2")
    left, right = joined(child)
    packet = build(child.selector.source.first, child.selector.destination.first, 17, bytes(8))
    (sent,) = left.outbound([packet], 0.0)
    assert right.inbound(sent.packets, 0.0) == [Deliver((packet,), 1)]


def test_entries():
    child = make_child(GCM, mode=Mode.TUNNEL)
    assert entry_for(child, clear_out=True).processing.clear_out
    assert entry_for(child).processing.mode is Mode.TUNNEL
    assert make_entry(child.selector, action=Action.DISCARD).processing is None


def test_descriptions_name_the_form():
    assert describe(make_child(GCM, SHA, mode=(Mode.TUNNEL, Mode.TRANSPORT))) == (
        "esp tunnel + ah transport to 192.0.2.2"
    )
    assert describe(make_child(GCM, udp=True)) == "esp transport in udp to 192.0.2.2"
