# SPDX-License-Identifier: Apache-2.0
"""Events are values."""

from typing import get_args

from ringfence.datapath.event import HardExpired, PathEvent, SoftExpired


def test_events_are_compared_by_what_they_say():
    assert SoftExpired(1, "octets") == SoftExpired(1, "octets") != SoftExpired(2, "octets")
    assert SoftExpired(1, "octets") != HardExpired(1, "octets")
    assert len(set(get_args(PathEvent))) == 8
