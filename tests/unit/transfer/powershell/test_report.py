# SPDX-License-Identifier: Apache-2.0
"""What is said about a script."""

from ringfence.transfer.powershell.report import Report


def test_each_once_with_its_place() -> None:
    report = Report("x.ps1")
    report.leave(5, "words", "why", "cure")
    report.leave(5, "words", "why", "cure")
    report.note(0, "all", "why")
    assert [(one.place, one.words, one.why, one.cure) for one in report.left_out] == [
        ("x.ps1:5", "words", "why", "cure")
    ]  # fmt: skip
    assert [one.place for one in report.notes] == ["x.ps1"]


def test_no_key() -> None:
    report = Report("x.ps1")
    report.leave(1, "set 'long key'", "long is no word")
    report.keys |= {"long", "long key", ""}
    assert [(one.words, one.why) for one in report.left_out] == [("set '…'", "… is no word")]
