# SPDX-License-Identifier: Apache-2.0
"""The policy document: TOML in, a ``Policy`` out, or all that is wrong with it.

Every setting with its default is explained in docs/howto/policy.md. ``write`` is the way back.
"""

from collections import Counter

from ringfence.policy.decode import Table, shown
from ringfence.policy.errors import PolicyError
from ringfence.policy.model import Filter, Policy, Rule
from ringfence.policy.rules import decode_filter, decode_rule
from ringfence.policy.source import Source

LATER = {
    "policy": "Say it as [[rule]] and [[filter]] for now; docs/howto/policy.md has the words.",
    "filter-list": "Write the addresses and the traffic into each [[rule]] or [[filter]].",
    "filter-action": "Write secure and protect into each [[rule]], or permit and block into a [[filter]].",
}

ENTRIES_AT_MOST = 20_000


def parse(text: str, *, name: str) -> Policy:
    """The policy that ``text`` describes; raises PolicyError with everything that is wrong with it."""
    source = Source.read(text, name=name)
    table = Table(source, (), source.data, [], later=LATER)
    rules = tuple(decode_rule(item) for item in _items(table, "rule"))
    filters = tuple(decode_filter(item) for item in _items(table, "filter"))
    table.finish()
    _unique_names(table, rules + filters)
    if table.findings:
        raise PolicyError(sorted(table.findings, key=lambda finding: finding.line))
    return Policy(rules, filters, name)


def _items(table: Table, key: str) -> list[Table]:
    value = table.raw(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        table.complain(key, "has to be written with double brackets", cure=f"Begin each one with [[{key}]].")
        return []
    if len(value) > ENTRIES_AT_MOST:
        table.complain(key, f"stands there {len(value)} times, and {ENTRIES_AT_MOST} is the most")
        return []
    items = []
    for number, data in enumerate(value):
        name = data.get("name")
        subject = f"{key} {shown(name)}" if isinstance(name, str) and name else f"{key} number {number + 1}"
        items.append(Table(table.source, (key, number), data, table.findings, subject))
    return items


def _unique_names(table: Table, items: tuple[Rule | Filter, ...]) -> None:
    first: dict[str, int] = {}
    count = Counter[str]()
    for item in items:
        kind = "rule" if isinstance(item, Rule) else "filter"
        number = count[kind]
        count[kind] += 1
        if item.name and item.name in first:
            again = Table(table.source, (kind, number), {}, table.findings, f"{kind} {shown(item.name)}")
            again.complain("name", f"is already taken in line {first[item.name]}", cure="Names tell rules apart.")
        first.setdefault(item.name, item.line)
