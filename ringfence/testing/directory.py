# SPDX-License-Identifier: Apache-2.0
"""Objects of a directory for tests: a policy in few words, and changes to one of its objects."""

from collections.abc import Iterable, Mapping

from ringfence.stores.directory.changes import REFERRING, Add, Change, Delete
from ringfence.stores.directory.objects import Catalogue, Class, Entry, key

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
