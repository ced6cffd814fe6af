# SPDX-License-Identifier: Apache-2.0
"""The syntax of strongSwan's settings: sections in braces, ``key = value``, comments, sections that build on others.

A section may name others after a colon; whatever it does not say itself is taken from them, the first that says it
deciding. Their names lead from the top (``connections.base``). A section or key that comes again adds to, or replaces,
what was said before.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ringfence.transfer.base import ImportFailed, finding

DEEPEST = 64
WORD = re.compile(r"[^#{}=\"\r\n\t :,]+")
REFERENCES = re.compile(r"[\t ]*:[\t ]*([^#{}=\"\r\n]+?)[\t ]*(?=[{\r\n#])")
VALUE = re.compile(r"[^#}\"\r\n\t ]+")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
CURE = "Such a file has sections: connections { lab { remote_addrs = 192.0.2.1 } }"


@dataclass(frozen=True, slots=True)
class Value:
    """What a key is set to."""

    text: str
    line: int


@dataclass(slots=True)
class Section:
    """A section, with what it takes from others already in it once the file is read."""

    name: str
    line: int
    values: dict[str, Value] = field(default_factory=dict)
    sections: "dict[str, Section]" = field(default_factory=dict)
    bases: list[tuple[str, int]] = field(default_factory=list)

    def text(self, key: str, default: str = "") -> str:
        """What ``key`` is set to; an empty value is none."""
        value = self.values.get(key)
        return value.text or default if value is not None else default

    def line_of(self, key: str) -> int:
        """Where ``key`` is set; otherwise where the section begins."""
        return self.values[key].line if key in self.values else self.line

    def within(self, name: str) -> "Section":
        """The inner section of that name; an empty one where there is none."""
        return self.sections.get(name) or Section(name, self.line)


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole file."""

    top: Section
    includes: tuple[Value, ...]
    """Other files that it names."""


def parse(text: str, name: str) -> Settings:
    """The sections of a file; raises ImportFailed."""
    parser = _Parser(text, name)
    top = parser.run()
    _inherit(parser, top)
    return Settings(top, tuple(parser.includes))


class _Parser:
    def __init__(self, text: str, name: str) -> None:
        self.includes: list[Value] = []
        self._text = text
        self._name = name
        self._at = 0
        self._line = 1

    def fail(self, line: int, message: str, column: int = 0) -> ImportFailed:
        """The failure, with the line in which it is."""
        shown = self._text.split("\n")[line - 1] if line else ""
        return ImportFailed([finding(self._name, line, shown, (column, column + 1), message, cure=CURE)])

    def _wrong(self, message: str) -> ImportFailed:
        return self.fail(self._line, message, self._at - self._text.rfind("\n", 0, self._at) - 1)

    def run(self) -> Section:
        """All of it."""
        top = Section("", 1)
        open_: list[Section] = [top]
        while self._skip():
            letter = self._text[self._at]
            if letter == "}":
                if len(open_) == 1:
                    raise self._wrong("a brace is closed that was never opened.")
                self._at += 1
                open_.pop()
                continue
            match = WORD.match(self._text, self._at)
            if match is None:
                raise self._wrong(f"{letter!r} is not understood here.")
            if len(open_) > DEEPEST:
                raise self._wrong("sections are too deep.")
            self._entry(open_, match)
        if len(open_) > 1:
            raise self.fail(open_[-1].line, f'section "{open_[-1].name}" is never closed.')
        return top

    def _skip(self) -> bool:
        """Go to what comes next; False at the end."""
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif letter in " \t\r\n":
                self._line += letter == "\n"
                self._at += 1
            else:
                return True
        return False

    def _entry(self, open_: list[Section], match: re.Match[str]) -> None:
        name, line, self._at = match[0], self._line, match.end()
        bases: list[tuple[str, int]] = []
        if found := REFERENCES.match(self._text, self._at):
            bases = [(one.strip(), line) for one in found[1].split(",") if one.strip()]
            self._at = found.end()
        more = self._skip()
        letter = self._text[self._at] if more else ""
        if letter == "{":
            self._at += 1
            inner = open_[-1].sections.setdefault(name, Section(name, line))
            inner.bases += bases
            open_.append(inner)
        elif letter == "=" and not bases:
            self._at += 1
            open_[-1].values[name] = Value(self._value(), line)
        elif name == "include" and not bases:
            self._at = match.end()
            self._line = line
            self.includes.append(Value(self._value(), line))
        else:
            raise self.fail(line, f'"{name}" is neither a section nor set to anything.', match.start()
                            - self._text.rfind("\n", 0, match.start()) - 1)  # fmt: skip

    def _value(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter in "#}\n":
                break
            if letter == '"':
                parts.append(self._string())
            elif match := VALUE.match(self._text, self._at):
                parts.append(match[0])
                self._at = match.end()
            else:
                self._at += 1
        return " ".join(parts)

    def _string(self) -> str:
        first = self._line
        self._at += 1
        letters: list[str] = []
        while self._at < len(self._text):
            letter = self._text[self._at]
            self._at += 1
            if letter == '"':
                return "".join(letters)
            if letter == "\\" and self._at < len(self._text):
                letter = self._text[self._at]
                self._at += 1
                self._line += letter == "\n"
                letters.append("" if letter == "\n" else ESCAPES.get(letter, letter))
                continue
            self._line += letter == "\n"
            letters.append(letter)
        raise self.fail(first, "a quoted text never ends.")


def _inherit(parser: _Parser, top: Section) -> None:
    """Give each section what it takes from others, the deepest first."""
    done: set[int] = set()

    def settle(section: Section, path: tuple[str, ...], busy: tuple[str, ...]) -> None:
        where = ".".join(path)
        if id(section) in done:
            return
        if where in busy:
            raise parser.fail(section.line, f'section "{where}" builds on itself.')
        for name, line in section.bases:
            base = _find(top, name)
            if base is None:
                raise parser.fail(line, f'section "{where}" builds on "{name}", and there is none.')
            settle(base, tuple(name.split(".")), (*busy, where))
            _add(section, base)
        for inner in [*section.sections.values()]:
            settle(inner, (*path, inner.name), (*busy, where) if section.bases else busy)
        done.add(id(section))

    settle(top, (), ())


def _find(top: Section, name: str) -> Section | None:
    found: Section | None = top
    for part in name.split("."):
        found = None if found is None else found.sections.get(part)
    return found


def _add(section: Section, base: Section, depth: int = 0) -> None:
    """Whatever ``section`` does not say yet comes from ``base``."""
    for key, value in base.values.items():
        section.values.setdefault(key, value)
    for name, inner in base.sections.items():
        if inner is section or depth > DEEPEST:
            continue
        _add(section.sections.setdefault(name, Section(name, inner.line)), inner, depth + 1)


def walk(section: Section, path: str = "") -> Iterator[tuple[str, Value]]:
    """All that is set in a section, with the way to it."""
    for key, value in section.values.items():
        yield f"{path}{key}", value
    for name, inner in section.sections.items():
        yield from walk(inner, f"{path}{name}.")
