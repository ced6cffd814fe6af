# SPDX-License-Identifier: Apache-2.0
"""The policy document: TOML in, a ``Policy`` out, or all that is wrong with it.

Every setting with its default is explained in docs/howto/policy.md. ``write`` is the way back.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from ringfence.place import Place
from ringfence.policy.decode import Table, shown
from ringfence.policy.errors import PolicyError
from ringfence.policy.ipsec import decode_filter_action, decode_filter_list, decode_policy
from ringfence.policy.model import Filter, Policy, Rule
from ringfence.policy.references import check_references
from ringfence.policy.rules import decode_filter, decode_rule
from ringfence.policy.source import Source
from ringfence.policy.windows import IpsecPolicy

ENTRIES_AT_MOST = 20_000


def parse(text: str, *, name: str) -> Policy:
    """The policy that ``text`` describes; raises PolicyError with everything that is wrong with it."""
    source = Source.read(text, name=name)
    table = Table(source, (), source.data, [])
    policy = Policy(
        rules=tuple(decode_rule(item) for item in _items(table, "rule")),
        filters=tuple(decode_filter(item) for item in _items(table, "filter")),
        name=name,
        ipsec=_assigned(table),
        filter_lists=tuple(decode_filter_list(item, name) for name, item in _named(table, "filter-list")),
        filter_actions=tuple(decode_filter_action(item, name) for name, item in _named(table, "filter-action")),
    )
    table.finish()
    _unique_names(table, policy.rules + policy.filters)
    check_references(table, policy)
    if table.findings:
        raise PolicyError(sorted(table.findings, key=lambda finding: finding.place))
    return policy


def _assigned(table: Table) -> IpsecPolicy | None:
    """The IPsec policy, of which there is one at most."""
    if isinstance(table.data.get("policy"), list):
        table.seen.add("policy")
        table.complain("policy", "has to be a single table: one IPsec policy is assigned to a computer",
                       cure="Write [policy], and its rules as [[policy.rule]].")  # fmt: skip
        return None
    found = table.table("policy")
    return None if found is None else decode_policy(replace(found, subject="policy", prefix=""))


def _named(table: Table, key: str) -> Iterator[tuple[str, Table]]:
    """The tables ``[key."name"]``."""
    found = table.table(key)
    if found is None:
        return
    for name in found.data:
        if not name.strip() or len(name) > 100 or not name.isprintable():
            found.complain(name, "has to have a name of 1 to 100 printable characters", at_key=True)
        inner = found.table(name)
        if inner is not None:
            yield name, replace(inner, subject=f"{key.replace('-', ' ')} {shown(name)}", prefix="")


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
    first: dict[str, Place] = {}
    count = Counter[str]()
    for item in items:
        kind = "rule" if isinstance(item, Rule) else "filter"
        number = count[kind]
        count[kind] += 1
        if item.name and item.name in first:
            again = Table(table.source, (kind, number), {}, table.findings, f"{kind} {shown(item.name)}")
            again.complain(
                "name", f"is already taken in {first[item.name].beside(item.place)}", cure="Names tell rules apart."
            )
        first.setdefault(item.name, item.place)
