# SPDX-License-Identifier: Apache-2.0
"""The settings of a command line, the same for all kinds of objects.

``--with 10.77.0.0/24`` and ``with=10.77.0.0/24`` say the same. A setting that is said several times is a list;
``protect+=…`` adds to one, ``protect-=…`` takes out. A dot leads into a table: ``lifetime.time="30 min"``. A value is a
word, or TOML (``5``, ``true``, ``["a", "b"]``, ``{ psk-file = "lab.psk" }``), or for a table of one setting
``psk-file=lab.psk``. Which of these is meant the document's decoder decides: the first that it understands.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ringfence.editing.errors import BadSettings
from ringfence.editing.settings import Names

PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
KEY = rf"{PART}(?:\.{PART})*"
PAIR = re.compile(rf"(?P<key>{KEY})(?P<how>[+-]?=)(?P<value>.*)", re.DOTALL)
OPTION = re.compile(rf"--(?P<key>{KEY})")
INNER = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9_-]*)=(?P<value>.*)", re.DOTALL)
HOW = 'Such as  --with 10.77.0.0/24  or  with=10.77.0.0/24  or  lifetime.time="30 min"'


class How(Enum):
    """What is done with a setting."""

    SET = "="
    ADD = "+="
    REMOVE = "-="


@dataclass(frozen=True, slots=True)
class Said:
    """A setting as it was said."""

    names: Names
    how: How
    words: tuple[str, ...]
    option: str
    """As it was typed, ``--with`` or ``with=``; where a finding about it points."""


def read_words(words: Sequence[str]) -> tuple[Said, ...]:
    """The settings that the words of a command line say; raises BadSettings."""
    found: dict[Names, Said] = {}
    others: list[Said] = []
    for said in _each(words):
        before = found.get(said.names)
        if said.how is not How.SET:
            others.append(said)
        elif before is None:
            found[said.names] = said
        else:
            found[said.names] = replace(before, words=before.words + said.words)
    return (*found.values(), *others)


def _each(words: Sequence[str]) -> Iterator[Said]:
    queue = list(words)
    while queue:
        word = queue.pop(0)
        option, pair = OPTION.fullmatch(word), PAIR.fullmatch(word.removeprefix("--"))
        if option is not None:
            value = queue.pop(0) if queue and not OPTION.match(queue[0]) else "true"
            yield Said(tuple(option["key"].split(".")), How.SET, (value,), word)
        elif pair is not None:
            shown = f"--{pair['key']}" if word.startswith("--") else f"{pair['key']}{pair['how']}"
            yield Said(tuple(pair["key"].split(".")), How(pair["how"]), (pair["value"],), shown)
        else:
            raise BadSettings(f'"{word}" is no setting.', cure=HOW)


Trial = Callable[[object], int]
"""How many findings a value of a setting gives."""


def value_of(words: Sequence[str], trial: Trial) -> object:
    """The value that the words of one setting mean: what ``trial`` has the least against, the plainest first."""
    if len(words) > 1:
        return [_best(_readings(word), lambda value: trial([value])) for word in words]
    plain = list(_readings(words[0]))
    return _best([*plain, *([value] for value in plain if not isinstance(value, list))], trial)


def element_of(word: str, trial: Trial) -> object:
    """The same for one element of a list."""
    return _best(_readings(word), lambda value: trial([value]))


def _best(readings: "Sequence[object] | Iterator[object]", trial: Trial) -> object:
    best: object = None
    least: int | None = None
    for value in readings:
        count = trial(value)
        if least is None or count < least:
            best, least = value, count
        if not count:
            break
    return best


def _readings(word: str) -> Iterator[object]:
    """All that a word may mean."""
    try:
        data = tomllib.loads(f"value = {word}")
    except (ValueError, RecursionError):
        data = {}
    if list(data) == ["value"]:
        yield data["value"]
    yield word
    inner = INNER.fullmatch(word)
    if inner is not None:
        yield from ({inner["key"]: value} for value in _readings(inner["value"]))
