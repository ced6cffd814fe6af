# SPDX-License-Identifier: Apache-2.0
"""The anti-replay window against its definition, over every order of arrival."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.datapath.replay import RESYNC_FAILURES, RESYNC_REACH, SUBSPACE, ReplayWindow
from ringfence.datapath.verdict import Drop

sizes = st.sampled_from([32, 33, 64, 100, 4096])


class Definition:
    """A window as the RFC's words have it, with no thought of memory or speed."""

    def __init__(self, size: int, top: int = 0) -> None:
        self.size, self.top, self.came = size, top, set()

    def arrives(self, number: int) -> Drop | None:
        if number < 1 or number <= self.top - self.size:
            return Drop.TOO_OLD
        if number in self.came:
            return Drop.REPLAYED
        self.came.add(number)
        self.top = max(self.top, number)
        return None


def arrives(window: ReplayWindow, number: int) -> Drop | None:
    refusal = window.check(number)
    if refusal is None:
        window.accept(number)
    return refusal


@given(
    size=sizes, steps=st.lists(st.integers(-80, 80) | st.integers(-5000, 5000), max_size=200), start=st.integers(0, 200)
)
def test_any_walk_meets_the_definition(size, steps, start):
    window, definition = ReplayWindow(size), Definition(size)
    number = start
    for step in steps:
        number = max(0, number + step)
        assert arrives(window, number) is definition.arrives(number)
        assert window.top == definition.top
    bits = window.seen()
    seen = {window.top - back for back in range(size) if bits >> back & 1}
    assert seen == {number for number in definition.came if number > window.top - size}


@pytest.mark.parametrize("gap", [1, 31, 32])
def test_every_order_of_arrival(gap):
    numbers = [1, 2, 3 * gap, 32 + gap, 64 + gap]
    for order in permutations([*numbers, numbers[1]]):
        window, definition = ReplayWindow(32), Definition(32)
        assert [arrives(window, number) for number in order] == [definition.arrives(number) for number in order]


@given(
    size=sizes,
    top=st.integers(1, 2**34) | st.sampled_from([SUBSPACE + edge for edge in range(-70, 70, 7)]),
    away=st.integers(-5000, 2**31),
)
def test_the_high_half_is_guessed_right_within_reach(size, top, away):
    """From the window's lower edge up to 2^32 numbers further, the guess is the number that was sent."""
    number = max(1, top + max(away, 1 - size))
    assert ReplayWindow(size, top=top).locate(number % SUBSPACE) == number


@given(size=sizes, top=st.integers(0, 2**64 - 1), low=st.integers(0, SUBSPACE - 1))
def test_the_guess_is_that_of_appendix_a(size, top, low):
    """RFC 4303 §A2.2, its two cases as they are written there."""
    high_top, low_top = divmod(top, SUBSPACE)
    if low_top >= size - 1:
        high = high_top if low >= low_top - size + 1 else high_top + 1
    else:
        high = high_top - 1 if low >= (low_top - size + 1) % SUBSPACE else high_top
    assert ReplayWindow(size, top=top).locate(low) == high * SUBSPACE + low


@given(size=sizes, steps=st.lists(st.integers(-30, 40), max_size=120), top=st.integers(1, 40))
def test_a_window_across_the_wrap_of_the_low_half(size, steps, top):
    start = SUBSPACE - top
    window, definition = ReplayWindow(size, top=start), Definition(size, start)
    number = start
    for step in steps:
        number += step
        if number <= definition.top - size:  # below the window the low half means a number far ahead
            continue
        assert arrives(window, window.locate(number % SUBSPACE)) is definition.arrives(number)


def test_numbers_that_no_packet_can_have():
    assert ReplayWindow(64).check(0) is Drop.TOO_OLD
    beginning = ReplayWindow(64)
    assert beginning.check(beginning.locate(SUBSPACE - 1)) is Drop.TOO_OLD  # before the first subspace
    end = ReplayWindow(64, top=2**64 - 1)
    assert end.check(end.locate(5)) is Drop.TOO_OLD  # behind the last


def test_no_window_accepts_again_and_still_follows_the_numbers():
    window = ReplayWindow(0, top=SUBSPACE - 2)
    for low in (SUBSPACE - 1, SUBSPACE - 1, 0, 0, 7, SUBSPACE - 1, 7):
        number = window.locate(low)
        assert number == (low if low > SUBSPACE // 2 else SUBSPACE + low)
        assert window.check(number) is None
        window.accept(number)
    assert window.top == SUBSPACE + 7
    assert window.seen() == 0


@pytest.mark.parametrize("size", [-1, 1, 31, 4097])
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match="32 to 4096"):
        ReplayWindow(size)


def test_resynchronisation_is_tried_rarely_and_only_forward():
    window = ReplayWindow(64, top=1000)
    for _ in range(3):
        for _ in range(RESYNC_FAILURES - 1):
            assert not window.resync(1001)
        assert list(window.resync(1001)) == [1001 + step * SUBSPACE for step in range(1, RESYNC_REACH + 1)]
    for _ in range(RESYNC_FAILURES - 1):
        window.resync(1001)
    window.accept(1001)
    assert not window.resync(1002)  # a good packet in between: not lost
    late = ReplayWindow(64, top=2**64 - SUBSPACE - 9)
    for _ in range(RESYNC_FAILURES):
        tried = late.resync(2**64 - SUBSPACE - 8)
    assert list(tried) == [2**64 - 8]
