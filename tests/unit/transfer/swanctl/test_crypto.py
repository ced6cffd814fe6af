# SPDX-License-Identifier: Apache-2.0
"""Lifetimes and lists of proposals, and what is said where they cannot be carried over."""

import pytest

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import Limits
from ringfence.policy.errors import BadWord
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.swanctl.crypto import limits_of, main_mode, parse_time, quick_mode

AT = (3, "connection x")


def test_times() -> None:
    assert [parse_time(text) for text in ("90", "2m", "4h", "1d", "0s")] == [90, 120, 14400, 86400, 0]
    with pytest.raises(BadWord):
        parse_time("soon")


def test_main_mode() -> None:
    report = Report("x")
    assert main_mode(["default"], None, report, AT, only_first=True) is None
    found = main_mode(["aes128gcm16-prfsha256-ecp256", "aes128-sha256-ecp256"], 600, report, AT, only_first=True)
    assert found is not None
    assert (list(map(str, found.methods)), found.lifetime_s) == (["aes128-sha256-ecp256"], 600)
    assert {one.limits for one in found.methods} == {Limits(600)}
    assert [one.place for one in report.left_out] == ["x:3"]
    assert not report.notes
    long = main_mode([], 9_999_999, report, AT, only_first=True)
    assert long is not None
    assert long.lifetime_s == 172_799
    assert len(report.notes) == 1
    assert main_mode(["camellia128-sha1-modp2048"], None, report, AT, only_first=True) is None
    assert "Ringfence's own" in report.notes[1].why


def test_quick_mode() -> None:
    report = Report("x")
    methods, group = quick_mode(["aes128-sha1-modp2048", "null-md5"], "esp", report, AT, only_first=True)
    assert (list(map(str, methods)), group) == (["esp aes128-sha1", "esp null-md5"], DhGroup.MODP_2048)
    assert "groups none" in report.left_out[0].words
    assert quick_mode(["default"], "ah", report, AT, only_first=True) == ((), None)


def test_limits() -> None:
    report = Report("x")
    assert limits_of(None, None, None, report, AT) is None
    assert limits_of(900, 1 << 20, 2000, report, AT) == Limits(900, 1 << 20, 2000)
    assert limits_of(None, 1 << 20, None, report, AT) == Limits(3600, 1 << 20)
    assert limits_of(1, 10, 10, report, AT) == Limits(5, 1 << 16, 1000)
    assert len(report.notes) == 3
