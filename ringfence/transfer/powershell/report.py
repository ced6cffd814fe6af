# SPDX-License-Identifier: Apache-2.0
"""What is said about a script while it is read: what is left out, what is carried over otherwise. Never a key."""

from dataclasses import replace

from ringfence.transfer.base import LeftOut, shown

HIDDEN = "…"


class Report:
    """Collects what is said about one script."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: set[str] = set()
        """Preshared keys that were met."""
        self._left: list[LeftOut] = []
        self._notes: list[LeftOut] = []

    def leave(self, line: int, words: str, why: str, cure: str = "") -> None:
        """Something is not carried over."""
        self._left.append(LeftOut(self._place(line), shown(words), why, cure))

    def note(self, line: int, words: str, why: str, cure: str = "") -> None:
        """Something is carried over otherwise, or there is nothing in it to carry."""
        self._notes.append(LeftOut(self._place(line), shown(words), why, cure))

    def _place(self, line: int) -> str:
        return f"{self.file}:{line}" if line else self.file

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """All that is left out, each once."""
        return tuple(map(self._clean, dict.fromkeys(self._left)))

    @property
    def notes(self) -> tuple[LeftOut, ...]:
        """All notes, each once."""
        return tuple(map(self._clean, dict.fromkeys(self._notes)))

    def _clean(self, one: LeftOut) -> LeftOut:
        for key in sorted(self.keys, key=len, reverse=True):
            if key and (key in one.words or key in one.why):
                one = replace(one, words=one.words.replace(key, HIDDEN), why=one.why.replace(key, HIDDEN))
        return one
