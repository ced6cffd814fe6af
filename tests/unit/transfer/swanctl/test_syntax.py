# SPDX-License-Identifier: Apache-2.0
"""Sections, values, comments, and sections that build on others."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.transfer.base import ImportFailed
from ringfence.transfer.swanctl.syntax import Value, parse, walk


def values(text: str) -> dict[str, str]:
    return {path: value.text for path, value in walk(parse(text, "x.conf").top)}


def test_values_and_comments() -> None:
    text = 'a { b = one  two # three\n c = "x # {y}\\n\\"z\\""\n d { e=%any,::1\n}\n}\na { b = 4\n f =\n}\ng{h=i{j}\n'
    assert values(text) == {"a.b": "4", "a.c": 'x # {y}\n"z"', "a.d.e": "%any,::1", "a.f": "", "g.h": "i{j"}


def test_lines_count_through_texts() -> None:
    top = parse('a = "1\n2\\\n3"\nb = 4\nc {\n d = 5 }\n', "x.conf").top
    assert top.values == {"a": Value("1\n23", 1), "b": Value("4", 4)}
    assert top.sections["c"].line == 5
    assert (top.sections["c"].line_of("d"), top.sections["c"].line_of("e")) == (6, 5)


def test_sections_build_on_others() -> None:
    text = (
        "base { a = 1\n b = 1\n in { c = 1\n d = 1 } }\nmore { a = 2\n e = 2\n f : base.in { d = 2 } }\n"
        "x : more , base { b = 3\n in { c = 3 } }\ny : x{}\n"
    )
    found = values(text)
    assert {key: value for key, value in found.items() if key.startswith("x.")} == {
        "x.a": "2", "x.b": "3", "x.e": "2", "x.in.c": "3", "x.in.d": "1", "x.f.c": "1", "x.f.d": "2",
    }  # fmt: skip
    assert found["y.in.c"] == "3"


def test_includes() -> None:
    found = parse('include a/*.conf\nb { include "c d.conf"\n include = 5 }', "x.conf")
    assert found.includes == (Value("a/*.conf", 1), Value("c d.conf", 2))
    assert found.top.sections["b"].text("include") == "5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a {\nb = 1\n", 'x.conf:1: section "a" is never closed'),
        ("a { }\n}\n", "x.conf:2: a brace is closed that was never opened"),
        ("a { b }\n", 'x.conf:1: "b" is neither a section nor set to anything'),
        ('\na = "b\n', "x.conf:2: a quoted text never ends"),
        ("a { }\n{ }\n", "x.conf:2: '{' is not understood here"),
        ("a : b { }\n", 'x.conf:1: section "a" builds on "b", and there is none'),
        ("a : b { }\nb : a { }\n", 'section "a" builds on itself'),
        ("a { b : a { } }\n", "builds on itself"),
        ("a {" * 70, "sections are too deep"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(ImportFailed) as failed:
        parse(text, "x.conf")
    assert message in str(failed.value)


@settings(deadline=None)
@given(st.text(alphabet='a{}:,.="# \n\\include', max_size=60))
def test_whatever_stands_there(text: str) -> None:
    with suppress(ImportFailed):
        assert parse(text, "x.conf").top.line == 1
