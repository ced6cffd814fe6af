# SPDX-License-Identifier: Apache-2.0
"""Expressions of a script, from the loosest operator to the tightest: ``-and``, ``-eq``, ``+``, ``-f``, ``..``, the
comma, ``-not``, and what values are written as. Operators beyond these are not understood.
"""

import re
from collections.abc import Callable

from ringfence.transfer.powershell.scan import DASH, DEPTH, NotUnderstood
from ringfence.transfer.powershell.strings import NAME, Strings
from ringfence.transfer.powershell.tree import (
    Binary,
    Block,
    Call,
    Cast,
    Expression,
    Foreign,
    Index,
    Items,
    Literal,
    Member,
    Statement,
    Sub,
    Table,
    Unary,
    Variable,
)

LOGICAL = ("and", "or")
COMPARING = (
    "eq", "ne", "like", "notlike", "in", "notin", "contains", "notcontains", "match", "notmatch", "gt", "ge", "lt", "le"
)  # fmt: skip
FORMAT = ("f",)
OPERATOR = re.compile(rf"[{DASH}]([ci]?)([a-z]+)\b", re.IGNORECASE)
NUMBER = re.compile(r"-?\d+(?!\w|\.\d)", re.ASCII)
MEMBER = re.compile(r"\.(\w+)")
TYPE = re.compile(r"\[([A-Za-z][\w.]*(?:\[\])?)\]")
LONGEST = 100
"""Parts of one chain, such as ``$a + $b + …``."""
VALUES = {"true": True, "false": False, "null": None}


class Expressions(Strings):
    """Reads expressions."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nested = 0

    def expression(self) -> Expression:
        """The expression that begins here."""
        return self._binary(LOGICAL, self._comparison)

    def _comparison(self) -> Expression:
        return self._binary(COMPARING, self._sum)

    def _sum(self) -> Expression:
        left, parts = self._format(), 1
        while self._blanks_before("+") and self.take("+"):
            self.blanks(lines=True)
            left, parts = Binary("+", left, self._format()), self._more_than(parts)
        return left

    def _more_than(self, parts: int) -> int:
        """One part more of a chain; raises NotUnderstood if there are too many."""
        if parts >= LONGEST:
            raise NotUnderstood("it is too long to be followed")
        return parts + 1

    def _format(self) -> Expression:
        return self._binary(FORMAT, self._range)

    def _range(self) -> Expression:
        left = self._list()
        if self.take(".."):
            return Binary("..", left, self._list())
        return left

    def _binary(self, known: tuple[str, ...], tighter: Callable[[], Expression]) -> Expression:
        left, parts = tighter(), 1
        while (operator := self._operator(known)) is not None:
            self.blanks(lines=True)
            left, parts = Binary(operator, left, tighter()), self._more_than(parts)
        return left

    def _operator(self, known: tuple[str, ...]) -> str | None:
        before = self.at
        self.blanks()
        match = OPERATOR.match(self.text, self.at)
        if match is not None:
            for word in (match[2].lower(), (match[1] + match[2]).lower()):
                if word in known:
                    self.at = match.end()
                    return f"-{word}"
        self.at = before
        return None

    def _blanks_before(self, char: str) -> bool:
        before = self.at
        self.blanks()
        if self.peek() == char and self.peek(1) not in ("+", "="):
            return True
        self.at = before
        return False

    def _list(self) -> Expression:
        items = [self._unary()]
        while self._blanks_before(","):
            self.take(",")
            self.blanks(lines=True)
            items.append(self._unary())
        return items[0] if len(items) == 1 else Items(tuple(items))

    def _unary(self) -> Expression:
        self.blanks()
        self._nested += 1
        if self._nested > DEPTH:
            raise NotUnderstood("it is nested too deep")
        try:
            if self.take("!") or self._operator(("not",)) is not None:
                return Unary("-not", self._unary())
            if self.peek() == ",":
                self.at += 1
                return Items((self._unary(),))
            match = TYPE.match(self.text, self.at)
            if match is not None and self.text[match.end() : match.end() + 2] != "::":
                self.at = match.end()
                alone = self.text[self.at : self.at + 1] in (")", ",", "")
                return Foreign(match[0]) if alone else Cast(match[1].lower(), self._unary())
            return self.postfix(self.primary())
        finally:
            self._nested -= 1

    def postfix(self, value: Expression) -> Expression:
        """``value`` with its members and indexes."""
        parts = 1
        while True:
            match = MEMBER.match(self.text, self.at)
            parts = self._more_than(parts)
            if match is not None:
                self.at = match.end()
                value = self._call(value, match[1]) if self.take("(") else Member(value, match[1].lower())
            elif self.take("["):
                self.blanks(lines=True)
                value = Index(value, self.expression())
                self.blanks(lines=True)
                self.need("]")
            else:
                return value

    def _call(self, of: Expression, name: str) -> Expression:
        self.blanks(lines=True)
        if self.take(")"):
            return Call(of, name.lower(), ())
        found = self.expression()
        self.blanks(lines=True)
        self.need(")")
        return Call(of, name.lower(), found.items if isinstance(found, Items) else (found,))

    def primary(self) -> Expression:
        """A value that is written out, a variable, or something in brackets."""
        if self.at_text():
            return self.quoted()
        if self.starts("$(", "@(", "@{", "(", "{"):
            return self._bracket()
        if self.peek() == "$":
            return self.variable()
        number = NUMBER.match(self.text, self.at)
        if number is not None:
            self.at = number.end()
            return Literal(int(number[0]))
        if self.starts("[") and (match := TYPE.match(self.text, self.at)) is not None:
            return self._foreign(match.end())
        raise NotUnderstood(f"{self.next_words()} is no value that is read here")

    def _bracket(self) -> Expression:
        if self.take("@{"):
            return self._table()
        if self.take("{"):
            return Block(self.statements("}"))
        array = self.peek() == "@"
        self.at += 1 if self.peek() == "(" else 2
        return Sub(self.statements(")"), array)

    def variable(self) -> Expression:
        """The variable that stands here."""
        match = NAME.match(self.text, self.at)
        if match is None:
            raise NotUnderstood(f"{self.next_words()} is no variable")
        self.at = match.end()
        name = (match[1] or match[2]).lower()
        return Literal(VALUES[name]) if name in VALUES else Variable(name)

    def _foreign(self, end: int) -> Expression:
        """``[Type]::Member( … )``: stands for something that only Windows knows."""
        start = self.at
        self.at = end
        self.need("::")
        self.at += len(self.word())
        if self.peek() == "(":
            self.skip_bracket()
        return Foreign(self.text[start:end] + "::…")

    def _table(self) -> Expression:
        pairs: list[tuple[Expression, Sub]] = []
        while True:
            self.blanks(lines=True)
            while self.take(";"):
                self.blanks(lines=True)
            if self.take("}"):
                return Table(tuple(pairs))
            key: Expression = Literal(self.word())
            if key != Literal(""):
                self.at += len(self.word())
            else:
                key = self.primary()
            self.blanks()
            self.need("=")
            self.blanks(lines=True)
            pairs.append((key, Sub(self.one_statement())))
            self.blanks()
            if self.peek() not in ("\n", ";", "}"):
                raise NotUnderstood(f"{self.next_words()} does not belong into a table")

    def one_statement(self) -> tuple[Statement, ...]:
        """The statement that begins here, alone."""
        raise NotImplementedError
