# SPDX-License-Identifier: Apache-2.0
"""Texts in quotes: plain, with values in them, and over several lines.

In ``'…'`` only a doubled quote is special. In ``"…"`` a backtick escapes the next character, and ``$name``,
``${name}`` and ``$( … )`` stand for values. ``@'`` and ``@"`` at the end of a line begin a text that ends at a line
that begins with the same quote and ``@``.
"""

import re

from ringfence.transfer.powershell.scan import DOUBLE, SINGLE, NotUnderstood, Scanner
from ringfence.transfer.powershell.tree import Expression, Literal, Statement, Sub, Text, Variable

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b"}
NAME = re.compile(r"\$(?:\{([^}`\n]+)\}|((?:\w+:(?=\w))?\w+|[?^$]))")
HERE = re.compile(r"@([\"'\u2018\u2019\u201a\u201b\u201c\u201d\u201e])[ \t]*\n")


class Strings(Scanner):
    """Reads texts in quotes."""

    def statements(self, close: str) -> tuple[Statement, ...]:
        """The statements up to ``close``, and past it."""
        raise NotImplementedError

    def at_text(self) -> bool:
        """Whether a text in quotes begins here."""
        char = self.peek()
        return bool(char and char in SINGLE + DOUBLE) or HERE.match(self.text, self.at) is not None

    def quoted(self) -> Expression:
        """The text in quotes that begins here."""
        here = HERE.match(self.text, self.at)
        if here is not None:
            return self._here(SINGLE if here[1] in SINGLE else DOUBLE, here.end())
        kind = SINGLE if self.peek() in SINGLE else DOUBLE
        self.at += 1
        parts: list[str | Expression] = []
        while char := self.peek():
            if char in kind and not (self.peek(1) and self.peek(1) in kind):
                self.at += 1
                return joined(parts)
            if char in kind:
                parts.append(char)
                self.at += 2
            else:
                parts.append(self.piece() if kind == DOUBLE else char)
                self.at += kind == SINGLE
        raise NotUnderstood("a text in quotes has no end")

    def _here(self, kind: str, start: int) -> Expression:
        end = re.compile(rf"\n[{kind}]@").search(self.text, start - 1)
        if end is None:
            raise NotUnderstood("a text over several lines has no end")
        self.at = start
        parts: list[str | Expression] = []
        while self.at < end.start():
            parts.append(self.piece() if kind == DOUBLE else self.peek())
            self.at += kind == SINGLE
        self.at = end.end()
        return joined(parts)

    def piece(self) -> str | Expression:
        """One character, escape or value of a text that may have values in it."""
        char = self.peek()
        if char == "`":
            escaped = self.peek(1)
            self.skip_escape()
            if escaped == "u":
                raise NotUnderstood("characters by number (`u) are not read")
            return ESCAPES.get(escaped, "" if escaped == "\n" else escaped)
        if char == "$":
            return self._inserted()
        self.at += 1
        return char

    def _inserted(self) -> str | Expression:
        if self.take("$("):
            return Sub(self.statements(")"))
        match = NAME.match(self.text, self.at)
        if match is None:
            self.at += 1
            return "$"
        self.at = match.end()
        return Variable((match[1] or match[2]).lower())


def joined(parts: list[str | Expression]) -> Expression:
    """A text of its parts: a plain one if no part is a value."""
    merged: list[str | Expression] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, str) and isinstance(last, str):
            merged[-1] = last + part
        else:
            merged.append(part)
    if not merged:
        return Literal("")
    only = merged[0]
    return Literal(only) if len(merged) == 1 and isinstance(only, str) else Text(tuple(merged))
