# SPDX-License-Identifier: Apache-2.0
"""Statements of a script."""

import pytest

from ringfence.transfer.powershell.parser import Parser, without_texts
from ringfence.transfer.powershell.tree import (
    Argument,
    Assign,
    Command,
    ForEach,
    Function,
    If,
    Items,
    Literal,
    Parameters,
    Pipeline,
    Statement,
    Text,
    Try,
    Unread,
    Variable,
)


def one(text: str) -> Statement:
    found = Parser(text).script()
    assert len(found) == 1, found
    return found[0]


def command(text: str) -> Command:
    found = one(text)
    assert isinstance(found, Pipeline), found
    first = found.parts[0]
    assert isinstance(first, Command)
    return first


def test_arguments() -> None:
    found = command(
        "New\u2013X -Name 'a b' \u2013List 1,2 , c -Flag -Set:$true @more plain -Path GPO:$g\\x $y -z $(a)b"
    )
    assert found.name == "New-X"
    assert found.arguments[:11] == (
        Argument("Name"),
        Argument(value=Literal("a b")),
        Argument("List"),
        Argument(value=Items((Literal("1"), Literal("2"), Literal("c")))),
        Argument("Flag"),
        Argument("Set", Literal(True), joined=True),
        Argument(splat="more"),
        Argument(value=Literal("plain")),
        Argument("Path"),
        Argument(value=Text(("GPO:", Variable("g"), "\\x"))),
        Argument(value=Variable("y")),
    )


def test_lines_go_on() -> None:
    found = command("New-X -A 1 `\n  -B 2,\n 3 | # more\n Out-Null")
    assert [argument.name for argument in found.arguments] == ["A", "", "B", ""]
    assert one("New-X\n  | Out-Null") == one("New-X\n  | Out-Null")
    assert len(one("New-X\n  | Out-Null").parts) == 2  # type: ignore[union-attr]


def test_where_output_goes_is_left_aside() -> None:
    assert command("New-X -A b 2>&1 > $null").arguments == command("New-X -A b").arguments


def test_assignments() -> None:
    found = one("$a.B += New-X")
    assert isinstance(found, Assign)
    assert found.operator == "+="
    assert isinstance(one("[string]$a = 'x'"), Assign)
    assert isinstance(one("$a = $b = 5").value, Assign)  # type: ignore[union-attr]


def test_conditions_and_loops() -> None:
    found = one("if ($a) { b }\nelseif ($c)\n{ d } else { e }")
    assert isinstance(found, If)
    assert len(found.cases) == 2
    assert found.otherwise is not None
    loop = one("foreach ($x in 1, 2) { a; b }")
    assert isinstance(loop, ForEach)
    assert (loop.variable, len(loop.body.statements)) == ("x", 2)
    assert isinstance(one("function Do-It { a }"), Function)
    assert isinstance(one("function Do-It() { a }"), Function)
    caught = one("try { a } catch [X] { b } finally { c }")
    assert isinstance(caught, Try)
    assert caught.last is not None


def test_parameters() -> None:
    found = one(
        "[CmdletBinding()]\nparam (\n [Parameter(Mandatory = $true)]\n [string]$A,\n [int[]]$B = (1, 2), $C = 'x'\n)"
    )
    assert isinstance(found, Parameters)
    assert [name for name, _ in found.defaults] == ["a", "b", "c"]
    assert found.defaults[0][1] is None
    assert found.defaults[2][1] == Literal("x")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("while ($true) { a }", "what while does is not followed"),
        ("a && b", "what comes of && is not followed"),
        (". ./other.ps1", "what another script or a block does is not followed"),
        ("& $x", "what another script or a block does is not followed"),
        ("function f($a) { b }", "functions with parameters are not followed"),
        ("$a = 'x' -replace 'y'", '"-replace" is not understood there'),
        ("= 5", '"= 5" is no command'),
        ("if ($a { b }", "no end"),
        ("(" * 500 + ")" * 500, "no end"),
    ],
)
def test_what_is_not_understood(text: str, why: str) -> None:
    found = one(text)
    assert isinstance(found, Unread)
    assert why in found.why


def test_the_next_statement_is_read_all_the_same() -> None:
    found = Parser("a && b; c\nwhile (1) { x\n y }\nd\nif ($x -zz) { 1 }\nelse { 2 }\ne").script()
    assert [type(one).__name__ for one in found] == ["Unread", "Pipeline", "Unread", "Pipeline", "If", "Pipeline"]
    assert [one.line for one in found] == [1, 1, 2, 4, 5, 7]


def test_words_without_texts() -> None:
    assert without_texts("New-X -A 'secret' \"s2\" # it's\n") == "New-X -A '…' '…'"
    assert without_texts("New-X -PreSharedKey secret -B c") == "New-X -PreSharedKey … -B c"
    assert without_texts("New-X -psk:secret") == "New-X -psk:…"
    assert without_texts("a 'open secret") == "a"
