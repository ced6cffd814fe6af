# SPDX-License-Identifier: Apache-2.0
"""Objects that a script makes, and what the cmdlets do with them."""

import pytest

from ringfence.transfer.powershell.machine import Machine
from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.values import Kind, Thing


def run(text: str) -> Machine:
    machine = Machine(Report("x.ps1"))
    machine.run(Parser(text).script())
    return machine


def rules(text: str) -> list[str]:
    machine = run(text)
    return [
        f"{one.title}{'' if one.values.get('Enabled', 'True') == 'True' else ' off'}"
        for one in machine.session.of(Kind.RULE)
    ]


def left(text: str) -> list[str]:
    return [one.why for one in run(text).report.left_out]


AB = "New-NetIPsecRule -DisplayName A -Name a -Group G\nNew-NetIPsecRule -DisplayName B -Name b\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["A", "B"]),
        ("Remove-NetIPsecRule -DisplayName A", ["B"]),
        ("Remove-NetIPsecRule b", ["A"]),
        ("Remove-NetIPsecRule -Name '*'", []),
        ("Get-NetIPsecRule | Remove-NetIPsecRule", []),
        ("Disable-NetIPsecRule -Group g", ["A off", "B"]),
        ("Set-NetIPsecRule -DisplayName B -NewDisplayName C -Enabled False", ["A", "C off"]),
        ("Disable-NetIPsecRule -All; Get-NetIPsecRule -Enabled False | ? { $_.Name -eq 'b' } | Enable-NetIPsecRule",
         ["A off", "B"]),
        ("Rename-NetIPsecRule a -NewName z; Remove-NetIPsecRule z", ["B"]),
        ("Copy-NetIPsecRule a -NewName z", ["A", "B", "A"]),
        ("Copy-NetIPsecRule a -NewPolicyStore 'lab\\other'", ["A", "B"]),
        ("$r = Get-NetIPsecRule a; $r.Enabled = 'False'", ["A", "B"]),
        ("$r = Get-NetIPsecRule a; $r.Enabled = 'False'; $r | Set-NetIPsecRule", ["A off", "B"]),
        ("$r = Get-NetIPsecRule a; $r.Enabled = 'False'; Set-NetIPsecRule -InputObject $r", ["A off", "B"]),
        ("Remove-NetIPsecRule -DisplayName A -WhatIf", ["A", "B"]),
        ("Get-NetIPsecRule -KeyModule Default | ? { $_.Profile -eq 'Any' -and $_.Name -eq 'a' } | Remove-NetIPsecRule",
         ["B"]),
        ("New-NetIPsecRule -DisplayName C -PolicyStore 'lab\\gpo'; Remove-NetIPsecRule -DisplayName *", ["C"]),
        ("New-NetIPsecRule -DisplayName C -PolicyStore lab\\g; Remove-NetIPsecRule -DisplayName * -PolicyStore lab\\g",
         ["A", "B"]),
    ],
)  # fmt: skip
def test_what_is_there_then(text: str, found: list[str]) -> None:
    assert rules(AB + text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("New-NetIPsecRule -Mode Tunnel", "it has no -DisplayName"),
        (AB + "New-NetIPsecRule -DisplayName C -Name A", "there is one of that Name already"),
        ("Set-NetIPsecRule -Enabled False", "which objects are meant"),
        ("Set-NetIPsecRule -DisplayName X -Enabled False", "none that the script has made"),
        ("Enable-NetFirewallRule -DisplayGroup Core", "none that the script has made"),
        ("New-NetIPsecPhase1AuthSet -DisplayName X", "it has no -Proposal"),
        ("New-NetIPsecPhase1AuthSet -DisplayName X -Proposal (New-NetIPsecMainModeCryptoProposal)",
         "takes what New-NetIPsecAuthProposal gives"),
        (AB + "Rename-NetIPsecRule -All -NewName x", "cannot have one Name"),
        (AB + "Copy-NetIPsecRule a", "needs a -NewName"),
        (AB + "$r = Get-NetIPsecRule a; Remove-NetIPsecRule a; $r | Set-NetIPsecRule -Enabled False", "been removed"),
        (AB + "Get-NetIPsecRule a | Get-NetIPsecPhase1AuthSet", "what belongs to other objects"),
        ("Get-Content x | Remove-NetIPsecRule", "which objects are meant is not known"),
    ],
)  # fmt: skip
def test_what_is_left_out(text: str, why: str) -> None:
    assert why in left(text)[-1]


def test_removing_what_is_not_there_is_noted() -> None:
    assert not run("Remove-NetIPsecRule -DisplayName Old -ErrorAction SilentlyContinue").report.notes
    machine = run("Remove-NetIPsecRule -DisplayName Old")
    assert not machine.report.left_out
    assert machine.report.notes[0].words == 'Remove-NetIPsecRule "Old"'


def test_default_sets_have_windows_names() -> None:
    machine = run(
        "$p = New-NetIPsecAuthProposal -Anonymous\n$s = New-NetIPsecPhase1AuthSet -DisplayName X -Default -Proposal $p"
    )
    made = machine.variables["s"]
    assert isinstance(made, Thing)
    assert made.name == "{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}"


def test_settings_are_there_once() -> None:
    machine = run(
        "Get-NetFirewallSetting | Set-NetFirewallSetting -KeyEncoding utf16\n"
        "Set-NetFirewallProfile -Name Domain -Enabled True"
    )
    assert machine.session.setting.values == {"KeyEncoding": "UTF16"}
    assert [one.values.get("Enabled") for one in machine.session.profiles] == ["True", None, None]


def test_a_store_is_said_once() -> None:
    machine = run(
        "New-NetIPsecRule -DisplayName A -PolicyStore lab\\g\nNew-NetIPsecRule -DisplayName B -PolicyStore LAB\\G"
    )
    assert [one.words for one in machine.report.notes] == ["-PolicyStore lab\\g"]


def test_what_is_changed_in_a_way_that_is_not_known_is_in_doubt() -> None:
    changes = "Set-NetIPsecRule -DisplayName A -RemoteAddress (Read-Host)\nSet-NetIPsecRule (Read-Host) -Mode None"
    machine = run(AB + changes)
    assert [one.doubt for one in machine.session.of(Kind.RULE)] == [3, 0]
    assert len(machine.report.left_out) == 2


def test_settings_are_in_every_store() -> None:
    machine = run(
        "$s = Get-NetFirewallSetting -PolicyStore lab\\g\nSet-NetFirewallSetting -KeyEncoding UTF8 -InputObject $s"
    )
    assert machine.session.setting.values == {"KeyEncoding": "UTF8"}
