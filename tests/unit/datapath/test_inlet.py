# SPDX-License-Identifier: Apache-2.0
"""One inbound SA: what it makes of a packet, and the flows that it remembers."""

import pytest

from ringfence.crypto.suites import Encryption
from ringfence.databases.sa import Mode
from ringfence.datapath.inlet import MOST_KNOWN
from ringfence.datapath.verdict import Drop
from ringfence.net.ip import build_v4, view
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import joined, make_child

GCM, SHA = esp_suite(Encryption.AES_GCM_16), AH_SUITES[2]
PACKET = build_v4(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]), 17, 12, identification=7) + b"\0\1\0\2payload!"


def inlets(*suites, mode=Mode.TRANSPORT):
    left, right = joined(make_child(*suites, mode=mode))
    (sent,) = left.outbound([PACKET], 0.0)
    return right._state.contracts[1].inlets, sent.packets[0]


@pytest.mark.parametrize("suite", [GCM, SHA])
@pytest.mark.parametrize("mode", [*Mode])
def test_the_packet_that_was_protected_comes_out(suite, mode):
    (inlet,), wire = inlets(suite, mode=mode)
    assert inlet.unwrap(wire, view(wire)) == PACKET
    assert inlet.unwrap(wire, view(wire)) is Drop.REPLAYED
    assert (inlet.outermost, inlet.open_many is not None) == (True, suite is GCM)


def test_a_bundle_comes_off_sa_by_sa():
    (esp, ah), wire = inlets(GCM, SHA)
    assert (esp.outermost, ah.outermost) == (False, True)
    assert (esp.open_many, ah.open_many) == (None, None)
    between = ah.unwrap(wire, view(wire))
    assert view(between).protocol == 50
    assert esp.unwrap(between, view(between)) == PACKET


def test_a_tunnel_carries_ip_only():
    (inlet,), _ = inlets(GCM, mode=Mode.TUNNEL)
    other, _ = joined(make_child(GCM, selector=make_child(GCM).selector))
    (sent,) = other.outbound([PACKET], 0.0)
    wire = sent.packets[0]
    assert inlet.unwrap(wire, view(wire)) is Drop.BAD_NEXT_HEADER


def test_flows_are_remembered_within_bounds():
    (inlet,), _ = inlets(GCM)
    inlet.know(1, b"icmp has none")
    for number in range(MOST_KNOWN + 1):
        inlet.know(17, number.to_bytes(12))
    assert inlet.known == {6: set(), 17: {MOST_KNOWN.to_bytes(12)}}
