# SPDX-License-Identifier: Apache-2.0
"""How the story looks: 80 columns, in colour on a terminal, in plain ASCII where there is nothing better."""

import os
import shutil
import sys
import textwrap
import time
from typing import TextIO

WIDTH = 78
INDENT = "   "
PATIENCE_S = 16.0
"""After this time nobody is made to wait any more: on a slow machine the story is slow enough."""
PLAIN = str.maketrans(
    {"─": "-", "│": "|", "✔": "+", "✘": "x", "→": ">", "←": "<", "·": "-", "…": ".", "┴": "+", "▸": ">"}
)
COLOURS = {"good": "32", "bad": "1;31", "head": "1", "dim": "2", "ike": "34", "": ""}


class Page:
    """Writes the story, line by line, as it happens."""

    def __init__(self, out: TextIO | None = None, *, colour: bool | None = None, pace: float | None = None) -> None:
        self._out = out or sys.stdout
        terminal = self._out.isatty()
        self._pace = (0.6 if terminal else 0.0) if pace is None else pace
        """Seconds to read a heading; 0 for a reader who is in no hurry, such as a file."""
        self._patience = time.monotonic() + PATIENCE_S
        self._colour = (terminal and "NO_COLOR" not in os.environ) if colour is None else colour
        self._fancy = (getattr(self._out, "encoding", None) or "ascii").lower().replace("-", "").startswith("utf")
        columns = shutil.get_terminal_size((80, 24)).columns if terminal else 80
        self._width = max(40, min(WIDTH, columns - 2))

    @property
    def paced(self) -> bool:
        """Whether somebody reads along."""
        return self._pace > 0

    def line(self, text: str = "", style: str = "") -> None:
        """One line as it is."""
        text = text if self._fancy else text.translate(PLAIN).encode("ascii", "replace").decode()
        code = COLOURS[style]
        self._out.write(f"\x1b[{code}m{text}\x1b[0m\n" if self._colour and code and text else f"{text}\n")
        self._out.flush()

    def title(self, text: str, aside: str = "") -> None:
        """The story's name."""
        self.line(f"{text}{aside:>{max(1, self._width - len(text))}}", "head")

    def scene(self, number: int, title: str) -> None:
        """A heading."""
        head = f"{number}  {title} "
        self.line()
        self.line(head + "─" * (self._width - len(head)), "head")
        self._rest(1.0)

    def say(self, text: str, style: str = "") -> None:
        """A paragraph."""
        for line in textwrap.wrap(text, self._width - len(INDENT), break_on_hyphens=False):
            self.line(INDENT + line, style)

    def quote(self, *lines: str, style: str = "dim") -> None:
        """Lines from a wire, a file or a program, as they are, cut where they are too long."""
        room = self._width - len(INDENT) - 2
        for line in lines:
            shown = line if len(line) <= room else line[: room - 1] + "…"
            self.line(f"{INDENT}│ {shown}".rstrip(), style)

    def arrow(self, label: str, *, right: bool, ends: tuple[str, str], meaning: str = "", style: str = "ike") -> None:
        """A message between two hosts, and what it means."""
        room = self._width - len(INDENT) - len(ends[0]) - len(ends[1]) - 4
        shown = f" {label} "[: room - 4]
        bar = shown.center(room - 1, "─")
        self.line(f"{INDENT}{ends[0]} {bar}→ {ends[1]}" if right else f"{INDENT}{ends[0]} ←{bar} {ends[1]}", style)
        if meaning:
            for line in textwrap.wrap(meaning, room - 2):
                self.line(f"{INDENT}{' ' * (len(ends[0]) + 3)}{line}", "dim")
        self._rest(0.5)

    def fact(self, text: str) -> None:
        """Something that has just been checked."""
        lines = textwrap.wrap(text, self._width - len(INDENT) - 2, break_on_hyphens=False)
        for number, line in enumerate(lines):
            self.line(f"{INDENT}{'✔' if number == 0 else ' '} {line}", "good")
        self._rest(0.4)

    def _rest(self, part: float) -> None:
        if self._pace and time.monotonic() < self._patience:
            time.sleep(self._pace * part)

    def failure(self, text: str) -> None:
        """Something that should be true and is not."""
        self.line()
        for number, line in enumerate(textwrap.wrap(text, self._width - len(INDENT) - 2)):
            self.line(f"{INDENT}{'✘' if number == 0 else ' '} {line}", "bad")
