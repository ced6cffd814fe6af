# SPDX-License-Identifier: Apache-2.0
"""Reads a script into the tree, statement by statement; one that is not understood does not spoil the next.

PowerShell has two ways to read words. After the name of a command they stand for themselves (``-Profile Domain``);
where a value begins (``$x``, ``'text'``, ``(``, a number) it is an expression.
"""

import re
from collections.abc import Callable, Mapping

from ringfence.transfer.powershell.expressions import Expressions
from ringfence.transfer.powershell.scan import DASH, DASHES, DEPTH, DOUBLE, SINGLE, NotUnderstood
from ringfence.transfer.powershell.strings import joined
from ringfence.transfer.powershell.tree import (
    Argument,
    Assign,
    Block,
    Command,
    Expression,
    ForEach,
    Function,
    If,
    Items,
    Literal,
    Parameters,
    Pipeline,
    Statement,
    Sub,
    Try,
    Unread,
    Variable,
)

NAME = re.compile(rf"[?%](?=[\s{{])|[A-Za-z_][\w{DASH}.\\:/~]*|[.~]?[\\/][\w{DASH}.\\:/~]+")
PARAMETER = re.compile(rf"[{DASH}]([A-Za-z_]\w*)")
SPLAT = re.compile(r"@(\w+)")
REDIRECTION = re.compile(r"[\d*]?>{1,2}(?:&\d)?")
ATTRIBUTES = re.compile(r"(?:\[\w+\([^\n]*?\)\]\s*)+(?=param\b)", re.IGNORECASE)
OPENERS = ("$", "(", "{", "@(", "@{", "[", "!", ",")
DELIMITERS = " \t\n\f\v\u00a0;|,(){}&<>"
UNFOLLOWED = {
    "while", "for", "do", "switch", "trap", "class", "enum", "using", "data", "workflow", "configuration",
    "begin", "process", "end", "break", "continue", "until",
}  # fmt: skip
FOLLOWERS = ("else", "elseif", "catch", "finally", "while", "until")
SECRET = re.compile(rf"([{DASH}](?:psk|pre\w*)[\s:]+)[^\s'\"]+", re.IGNORECASE)


