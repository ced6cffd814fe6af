# SPDX-License-Identifier: Apache-2.0
"""Seconds and dates agree."""

from datetime import UTC, timedelta

from ringfence.service.clock import SystemClock


def test_a_moment_has_its_date() -> None:
    clock = SystemClock()
    assert clock.today().tzinfo is UTC
    assert abs(clock.date_of(clock.now() + 60) - clock.today() - timedelta(seconds=60)) < timedelta(seconds=5)
    assert clock.now() <= clock.now()
