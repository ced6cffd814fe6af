# SPDX-License-Identifier: Apache-2.0
"""The edits of the command line: settings in words in, another draft out, or why not.

An edit is whole: when one of its settings is wrong, none of them is changed.
"""

from collections.abc import Sequence

from ringfence.editing.check import added, findings, item_said, pointed, trial_of
from ringfence.editing.draft import Draft, Item, look
from ringfence.editing.effective import effective_value
from ringfence.editing.errors import BadSettings, NoSuch, StillUsed
from ringfence.editing.nouns import BOOT, CONSEC, FILTER_LIST, GLOBAL, POLICY, PROFILE, RULE, Form, Noun
from ringfence.editing.references import named_by, subject
from ringfence.editing.settings import Names
from ringfence.editing.words import How, Said, element_of, value_of
from ringfence.policy.decode import shown
from ringfence.policy.errors import PolicyError
from ringfence.policy.ipsec import SETTINGS


def new(draft: Draft, noun: Noun, name: str, said: Sequence[Said], of: str = "") -> Draft:
    """Add an object, a rule to the IPsec policy ``of``; raises PolicyError with what is wrong, and EditRefused."""
    _check_name(noun, name)
    table: dict[str, object] = {}
    for one in said:
        _put(table, one, value_of(one.words, trial_of(noun, one.names)))
    return judged(draft, draft.new(noun, name, table, of), name, said)


def change(draft: Draft, noun: Noun, name: str, said: Sequence[Said], unset: Sequence[str] = (), of: str = "") -> Draft:
    """Change settings of an object; raises PolicyError with what is wrong, and EditRefused."""
    if not said and not unset:
        raise BadSettings("There is nothing to change.", cure=f"Name a setting: {EXAMPLES.get(noun, 'description=x')}")
    if noun.form is Form.SINGLE and not unset and not draft.items(noun):
        return new(draft, noun, "", said)
    item, edited = draft.find(noun, name, of), draft
    for key in unset:
        edited = edited.drop(edited.again(item), tuple(key.split(".")))
    for one in said:
        edited = _apply(edited, edited.again(item), one)
    return judged(draft, edited, name, said)


EXAMPLES = {
    CONSEC: "with=10.77.0.0/24, or --unset with",
    POLICY: 'based-on="Client (Respond Only)"',
    RULE: 'filter-action="Require Security"',
    FILTER_LIST: 'filters+="me <-> any"',
    GLOBAL: 'idle-time="5 min"',
    PROFILE: "domain.networks=10.0.0.0/8",
    BOOT: "mode=block",
}


def rename(draft: Draft, noun: Noun, name: str, to: str, of: str = "") -> Draft:
    """Call an object by another name, wherever it is named; raises EditRefused and PolicyError."""
    _check_name(noun, to)
    return judged(draft, draft.rename(draft.find(noun, name, of), to), to, ())


def move(draft: Draft, noun: Noun, name: str, before: str) -> Draft:
    """Put an object before another one of its kind; raises EditRefused and PolicyError."""
    return judged(draft, draft.move(draft.find(noun, name), draft.find(noun, before)), name, ())


def delete(draft: Draft, noun: Noun, name: str, of: str = "") -> Draft:
    """Take an object out; raises StillUsed with those that refer to it."""
    item = draft.find(noun, name, of)
    edited = draft.delete(item)
    if not added(findings(draft), findings(edited)):
        return edited
    users = dict.fromkeys(subject(draft.data, steps) for steps in named_by(draft.data, noun, name))
    if users:
        raise StillUsed(f"{item_said(item)} is still used by {', '.join(users)}.", place=draft.name,
                        cure="Change or delete these first.")  # fmt: skip
    return judged(draft, edited, name, ())


def assign(draft: Draft, name: str) -> Draft:
    """Have the computer follow an IPsec policy, and no other; raises EditRefused and PolicyError."""
    chosen, edited = draft.find(POLICY, name), draft
    for item in draft.items(POLICY):
        if "assigned" in item.data:
            edited = edited.drop(edited.again(item), ("assigned",))
    if chosen.steps != ("policy",):  # a single one is, unless it says no
        edited = edited.put(edited.again(chosen), ("assigned",), True)
    return draft if is_assigned(chosen) else judged(draft, edited, name, ())


def unassign(draft: Draft, name: str) -> Draft:
    """Have the computer follow the IPsec policy no longer; raises EditRefused and PolicyError."""
    item = draft.find(POLICY, name)
    if not is_assigned(item):
        return draft
    if item.steps == ("policy",):
        return judged(draft, draft.put(item, ("assigned",), False), name, ())
    return judged(draft, draft.drop(item, ("assigned",)), name, ())


def is_assigned(item: Item) -> bool:
    """Whether an IPsec policy says, or as the only one does not deny, that the computer follows it."""
    return item.data.get("assigned", item.steps == ("policy",)) is True


def _check_name(noun: Noun, name: str) -> None:
    if noun.form is Form.POLICIES and name in SETTINGS:
        raise BadSettings(f"{shown(name)} is a setting of IPsec policies, and so cannot be the name of one.")


def judged(before: Draft, after: Draft, name: str, said: Sequence[Said]) -> Draft:
    """``after``, if it has no mistake that was not there ``before``; raises PolicyError with those."""
    found = added(findings(before), findings(after))
    if found:
        raise PolicyError(pointed(found, name, said))
    return after


def _put(table: dict[str, object], one: Said, value: object) -> None:
    if one.how is not How.SET:
        raise BadSettings(f"{one.option} changes a list, and there is none yet.", cure=f"Say {'.'.join(one.names)}=…")
    *outer, last = one.names
    for name in outer:
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            raise BadSettings(f"{one.option}: {name} is a single value here, and no table.")
        table = inner
    table[last] = value


def _apply(draft: Draft, item: Item, one: Said) -> Draft:
    trial = trial_of(item.noun, one.names)
    if one.how is How.SET:
        return draft.put(item, one.names, value_of(one.words, trial))
    for word in one.words:
        item = draft.again(item)
        if one.how is How.ADD:
            draft = _added(draft, item, one.names, element_of(word, trial))
        else:
            draft = draft.remove(item, one.names, _number(item, one.names, word))
    return draft


def _added(draft: Draft, item: Item, names: Names, element: object) -> Draft:
    """With one more in a list; one that is there without being said is said from then on."""
    if look(item.data, names) is None:
        held = effective_value(draft, item, names)
        if isinstance(held, list) and element not in held:
            return draft.put(item, names, [*held, element])
    return draft.add(item, names, element)


def _number(item: Item, names: Names, word: str) -> int:
    """Which element of a list is meant: by its number from 1, or by what it says."""
    found = look(item.data, names)
    elements = found if isinstance(found, list) else []
    said = [_words(element) for element in elements]
    if " ".join(word.split()) in said:
        return said.index(" ".join(word.split()))
    if word.isdigit() and 1 <= int(word) <= len(elements):
        return int(word) - 1
    there = ", ".join(f"{number}. {one}" for number, one in enumerate(said, 1)) or "none"
    raise NoSuch(f"{item_said(item)} has no {shown(word)} in {'.'.join(names)}.", cure=f"It has: {there}")


def _words(element: object) -> str:
    """What an element of a list says, as one types it."""
    if isinstance(element, dict):
        first = next(iter(element), "")
        return _words(element["filter"]) if "filter" in element else f"{first}={_words(element.get(first, ''))}"
    return " ".join(str(element).split())
