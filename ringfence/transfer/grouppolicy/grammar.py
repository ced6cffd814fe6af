# SPDX-License-Identifier: Apache-2.0
"""The strings that rules and criteria are written as, and what they say.

    rule = "v" version "|" 1*( key "=" value "|" )

A ``Token`` is a key that is known: how its value is written, and whether it may stand more than once. ``parse`` checks
every known field and keeps every field, known or not, in its order; so what is read is written back as it was, whatever
version of the schema it is from, and a field of a later version harms nothing ([MS-GPFAS] §1.7, §2.2.2.19). The first
thing that is wrong ends the reading of this one rule, with its place in the text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ringfence.policy.errors import BadWord
from ringfence.transfer.grouppolicy.values import Codec, Version

T = TypeVar("T")
FIRST = Version(2, 0)
LONGEST = 32_767
"""Characters of a value of the registry; more is no rule."""


class BadRule(BadWord):
    """A text that is no rule."""

    def __init__(self, offset: int, why: str) -> None:
        super().__init__(f"{why} (at character {offset + 1})")
        self.offset = offset
        """From the beginning of the text, in characters."""


@dataclass(frozen=True, slots=True)
class Token(Generic[T]):
    """A key of a rule, with the values that it has."""

    name: str
    codec: Codec[T]
    many: bool = False
    """Whether it may stand several times; all count."""
    since: Version = FIRST
    """The first version of the schema that has it."""

    def say(self, value: T) -> tuple[str, str]:
        """The field; raises BadWord for a value that it cannot have."""
        try:
            return self.name, self.codec.write(value)
        except BadWord as error:
            raise BadWord(f"its {self.name} is {value}, {error.why}", cure=error.cure) from error


Grammar = Mapping[str, "Token[object]"]
"""Tokens by their names in lower case."""


def grammar(tokens: Iterable[object]) -> Grammar:
    """The tokens among ``tokens``, by name."""
    return {one.name.lower(): one for one in tokens if isinstance(one, Token)}


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says, field by field, in its order."""

    version: Version
    fields: tuple[tuple[str, str], ...]
    """Key and value as they are written; also those that are not known."""

    def all(self, token: Token[T]) -> tuple[T, ...]:
        """The values of a token; raises BadWord for one that it cannot have."""
        name = token.name.lower()
        return tuple(token.codec.read(value) for key, value in self.fields if key.lower() == name)

    def one(self, token: Token[T]) -> T | None:
        """The value of a token, if it is there; raises BadWord."""
        return next(iter(self.all(token)), None)

    def true(self, token: Token[bool]) -> bool:
        """Whether a flag is there and set; raises BadWord."""
        values: tuple[bool, ...] = self.all(token)
        return any(values)

    def has(self, some: Grammar) -> bool:
        """Whether a field of ``some`` is there."""
        return any(name.lower() in some for name, _ in self.fields)

    def unknown(self, known: Grammar) -> tuple[tuple[str, str], ...]:
        """The fields that a grammar does not have."""
        return tuple(one for one in self.fields if one[0].lower() not in known)

    def __str__(self) -> str:
        return f"v{self.version}|" + "".join(f"{key}={value}|" for key, value in self.fields)


def parse(text: str, known: Grammar) -> Said:
    """What ``text`` says; raises BadRule."""
    if len(text) > LONGEST:
        raise BadRule(LONGEST, f"it is longer than {LONGEST} characters")
    head, bar, rest = text.partition("|")
    if not bar or head[:1].lower() != "v":
        raise BadRule(0, 'it does not begin with "v", a version and "|"')
    try:
        version = Version.parse(head[1:])
    except BadWord as error:
        raise BadRule(1, f"its version is {head[1:]}, {error.why}") from error
    if not rest.endswith("|"):
        raise BadRule(len(text), 'its last field does not end with "|"' if rest else "it has no field")
    return Said(version, _fields(rest[:-1], len(head) + 1, known))


def _fields(text: str, offset: int, known: Grammar) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    once: set[str] = set()
    for part in text.split("|"):
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise BadRule(offset, f'its field "{part[:40]}" has no "="')
        try:
            _check(name, value, known, once)
        except BadWord as error:
            raise BadRule(offset, error.why) from error
        found.append((name, value))
        offset += len(part) + 1
    return tuple(found)


def _check(name: str, value: str, known: Grammar, once: set[str]) -> None:
    token = known.get(name.lower())
    if token is None:
        return
    if not token.many and token.name in once:
        raise BadWord(f"its {token.name} is there twice")
    once.add(token.name)
    try:
        token.codec.read(value)
    except BadWord as error:
        raise BadWord(f"its {token.name} is {value[:60]}, {error.why}") from error


def checked(version: Version, fields: Iterable[tuple[str, str]], known: Grammar) -> Said:
    """What values of a key of the registry say, each a field; raises BadWord."""
    found, once = tuple(fields), set[str]()
    for name, value in found:
        _check(name, value, known, once)
    return Said(version, found)


def write(least: Version, known: Grammar, fields: Iterable[tuple[str, str]]) -> Said:
    """A rule of the first version of the schema that has all its fields, from ``least`` on."""
    found = tuple(fields)
    return Said(max([least, *(known[name.lower()].since for name, _ in found)]), found)
