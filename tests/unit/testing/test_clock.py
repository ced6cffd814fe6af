# SPDX-License-Identifier: Apache-2.0
"""Time passes when a test says so."""

import pytest

from ringfence.testing.clock import ManualClock


def test_time():
    clock = ManualClock(5)
    assert clock() == 5
    assert clock.advance(2) == 7
    assert clock.advance_to(6) == 7
    assert clock.advance_to(9) == clock() == 9
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
