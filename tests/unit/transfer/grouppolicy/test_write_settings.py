# SPDX-License-Identifier: Apache-2.0
"""What holds for the whole computer, written and read back."""

from ringfence.policy.document import parse
from ringfence.policy.model import Policy
from ringfence.policy.terms import GlobalSettings
from ringfence.transfer.base import KeyFiles
from ringfence.transfer.grouppolicy.registry import Registry
from ringfence.transfer.grouppolicy.report import Report
from ringfence.transfer.grouppolicy.settings import Settings
from ringfence.transfer.grouppolicy.terms import Terms
from ringfence.transfer.grouppolicy.write_settings import settings_of, tell_others
from ringfence.transfer.powershell.writing import Left

TEXT = """
[global]
exempt = ["icmp", "router-discovery"]
idle-time = "10 min"
crl-check = "strict"
psk-encoding = "utf-16"
nat = "never"
local-rules = false
tunnel-authorization = { computers = "S-1-5-21-1", deny.users = "S-1-5-21-2" }
transport-authorization = { users = "S-1-5-21-3" }
"""


def written(settings: GlobalSettings) -> tuple[GlobalSettings, Left]:
    left = Left()
    registry = Registry()
    registry.apply(settings_of(settings, left), "gpo")
    report = Report("x", KeyFiles())
    found = Settings(registry, report).read(Terms([], report, KeyFiles()))
    assert not report.left_out
    return found, left


def test_all_that_can_be_said() -> None:
    said = parse(TEXT, name="x").settings
    found, left = written(said)
    assert found == said
    assert not left.items


def test_what_is_as_anyway_is_not_written() -> None:
    assert [one.value for one in settings_of(GlobalSettings(), Left())] == ["IPsecThroughNAT"]


def test_what_windows_does_not_take() -> None:
    text = """
[global]
require-encryption = true
masqueraded = "clear"
tunnel-authorization = { computers = "db.example" }
"""
    _, left = written(parse(text, name="x").settings)
    assert [one.words for one in left.items] == [
        "tunnel-authorization", "require-encryption", "masqueraded"
    ]  # fmt: skip


def test_what_has_another_place() -> None:
    left = Left()
    tell_others(parse('[boot]\nmode = "block"\n', name="x"), left)
    tell_others(Policy(), left)
    assert [one.words for one in left.items] == ["boot"]
