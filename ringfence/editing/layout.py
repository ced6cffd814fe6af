# SPDX-License-Identifier: Apache-2.0
"""How a TOML text is laid out: its sections, the pairs in each, and where every key, value and element begins and ends.

An edit replaces a few of these spans and leaves all other characters alone. Writers of TOML that work on a tree of
their own (tomlkit among them) move tables of one array together and take a comment above a table for the end of the
table before it; a policy has rules and filters in turn, each with a comment above it.
"""

import re
from dataclasses import dataclass, field

from ringfence.editing.errors import EditRefused
from ringfence.policy.source import SPACE, Lost, Scanner, Span, Steps


@dataclass(frozen=True, slots=True)
class Pair:
    """A key with its value."""

    steps: Steps
    """The way to the value from the document's beginning."""
    names: tuple[str, ...]
    """The key as it is written; several where it has dots."""
    key: Span
    value: Span
    inline: bool
    """Whether it stands in an inline table."""


@dataclass(slots=True)
class Section:
    """A header with the pairs below it; the first section of a text has none."""

    steps: Steps
    head: Span
    pairs: list[Pair] = field(default_factory=list)


@dataclass(slots=True)
class Layout:
    """All of it."""

    text: str
    sections: list[Section] = field(default_factory=list)
    pairs: dict[Steps, Pair] = field(default_factory=dict)
    inline: dict[Steps, list[Pair]] = field(default_factory=dict)
    """The pairs of each inline table."""
    values: dict[Steps, Span] = field(default_factory=dict)
    """Every value, elements of arrays among them."""

    def section(self, steps: Steps) -> Section | None:
        """The section whose header leads there."""
        return next((one for one in self.sections if one.steps == steps and (steps or one is self.sections[0])), None)

    def below(self, steps: Steps) -> list[Section]:
        """The section there, and those below it."""
        return [one for one in self.sections if one.steps[: len(steps)] == steps]

    def line_start(self, at: int) -> int:
        """The beginning of the line of ``at``."""
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Behind the line end of the line of ``at``."""
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def above(self, section: Section) -> int:
        """Where the comment above a section begins, or the section itself."""
        start = head = self.line_start(section.head[0])
        while start and self.text[self.line_start(start - 1)] == "#":
            start = self.line_start(start - 1)
        return start or head  # the first comment of a document is about the document

    def elements(self, steps: Steps) -> list[Span]:
        """The elements of the array there."""
        found: list[Span] = []
        while (span := self.values.get((*steps, len(found)))) is not None:
            found.append(span)
        return found


def lay_out(text: str) -> Layout:
    r"""The layout of ``text``, which is known to be TOML with ``\n`` for line ends; raises EditRefused."""
    recorder = _Recorder(text)
    recorder.scan()
    if recorder.lost:
        raise EditRefused("The document is written in a way that cannot be edited by command.", cure="Edit it by hand.")
    return recorder.layout


class _Recorder(Scanner):
    """Writes down what the scanner meets."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.layout = Layout(text, [Section((), (0, 0))])
        self._depth = 0
        self.lost = False
        """Whether the scanner did not get to the end."""

    def _skip(self, pattern: re.Pattern[str]) -> Span:
        try:
            return super()._skip(pattern)
        except Lost:
            self.lost = True
            raise

    def _expect(self, mark: str) -> None:
        try:
            super()._expect(mark)
        except Lost:
            self.lost = True
            raise

    def _header(self) -> Steps:
        start = self._at
        steps = super()._header()
        self.layout.sections.append(Section(steps, (start, self._at)))
        return steps

    def _pair(self, base: Steps) -> None:
        start = self._at
        names = self._key()
        key = (start, start + len(self._text[start : self._at].rstrip()))
        self._expect("=")
        self._skip(SPACE)
        steps = (*base, *names)
        value = self._value(steps)
        pair = Pair(steps, names, key, value, self._depth > 0)
        self.layout.pairs[steps] = pair
        if pair.inline:
            self.layout.inline.setdefault(base, []).append(pair)
        else:
            self.layout.sections[-1].pairs.append(pair)

    def _value(self, steps: Steps) -> Span:
        self.layout.values[steps] = span = super()._value(steps)
        return span

    def _inline_table(self, steps: Steps) -> None:
        self._depth += 1
        super()._inline_table(steps)
        self._depth -= 1
