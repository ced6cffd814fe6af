# SPDX-License-Identifier: Apache-2.0
"""Words of PowerShell."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.place import Place
from ringfence.transfer.powershell.parser import Parser
from ringfence.transfer.powershell.tree import Literal, Pipeline
from ringfence.transfer.powershell.writing import Left, command, quote, quotes


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_a_text_in_quotes_means_itself(text: str) -> None:
    parser = Parser(quote(text))
    assert parser.quoted() == Literal(text)
    assert not parser.peek()


def test_quotes() -> None:
    assert quote("it's") == "'it''s'"
    assert quote("\u2019") == "'\u2019\u2019'"
    assert quotes(["80", "90-95", "Any", "10.0.0.0/8", "-x"]) == "80, 90-95, Any, '10.0.0.0/8', '-x'"


def test_a_command_goes_over_lines() -> None:
    words = [("Name", "x" * 60), ("Switch", ""), ("Other", "y" * 60)]
    text = command("New-X", words)
    assert len(text.splitlines()) == 2
    assert all(len(line) < 120 for line in text.splitlines())
    (found,) = Parser(text).script()
    assert isinstance(found, Pipeline)
    assert [one.name for one in found.parts[0].arguments if one.name] == ["Name", "Switch", "Other"]  # type: ignore[union-attr]


def test_what_is_left_out_is_said_once() -> None:
    left = Left()
    for _ in range(2):
        left.out(Place("p.toml", 3), "rule", "why")
    assert [str(one) for one in left.items] == ["p.toml:3: rule: why"]
