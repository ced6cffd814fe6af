# SPDX-License-Identifier: Apache-2.0
"""Texts in quotes."""

import pytest

from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.scan import NotUnderstood
from ringfence.transfer.powershell.strings import joined
from ringfence.transfer.powershell.tree import Literal, Member, Sub, Text, Variable


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s $x `n'", "it's $x `n"),
        ('"say ""hi"" `"so`" `$5 a`tb"', 'say "hi" "so" $5 a\tb'),
        ("\u2018typeset\u2019", "typeset"),
        ("\u201ctypeset\u201d", "typeset"),
        ("@'\nit's $x\nso\n'@", "it's $x\nso"),
        ("@'\n'@", ""),
        ('@"\n"so" `$x\n"@', '"so" $x'),
        ('""', ""),
        ('"5 $ and $"', "5 $ and $"),
    ],
)
def test_plain(text: str, value: str) -> None:
    assert Parser(text).quoted() == Literal(value)


def test_values_in_texts() -> None:
    found = Parser('"a $b ${c d} $script:e$($f.Name)g"').quoted()
    assert isinstance(found, Text)
    assert found.parts[:6] == ("a ", Variable("b"), " ", Variable("c d"), " ", Variable("script:e"))
    inner = found.parts[6]
    assert isinstance(inner, Sub)
    assert inner.statements[0].parts == (Member(Variable("f"), "name"),)  # type: ignore[union-attr]
    assert found.parts[7] == "g"


@pytest.mark.parametrize("text", ["'open", '"open', "@'\nopen", '"`u{1F600}"'])
def test_what_has_no_end(text: str) -> None:
    with pytest.raises(NotUnderstood):
        Parser(text).quoted()


def test_joined() -> None:
    assert joined([]) == Literal("")
    assert joined(["a", "b"]) == Literal("ab")
    assert joined([Variable("x")]) == Text((Variable("x"),))


def test_where_a_text_begins() -> None:
    assert Parser("'a'").at_text()
    assert Parser("@'\n'@").at_text()
    assert not Parser("@{}").at_text()
    assert not Parser("").at_text()
