# SPDX-License-Identifier: Apache-2.0
"""Reasons have one name each, fit for counters and audit."""

from ringfence.audit import PacketDropped
from ringfence.datapath.verdict import Drop


def test_each_reason_has_a_name_of_its_own():
    names = [reason.value for reason in Drop]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and " " not in name for name in names)


def test_reasons_that_windows_numbers_exist():
    assert set(PacketDropped.BY_REASON) <= {reason.value for reason in Drop}
