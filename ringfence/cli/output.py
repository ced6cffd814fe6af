# SPDX-License-Identifier: Apache-2.0
"""How answers look: for people at a terminal, for people with a pipe, and for machines.

At a terminal lines are wrapped to its width and a few words have colour; elsewhere nothing is wrapped, cut or
coloured, so that grep finds what is there. ``--json`` prints the API's own words. Data goes to standard output,
problems to standard error, in JSON, too, where JSON was asked for.
"""

import json
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ringfence.errors import IpsecError

if TYPE_CHECKING:
    from pydantic import BaseModel

JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
SocketOption = Annotated[
    Path | None,
    typer.Option(
        "--socket",
        help="Where the service listens: /run/ringfence/control.sock unless said otherwise.",
        envvar="RINGFENCE_SOCKET",
        show_default=False,
        dir_okay=False,
    ),
]

GAP = "  "
STYLES = {"good": "green", "bad": "bold red", "warn": "yellow", "dim": "dim", "head": "bold", "": ""}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with a meaning, which gives it its colour."""

    text: str
    style: str = ""
    """A key of ``STYLES``."""


Shown = str | Cell


def as_cell(shown: Shown) -> Cell:
    """``shown`` as a cell."""
    return Cell(shown) if isinstance(shown, str) else shown


def width() -> int | None:
    """Columns of the terminal; None where standard output is none, and nothing is to be wrapped."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return max(40, get_terminal_size().columns)


def say(*pieces: Shown, err: bool = False) -> None:
    """Print one line made of ``pieces``."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        print("".join(as_cell(piece).text for piece in pieces).rstrip(), file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    text = Text()
    for piece in map(as_cell, pieces):
        text.append(piece.text, STYLES[piece.style])
    Console(stderr=err, highlight=False).print(text, soft_wrap=True)


def document(text: str) -> None:
    """A policy document; what is said about it stands in its comments."""
    for line in text.rstrip("\n").split("\n"):
        said, mark, origin = line.partition("  #")
        say(Cell(said, "head" if said.startswith("[") else ""), Cell(mark + origin, "dim"))


def say_json(answer: "BaseModel | dict[str, object]", *, compact: bool = False, err: bool = False) -> None:
    """Print ``answer`` as JSON; ``compact`` puts it on one line, for streams."""
    stream = sys.stderr if err else sys.stdout
    plain = answer if isinstance(answer, dict) else answer.model_dump(mode="json")
    text = json.dumps(plain, ensure_ascii=False, indent=None if compact else 2)
    print(text, file=stream, flush=compact)


def pairs(rows: Iterable[tuple[str, Shown]], *, indent: int = 0) -> None:
    """Print labels with their texts, which hang under themselves when they wrap."""
    known = list(rows)
    column = max((len(label) for label, _ in known), default=0)
    for label, shown in known:
        cell = as_cell(shown)
        lines = wrap(cell.text, indent + column + len(GAP))
        for number, line in enumerate(lines):
            head = label if number == 0 else ""
            say(" " * indent + head.ljust(column) + GAP, Cell(line, cell.style))


def wrap(text: str, indent: int) -> list[str]:
    """``text`` in lines that fit behind ``indent`` columns of the terminal; its own line breaks stay."""
    columns = width()
    if columns is None:
        return text.splitlines() or [""]
    room = max(20, columns - indent)
    return [
        line
        for part in text.splitlines() or [""]
        for line in (textwrap.wrap(part, room, break_long_words=False, break_on_hyphens=False) or [""])
    ]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    right: bool = False
    """Numbers stand to the right."""
    optional: int = 0
    """Columns with a higher number are left out first where a terminal is too narrow; 0 always stays."""


def table(columns: Sequence[Column], rows: Sequence[Sequence[Shown]]) -> None:
    """Print aligned columns; a narrow terminal sees the important ones."""
    cells = [[as_cell(shown) for shown in row] for row in rows]
    widths = [
        max(len(column.title), *(len(row[number].text) for row in cells)) if cells else len(column.title)
        for number, column in enumerate(columns)
    ]
    shown = _fitting(columns, widths)
    for row in [[Cell(column.title, "head") for column in columns], *cells]:
        pieces: list[Shown] = []
        for number in shown:
            cell, room = row[number], " " * (widths[number] - len(row[number].text))
            pieces += [room, cell] if columns[number].right else [cell, room]
            pieces.append(GAP)
        while pieces and not as_cell(pieces[-1]).text.strip():
            pieces.pop()
        say(*pieces)


def _fitting(columns: Sequence[Column], widths: Sequence[int]) -> list[int]:
    shown = list(range(len(columns)))
    room = width()
    while room is not None and sum(widths[n] for n in shown) + len(GAP) * (len(shown) - 1) > room:
        least = max(shown, key=lambda n: (columns[n].optional, n))
        if columns[least].optional == 0:
            break
        shown.remove(least)
    return shown


def problem(error: IpsecError, *, as_json: bool = False) -> None:
    """Say what went wrong, where, and what to do, on standard error."""
    what, place, cure = pieces(error)
    if as_json:
        say_json({"error": {"what": what, "place": place, "cure": cure}}, err=True)
        return
    first, *more = what.splitlines() or [""]
    say(Cell(f"{place}: " if place else "", "head"), Cell(first, "bad"), err=True)
    for line in more + cure.splitlines():
        say(line, err=True)


def pieces(error: IpsecError) -> tuple[str, str, str]:
    """What, where and the cure; an error that makes its own text of several findings is all ``what``."""
    if type(error).__str__ is not IpsecError.__str__:
        return str(error), "", ""
    return error.message, error.place, error.cure
