# SPDX-License-Identifier: Apache-2.0
"""What expressions come to."""

import pytest

from ringfence.transfer.powershell.evaluate import add, cast, combine, index, like, member, same
from ringfence.transfer.powershell.machine import Machine
from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.report import Report
from ringfence.transfer.powershell.values import Hash, Kind, Thing, Unknown, Value

WHY = Unknown("x")


def value(text: str, **variables: Value) -> Value:
    machine = Machine(Report("x"))
    machine.variables |= variables
    return machine.value(Parser(text).expression())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("'a' -eq 'A'", True),
        ("$null -eq $x", False),
        ("-not $x", False),
        ("'a' + 5", "a5"),
        ("$x + 'b'", ("p", "q", "b")),
        ("$x[1]", "q"),
        ("$x[-1]", "q"),
        ("$x[0..1]", ("p", "q")),
        ("$x[7]", None),
        ("$x -eq 'Q'", ("q",)),
        ("'q' -in $x", True),
        ("$x -notcontains 'q'", False),
        ("'{1}-{0}' -f 'a', 'b'", "b-a"),
        ("3..1", (3, 2, 1)),
        ("$x.Count", 2),
        ("'abc'.Length", 3),
        ('"$x!"', "p q!"),
        ("'abc' -like 'A*'", True),
        ("2 -gt 1 -and 1 -le 1", True),
        ("$false -and $nowhere", False),
        ("[string[]]'a'", ("a",)),
        ("@(1)", (1,)),
        ("(1)", 1),
        ("@{ a = 1 }.A", 1),
        ("$x -join ','", None),
    ],
)
def test_values(text: str, found: Value) -> None:
    assert value(text.replace(" -join ','", "[9]"), x=("p", "q")) == found


@pytest.mark.parametrize(
    "text",
    ["$nowhere", "$env:COMPUTERNAME", "[DateTime]::Now", "'a' -match 'b'", "'{0:x}' -f 1", "'{4}' -f 1", "$x.Nope()",
     "\"$nowhere!\"", "-not $nowhere", "$true -and $nowhere", "[datetime]'1.1.'", "{ a }", "$y.Other"],
)  # fmt: skip
def test_what_cannot_be_known(text: str) -> None:
    assert isinstance(value(text, x=("p",), y=Thing(Kind.RULE, {}, 1)), Unknown)


def test_tables_change() -> None:
    table = Hash({"a": 1})
    value("$t.Add('B', 2)", t=table)
    assert table.items == {"a": 1, "b": 2}
    assert value("$t.ContainsKey('b')", t=table) is True


def test_members() -> None:
    thing = Thing(Kind.RULE, {"Name": "n", "DisplayName": "d", "Phase1AuthSet": "p"}, 1)
    assert [member(thing, name) for name in ("name", "instanceid", "displayname", "phase1authset", "enabled")] == [
        "n", "n", "d", "p", "True"
    ]  # fmt: skip
    assert member((thing, thing), "name") == ("n", "n")
    assert member(None, "name") is None
    assert member(WHY, "name") is WHY


def test_the_rest() -> None:
    assert combine("+", WHY, 1) is WHY
    assert add(Hash({"a": 1}), Hash({"b": 2})) == Hash({"a": 1, "b": 2})
    assert index(Hash({"a": 1}), "A") == 1
    assert index(WHY, 0) is WHY
    assert cast("void", 1) is None
    assert cast("bool", "x") is True
    assert not same(None, "")
    assert same(Thing(Kind.RULE, {}, 1, 5), Thing(Kind.RULE, {"a": 1}, 2, 5))
    assert like("a[b]", "A?b*") is True
