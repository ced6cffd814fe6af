# SPDX-License-Identifier: Apache-2.0
"""The arguments of one command: ``name=value``, names cut short, or values alone in the order that the command has.

Names and most values are read in any case. What netsh would refuse is ``Refused``, and so is what this version cannot
carry over; the sentence tells which.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from ringfence.transfer.netsh.tree import complete
from ringfence.transfer.netsh.words import Word

T = TypeVar("T")


class Refused(Exception):
    """A command that is not carried over."""

    def __init__(self, why: str, cure: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.cure = cure


class Arguments:
    """What a command says."""

    def __init__(self, words: Sequence[Word], tags: Sequence[str]) -> None:
        """``tags`` in the order that values alone have; raises Refused."""
        self.said: list[tuple[str, str]] = []
        """Every name, in full, with its value, as they come; some may come more than once."""
        for word in words:
            self.said.append(self._understood(word, tags))
        self._values = dict(self.said)

    def _understood(self, word: Word, tags: Sequence[str]) -> tuple[str, str]:
        if not word.tag:
            taken = {tag for tag, _ in self.said}
            free = next((tag for tag in tags if tag not in taken), None)
            if free is None:
                raise Refused(f'"{word.text}" is more than this command takes')
            return free, word.text
        tag = complete(word.tag, tags)
        if tag is None:
            raise Refused(f'"{word.tag}" is none of its arguments', f"They are {', '.join(tags)}.")
        return tag, word.text

    def add(self, said: Mapping[str, str]) -> None:
        """What was said before, of a command whose arguments are known to be right."""
        self.said += said.items()
        self._values |= said

    def __contains__(self, tag: str) -> bool:
        return tag in self._values

    def get(self, tag: str, default: str = "") -> str:
        """The text of an argument."""
        return self._values.get(tag, default)

    def need(self, tag: str) -> str:
        """The text of an argument that has to be there; raises Refused."""
        value = self.get(tag)
        if not value:
            raise Refused(f"netsh needs {tag}= here")
        return value

    def flag(self, tag: str, *, default: bool = False) -> bool:
        """``yes`` or ``no``."""
        return self.choice(tag, {"yes": True, "no": False, "y": True, "n": False}, default)

    def choice(self, tag: str, choices: Mapping[str, T], default: T) -> T:
        """One of several words; raises Refused."""
        if tag not in self._values:
            return default
        name = complete(self.get(tag), choices)
        if name is None:
            raise Refused(f'{tag} is "{self.get(tag)}", but has to be one of {", ".join(choices)}')
        return choices[name]

    def number(self, tag: str, default: int, last: int = 2_147_483_647) -> int:
        """A number from 0 to ``last``; raises Refused."""
        if tag not in self._values:
            return default
        text = self.get(tag)
        if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) <= last):
            raise Refused(f'{tag} is "{text}", but has to be a number from 0 to {last}')
        return int(text)
