# SPDX-License-Identifier: Apache-2.0
"""What is said about Group Policy objects."""

from ringfence.transfer.base import KeyFiles
from ringfence.transfer.grouppolicy.report import Report


def test_each_once_with_its_object_and_no_key() -> None:
    keys = KeyFiles()
    keys.file_for("a secret of the lab", "lab")
    report = Report("registry.pol", keys)
    for _ in range(2):
        report.leave(report.place("GPO", "ConSecRules\\{1}"), "a secret of the lab", "why\nso", "cure")
    report.note(report.place(""), "all", "why")
    (left,), (note,) = report.left_out, report.notes
    assert (left.place, left.words, left.why, left.cure) == ("GPO:ConSecRules\\{1}", "...", "why so", "cure")
    assert note.place == "registry.pol"
