# SPDX-License-Identifier: Apache-2.0
"""Blanks, comments, lines that go on, brackets and texts in a script."""

import pytest

from ringfence.transfer.powershell.scan import NotUnderstood, Scanner


def at(text: str, where: int = 0) -> Scanner:
    scanner = Scanner(text)
    scanner.at = where
    return scanner


def test_lines() -> None:
    scanner = Scanner("a\nb\n\nc")
    assert [scanner.line_of(n) for n in range(6)] == [1, 1, 2, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("  \tx", "x"),
        ("# a comment\nx", "\nx"),
        ("<# over\nlines #> x", "x"),
        ("`\n  x", "x"),
        ("`  \n  x", "x"),
        ("`n", "`n"),
        ("\n x", "\n x"),
    ],
)
def test_blanks(text: str, rest: str) -> None:
    scanner = Scanner(text)
    scanner.blanks()
    assert scanner.text[scanner.at :] == rest


def test_blanks_over_lines() -> None:
    scanner = Scanner("\n # a\n\n x")
    scanner.blanks(lines=True)
    assert scanner.peek() == "x"


def test_a_comment_without_an_end() -> None:
    with pytest.raises(NotUnderstood, match="no end"):
        Scanner("<# for ever").blanks()


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("PS C:\\>dir", "dir"),
        ("PS C:\\Users\\a> dir", "dir"),
        ("PS> dir", "dir"),
        (">> dir", "dir"),
        ("PSomething", "PSomething"),
    ],
)
def test_prompts(text: str, rest: str) -> None:
    scanner = Scanner(text)
    scanner.prompt()
    assert scanner.text[scanner.at :] == rest


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("a b; c", "; c"),
        ("a { b; c }\nd", "\nd"),
        ("a 'x;\ny' z\nd", "\nd"),
        ('a "x `" ; " z\nd', "\nd"),
        ("a |\n b\nd", "\nd"),
        ("a `\n b\nd", "\nd"),
        ("a 'it''s; so'\nd", "\nd"),
        ("a # ; it's\nd", "\nd"),
        ("a ( b\nd", "\nd"),
        ("a @'\nit's ; (\n'@ b\nd", "\nd"),
        ("a } b\nd", "\nd"),
        ("a `", ""),
    ],
)
def test_the_end_of_a_statement(text: str, rest: str) -> None:
    scanner = Scanner(text)
    scanner.skip(0)
    assert scanner.text[scanner.at :] == rest


def test_what_is_missing_is_said_without_texts() -> None:
    with pytest.raises(NotUnderstood, match='"\\(" is missing before "foo"'):
        Scanner("foo 'secret'").need("(")
    with pytest.raises(NotUnderstood, match="before a text"):
        Scanner("'secret'").need("(")
    with pytest.raises(NotUnderstood, match="the end of the line"):
        Scanner("\n").need("(")


def test_words() -> None:
    assert Scanner("ForEach (").word() == "foreach"
    assert Scanner("5").word() == ""
    assert at("a$", 1).word() == ""
