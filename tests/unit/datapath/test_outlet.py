# SPDX-License-Identifier: Apache-2.0
"""The stack of a contract's SAs: what fails in one step stays where it is, what is odd has its reason."""

from dataclasses import replace
from itertools import count
from random import Random

import pytest
from scapy.layers.inet import IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop

from ringfence.crypto.suites import Encryption
from ringfence.databases.sa import Mode
from ringfence.datapath.outlet import Outlet
from ringfence.datapath.verdict import Drop
from ringfence.net.ip import build, view
from ringfence.testing.associations import AH_SUITES, esp_suite
from ringfence.testing.contracts import make_child

GCM, SHA = esp_suite(Encryption.AES_GCM_16), AH_SUITES[2]
T, X = Mode.TUNNEL, Mode.TRANSPORT
PLAIN = bytes(IP(src="192.0.2.1", dst="192.0.2.2", id=7) / UDP() / b"data")
OPTIONS = bytes(IP(src="192.0.2.1", dst="192.0.2.2", id=7, options=[IPOption_Router_Alert()]) / UDP() / b"data")
PIECE = bytes(IP(src="192.0.2.1", dst="192.0.2.2", id=7, flags="MF") / UDP() / b"data")
PLAIN_V6 = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP() / b"data")
HEADERS_V6 = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop() / UDP() / b"data")


def outlet(*suites, mode=X, **words):
    return Outlet(make_child(*suites, mode=mode, **words).outbound, Random(1).randbytes, count(1).__next__)


def test_esp_stands_behind_the_headers_that_stay():
    sealed = outlet(GCM).seal_many([PLAIN, OPTIONS, PLAIN_V6, HEADERS_V6])
    parts = [view(packet) for packet in sealed]
    assert [one.protocol for one in parts] == [50] * 4
    assert [one.at for one in parts] == [20, 24, 40, 48]
    assert [one.whole for one in parts] == [len(packet) for packet in sealed]


@pytest.mark.parametrize("suites", [(GCM,), (GCM, SHA), (SHA,), (GCM, SHA, SHA)])
def test_what_cannot_be_sealed_stays_in_its_place(suites):
    sealed = outlet(*suites).seal_many([PIECE, PLAIN, PIECE, OPTIONS])
    assert [type(one) is bytes for one in sealed] == [False, True, False, True]
    assert sealed[0] is sealed[2] is Drop.FRAGMENT


def test_in_udp_there_is_no_ip_header():
    for mode in (T, X):
        child = make_child(GCM, mode=mode, udp=True)
        (sealed,) = outlet(GCM, mode=mode, udp=True).seal_many([PLAIN])
        assert sealed[:8] == child.outbound[0].spi.to_bytes(4) + (1).to_bytes(4)
    (sealed,) = outlet(GCM, SHA, mode=X).seal_many([PLAIN])
    assert sealed[9] == 51


@pytest.mark.parametrize("mode", [T, X])
@pytest.mark.parametrize("suite", [GCM, SHA])
def test_what_would_be_too_long_for_ip(suite, mode):
    largest = build(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]), 17, bytes(65515))
    assert outlet(suite, mode=mode).seal_many([largest]) == [Drop.TOO_BIG]
    child = make_child(GCM, mode=X, local="2001:db8::1", remote="2001:db8::2")
    for header in (b"", b"\0" * 8):
        source, destination = child.outbound[0].source, child.outbound[0].destination
        large = build(
            source, destination, 0 if header else 17, (b"\x11" + header[1:] if header else b"") + bytes(65520)
        )
        sealed = Outlet(child.outbound, Random(1).randbytes, count(1).__next__).seal_many([large])
        assert sealed == [Drop.TOO_BIG]
    long_v4 = OPTIONS[:2] + (65535).to_bytes(2) + OPTIONS[4:] + bytes(65535 - len(OPTIONS))
    assert outlet(GCM).seal_many([long_v4]) == [Drop.TOO_BIG]


def test_only_the_outermost_esp_can_be_in_udp():
    child = make_child(GCM, GCM, mode=(T, X), udp=True)
    path = child.outbound[1].encapsulation
    with pytest.raises(ValueError, match="outermost"):
        Outlet((replace(child.outbound[0], encapsulation=path), child.outbound[1]), Random(1).randbytes, int)


def test_counters_are_those_of_every_sa():
    one = outlet(GCM, SHA)
    one.seal_many([PLAIN] * 3)
    assert [counter.last for counter in one.counters] == [3, 3]


def test_dummies():
    assert [len(packet) > 200 for packet in outlet(GCM, mode=T).dummies(2, 200)] == [True, True]
    bare = outlet(GCM, mode=T, udp=True).dummies(1, 200)[0]
    assert bare[:4] == make_child(GCM).outbound[0].spi.to_bytes(4)
    assert outlet(GCM, udp=True).dummies(1, 200)[0][:4] == bare[:4]
    assert outlet(SHA).dummies(2, 200) == []
    used_up = outlet(GCM)
    used_up.counters[0].last = 2**32 - 1
    assert used_up.dummies(1, 10) == [Drop.SEQUENCE_EXHAUSTED]
