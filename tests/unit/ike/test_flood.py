# SPDX-License-Identifier: Apache-2.0
"""What strangers may have at most."""

import pytest

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.flood import Bucket, FloodLimits, HalfOpen

A, B, C = b"\x0a\0\0\x01", b"\x0a\0\0\x02", b"\x0a\0\0\x03"


def test_half_open_per_address_and_in_all():
    half = HalfOpen(FloodLimits(half_open=3, half_open_per_address=2))
    half.begin(A)
    half.begin(A)
    with pytest.raises(Ignored, match=r"2 negotiations with 10\.0\.0\.1") as error:
        half.begin(A)
    assert error.value.reason is Reason.HALF_OPEN_LIMIT
    half.begin(B)
    with pytest.raises(Ignored, match="3 negotiations are half open"):
        half.begin(C)
    assert len(half) == 3
    half.end(A)
    half.begin(C)
    half.end(A)
    half.begin(A)
    assert len(half) == 3


def test_a_bucket_lets_so_much_through_per_second():
    bucket = Bucket(2)
    assert [bucket.take(100) for _ in range(4)] == [True, True, False, False]
    assert not bucket.take(100.4)
    assert bucket.take(100.6)
    assert not bucket.take(100.7)
    assert [bucket.take(200) for _ in range(3)] == [True, True, False]
