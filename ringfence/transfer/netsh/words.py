# SPDX-License-Identifier: Apache-2.0
"""A line of a script cut into words, as Windows' command line does: blanks part them, quotes hold them together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9]*)\s*=")
KEY = re.compile(r'\b((?:auth1p(?:sk?)?|psk?)\s*=\s*)("[^"]*"?|\S+)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """One word, without its quotes."""

    text: str
    tag: str = ""
    """What stands before an equals sign outside of quotes, in lower case; ``text`` is what stands behind it."""

    def __str__(self) -> str:
        return f"{self.tag}={self.text}" if self.tag else self.text


def cut(line: str) -> tuple[Word, ...]:
    """The words of a line; ``name = "a b"`` and ``name="a b"`` are the same."""
    return tuple(_joined(list(_pieces(line))))


@dataclass(slots=True)
class Piece:
    """A run without blanks outside of quotes."""

    text: str = ""
    equals: int = -1
    """Where its first equals sign outside of quotes is, if only letters and digits stand before it."""


def _pieces(line: str) -> Iterable[Piece]:
    piece: Piece | None = None
    quoted = False
    at = 0
    while at < len(line):
        c = line[at]
        at += 1
        if c.isspace() and not quoted:
            if piece is not None:
                yield piece
            piece = None
            continue
        piece = piece or Piece()
        c = c if c.isprintable() else " "
        if c == "\\" and line[at : at + 1] == '"':
            piece.text += '"'
            at += 1
        elif c == '"':
            quoted = not quoted
        else:
            if c == "=" and not quoted and piece.equals < 0 and (not piece.text or piece.text.isalnum()):
                piece.equals = len(piece.text)
            piece.text += c
    if piece is not None:
        yield piece


def _joined(pieces: list[Piece]) -> Iterable[Word]:
    """Words; an equals sign may stand apart from what it joins."""
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        following = pieces[at + 1] if at + 1 < len(pieces) else None
        at += 1
        if piece.equals < 0:
            if following is None or following.equals != 0 or not piece.text.isalnum():
                yield Word(piece.text)
                continue
            piece = Piece(piece.text + following.text, len(piece.text))
            following = pieces[at + 1] if at + 1 < len(pieces) else None
            at += 1
        value = piece.text[piece.equals + 1 :]
        if not value and piece.text.endswith("=") and following is not None and following.equals < 0:
            nextbut = pieces[at + 1] if at + 1 < len(pieces) else None
            if nextbut is None or nextbut.equals != 0:
                value = following.text
                at += 1
        yield Word(value, piece.text[: piece.equals].lower())


def without_keys(text: str) -> str:
    """A command as it may be shown: what it says of preshared keys is gone."""
    return KEY.sub(r"\1...", text)