class Parser(Expressions):
    """Reads one script."""

    def script(self) -> tuple[Statement, ...]:
        """All of it."""
        return self.statements("")

    def statements(self, close: str) -> tuple[Statement, ...]:
        """The statements up to ``close``, and past it; empty: to the end of the script."""
        start, found = self.at, list[Statement]()
        self.depth += bool(close)
        try:
            if self.depth > DEPTH:
                raise NotUnderstood("it is nested too deep")
            while not self._closed(close, start):
                found.append(self._statement())
        finally:
            self.depth -= bool(close)
        return tuple(found)

    def _closed(self, close: str, start: int) -> bool:
        self._separators()
        if not self.peek():
            if close:
                self.at = start
                raise NotUnderstood(f"the bracket that begins in line {self.line_of(start)} has no end")
            return True
        return bool(close) and self.take(close)

    def _separators(self) -> None:
        try:
            self.blanks(lines=True)
            while self.take(";"):
                self.blanks(lines=True)
        except NotUnderstood:
            self.at = len(self.text)
        self.prompt()

    def one_statement(self) -> tuple[Statement, ...]:
        """The statement that begins here, alone."""
        return (self._inner(self.at),)

    def _statement(self) -> Statement:
        start = self.at
        try:
            found = self._inner(start)
            self.blanks()
            if not self.ends():
                raise NotUnderstood(f"{self.next_words()} is not understood there")
        except NotUnderstood as error:
            self._recover(start)
            return Unread(str(error), self.line_of(start), without_texts(self.text[start : self.at]))
        return found

    def _recover(self, start: int) -> None:
        """Go past a statement that was not understood, with the blocks that belong to it."""
        self.skip(start)
        if self.at == start and self.peek():
            self.at += 1
        while self.text[self.at - 1] == "}":
            after = self.at
            self.blanks(lines=True)
            if self.word() not in FOLLOWERS:
                self.at = after
                return
            self.skip(self.at)

    def _inner(self, start: int) -> Statement:
        word = self.word()
        readers: Mapping[str, Callable[[int], Statement]] = {
            "if": self._if, "foreach": self._foreach, "function": self._function, "filter": self._function,
            "try": self._try,
        }  # fmt: skip
        read = readers.get(word)
        attributes = ATTRIBUTES.match(self.text, self.at)
        if attributes is not None or word == "param":
            self.at = self.at if attributes is None else attributes.end()
            return self._parameters(start)
        if word in UNFOLLOWED:
            raise NotUnderstood(f"what {word} does is not followed")
        if read is not None and (word != "foreach" or self._before_bracket(word)):
            self.at += len(word)
            return read(start)
        return self._assignment_or_pipeline(start)

    def _before_bracket(self, word: str) -> bool:
        return re.compile(r"\s*\(").match(self.text, self.at + len(word)) is not None

    def _words(self, start: int) -> str:
        return without_texts(self.text[start : self.at])

    def _assignment_or_pipeline(self, start: int) -> Statement:
        line = self.line_of(start)
        if not self._at_expression():
            return self._pipeline(start, self._command())
        first = self.expression()
        self.blanks()
        operator = self.starts("+=", "=") if not self.starts("==") else ""
        if not operator:
            return self._pipeline(start, first)
        self.take(operator)
        self.blanks(lines=True)
        self._nested += 1
        if self._nested > DEPTH:
            raise NotUnderstood("it is nested too deep")
        try:
            value = self._inner(self.at)
        finally:
            self._nested -= 1
        return Assign(first, operator, value, line, self._words(start))

    def _at_expression(self) -> bool:
        return bool(self.starts(*OPENERS)) or self.at_text() or self.peek().isdigit() or self._negated()

    def _negated(self) -> bool:
        return self.peek() in tuple(DASHES) and self.text[self.at + 1 : self.at + 4].lower() == "not"

    def _pipeline(self, start: int, first: Command | Expression) -> Pipeline:
        parts = [first]
        while self._piped():
            parts.append(self.expression() if self._at_expression() else self._command())
        return Pipeline(tuple(parts), self.line_of(start), self._words(start))

    def _piped(self) -> bool:
        before = self.at
        self.blanks()
        if self.peek() == "\n":
            self.blanks(lines=True)
        if self.starts("||", "&&"):
            raise NotUnderstood(f"what comes of {self.starts('||', '&&')} is not followed")
        if self.take("|"):
            self.blanks(lines=True)
            return True
        self.at = before
        return False

    def _command(self) -> Command:
        line, match = self.line, NAME.match(self.text, self.at)
        if self.peek() in (".", "&") and self.peek(1) in (" ", "\t", "$", "'", '"'):
            raise NotUnderstood("what another script or a block does is not followed")
        if match is None:
            raise NotUnderstood(f"{self.next_words()} is no command")
        self.at = match.end()
        arguments: list[Argument] = []
        while self._more():
            arguments.append(self._argument())
        name = "".join("-" if char in DASHES else char for char in match[0])
        return Command(name, tuple(arguments), line)

    def _more(self) -> bool:
        """Whether another argument follows; where the output goes is left aside."""
        self.blanks()
        while (match := REDIRECTION.match(self.text, self.at)) is not None:
            self.at = match.end()
            self.blanks()
            if "&" not in match[0]:
                self._value()
            self.blanks()
        return not self.ends() and self.peek() not in ("|", "&")

    def _argument(self) -> Argument:
        match = PARAMETER.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
            if not self.take(":"):
                return Argument(match[1])
            self.blanks()
            return Argument(match[1], self._values(), joined=True)
        splat = SPLAT.match(self.text, self.at)
        if splat is not None:
            self.at = splat.end()
            return Argument(splat=splat[1].lower())
        return Argument(value=self._values())

    def _values(self) -> Expression:
        items = [self._value()]
        while self._blanks_before(","):
            self.take(",")
            self.blanks(lines=True)
            items.append(self._value())
        return items[0] if len(items) == 1 else Items(tuple(items))

    def _value(self) -> Expression:
        before = self.at
        if self.at_text():
            return self.postfix(self.quoted())
        if self.starts("$(", "@(", "@{", "(", "{", "$"):
            found = self.postfix(self.primary())
            if not self.peek() or self.peek() in DELIMITERS:
                return found
            self.at = before
        return self._bare()

    def _bare(self) -> Expression:
        parts: list[str | Expression] = []
        start = self.at
        while (char := self.peek()) and char not in DELIMITERS:
            if char in SINGLE + DOUBLE:
                found = self.quoted()
                parts.append(found.value if isinstance(found, Literal) and isinstance(found.value, str) else found)
            else:
                parts.append(self.piece())
        if self.at == start:
            raise NotUnderstood(f"{self.next_words()} is not understood there")
        return joined(parts)

    def _block(self) -> Block:
        self.blanks(lines=True)
        self.need("{")
        return Block(self.statements("}"))

    def _condition(self) -> Sub:
        self.blanks(lines=True)
        self.need("(")
        return Sub(self.statements(")"))

    def _follower(self, *words: str) -> str:
        before = self.at
        self.blanks(lines=True)
        word = self.word()
        if word in words:
            self.at += len(word)
            return word
        self.at = before
        return ""

    def _if(self, start: int) -> If:
        cases = [(self._condition(), self._block())]
        while follower := self._follower("elseif", "else"):
            if follower == "else":
                return If(tuple(cases), self._block(), self.line_of(start), self._words(start))
            cases.append((self._condition(), self._block()))
        return If(tuple(cases), None, self.line_of(start), self._words(start))

    def _foreach(self, start: int) -> ForEach:
        self.blanks()
        self.need("(")
        self.blanks(lines=True)
        variable = self.variable()
        self.blanks(lines=True)
        if not isinstance(variable, Variable) or self.word() != "in":
            raise NotUnderstood("this loop is not read")
        self.at += 2
        of = Sub(self.statements(")"))
        return ForEach(variable.name, of, self._block(), self.line_of(start), self._words(start))

    def _function(self, start: int) -> Function:
        self.blanks()
        match = NAME.match(self.text, self.at)
        if match is None:
            raise NotUnderstood("this function is not read")
        self.at = match.end()
        self.blanks()
        if self.peek() == "(" and self.take("("):
            self.blanks(lines=True)
            if not self.take(")"):
                raise NotUnderstood("functions with parameters are not followed")
        return Function(match[0].lower(), self._block(), self.line_of(start), self._words(start))

    def _try(self, start: int) -> Try:
        body, last = self._block(), None
        while follower := self._follower("catch", "finally"):
            self.blanks(lines=True)
            while self.peek() == "[":
                self.skip_bracket()
                self.blanks(lines=True)
            block = self._block()
            last = block if follower == "finally" else last
        return Try(body, last, self.line_of(start), self._words(start))

    def _parameters(self, start: int) -> Parameters:
        self.at += len("param")
        self.blanks(lines=True)
        self.need("(")
        defaults: list[tuple[str, Expression | None]] = []
        self.blanks(lines=True)
        while not self.take(")"):
            defaults.append(self._parameter())
            self.blanks(lines=True)
            if not self.take(",") and self.peek() != ")":
                raise NotUnderstood(f"{self.next_words()} does not belong to parameters")
            self.blanks(lines=True)
        return Parameters(tuple(defaults), self.line_of(start), self._words(start))

    def _parameter(self) -> tuple[str, Expression | None]:
        while self.peek() == "[":
            self.skip_bracket()
            self.blanks(lines=True)
        variable = self.variable()
        self.blanks(lines=True)
        if not isinstance(variable, Variable):
            raise NotUnderstood("a parameter has no name")
        if not self.take("="):
            return variable.name, None
        self.blanks(lines=True)
        return variable.name, self._unary()


def without_texts(words: str) -> str:
    """Words of a script without comments and what stands in quotes, for a key may be among them."""
    scanner, shown = Parser(words), list[str]()
    while char := scanner.peek():
        start = scanner.at
        try:
            if char in SINGLE + DOUBLE:
                scanner.skip_text()
                shown.append("'…'")
                continue
            if char == "#" or scanner.starts("<#"):
                scanner.blanks()
                continue
        except NotUnderstood:
            break
        scanner.at += 1
        shown.append(words[start : scanner.at])
    return SECRET.sub(r"\1…", "".join(shown)).strip()
