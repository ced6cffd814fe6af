# SPDX-License-Identifier: Apache-2.0
"""Words of PowerShell: texts in quotes, commands over several lines, and what is said of what they cannot say."""

from collections.abc import Iterable

from ringfence.place import Place
from ringfence.transfer.base import LeftOut, shown
from ringfence.transfer.powershell.scan import SINGLE

LONGEST = 110
Words = list[tuple[str, str]]
"""Parameters and their values, as they are written; an empty value for a switch."""


def quote(text: str) -> str:
    """A text that means itself. Every kind of single quote would end it."""
    return "'" + "".join(char * 2 if char in SINGLE else char for char in text) + "'"


def quotes(texts: Iterable[str]) -> str:
    """A list of texts; those that are plain words stand without quotes."""
    return ", ".join(one if one.replace("-", "").isalnum() and one[0].isalnum() else quote(one) for one in texts)


def command(name: str, words: Words, *, indent: str = "") -> str:
    """A command, its parameters on as many lines as they need."""
    lines = [f"{indent}{name}"]
    for parameter, value in words:
        part = f"-{parameter} {value}".rstrip()
        if len(lines[-1]) + len(part) > LONGEST and lines[-1].strip() != name:
            lines.append(f"{indent}    {part}")
        else:
            lines[-1] += f" {part}"
    return " `\n".join(lines)


class Left:
    """What a script does not say of a policy."""

    def __init__(self) -> None:
        self.items: list[LeftOut] = []

    def out(self, place: Place, words: str, why: str, cure: str = "") -> None:
        """Something is left out."""
        one = LeftOut(str(place), shown(words), why, cure)
        if one not in self.items:
            self.items.append(one)
