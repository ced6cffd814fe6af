# SPDX-License-Identifier: Apache-2.0
"""Expressions, from the loosest operator to the tightest."""

import pytest

from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.scan import NotUnderstood
from ringfence.transfer.powershell.tree import (
    Binary,
    Call,
    Cast,
    Expression,
    Foreign,
    Index,
    Items,
    Literal,
    Member,
    Sub,
    Table,
    Unary,
    Variable,
)

A, B, C = (Variable(name) for name in "abc")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("$a -and $b -eq $c", Binary("-and", A, Binary("-eq", B, C))),
        ("$a -CEQ 'x'", Binary("-eq", A, Literal("x"))),
        ("$a \u2013eq $null", Binary("-eq", A, Literal(None))),
        ("-not $a -or !$b", Binary("-or", Unary("-not", A), Unary("-not", B))),
        ("$a + $b, $c", Binary("+", A, Items((B, C)))),
        ("1..3", Binary("..", Literal(1), Literal(3))),
        ("'{0}' -f $a, $b", Binary("-f", Literal("{0}"), Items((A, B)))),
        ("$a.Name[0].X", Member(Index(Member(A, "name"), Literal(0)), "x")),
        ("$a.Add('x', $b)", Call(A, "add", (Literal("x"), B))),
        ("$a.Keys()", Call(A, "keys", ())),
        ("[string[]]$a", Cast("string[]", A)),
        (", $a", Items((A,))),
        ("[DateTime]::Now", Foreign("[DateTime]::…")),
        ("[Net.Dns]::Find('x')", Foreign("[Net.Dns]::…")),
        ("$true", Literal(True)),
    ],
)
def test_trees(text: str, tree: Expression) -> None:
    parser = Parser(text)
    assert parser.expression() == tree
    assert not parser.peek()


def test_a_type_alone_is_a_value_that_only_windows_knows() -> None:
    assert Parser("$a.Translate([X.Sid])").expression() == Call(A, "translate", (Foreign("[X.Sid]"),))


def test_brackets() -> None:
    found = Parser("@($a)").expression()
    assert isinstance(found, Sub)
    assert found.array
    assert not Parser("($a)").expression().array  # type: ignore[union-attr]


def test_tables() -> None:
    found = Parser("@{ Name = 'x'; 'Other' = $a, $b\n Third = New-X }").expression()
    assert isinstance(found, Table)
    assert [key for key, _ in found.pairs] == [Literal("name"), Literal("Other"), Literal("third")]


@pytest.mark.parametrize("text", ["@{ a = 1 b = 2 }", "@{ a }", "$a[0", "%", "$"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(NotUnderstood):
        Parser(text).expression()
