# SPDX-License-Identifier: Apache-2.0
"""Limits by time, packets and octets, and by sequence numbers."""

from ringfence.databases.proposal import Limits
from ringfence.datapath.lifetime import OCTETS, PACKETS, SECONDS, SEQUENCE, Meter
from ringfence.datapath.sequence import LAST

NONE = Limits()


def meter(soft=NONE, hard=NONE, *, extended=False, sends=True):
    return Meter(soft, hard, 100.0, extended=extended, sends=sends)


def test_without_limits_nothing_is_reached():
    one = meter(sends=False)
    assert not one.spend(10**12, 10**15, 1e9)
    assert one.soft_reached(1e9) is None
    assert one.hard_reached(1e9) is None
    assert one.fits(1, 1)


def test_packets():
    one = meter(Limits(packets=3), Limits(packets=5))
    assert not one.spend(2, 200, 101.0)
    assert one.fitting([10] * 9) == 3
    assert one.spend(1, 100, 102.0)
    assert one.soft_reached(102.0) == PACKETS
    assert one.hard_reached(102.0) is None
    assert one.fits(2, 1)
    assert not one.fits(3, 1)
    assert one.spend(2, 1, 103.0)
    assert one.hard_reached(103.0) == PACKETS
    assert one.fitting([10]) == 0
    assert (one.packets, one.octets, one.last_used, one.since) == (5, 301, 103.0, 100.0)


def test_octets():
    one = meter(Limits(octets=1000), Limits(octets=2000))
    assert not one.spend(1, 999, 100.0)
    assert one.soft_reached(100.0) is None
    assert one.spend(1, 1, 100.0)
    assert one.soft_reached(100.0) == OCTETS
    assert one.fits(7, 1000)
    assert not one.fits(1, 1001)
    assert one.fitting([400, 400, 400, 1]) == 2
    one.spend(1, 1000, 100.0)
    assert one.hard_reached(100.0) == OCTETS


def test_seconds():
    one = meter(Limits(seconds=10), Limits(seconds=20))
    assert one.soft_reached(109.9) is None
    assert one.soft_reached(110.0) == SECONDS
    assert one.hard_reached(119.9) is None
    assert one.hard_reached(120.0) == SECONDS


def test_a_sender_hears_of_its_numbers_in_time():
    one = meter()
    one.packets = LAST - LAST // 16 - 2
    assert not one.spend(1, 1, 100.0)
    assert one.spend(2, 1, 100.0)
    assert one.soft_reached(100.0) == SEQUENCE
    assert one.hard_reached(100.0) is None
    one.packets = LAST
    assert one.hard_reached(100.0) == SEQUENCE
    for other in (meter(extended=True), meter(sends=False)):
        assert not other.spend(LAST + 5, 1, 100.0)
        assert other.soft_reached(100.0) is None
