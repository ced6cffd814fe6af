# SPDX-License-Identifier: Apache-2.0
"""Chance that repeats."""

import pytest

from ringfence.testing.random import SeededRandom


def test_the_same_seed_gives_the_same_octets_and_no_call_those_of_another():
    one, same, other = SeededRandom(1), SeededRandom(1), SeededRandom(2)
    drawn = [one(16) for _ in range(10)]
    assert drawn == [same(16) for _ in range(10)]
    assert len(set(drawn)) == 10
    assert other(16) not in drawn
    assert len(one(1000)) == 1000


def test_decisions():
    random = SeededRandom("decisions")
    assert {random.below(3) for _ in range(100)} == {0, 1, 2}
    assert not any(random.chance(0.0) for _ in range(50))
    assert all(random.chance(1.0) for _ in range(50))
    assert 0.4 < sum(random.chance(0.5) for _ in range(2000)) / 2000 < 0.6
    assert all(2 <= random.between(2, 3) <= 3 for _ in range(50))
    assert random.between(4, 4) == pytest.approx(4)
