# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.policy.decode import Table, choose, shown
from ringfence.policy.errors import BadWord
from ringfence.policy.model import Kind
from ringfence.policy.source import Source


def table(text: str) -> Table:
    source = Source.read(text, name="t")
    return Table(source, (), source.data, [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'), (True, "true"), (1, "1"), (1.5, "1.5"), ({}, "a table"), ([1], "a list"), ("\x1b", '"\\u001b"'),
        ("\x85", '"?"'), ("ä", '"ä"'), ("x" * 100, '"' + "x" * 76 + "..."),
    ],
)  # fmt: skip
def test_values_are_shown_as_they_stand_and_harmless(value: object, text: str) -> None:
    assert shown(value) == text


def test_readers() -> None:
    found = table('a = "x"\nb = 3\nc = true\nd = ["p, q", "r"]\ne = { f = 1 }\n')
    assert (found.text("a"), found.number("b", 0, 9), found.value("c", bool), found.text("z")) == ("x", 3, True, None)
    assert found.words("d", str.strip, split=",") == ("p", "q", "r")
    inner = found.table("e")
    assert inner is not None
    assert inner.number("f", 0, 1) == 1
    inner.finish()
    found.finish()
    assert found.findings == []


def test_what_cannot_be_read_is_none_and_a_finding() -> None:
    found = table('a = 1\nb = "x"\nc = 1\nd = ["p", 1]\ne = 1\n')
    assert found.text("a") is None
    assert found.number("b", 0, 9) is None
    assert found.value("c", bool) is None
    assert found.words("d", str.strip) == ("p",)
    assert found.table("e") is None
    assert [finding.place.line for finding in found.findings] == [1, 2, 3, 4, 5]


def test_a_boolean_is_no_number() -> None:
    found = table("a = true\n")
    assert found.number("a", 0, 9) is None
    assert str(found.findings[0]).splitlines()[0] == "t:1: a is true, but has to be a number."


def test_what_nobody_asked_for_is_unknown() -> None:
    found = table("naem = 1\nlater = 2\nxyz = 3\n")
    found.raw("name")
    found.later = {"later": "Wait."}
    found.finish()
    assert [(one.message, one.cure) for one in found.findings] == [
        ('there is no setting "naem".', 'Did you mean "name"?'),
        ("later is known but not supported yet.", "Wait."),
        ('there is no setting "xyz".', "The settings here are name."),
    ]


def test_choices() -> None:
    assert choose(" Tunnel ", Kind) is Kind.TUNNEL
    with pytest.raises(BadWord, match='"custom" or "exemption"') as caught:
        choose("tunel", Kind)
    assert caught.value.cure == 'Did you mean "tunnel"?'
