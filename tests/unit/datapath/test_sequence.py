# SPDX-License-Identifier: Apache-2.0
"""The sender's counter never gives a number twice and ends where its width ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.datapath.sequence import SequenceCounter


@given(st.lists(st.integers(0, 50), max_size=20))
def test_numbers_follow_each_other_from_one(counts):
    counter = SequenceCounter(extended=False)
    given_out = [number for count in counts for number in counter.take(count)]
    assert given_out == list(range(1, sum(counts) + 1))


@pytest.mark.parametrize(("extended", "last"), [(False, 2**32 - 1), (True, 2**64 - 1)])
def test_the_counter_ends(extended, last):
    counter = SequenceCounter(extended=extended, last=last - 3)
    assert counter.left == 3
    assert list(counter.take(2)) == [last - 2, last - 1]
    assert list(counter.take(5)) == [last]
    assert counter.left == 0
    assert not counter.take(1)
    assert counter.last == last
