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
from ringfence.editing.nouns import POLICY, RULE, Form, Noun
from ringfence.editing.references import named_by
from ringfence.editing.settings import Names, splice
from ringfence.editing.toml import toml_dotted, toml_value
from ringfence.policy.decode import shown
from ringfence.policy.ipsec import is_single, name_among
from ringfence.policy.source import Source, Steps
from ringfence.policy.windows import UNNAMED


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a document."""

    noun: Noun
    name: str
    steps: Steps
    """The way to its table."""
    data: Mapping[str, object]
    """What it says."""
    of: str = ""
    """The IPsec policy that a rule belongs to."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A document's name and text."""

    name: str
    text: str
    beside: tuple[Source, ...] = field(default=(), repr=False, compare=False)
    """The documents before it, among them those that it includes, each after those that it includes itself."""
    behind: tuple[Source, ...] = field(default=(), repr=False, compare=False)
    """The documents after it, the last one of which the policy is that it is part of; empty if it is its own."""
    folder: str = field(default="", compare=False)
    """As of a ``Source``."""

    @classmethod
    def read(
        cls, text: str, *, name: str, beside: Sequence[Source] = (), behind: Sequence[Source] = (), folder: str = ""
    ) -> Self:
        """A draft of ``text``; raises PolicyError when it is no TOML."""
        draft = cls(name, text, tuple(beside), tuple(behind), folder)
        draft.source()
        return draft

    def source(self) -> Source:
        """Its text, with the places of all that it says; raises PolicyError when it is no TOML."""
        return Source.read(self.text, name=self.name, folder=self.folder)

    @property
    def sources(self) -> tuple[Source, ...]:
        """All that count together; raises PolicyError when its text is no TOML."""
        return (*self.beside, self.source(), *self.behind)

    @property
    def data(self) -> dict[str, object]:
        """What the document says, undecoded."""
        return tomllib.loads(self.text)

    def items(self, noun: Noun) -> tuple[Item, ...]:
        """All objects of a kind, in their order."""
        return tuple(_items(self.data, noun))

    def find(self, noun: Noun, name: str, of: str = "") -> Item:
        """One object; ``of`` is the IPsec policy of a rule, or empty where its name tells. Raises NoSuch."""
        found = [item for item in self.items(noun) if of in ("", item.of)]
        if of and not found:
            self.find(POLICY, of)
        named = [item for item in found if item.name == name]
        if len(named) > 1 and noun.form is Form.WITHIN:
            policies = " and ".join(shown(item.of) for item in named)
            raise NoSuch(f"{policies} each have a rule {shown(name)}.", place=self.name, cure="Say --policy, too.")
        if named:
            return named[0]
        names = ", ".join(shown(item.name) for item in found[:20] if item.name) or "none"
        more = f", and {len(found) - 20} more" if len(found) > 20 else ""
        what = f"there is no {noun.title} {shown(name)}" if name else f"there are no {noun.titles}"
        raise NoSuch(f"{what}.", place=self.name, cure=f"There are: {names}{more}." if name else "")

    def again(self, item: Item) -> Item:
        """The same object after an edit that left its place."""
        return next(one for one in self.items(item.noun) if one.steps == item.steps)

    def new(self, noun: Noun, name: str, said: Mapping[str, object], of: str = "") -> Self:
        """Add an object; raises TakenName, and for a rule of no policy NoSuch."""
        if noun.form is Form.WITHIN:
            return self._new_rule(name, said, of)
        if any(item.name == name for item in self.items(noun)):
            raise TakenName(f"there is a {noun.title} {shown(name)} already.", place=self.name,
                            cure=f"Change it with  ringfence {noun.word} set")  # fmt: skip
        if noun.form is Form.LISTED:
            return self._with(tables.append(self.text, (), noun.key, {"name": name, **said}))
        draft = self._apart() if noun.form is Form.POLICIES else self
        return replace(draft, text=tables.insert(draft.text, noun.key, name, said))

    def _new_rule(self, name: str, said: Mapping[str, object], of: str) -> Self:
        policies = self.items(POLICY)
        if not of and len(policies) > 1:
            names = " or ".join(shown(one.name) for one in policies)
            raise NoSuch(
                "there are several IPsec policies.", place=self.name, cure=f"Say whose rule it is: --policy {names}"
            )
        if not policies:
            raise NoSuch("there is no IPsec policy that it could belong to.", place=self.name,
                         cure="Write one first:  ringfence policy new NAME")  # fmt: skip
        policy = self.find(POLICY, of) if of else policies[0]
        if any(item.name == name for item in self.items(RULE) if item.of == policy.name):
            raise TakenName(f"{shown(policy.name)} has a rule {shown(name)} already.", place=self.name,
                            cure="Change it with  ringfence rule set")  # fmt: skip
        return self._with(tables.append(self.text, policy.steps, "rule", {"name": name, **said}))

    def _apart(self) -> Self:
        """With a single ``[policy]`` written as one among several, for others to stand beside it."""
        for item in self.items(POLICY):
            if item.steps != ("policy",):
                return self
            draft = self if "name" not in item.data else self.drop(item, ("name",))
            if "assigned" not in item.data:
                draft = draft.put(draft.items(POLICY)[0], ("assigned",), True)
            return replace(draft, text=tables.nest(draft.text, "policy", name_among(item.name)))
        return self

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

    def move(self, item: Item, before: Item) -> Self:
        """Put an object before another one of its kind; raises EditRefused."""
        return self if item.steps == before.steps else self._with(tables.move(self.text, item.steps, before.steps))

    def rename(self, item: Item, name: str) -> Self:
        """Call an object, and wherever others refer to it, by another name; raises TakenName."""
        if any(one.name == name for one in self.items(item.noun) if one.of == item.of):
            raise TakenName(f"there is a {item.noun.title} {shown(name)} already.", place=self.name)
        text = self.text
        if item.noun.form in (Form.LISTED, Form.WITHIN) or item.steps == ("policy",):
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
    match noun.form:
        case Form.POLICIES:
            yield from _policies(data)
        case Form.WITHIN:
            for policy in _policies(data):
                yield from _rules(policy)
        case _:
            yield from _plain(data.get(noun.key), noun)


def _plain(found: object, noun: Noun) -> Iterator[Item]:
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


def _policies(data: Mapping[str, object]) -> Iterator[Item]:
    found = data.get("policy")
    if not isinstance(found, dict):
        return
    if is_single(found):
        yield Item(POLICY, str(found.get("name") or found.get("based-on") or UNNAMED), ("policy",), found)
        return
    for name, one in found.items():
        yield Item(POLICY, name, ("policy", name), one)


def _rules(policy: Item) -> Iterator[Item]:
    found = policy.data.get("rule")
    for number, one in enumerate(found if isinstance(found, list) else []):
        if isinstance(one, dict):
            title = one.get("name") or f"{one.get('filter-list', '')}: {one.get('filter-action', '')}"
            yield Item(RULE, str(title), (*policy.steps, "rule", number), one, policy.name)


def look(data: Mapping[str, object], names: Sequence[str]) -> object | None:
    """The value of a setting; None where nobody says it."""
    found: object = data
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
