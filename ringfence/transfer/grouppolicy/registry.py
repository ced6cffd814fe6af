# SPDX-License-Identifier: Apache-2.0
"""A registry as it is after several Group Policy objects were applied to it, each value with the object it is from.

Objects are applied from the lowest precedence to the highest, each instruction in its order, so that the last word
counts ([MS-GPREG] §2.2.1, [MS-GPOL] §3.2.5). Some instructions are directives and stand in the place of a value:

    **Del.NAME        deletes one value            **DelVals         deletes all values of the key
    **DeleteValues    deletes the values listed    **DeleteKeys      deletes the subkeys listed, with all below
    **Soft.NAME       sets a value if there is none    **SecureKey   is about who may read the key in Windows

The list of a directive is its data, with semicolons. Keys and values are told apart without regard to case. What was
there and is not any longer is kept, with who took it away; so is what is a directive and none of these.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ringfence.transfer.grouppolicy.preg import Instruction, Kind

DIRECTIVE = "**"


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the registry."""

    instruction: Instruction
    origin: str = ""
    """The name of the Group Policy object that it is from."""

    @property
    def path(self) -> str:
        """Key and value, as people write them."""
        return f"{self.instruction.key}\\{self.instruction.value}"

    @property
    def text(self) -> str | None:
        """As ``Instruction.text``."""
        return self.instruction.text

    @property
    def number(self) -> int | None:
        """As ``Instruction.number``."""
        return self.instruction.number


@dataclass(frozen=True, slots=True)
class Overridden:
    """A value that was there, and that a later instruction took away."""

    entry: Entry
    by: Entry
    """The value in its place, or the directive."""


class Registry:
    """Keys with their values; empty at first."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, dict[str, Entry]]] = {}
        """Lower-case path -> path, and values by their lower-case names."""
        self.overridden: list[Overridden] = []
        self.unknown: list[Entry] = []
        """Directives that nobody knows here."""

    def apply(self, instructions: Iterable[Instruction], origin: str = "") -> None:
        """What one Group Policy object says."""
        for one in instructions:
            entry = Entry(replace(one, key=one.key.strip("\\")), origin)
            if one.value.startswith(DIRECTIVE):
                self._directive(entry)
            elif one.value or one.kind != Kind.NONE or one.data:
                self._set(entry)
            else:
                self._key(entry.instruction.key)

    def values(self, key: str) -> dict[str, Entry]:
        """The values of a key by their names, in the order in which they were first set."""
        _, values = self._keys.get(key.lower(), ("", {}))
        return {one.instruction.value: one for one in values.values()}

    def value(self, key: str, name: str) -> Entry | None:
        """One value."""
        return self._keys.get(key.lower(), ("", dict[str, Entry]()))[1].get(name.lower())

    def subkeys(self, key: str) -> tuple[str, ...]:
        """The names of the keys right below one, in the order of their making; also of those only implied."""
        start, found = f"{key.lower()}\\", dict[str, str]()
        for lower, (path, _) in self._keys.items():
            if lower.startswith(start):
                name = path[len(start) :].partition("\\")[0]
                found.setdefault(name.lower(), name)
        return tuple(found.values())

    def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        return key.lower() in self._keys or bool(self.subkeys(key))

    def __iter__(self) -> Iterator[Entry]:
        for _, values in self._keys.values():
            yield from values.values()

    def _key(self, key: str) -> dict[str, Entry]:
        return self._keys.setdefault(key.lower(), (key, {}))[1]

    def _set(self, entry: Entry) -> None:
        values, name = self._key(entry.instruction.key), entry.instruction.value.lower()
        before = values.get(name)
        if before is not None:
            self.overridden.append(Overridden(before, entry))
        values[name] = entry

    def _delete(self, key: str, names: Iterable[str], by: Entry) -> None:
        values = self._keys.get(key.lower(), ("", dict[str, Entry]()))[1]
        for name in names:
            gone = values.pop(name.lower(), None)
            if gone is not None:
                self.overridden.append(Overridden(gone, by))

    def _directive(self, entry: Entry) -> None:
        key, name = entry.instruction.key, entry.instruction.value
        word = name.lstrip("*")
        head, dot, rest = word.partition(".")
        match head.split(" ")[0].lower():
            case "del" if dot:
                self._delete(key, [rest], entry)
            case "delvals":
                self._delete(key, self.values(key), entry)
            case "deletevalues":
                self._delete(key, _listed(word, entry), entry)
            case "deletekeys":
                self._delete_keys(_listed(word, entry), entry)
            case "soft" if dot:
                if self.value(key, rest) is None:
                    self._set(Entry(replace(entry.instruction, value=rest), entry.origin))
            case "securekey":
                pass
            case _:
                self.unknown.append(entry)

    def _delete_keys(self, names: Iterable[str], by: Entry) -> None:
        for lower in (f"{by.instruction.key}\\{name}".lower() for name in names):
            for path in [one for one in self._keys if one == lower or one.startswith(f"{lower}\\")]:
                self._delete(path, self.values(path), by)
                del self._keys[path]


def _listed(word: str, entry: Entry) -> list[str]:
    """The names that a directive lists: in its data, or behind its own name as templates have it."""
    text = f"{word.partition(' ')[2]};{entry.text or ''}"
    return [one.strip() for one in text.split(";") if one.strip()]
