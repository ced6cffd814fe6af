# SPDX-License-Identifier: Apache-2.0
"""A TOML text with the place of every key and value, so that an error can point at its culprit.

The standard library decodes TOML but forgets where things stood. The scanner here walks a text that is known to be
correct, and therefore only needs to find where keys, values, arrays and tables begin and end; what they mean stays the
decoder's affair.
"""

import posixpath
import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Self

from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError

Step = str | int
Steps = tuple[Step, ...]
"""The way to a value: ``("rule", 0, "remote", "gateway")``."""

Span = tuple[int, int]
"""Offsets in the text: first character, and the one behind the last."""

BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
SPACE = re.compile(r"[ \t]*")
BARE = re.compile(r"[A-Za-z0-9_-]+")
BASIC = re.compile(r'"(?:\\.|[^"\\])*"')
LITERAL = re.compile(r"'[^']*'")
LONG_BASIC = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}(?!")', re.DOTALL)
LONG_LITERAL = re.compile(r"'''.*?'{3,5}(?!')", re.DOTALL)
SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]+|[^\s,\]}#]+")
ERROR_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

EXCERPT_COLUMNS = 160


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the text a setting stands."""

    key: Span
    value: Span


class Lost(Exception):
    """The scanner does not understand a text that the decoder took."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document: its name, its text, what it says, and where."""

    name: str
    text: str
    data: dict[str, object]
    spots: dict[Steps, Spot]
    line_starts: tuple[int, ...]
    folder: str = ""
    """Where its file names begin, as seen from the policy's own folder."""
    store: str = ""
    """As in ``Place``."""

    @classmethod
    def read(cls, text: str, *, name: str, folder: str = "", store: str = "") -> Self:
        """Decode ``text``; raises PolicyError when it is no TOML."""
        text = text.replace("\r\n", "\n")
        starts = (0, *(match.end() for match in re.finditer("\n", text)))
        try:
            data: dict[str, object] = tomllib.loads(text)
        except RecursionError as error:
            raise PolicyError([Finding("brackets are nested too deeply.", Place(name, 1, store))]) from error
        except ValueError as error:  # a decode error, or a number of thousands of digits
            raise PolicyError([_syntax_error(cls(name, text, {}, {}, starts, store=store), str(error))]) from error
        return cls(name, text, data, Scanner(text).scan(), starts, folder, store)

    @classmethod
    def unread(cls, text: str, *, name: str, store: str = "") -> Self:
        """A text that is shown only."""
        starts = (0, *(match.end() for match in re.finditer("\n", text)))
        return cls(name, text, {}, {}, starts, store=store)

    def line(self, offset: int) -> int:
        """The line of an offset, from 1."""
        return bisect_right(self.line_starts, offset)

    def span(self, steps: Steps, *, key: bool = False) -> Span | None:
        """Where the value (or ``key``) at ``steps`` stands, or what encloses it."""
        for length in range(len(steps), 0, -1):
            if (spot := self.spots.get(steps[:length])) is not None:
                return spot.key if key else spot.value
        return None

    def place_of(self, steps: Steps) -> Place:
        """Where the key at ``steps`` stands."""
        return self.place_at(self.span(steps, key=True))

    def place_at(self, span: Span | None) -> Place:
        """Where a span begins; None: the document."""
        return Place(self.name, self.line(span[0]) if span else 0, self.store)

    def beside(self, file: str) -> str:
        """A file that the document names, as seen from the policy's own folder."""
        return posixpath.normpath(posixpath.join(self.folder, file)) if self.folder else file

    def excerpt_of(self, place: Place, words: str) -> str:
        """The line of ``place`` with carets below ``words``, or below all of it where they are not found."""
        start = self.line_starts[place.line - 1]
        line = self.text[start:].split("\n", 1)[0]
        at = line.find(words) if words in line else len(line) - len(line.lstrip())
        return self.excerpt((start + at, start + at + (len(words) if words in line else len(line.strip()))))

    def excerpt(self, span: Span) -> str:
        """The line of ``span`` with carets below it."""
        line = self.line(span[0])
        start = self.line_starts[line - 1]
        text = self.text[start:].split("\n", 1)[0]
        first, last = span[0] - start, min(span[1] - start, len(text))
        cut = max(0, first - EXCERPT_COLUMNS // 2) if len(text) > EXCERPT_COLUMNS else 0
        shown = "".join(c if c.isprintable() else " " for c in text[cut : cut + EXCERPT_COLUMNS])
        carets = "^" * max(1, min(last - cut, len(shown)) - (first - cut))
        gutter = f"{line:>4}"
        return f"{gutter} | {shown}\n{' ' * len(gutter)} | {' ' * (first - cut)}{carets}"


TEXTS_AND_LISTS = 'Texts stand in quotation marks, and a list ends with a bracket: ["a", "b"].'
ONE_A_LINE = "A line has one setting, or one head, such as [policy] or [[rule]]."
SYNTAX = (
    (
        re.compile(r"Illegal character '\\n'"),
        "a text has no end",
        "It ends with the quotation mark that it begins with.",
    ),
    (re.compile(r"Cannot declare \(.*\) twice"), "this table is there twice", "Give one of them another name."),
    (re.compile(r"Cannot overwrite a value"), "this setting is there twice", "Leave one of them out."),
    (re.compile(r"Unclosed array"), "a list has no end", "It ends with a bracket, and commas stand between its items."),
    (re.compile(r"Expected newline.*"), "more than one thing stands in this line", ONE_A_LINE),
    (re.compile(r"Invalid value"), "no value begins here", TEXTS_AND_LISTS),
    (re.compile(r"Expected '=' after a key.*"), "there is no = behind this word", 'A setting reads: name = "lab".'),
)
"""What the standard library says of a text, what people read instead, and what to do."""


def _syntax_error(source: Source, what: str) -> Finding:
    match = ERROR_PLACE.search(what)
    start = len(source.text.rstrip("\n"))
    if match and match[1]:
        start = min(source.line_starts[int(match[1]) - 1] + int(match[2]) - 1, len(source.text))
    message = ERROR_PLACE.sub("", what)
    known = ((words, cure) for pattern, words, cure in SYNTAX if pattern.fullmatch(message))
    words, cure = next(known, (f"{message[:1].lower()}{message[1:]}", ""))
    return Finding(
        f"this is not TOML: {words}.", source.place_at((start, start)), excerpt=source.excerpt((start, start + 1)),
        cure=cure,
    )  # fmt: skip


class Scanner:
    """Finds the places in a text that is known to be TOML."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._spots: dict[Steps, Spot] = {}
        self._last: dict[Steps, int] = {}
        """Arrays of tables, with the number of the last one."""

    def scan(self) -> dict[Steps, Spot]:
        """Every place; as far as it gets, should it be lost."""
        base: Steps = ()
        try:
            while True:
                self._skip(BLANK)
                if self._at >= len(self._text):
                    return self._spots
                if self._text.startswith("[", self._at):
                    base = self._header()
                else:
                    self._pair(base)
        except (Lost, RecursionError):
            return self._spots

    def _skip(self, pattern: re.Pattern[str]) -> Span:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise Lost
        self._at = match.end()
        return match.span()

    def _expect(self, mark: str) -> None:
        if not self._text.startswith(mark, self._at):
            raise Lost
        self._at += len(mark)

    def _ahead(self, marks: str) -> bool:
        return self._text[self._at : self._at + 1] in marks if self._at < len(self._text) else False

    def _header(self) -> Steps:
        start = self._at
        array = self._text.startswith("[[", start)
        self._at += 2 if array else 1
        names = self._key()
        self._expect("]]" if array else "]")
        steps: Steps = ()
        for number, name in enumerate(names):
            steps = (*steps, name)
            if array and number == len(names) - 1:
                self._last[steps] = self._last.get(steps, -1) + 1
            if steps in self._last:
                self._spots.setdefault(steps, Spot((start, self._at), (start, self._at)))
                steps = (*steps, self._last[steps])
            self._spots.setdefault(steps, Spot((start, self._at), (start, self._at)))
        return steps

    def _key(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            self._skip(SPACE)
            if self._ahead("\"'"):
                first, last = self._skip(BASIC if self._ahead('"') else LITERAL)
                names.append(next(iter(tomllib.loads(f"{self._text[first:last]} = 0"))))
            else:
                first, last = self._skip(BARE)
                names.append(self._text[first:last])
            self._skip(SPACE)
            if not self._ahead("."):
                return tuple(names)
            self._at += 1

    def _pair(self, base: Steps) -> None:
        start = self._at
        names = self._key()
        key = (start, start + len(self._text[start : self._at].rstrip()))
        self._expect("=")
        self._skip(SPACE)
        steps = (*base, *names)
        value = self._value(steps)
        for length in range(len(base) + 1, len(steps) + 1):
            self._spots.setdefault(steps[:length], Spot(key, value))

    def _value(self, steps: Steps) -> Span:
        start = self._at
        if self._ahead("["):
            self._array(steps)
        elif self._ahead("{"):
            self._inline_table(steps)
        else:
            self._skip(self._scalar())
        return start, self._at

    def _scalar(self) -> re.Pattern[str]:
        for mark, pattern in (('"""', LONG_BASIC), ("'''", LONG_LITERAL), ('"', BASIC), ("'", LITERAL)):
            if self._text.startswith(mark, self._at):
                return pattern
        return SCALAR

    def _array(self, steps: Steps) -> None:
        self._at += 1
        number = 0
        while True:
            self._skip(BLANK)
            if self._ahead("]"):
                self._at += 1
                return
            value = self._value((*steps, number))
            self._spots[*steps, number] = Spot(value, value)
            number += 1
            self._skip(BLANK)
            if self._ahead(","):
                self._at += 1

    def _inline_table(self, steps: Steps) -> None:
        self._at += 1
        while True:
            self._skip(BLANK)
            if self._ahead("}"):
                self._at += 1
                return
            self._pair(steps)
            self._skip(BLANK)
            if self._ahead(","):
                self._at += 1
