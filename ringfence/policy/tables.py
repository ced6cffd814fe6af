# SPDX-License-Identifier: Apache-2.0
"""The tables of one policy, wherever they stand: in the document that was named, or in one that it includes.

Statements of all documents count together, in the order in which they are read. A name, and a table of which there can
be only one, belongs to one document; a second one is a finding that tells both places.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ringfence.place import Place
from ringfence.policy.decode import Table, shown
from ringfence.policy.errors import Finding
from ringfence.policy.ipsec import is_single
from ringfence.policy.source import Source

ENTRIES_AT_MOST = 20_000
SUBJECTS = {"main-mode": "main mode rule"}
"""What people read for a table, where that is not its name."""
ONE_CURES = {"policy": 'Write each of several as [policy."NAME"], and in one of them: assigned = true'}


class Tables:
    """All documents of one policy while they are being read."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.findings: list[Finding] = []
        self._roots = [Table(source, (), source.data, self.findings) for source in sources]
        self._ones: dict[str, Table | None] = {}
        self._named: dict[str, list[tuple[str, Table]]] = {}
        self._items: dict[str, list[Table]] = {}

    def one(self, key: str) -> Table | None:
        """The table ``[key]``, of which all documents together have one at most."""
        if key not in self._ones:
            self._ones[key] = self._one(key)
        return self._ones[key]

    def _one(self, key: str) -> Table | None:
        found: Table | None = None
        for root in self._roots:
            if not root.has(key):
                continue
            if isinstance(root.data[key], list):
                root.seen.add(key)
                root.complain(key, "has to be a single table: a policy has one", cure=f"Write [{key}].")
                continue
            table = root.table(key)
            if found is None:
                found = None if table is None else replace(table, subject=key, prefix="")
            else:
                cure = ONE_CURES.get(key, "All documents of a policy together say it once; bring the two together.")
                root.complain(key, f"is already there in {_where(found.place, root)}", cure=cure, at_key=True)
        return found

    def named(self, key: str) -> list[tuple[str, Table]]:
        """The tables ``[key."name"]`` of all documents."""
        if key not in self._named:
            self._named[key] = list(self._named_of(key))
        return self._named[key]

    def _named_of(self, key: str) -> Iterator[tuple[str, Table]]:
        first: dict[str, Place] = {}
        for root in self._roots:
            outer = root.table(key)
            if outer is None:
                continue
            for name in outer.data:
                if not name.strip() or len(name) > 100 or not name.isprintable():
                    outer.complain(name, "has to have a name of 1 to 100 printable characters", at_key=True)
                inner = outer.table(name)
                if inner is None:
                    continue
                inner = replace(inner, subject=f"{key.replace('-', ' ')} {shown(name)}", prefix="")
                if name in first:
                    cure = "Give one of the two another name, or leave it out."
                    inner.complain("", f"is already there in {_where(first[name], root)}", cure=cure)
                first.setdefault(name, inner.place)
                yield name, inner

    def policies(self) -> list[tuple[str, Table]]:
        """The IPsec policies: one, ``[policy]``, whose name is empty here; or several, ``[policy."NAME"]``."""
        said = [root.data["policy"] for root in self._roots if root.has("policy")]
        if any(not isinstance(data, dict) or is_single(data) for data in said):
            table = self.one("policy")
            return [] if table is None else [("", table)]
        return self.named("policy")

    def items(self, key: str) -> list[Table]:
        """The tables ``[[key]]`` of all documents."""
        if key not in self._items:
            found = [item for root in self._roots for item in self._items_of(root, key)]
            if len(found) > ENTRIES_AT_MOST:
                what = f"stands there {len(found)} times, and {ENTRIES_AT_MOST} is the most"
                replace(found[ENTRIES_AT_MOST], steps=(), subject="").complain(key, what)
                found.clear()
            self._items[key] = found
        return self._items[key]

    def _items_of(self, root: Table, key: str) -> Iterator[Table]:
        value = root.raw(key)
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            root.complain(key, "has to be written with double brackets", cure=f"Begin each one with [[{key}]].")
            return
        for number, data in enumerate(value):
            name = data.get("name")
            what = SUBJECTS.get(key, key)
            subject = f"{what} {shown(name)}" if isinstance(name, str) and name else f"{what} number {number + 1}"
            yield Table(root.source, (key, number), data, self.findings, subject)

    def finish(self) -> None:
        """Complain of every table that nobody asked for."""
        for root in self._roots:
            root.seen.add("include")  # whoever read the documents has followed it
            root.finish()

    def sorted(self) -> list[Finding]:
        """The findings, by document as they were read, and by line."""
        order = {root.source.name: number for number, root in enumerate(self._roots)}
        return sorted(self.findings, key=lambda one: (order.get(one.place.document, 0), one.place.line))


def _where(place: Place, root: Table) -> str:
    return place.beside(Place(root.source.name))
