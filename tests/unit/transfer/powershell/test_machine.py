# SPDX-License-Identifier: Apache-2.0
"""Following a script."""

import pytest

from ringfence.transfer.powershell.machine import Machine
from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.values import Kind, Unknown


def run(text: str) -> Machine:
    machine = Machine(Report("x.ps1"))
    machine.run(Parser(text).script())
    return machine


def names(text: str) -> list[str]:
    return [one.title for one in run(text).session.of(Kind.RULE)]


NEW = "New-NetIPsecRule -DisplayName"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"foreach ($x in 'a', 'b') {{ {NEW} $x }}", ["a", "b"]),
        (f"'a', 'b' | ForEach-Object {{ {NEW} \"${{_}}!\" }}", ["a!", "b!"]),
        (f'1..2 | % {{ {NEW} "n$_" }}', ["n1", "n2"]),
        (f"if ($null -eq (Get-NetIPsecRule -DisplayName a)) {{ {NEW} a }} else {{ {NEW} b }}", ["a"]),
        (f"{NEW} a; if (Get-NetIPsecRule -DisplayName a) {{ {NEW} b }}", ["a", "b"]),
        (f"if ($false) {{ {NEW} a }} elseif (1 -eq 1) {{ {NEW} b }}", ["b"]),
        (f"function f {{ {NEW} $x }}\n$x = 'a'; f; f | Out-Null", ["a", "a"]),
        (f"function f {{ $x = 'b'; return 'c' }}\n$x = 'a'; $y = f; {NEW} $x; {NEW} $y", ["a", "c"]),
        (f"function f {{ $script:x = 'b' }}\n$x = 'a'; f; {NEW} $x", ["b"]),
        (f"try {{ {NEW} a }} catch {{ {NEW} b }} finally {{ {NEW} c }}", ["a", "c"]),
        (f"{NEW} a; exit; {NEW} b", ["a"]),
        (f"param($x = 'a')\n{NEW} $x", ["a"]),
        ("$p = @{ DisplayName = 'a' }; $p.Enabled = 'True'; $p['Mode'] = 'Transport'; New-NetIPsecRule @p", ["a"]),
        (f"$a = 'x', 'y'; $a += 'z'; foreach ($n in $a) {{ {NEW} $n }}", ["x", "y", "z"]),
        (f'$r = {NEW} a; {NEW} "$($r.DisplayName)2"', ["a", "a2"]),
        (f"{NEW} a | Out-Null; $null = {NEW} b; [void]({NEW} c)", ["a", "b", "c"]),
        (f"{NEW} a, b", []),
        (f"$l = 'a', 'b' | Select-Object -First 1; {NEW} $l", ["a"]),
        (f"{NEW} a; {NEW} b; Get-NetIPsecRule | Where-Object DisplayName -eq a | Remove-NetIPsecRule", ["b"]),
        (f"{NEW} a; {NEW} b; $n = Get-NetIPsecRule | Select -ExpandProperty DisplayName; {NEW} $n[1]", ["a", "b", "b"]),
    ],
)
def test_what_is_made(text: str, found: list[str]) -> None:
    assert names(text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "if (Test-Path x) { New-NetIPsecRule -DisplayName a }",
            "whether it holds is not known, for what Test-Path gives",
        ),
        ("foreach ($x in Get-Content f) { a }", "what it goes through is not known"),
        ("Get-Content f | % { New-NetIPsecRule -DisplayName $_ }", "what it goes through is not known"),
        ("New-NetIPsecRule -DisplayName $env:X", "-DisplayName is not known, for $env:x is of the computer"),
        ("param([string]$x)\nNew-NetIPsecRule -DisplayName $x", "$x is given when the script starts"),
        ("New-NetIPsecRule @params", "nothing that is understood sets $params"),
        (
            "$x = 5\n$x = 'a' -split ','\nNew-NetIPsecRule -DisplayName $x",
            "$x is set in line 2, which is not understood",
        ),
        ("Install-Something", "it is no NetSecurity cmdlet that is followed here"),
        ("netsh advfirewall set allprofiles state on", "it is of another format"),
        ("throw 'x'\nNew-NetIPsecRule -DisplayName a", "line 1 throws an error"),
        ("function f { $args }\nf 1", "what function f does with arguments is not followed"),
        ("function f { f }\nf", "functions call each other too often"),
        ("1..9999 | % { 1..9999 }", "it goes on for too long"),
        ("Get-NetIPsecRule | 5", "a value cannot take"),
        ("$a, $b = 1, 2", "setting that is not followed"),
        ("New-NetIPsecRule -DisplayName a; $r = Get-NetIPsecRule; $r.Nonsense = 1", "no setting nonsense"),
        ("New-NetIPsecDospSetting -Name x", "no NetSecurity cmdlet that is followed"),
    ],
)
def test_what_is_left_out(text: str, why: str) -> None:
    machine = run(text)
    assert why in machine.report.left_out[-1].why


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Show-NetIPsecRule", "Show-NetIPsecRule"),
        ("Get-NetIPsecMainModeSA", "Get-NetIPsecMainModeSA"),
        ("$g = Open-NetGPO -PolicyStore x", "Open-NetGPO"),
        ("Remove-NetIPsecQuickModeSA -All", "Remove-NetIPsecQuickModeSA"),
        ("Get-ADComputer x", "Get-ADComputer"),
        ("function f { a }", "function f"),
        ("try { 1 } catch { 2 }", "try"),
        ("Copy-NetIPsecRule -All -WhatIf", "Copy-NetIPsecRule"),
        ("New-NetIPsecRule -DisplayName a -CimSession far", "-CimSession far"),
    ],
)
def test_what_is_noted(text: str, words: str) -> None:
    machine = run(text)
    assert not machine.report.left_out
    assert [one.words for one in machine.report.notes] == [words]


def test_accounts_are_known_by_their_names() -> None:
    text = (
        "$g = New-Object System.Security.Principal.NTAccount ('LAB', 'Servers')\n"
        "$s = $g.Translate([System.Security.Principal.SecurityIdentifier]).Value"
    )
    assert run(text).variables["s"] == "LAB\\Servers"
    assert run("$g = New-Object -TypeName X.NTAccount ('LAB\\S')").variables["g"] == "LAB\\S"
    assert isinstance(run("$g = New-Object PSObject").variables["g"], Unknown)
