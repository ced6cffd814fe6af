# SPDX-License-Identifier: Apache-2.0
"""What strangers may have at most."""

from collections import Counter

import pytest

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.flood import SECRET_S, TOLD_S, Bucket, CookieJar, FloodLimits, HalfOpen, Siege, source_of
from ringfence.testing.random import SeededRandom

A, B, C = b"\x0a\0\0\x01", b"\x0a\0\0\x02", b"\x0a\0\0\x03"


def table(**limits):
    return HalfOpen(FloodLimits(**limits), SeededRandom("half open"))


def test_one_source_has_so_many():
    half = table(half_open_per_source=2)
    half.begin(1, A)
    half.begin(2, A)
    with pytest.raises(Ignored, match=r"2 negotiations with 10\.0\.0\.1") as error:
        half.begin(3, A)
    assert error.value.reason is Reason.HALF_OPEN_LIMIT
    assert half.begin(3, B) is None
    half.end(1)
    half.end(1)
    assert len(half) == 2
    assert half.begin(4, A) is None
    assert len(half) == 3


def test_a_network_of_ipv6_is_one_source():
    one, same, other = bytes.fromhex("20010db800000001") + bytes(8), bytes.fromhex("20010db800000001") + b"\xff" * 8, A
    assert source_of(one) == source_of(same) != source_of(bytes.fromhex("20010db800000002") + bytes(8))
    assert source_of(other) == A
    half = table(half_open_per_source=1)
    half.begin(1, one)
    with pytest.raises(Ignored):
        half.begin(2, same)


def test_when_it_is_full_the_source_with_most_loses_its_oldest():
    half = table(half_open=30, half_open_per_source=20)
    for number in range(20):
        half.begin(number, A)
    for number in range(20, 30):
        half.begin(number, bytes([10, 1, 0, number]))
    gone = [half.begin(100 + number, bytes([10, 2, 0, number])) for number in range(10)]
    assert len(half) == 30
    assert len(set(gone)) == 10
    assert set(gone) <= set(range(20)), "only the crowd makes room"


def test_nobody_is_shut_out_by_many_sources_and_the_youngest_are_spared():
    half = table(half_open=100)
    lost = Counter()
    for number in range(2000):
        gone = half.begin(number, number.to_bytes(4))
        if gone is not None:
            lost[number - gone] += 1
    assert len(half) == 100
    assert min(lost) > 5, "who has just begun has time to go on"


def test_crowded_is_said_from_the_limit_on():
    half = table(cookies_from=2)
    half.begin(1, A)
    assert not half.crowded
    half.begin(2, B)
    assert half.crowded
    half.end(1)
    assert not half.crowded


def test_a_bucket_lets_so_much_through_per_second():
    bucket = Bucket(2)
    assert [bucket.take(100) for _ in range(4)] == [True, True, False, False]
    assert not bucket.take(100.4)
    assert bucket.take(100.6)
    assert not bucket.take(100.7)
    assert [bucket.take(200) for _ in range(3)] == [True, True, False]


def test_cookies_are_known_again_for_a_while():
    jar = CookieJar(SeededRandom("jar"))
    cookie = jar.bake(b"for you", 10.0)
    assert len(cookie) == 32
    assert jar.knows(cookie, b"for you", 10.0)
    assert jar.knows(cookie[:8], b"for you", 10.0)
    assert not jar.knows(cookie, b"for you!", 10.0)
    assert not jar.knows(cookie[:7], b"for you", 10.0)
    assert not jar.knows(b"", b"for you", 10.0)
    later = 10.0 + SECRET_S + 1
    assert jar.bake(b"for you", later) != cookie
    assert jar.knows(cookie, b"for you", later)
    assert not jar.knows(cookie, b"for you", later + SECRET_S + 1)
    assert not CookieJar(SeededRandom("another")).knows(cookie, b"for you", 10.0)


def test_a_secret_of_long_ago_counts_no_more():
    jar = CookieJar(SeededRandom("jar"))
    cookie = jar.bake(b"for you", 0.0)
    assert not jar.knows(cookie, b"for you", 2 * SECRET_S + 1)


def test_a_flood_is_told_at_once_and_then_once_a_minute():
    siege = Siege()
    assert [siege.count(0.0) for _ in range(4)] == [1, 0, 0, 0]
    assert siege.count(TOLD_S - 1) == 0
    assert siege.count(TOLD_S) == 5
    assert siege.count(TOLD_S) == 0
