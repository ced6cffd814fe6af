# SPDX-License-Identifier: Apache-2.0
"""The policy document: TOML in, a ``Policy`` out, or all that is wrong with it.

Every setting with its default is explained in docs/howto/policy.md. A document may include others; a store reads them,
and what they say is taken together here. ``write`` is the way back.
"""

from collections.abc import Sequence

from ringfence.place import Place
from ringfence.policy.decode import Table
from ringfence.policy.errors import PolicyError
from ringfence.policy.ipsec import decode_filter_action, decode_filter_list, decode_policy
from ringfence.policy.model import Policy
from ringfence.policy.networks import NO_PROFILES, decode_profiles
from ringfence.policy.references import check_references
from ringfence.policy.rules import decode_filter, decode_rule
from ringfence.policy.source import Source
from ringfence.policy.tables import Tables


def parse(text: str, *, name: str) -> Policy:
    """The policy that ``text`` alone describes; raises PolicyError with everything that is wrong with it."""
    source = Source.read(text, name=name)
    if "include" in source.data:
        table = Table(source, (), source.data, [])
        table.complain("include", "names other documents, but this text came without them",
                       cure="Have it read from its file.")  # fmt: skip
        raise PolicyError(table.findings)
    return parse_documents([source])


def parse_documents(sources: Sequence[Source]) -> Policy:
    """The policy of several documents, each after those that it includes; raises PolicyError.

    The last one is the document that was named, and names the policy.
    """
    tables = Tables(sources)
    found, networks = tables.one("policy"), tables.one("profile")
    policy = Policy(
        rules=tuple(map(decode_rule, tables.items("rule"))),
        filters=tuple(map(decode_filter, tables.items("filter"))),
        name=sources[-1].name,
        ipsec=None if found is None else decode_policy(found),
        filter_lists=tuple(decode_filter_list(item, name) for name, item in tables.named("filter-list")),
        filter_actions=tuple(decode_filter_action(item, name) for name, item in tables.named("filter-action")),
        profiles=NO_PROFILES if networks is None else decode_profiles(networks),
    )
    tables.finish()
    _unique_names(tables, policy)
    check_references(tables, policy)
    if tables.findings:
        raise PolicyError(tables.sorted())
    return policy


def _unique_names(tables: Tables, policy: Policy) -> None:
    first: dict[str, Place] = {}
    for item, table in zip(policy, [*tables.items("rule"), *tables.items("filter")], strict=True):
        if item.name and item.name in first:
            where = first[item.name].beside(item.place)
            table.complain("name", f"is already taken in {where}", cure="Names tell rules apart.")
        first.setdefault(item.name, item.place)
