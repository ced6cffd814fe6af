# SPDX-License-Identifier: Apache-2.0
"""The bounds that hold unless somebody says otherwise."""

from dataclasses import fields

from ringfence.datapath.limits import HoldLimits, PathLimits
from ringfence.net.fragment import ReassemblyLimits


def test_every_store_is_bounded():
    for limits in (HoldLimits(), ReassemblyLimits(), PathLimits()):
        for field in fields(limits):
            value = getattr(limits, field.name)
            assert not isinstance(value, int | float) or 0 < value < 1 << 32, field.name
    assert HoldLimits().octets <= HoldLimits().all_octets
    assert PathLimits().mtu >= 1280
