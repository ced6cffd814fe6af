# SPDX-License-Identifier: Apache-2.0
"""How two documents differ in what they say, in words; what that would change on a computer is ``plan``'s question.

Statements are the same ones if they have the same name. One that went and one that came and say the same otherwise are
taken for one that got another name. A setting that is written now and was the default before does not differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.place import Place
from ringfence.policy.model import Policy
from ringfence.policy.texts import Section, Setting
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
    before, after = _keyed(old), _keyed(new)
    gone = {key: section for key, section in before.items() if key not in after}
    found = []
    for key, section in after.items():
        place = _place(new, section)
        if key in before:
            settings = tuple(_altered(before[key], section))
            if settings:
                found.append(Different(_subject(section), place, before[key], section, settings))
            continue
        twin = next((old_key for old_key, other in gone.items() if _says(other) == _says(section)), None)
        if twin is None:
            found.append(Different(_subject(section), place, None, section, _own(section, now=True)))
        else:
            other = gone.pop(twin)
            settings = tuple(_altered(other, section))
            found.append(Different(_subject(section), place, other, section, settings, renamed=True))
    found += [
        Different(_subject(section), _place(old, section), section, None, _own(section, now=False))
        for section in gone.values()
    ]
    return tuple(found)


def _keyed(policy: Policy) -> dict[tuple[str, str, int], Section]:
    """Its statements by their kind and name, and the number among those that have none."""
    found: dict[tuple[str, str, int], Section] = {}
    for section in sections_of(policy):
        head = section.head
        name = "" if head in ("[policy]", "[global]") else _name(section)
        number = 0
        while (head, name, number) in found:
            number += 1
        found[head, name, number] = section
    return found


def _name(section: Section) -> str:
    texts = {one.name: one.text for one in section.settings}
    return texts.get("name") or texts.get("filter-list", "")


def _subject(section: Section) -> str:
    kind = NAMED.get(section.head)
    if kind is None:  # [filter-list."Web"]
        kind, _, name = section.head.strip("[]").partition(".")
        return f"{kind.replace('-', ' ')} {name}"
    return f"{kind} {_name(section)}".rstrip()


def _place(policy: Policy, section: Section) -> str:
    return str(section.place or Place(policy.name))


def _altered(old: Section, new: Section) -> Iterator[Altered]:
    was = {one.name: one.text for one in old.settings}
    now = {one.name: one.text for one in new.settings}
    for name in dict.fromkeys((*now, *was)):
        if was.get(name) != now.get(name):
            yield Altered(name, was.get(name, ""), now.get(name, ""))


def _own(section: Section, *, now: bool) -> tuple[Altered, ...]:
    shown: list[Setting] = [one for one in section.settings if not one.default and one.name != "name"]
    return tuple(Altered(one.name, "" if now else one.text, one.text if now else "") for one in shown)


def _says(section: Section) -> tuple[object, ...]:
    """All but what it is called."""
    head = section.head.partition(".")[0] if section.head not in NAMED else section.head
    return (head, *((one.name, one.text) for one in section.settings if one.name not in CALLED))
