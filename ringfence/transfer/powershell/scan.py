# SPDX-License-Identifier: Apache-2.0
r"""A place in a script, and what lies between its words: blanks, comments, lines that go on.

A backtick at the end of a line continues it; ``#`` begins a comment where a word could begin, ``<# … #>`` goes over
lines. The dashes and quotes that word processors make count as the plain ones, as in PowerShell itself. Before a
command may stand the prompt of a transcript, ``PS C:\>``.
"""

import re
from bisect import bisect_right

DASHES = "-\u2013\u2014\u2015"
DASH = r"\-\u2013\u2014\u2015"
"""The same inside a class of a pattern."""
SINGLE = "'\u2018\u2019\u201a\u201b"
DOUBLE = '"\u201c\u201d\u201e'
CLOSING = {"(": ")", "{": "}", "[": "]"}
PROMPT = re.compile(r"(?:PS(?: [A-Za-z][A-Za-z0-9]*:[^>\n]*| [~/][^>\n]*)?|>)>+ ?")
WORD = re.compile(r"[A-Za-z_][\w-]*")
DEPTH = 25
"""Brackets within brackets."""


class NotUnderstood(Exception):
    """A statement that goes beyond what is read here; its text is a clause about it."""


class Scanner:
    """A place in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        """How many brackets are open around what is being read."""
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    @property
    def line(self) -> int:
        """The number of the line."""
        return self.line_of(self.at)

    def line_of(self, at: int) -> int:
        """The number of another place's line."""
        return bisect_right(self._starts, at)

    def peek(self, ahead: int = 0) -> str:
        """The character there; empty at the end."""
        return self.text[self.at + ahead : self.at + ahead + 1]

    def starts(self, *words: str) -> str:
        """The first of ``words`` that stands here, if one does."""
        return next((word for word in words if self.text.startswith(word, self.at)), "")

    def take(self, word: str) -> bool:
        """Go past ``word`` if it stands here."""
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        return True

    def need(self, word: str) -> None:
        """Go past ``word``; raises NotUnderstood if something else stands here."""
        if not self.take(word):
            raise NotUnderstood(f'"{word}" is missing before {self.next_words()}')

    def next_words(self) -> str:
        """What comes next on the line, for messages; never what stands in quotes."""
        part = re.match(r"[^\n'\"\u2018-\u201e]{0,20}", self.text[self.at :])
        words = part[0].strip() if part else ""
        return f'"{words}"' if words else "the end of the line" if self.peek() in ("", "\n") else "a text"

    def blanks(self, *, lines: bool = False) -> None:
        """Go past blanks and comments, and past the ends of lines too if ``lines``."""
        while self._blank(lines):
            pass

    def _blank(self, lines: bool) -> bool:
        char = self.peek()
        if char and (char in " \t\f\v\u00a0\ufeff" or (lines and char == "\n")):
            self.at += 1
        elif char == "`" and self._continued():
            self.at = self.text.index("\n", self.at) + 1
        elif self.starts("<#"):
            end = self.text.find("#>", self.at + 2)
            if end < 0:
                raise NotUnderstood("the comment that begins here has no end")
            self.at = end + 2
        elif char == "#":
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
        else:
            return False
        return True

    def _continued(self) -> bool:
        """Whether only blanks follow the backtick; strictly none may, but nobody sees them."""
        end = self.text.find("\n", self.at)
        return end >= 0 and not self.text[self.at + 1 : end].strip()

    def ends(self) -> bool:
        """Whether a statement ends here."""
        return self.peek() in ("", "\n", ";", "}", ")")

    def prompt(self) -> None:
        """Go past the prompt of a transcript."""
        before = self.text[self._starts[self.line - 1] : self.at]
        if not before.strip() and (match := PROMPT.match(self.text, self.at)) is not None:
            self.at = match.end()

    def word(self) -> str:
        """The word that stands here, in lower case; it stays."""
        match = WORD.match(self.text, self.at)
        return match[0].lower() if match is not None else ""

    def skip(self, start: int) -> None:
        """Go to the end of the statement that begins at ``start``: past its brackets, texts and comments."""
        self.at = start
        try:
            while not self._over():
                self._skip_one()
        except NotUnderstood:
            end = self.text.find("\n", start)
            self.at = len(self.text) if end < 0 else end

    def _over(self) -> bool:
        return self.peek() in ("", "\n", ";") or (self.depth > 0 and self.peek() in ")}")

    def _skip_one(self) -> None:
        char = self.peek()
        if char in CLOSING:
            self.skip_bracket()
        elif char in SINGLE + DOUBLE:
            self.skip_text()
        elif char == "`" and not self._continued():
            self.skip_escape()
        elif not self._blank(lines=False):
            self.at += 1
            if char in "|,":
                self.blanks(lines=True)

    def skip_escape(self) -> None:
        """Go past two characters, if there are so many."""
        self.at = min(self.at + 2, len(self.text))

    def skip_bracket(self) -> None:
        """Go past the bracket that opens here, and all in it."""
        open_ = [CLOSING[self.peek()]]
        self.at += 1
        while open_:
            char = self.peek()
            if not char or len(open_) > DEPTH:
                raise NotUnderstood("a bracket has no end")
            if char in CLOSING:
                open_.append(CLOSING[char])
                self.at += 1
            elif char == open_[-1]:
                open_.pop()
                self.at += 1
            elif char in SINGLE + DOUBLE:
                self.skip_text()
            elif char == "`":
                self.skip_escape()
            elif not (char == "#" or self.starts("<#")) or not self._blank(lines=True):
                self.at += 1

    def skip_text(self) -> None:
        """Go past the text in quotes that begins here."""
        kind = SINGLE if self.peek() in SINGLE else DOUBLE
        if self.at and self.text[self.at - 1] == "@":
            end = re.compile(rf"\n[ \t]*[{kind}]@").search(self.text, self.at)
            if end is not None:
                self.at = end.end()
                return
        self.at += 1
        while char := self.peek():
            if char in kind and not (self.peek(1) and self.peek(1) in kind):
                self.at += 1
                return
            if char in kind or (char == "`" and kind == DOUBLE):
                self.skip_escape()
            else:
                self.at += 1
        raise NotUnderstood("a text in quotes has no end")
