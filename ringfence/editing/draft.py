# SPDX-License-Identifier: Apache-2.0
"""A document while it is edited: every verb gives another draft, and none touches a file.

A draft is text. What it says is asked of the decoders, by ``check``; a verb only finds its object and changes the text.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from ringfence.editing import settings, tables
from ringfence.editing.errors import NoSuch, TakenName
from ringfence.editing.layout import lay_out
from ringfence.editing.nouns import Form, Noun
from ringfence.editing.references import named_by
from ringfence.editing.settings import Names, splice
from ringfence.editing.toml import toml_dotted, toml_value
from ringfence.policy.decode import shown
from ringfence.policy.source import Source, Steps


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a document."""

    noun: Noun
    name: str
    steps: Steps
    """The way to its table."""
    data: Mapping[str, object]
    """What it says."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A document's name and text."""

    name: str
    text: str
    beside: tuple[Source, ...] = field(default=(), repr=False, compare=False)
    """The documents that it includes, each after those that it includes itself."""

    @classmethod
    def read(cls, text: str, *, name: str, beside: Sequence[Source] = ()) -> Self:
        """A draft of ``text``; raises PolicyError when it is no TOML."""
        Source.read(text, name=name)
        return cls(name, text, tuple(beside))

    @property
    def sources(self) -> tuple[Source, ...]:
        """All that count together; raises PolicyError when its text is no TOML."""
        return (*self.beside, Source.read(self.text, name=self.name))

    @property
    def data(self) -> dict[str, object]:
        """What the document says, undecoded."""
        return tomllib.loads(self.text)

    def items(self, noun: Noun) -> tuple[Item, ...]:
        """All objects of a kind, in their order."""
        return tuple(_items(self.data, noun))

    def find(self, noun: Noun, name: str) -> Item:
        """One object; raises NoSuch."""
        found = self.items(noun)
        for item in found:
            if item.name == name:
                return item
        names = ", ".join(shown(item.name) for item in found[:20] if item.name) or "none"
        raise NoSuch(f"there is no {noun.title} {shown(name)}.", place=self.name, cure=f"There are: {names}.")

    def new(self, noun: Noun, name: str, said: Mapping[str, object]) -> Self:
        """Add an object; raises TakenName."""
        if any(item.name == name for item in self.items(noun)):
            raise TakenName(f"there is a {noun.title} {shown(name)} already.", place=self.name,
                            cure=f"Change it with  ringfence {noun.word} set")  # fmt: skip
        if noun.form is Form.LISTED:
            return self._with(tables.append(self.text, (), noun.key, {"name": name, **said}))
        return self._with(tables.insert(self.text, noun.key, name, said))

    def put(self, item: Item, names: Names, value: object) -> Self:
        """Have a setting be ``value``."""
        return self._with(settings.put(self.text, item.steps, names, value))

    def drop(self, item: Item, names: Names) -> Self:
        """Have a setting be what it is if nobody says it; raises NoSuch when nobody does."""
        if look(item.data, names) is None:
            raise NoSuch(f"{item.noun.title} {shown(item.name)} does not say {toml_dotted(names)}.", place=self.name)
        return self._with(settings.drop(self.text, item.steps, names))

    def add(self, item: Item, names: Names, value: object) -> Self:
        """Add to a list, which becomes one if it is a single value."""
        if look(item.data, names) is None:
            return self.put(item, names, [value])
        return self._with(settings.add_element(self.text, (*item.steps, *names), value))

    def remove(self, item: Item, names: Names, number: int) -> Self:
        """Take element ``number``, from 0, out of a list."""
        return self._with(settings.remove_element(self.text, (*item.steps, *names), number))

    def delete(self, item: Item) -> Self:
        """Take an object out."""
        return self._with(tables.remove(self.text, item.steps))

    def rename(self, item: Item, name: str) -> Self:
        """Call an object, and wherever others refer to it, by another name; raises TakenName."""
        if any(one.name == name for one in self.items(item.noun)):
            raise TakenName(f"there is a {item.noun.title} {shown(name)} already.", place=self.name)
        text = self.text
        if item.noun.form is Form.LISTED:
            return self._with(settings.put(text, item.steps, ("name",), name))
        layout = lay_out(text)
        spans = [layout.values[steps] for steps in named_by(self.data, item.noun, item.name)]
        for span in sorted(spans, reverse=True):
            text = splice(text, span, toml_value(name))
        return self._with(tables.rename(text, item.steps, name))

    def extract(self, item: Item) -> tuple[int, str]:
        """The line where an object begins, and the part of the text that is about it."""
        return tables.extract(self.text, item.steps)

    def _with(self, text: str) -> Self:
        return replace(self, text=text)


def _items(data: Mapping[str, object], noun: Noun) -> Iterator[Item]:
    found = data.get(noun.key)
    if noun.form is Form.LISTED and isinstance(found, list):
        for number, one in enumerate(found):
            if isinstance(one, dict):
                yield Item(noun, str(one.get("name", "")), (noun.key, number), one)
    elif noun.form is Form.NAMED and isinstance(found, dict):
        for name, one in found.items():
            if isinstance(one, dict):
                yield Item(noun, name, (noun.key, name), one)
    elif noun.form is Form.SINGLE and isinstance(found, dict):
        yield Item(noun, "", (noun.key,), found)


def look(data: Mapping[str, object], names: Sequence[str]) -> object | None:
    """The value of a setting; None where nobody says it."""
    found: object = data
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
