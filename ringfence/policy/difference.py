# SPDX-License-Identifier: Apache-2.0
"""How two documents differ in what they say, in words; what that would change on a computer is ``plan``'s question.

Statements are the same ones if they have the same name. One that went and one that came and say the same otherwise are
taken for one that got another name. A setting that is written now and was the default before does not differ.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from ringfence.place import Place
from ringfence.policy.ipsec import name_among
from ringfence.policy.model import Policy
from ringfence.policy.texts import Section, Setting, toml_text
from ringfence.policy.write import sections_of

CALLED = ("name", "description")
"""Settings for people."""
NAMED = {
    "[[rule]]": "rule",
    "[[filter]]": "filter",
    "[[packet-filter]]": "packet filter",
    "[[policy.rule]]": "policy rule",
    "[policy]": "policy",
    "[[main-mode]]": "main mode rule",
    "[global]": "global",
    "[boot]": "boot",
    "[profile]": "networks of the default profile",
}


@dataclass(frozen=True, slots=True)
class Altered:
    """A setting with another value."""

    name: str
    was: str
    """In TOML; empty where it was not there."""
    now: str
    """Likewise."""

    def __str__(self) -> str:
        if not self.now:
            return f"{self.name} is not there any more (until now {self.was})"
        return f"{self.name} = {self.now}" + (f"   (until now {self.was})" if self.was else "   (new)")


@dataclass(frozen=True, slots=True)
class Different:
    """A statement that is new, gone or another one."""

    subject: str
    """Such as ``rule "lab is isolated"``."""
    place: str
    """Where it stands now, or stood."""
    was: Section | None
    now: Section | None
    settings: tuple[Altered, ...]
    """Of one that is new or gone those that are not the default."""
    renamed: bool = False
    """Whether only its name is another."""

    @property
    def kind(self) -> str:
        """``added``, ``removed``, ``renamed`` or ``changed``."""
        if self.renamed:
            return "renamed"
        return "added" if self.was is None else "removed" if self.now is None else "changed"

    def lines(self) -> Iterator[str]:
        """For people: what it is, and a line for each setting."""
        mark = {"added": "+", "removed": "-"}.get(self.kind, "~")
        yield f"{mark} {self.subject}   {self.place}"
        for one in self.settings:
            if self.kind in ("added", "removed"):
                yield f"    {one.name} = {one.now or one.was}"
            else:
                yield f"    {one}"


def difference(old: Policy, new: Policy) -> tuple[Different, ...]:
    """What ``new`` says otherwise than ``old``, in its order; what is gone comes last."""
    alone = len(old.ipsec_policies) < 2 and len(new.ipsec_policies) < 2
    before, after = _keyed(old, alone), _keyed(new, alone)
    gone = {key: section for key, section in before.items() if key not in after}
    policies, moved = {key.of for key in after}, _moved(old, new)
    found = []
    for key, section in after.items():
        place, subject = _place(new, section), _subject(section, key.of)
        if key in before:
            settings = (*_altered(before[key], section, key, key), *moved.get((key.head, key.name), ()))
            if settings:
                found.append(Different(subject, place, before[key], section, settings))
            continue
        twin = next(
            (one for one, other in gone.items() if _says(one, other) == _says(key, section)
             and (one.of == key.of or one.of not in policies)), None,
        )  # fmt: skip
        if twin is None:
            found.append(Different(subject, place, None, section, _own(section, now=True)))
        else:
            other = gone.pop(twin)
            settings = _altered(other, section, twin, key)
            if settings or not key.name or twin.name != key.name:  # not just a rule of a policy with another name
                found.append(Different(subject, place, other, section, settings, renamed=True))
    found += [
        Different(_subject(section, key.of), _place(old, section), section, None, _own(section, now=False))
        for key, section in gone.items()
    ]
    return tuple(found)


def _moved(old: Policy, new: Policy) -> Mapping[tuple[str, str], tuple[Altered, ...]]:
    """Main mode rules, of which the first decides, by head and name: those that stand elsewhere."""
    was, now = ([one.name for one in policy.main_modes] for policy in (old, new))
    was, now = [one for one in was if one in now], [one for one in now if one in was]
    stay = {now[block.b + step] for block in SequenceMatcher(None, was, now, False).get_matching_blocks()
            for step in range(block.size)}  # fmt: skip
    return {
        ("[[main-mode]]", toml_text(one)): (Altered("place in order", _behind(was, one), _behind(now, one)),)
        for one in now
        if one not in stay
    }


def _behind(names: Sequence[str], name: str) -> str:
    number = names.index(name)
    return f"behind {toml_text(names[number - 1])}" if number else "first"


class _Key(NamedTuple):
    """What makes a statement the same one in two documents."""

    head: str
    """That of an IPsec policy is the same whether or not there are others beside it."""
    of: str
    """The IPsec policy that it is, or is a rule of; empty if there is only one."""
    name: str
    number: int
    """Among those that have all this in common."""


AMONG_OTHERS = re.compile(r'(\[\[?policy)\.(?:"(?:\\.|[^"\\])*")(.*)')


def _keyed(policy: Policy, alone: bool) -> dict[_Key, Section]:
    """Its statements; ``alone`` says whether there is no more than one IPsec policy on both sides."""
    found: dict[_Key, Section] = {}
    titles = (toml_text(name_among(one.title)) for one in policy.ipsec_policies)
    of = ""
    for section in sections_of(policy):
        head = AMONG_OTHERS.sub(r"\1\2", section.head)
        of = next(titles) if head == "[policy]" else of
        key = _Key(
            head, "" if alone or not head.strip("[").startswith("policy") else of,
            "" if head in ("[policy]", "[global]", "[boot]") else _name(section), 0,
        )  # fmt: skip
        while key in found:
            key = key._replace(number=key.number + 1)
        found[key] = section
    return found


def _name(section: Section) -> str:
    texts = {one.name: one.text for one in section.settings}
    return texts.get("name") or texts.get("filter-list", "")


def _subject(section: Section, of: str) -> str:
    if of:
        name = _name(section) or "without name"
        return f"rule {name} of policy {of}" if section.head.startswith("[[") else f"policy {of}"
    kind = NAMED.get(section.head)
    if kind is None:  # [filter-list."Web"]
        kind, _, name = section.head.strip("[]").partition(".")
        return f"{kind.replace('-', ' ')} {name}"
    return f"{kind} {_name(section)}".rstrip()


def _place(policy: Policy, section: Section) -> str:
    return str(section.place or Place(policy.name))


def _altered(old: Section, new: Section, was: _Key, now: _Key) -> tuple[Altered, ...]:
    before = {one.name: one.text for one in old.settings}
    after = {one.name: one.text for one in new.settings}
    if now.of and now.head == "[policy]":  # its name may stand in the head
        before["name"], after["name"] = was.of, now.of
    names = dict.fromkeys((*after, *before))
    return tuple(
        Altered(name, before.get(name, ""), after.get(name, ""))
        for name in names
        if before.get(name) != after.get(name)
    )


def _own(section: Section, *, now: bool) -> tuple[Altered, ...]:
    shown: list[Setting] = [one for one in section.settings if not one.default and one.name != "name"]
    return tuple(Altered(one.name, "" if now else one.text, one.text if now else "") for one in shown)


def _says(key: _Key, section: Section) -> tuple[object, ...]:
    """All but what it is called."""
    head = key.head if key.head in NAMED else key.head.partition(".")[0]
    return (head, *((one.name, one.text) for one in section.settings if one.name not in CALLED))
