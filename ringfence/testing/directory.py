# SPDX-License-Identifier: Apache-2.0
"""Objects of a directory for tests: a policy in few words, and changes to one of its objects."""

from collections.abc import Iterable, Mapping

from ringfence.stores.directory.changes import REFERRING, Add, Change, Delete
from ringfence.stores.directory.connection import Scope
from ringfence.stores.directory.errors import DirectoryFailed
from ringfence.stores.directory.objects import Catalogue, Class, Entry, below, key, parts

BASE = "DC=corp,DC=example"


def changed(entries: Iterable[Entry], name: str, **values: bytes | None) -> list[Entry]:
    """The objects, where the one called ``name`` has other values; None: it has the attribute no longer."""
    return [_changed(one, values) if one.name == name else one for one in entries]


def _changed(entry: Entry, values: Mapping[str, bytes | None]) -> Entry:
    kept = {key: value for key, value in entry.values.items() if key not in {name.lower() for name in values}}
    return Entry(entry.dn, kept | {key.lower(): (value,) for key, value in values.items() if value is not None})


def without(entries: Iterable[Entry], name: str) -> list[Entry]:
    """The objects but for the one called ``name``."""
    return [one for one in entries if one.name != name]


def called(entries: Iterable[Entry], kind: Class, name: str) -> Entry:
    """The object of this class that people call ``name``."""
    (found,) = (one for one in Catalogue(entries).of_class(kind) if one.text("ipsecName") == name)
    return found


def carried_out(entries: Iterable[Entry], changes: Iterable[Change]) -> list[Entry]:
    """What a directory holds after these changes; raises ValueError for one that a server would refuse.

    As Active Directory, it takes a reference only to an object that is there.
    """
    found = {key(one.dn): one for one in entries}
    for change in changes:
        at = key(change.dn)
        if isinstance(change, Add) is (at in found):
            raise ValueError(f"{change.dn} is {'already' if at in found else 'not'} there")
        if isinstance(change, Delete):
            del found[at]
            continue
        values = dict(change.values if isinstance(change, Add) else {**found[at].values, **change.values})
        found[at] = Entry(change.dn, {name: value for name, value in values.items() if value})
        for name in REFERRING & set(change.values):
            for dn in found[at].texts(name):
                if key(dn) not in found:
                    raise ValueError(f"{change.dn} refers to {dn}, which is not there")
    return list(found.values())


class MemoryDirectory:
    """A directory in memory that answers searches for one value; ``down`` makes it fail, ``asked`` counts."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self.down = False
        self.asked = 0

    def search(
        self, base: str, scope: Scope, query: str = "(objectClass=*)", attributes: tuple[str, ...] = (), *,
        security: bool = False,
    ) -> list[Entry]:  # fmt: skip
        """As ``Directory``, with one value in ``query``; without ``security`` no security descriptor is given."""
        self.asked += 1
        hidden = set() if security else {"ntsecuritydescriptor"}
        if attributes:
            hidden |= {"tokengroups"} - {one.lower() for one in attributes}
        if self.down:
            raise DirectoryFailed("the server does not answer")
        name, _, wanted = query.strip("()").partition("=")
        return [
            Entry(one.dn, {key: value for key, value in one.values.items() if key not in hidden})
            for one in self.entries
            if _within(one.dn, base, scope)
            and (wanted == "*" or wanted.lower() in [text.lower() for text in one.texts(name)])
        ]

    def carry_out(self, changes: Iterable[Change]) -> None:
        """As ``Directory``."""
        self.entries = carried_out(self.entries, changes)


def _within(dn: str, base: str, scope: Scope) -> bool:
    if scope is Scope.BASE or not base:
        return key(dn) == key(base)
    if scope is Scope.ONE:
        return below(dn, base) and len(parts(dn)) == len(parts(base)) + 1
    return below(dn, base)
