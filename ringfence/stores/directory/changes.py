# SPDX-License-Identifier: Apache-2.0
"""What has to be written so that a directory holds other objects than before, in an order that is safe to watch.

New objects come first, without what they refer to, then what they say changes, then references; the policy's own object
is the last one of these, since that is the one that computers ask for changes ([MS-GPIPSEC] §2.2.1, §3.2). Only then
goes what nothing refers to any longer. A filter list or filter action that others could use stays, as on Windows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringfence.stores.directory.errors import StillReferenced
from ringfence.stores.directory.objects import OWNERS, REFERENCES, Catalogue, Class, Entry, closure, key
from ringfence.stores.directory.rules import is_default_response

ORDER = (Class.POLICY, Class.ISAKMP, Class.NFA, Class.NEGOTIATION, Class.FILTER)
"""In which objects are added."""
REFERRING = frozenset(name.lower() for attributes in REFERENCES.values() for name in attributes)


@dataclass(frozen=True, slots=True)
class Add:
    """A new object."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Replace:
    """Other values of some attributes; without values an attribute goes."""

    dn: str
    values: Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Delete:
    """An object goes."""

    dn: str


@dataclass(frozen=True, slots=True)
class Touch:
    """An object is written though it stays as it is, so that its time of change is another.

    A server passes over a value that is replaced by itself: the value has to go and come back in one operation.
    """

    dn: str
    values: Mapping[str, tuple[bytes, ...]]


Change = Add | Replace | Touch | Delete


def changes(before: Iterable[Entry], policy: Entry, entries: Iterable[Entry]) -> tuple[Change, ...]:
    """What makes ``before`` hold ``entries``, all objects of ``policy`` as they shall be."""
    old, wanted = Catalogue(before), Catalogue(entries)
    kinds = {key(one.dn): kind for kind in ORDER for one in wanted.of_class(kind)}
    there = [one for one in wanted if old.get(one.dn) is not None]
    new = [one for one in wanted if old.get(one.dn) is None]
    new.sort(key=lambda one: ORDER.index(kinds[key(one.dn)]))
    later = sorted((*there, *new), key=lambda one: -ORDER.index(kinds[key(one.dn)]))
    # Owners of what is gone would name nothing, so it goes behind everything else.
    gone = _gone(old, policy, wanted)
    ended = {key(one.dn) for one in gone}
    made: list[Change] = [
        Add(one.dn, {name: values for name, values in one.values.items() if name not in REFERRING}) for one in new
    ]
    for one in later:
        if kinds[key(one.dn)] is not Class.POLICY and key(one.dn) not in ended:
            made += _replaced(old.get(one.dn), one)
    touched: list[Change] = [*_replaced(old.get(policy.dn), policy)]
    if (made or gone) and not touched:
        # Computers see a change by the policy's own object, so it is written even if it stays as it is.
        touched = [Touch(policy.dn, {"ipsecdata": policy.values["ipsecdata"]})]
    return (*made, *touched, *(Delete(one.dn) for one in gone))


def deletion(before: Iterable[Entry], dn: str) -> tuple[Change, ...]:
    """What deletes a policy with its rules ([MS-GPIPSEC] §3.1.5.7); raises StillReferenced where one is assigned."""
    old = Catalogue(before)
    policy = old.get(dn)
    if policy is None:
        return ()
    users = [one for one in old if one.dn != policy.dn and key(dn) in map(key, one.texts(OWNERS)) and _assigns(one)]
    if users:
        raise StillReferenced(policy.dn, [one.dn for one in users])
    found: list[Change] = []
    remaining = {key(one.dn): one for one in closure(policy, old)}
    for rule in [one for one in remaining.values() if one.is_a(Class.NFA)]:
        left = [one for one in policy.texts("ipsecNFAReference") if key(one) != key(rule.dn)]
        policy = _with(policy, "ipsecnfareference", left)
        found.append(Replace(policy.dn, {"ipsecnfareference": policy.values.get("ipsecnfareference", ())}))
        for one in [each for each in remaining.values() if key(rule.dn) in map(key, each.texts(OWNERS))]:
            left = [owner for owner in one.texts(OWNERS) if key(owner) != key(rule.dn)]
            remaining[key(one.dn)] = _with(one, OWNERS.lower(), left)
            found.append(Replace(one.dn, {OWNERS.lower(): tuple(owner.encode() for owner in left)}))
        found.append(Delete(rule.dn))
    found.append(Delete(policy.dn))
    found += [Delete(one.dn) for one in remaining.values() if _private(one) and not _owned(one, policy.dn)]
    return tuple(found)


def _assigns(entry: Entry) -> bool:
    """Whether an object is that of a GPO which names a policy."""
    return entry.is_a(Class.POLICY)


def _private(entry: Entry) -> bool:
    """Whether nobody else could use it: key exchange settings, the action of a default response rule."""
    return entry.is_a(Class.ISAKMP) or (entry.is_a(Class.NEGOTIATION) and is_default_response(entry))


def _owned(entry: Entry, but: str) -> bool:
    return any(key(one) != key(but) for one in entry.texts(OWNERS))


def _with(entry: Entry, attribute: str, texts: Iterable[str]) -> Entry:
    return Entry(entry.dn, {**entry.values, attribute: tuple(one.encode() for one in texts)})


def _replaced(old: Entry | None, new: Entry) -> Iterator[Replace]:
    """What differs; of a new object, what it refers to."""
    known: Mapping[str, tuple[bytes, ...]] = (
        {name: values for name, values in new.values.items() if name not in REFERRING} if old is None else old.values
    )
    names = [*new.values, *(name for name in known if name not in new.values)]
    values = {name: new.values.get(name, ()) for name in names if new.values.get(name, ()) != known.get(name, ())}
    if values:
        yield Replace(new.dn, values)


def _gone(old: Catalogue, policy: Entry, wanted: Catalogue) -> list[Entry]:
    """Rules that are no more, and what was theirs alone."""
    before = old.get(policy.dn)
    if before is None:
        return []
    everything = closure(before, old)
    kept = {key(dn) for dn in policy.texts("ipsecNFAReference")}
    rules = [one for one in everything if one.is_a(Class.NFA) and key(one.dn) not in kept]
    now = {key(dn) for one in wanted for attribute in REFERRING for dn in one.texts(attribute)}
    mine = {key(one.dn) for one in (before, *rules)}
    alone = [
        one
        for one in everything
        if _private(one) and key(one.dn) not in now and all(key(dn) in mine for dn in one.texts(OWNERS))
    ]
    return [*rules, *alone]
