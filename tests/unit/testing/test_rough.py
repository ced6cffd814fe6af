# SPDX-License-Identifier: Apache-2.0
"""Chances come true about as often as they should, and the same seed gives the same."""

from ringfence.testing.rough import LATE_SECONDS, Manners, Rough

PACKETS = [number.to_bytes(2) for number in range(2000)]


def out(manners: Manners, seed: int = 1) -> list[bytes]:
    path = Rough(manners, seed)
    path.take(PACKETS, 0.0)
    return path.due(0.0) + path.due(LATE_SECONDS)


def test_good_manners() -> None:
    assert out(Manners()) == PACKETS


def test_loss() -> None:
    left = out(Manners(lose=0.1))
    assert 1700 < len(left) < 1900
    assert left == sorted(left)


def test_repetition() -> None:
    left = out(Manners(repeat=0.1))
    assert 2100 < len(left) < 2300
    assert set(left) == set(PACKETS)


def test_overtaking() -> None:
    left = out(Manners(delay=0.1))
    assert sorted(left) == PACKETS
    assert left != PACKETS


def test_the_same_seed_gives_the_same() -> None:
    manners = Manners(0.1, 0.1, 0.1)
    assert out(manners) == out(manners) != out(manners, 2)


def test_timers() -> None:
    path = Rough(Manners(delay=1.0), 1)
    assert path.next_timer() is None
    path.take(PACKETS[:1], 5.0)
    due = path.next_timer()
    assert due is not None
    assert 5.0 < due <= 5.0 + LATE_SECONDS
    assert path.due(5.0) == []
    assert path.due(due) == PACKETS[:1]
