# SPDX-License-Identifier: Apache-2.0
"""What the parts of an IPsec policy say of each other: names that lead nowhere, and combinations that cannot be."""

from difflib import get_close_matches

from ringfence.policy.decode import Table, shown
from ringfence.policy.ipsec import TUNNEL_CURE
from ringfence.policy.lower import filter_actions, filter_lists, tunnel_pairs
from ringfence.policy.model import Policy
from ringfence.policy.tables import Tables
from ringfence.policy.windows import DYNAMIC, FilterAction, PolicyRule, Response


def check_references(tables: Tables, policy: Policy) -> None:
    """Add the findings about the IPsec policy of a whole policy."""
    table = tables.one("policy")
    if policy.ipsec is None or table is None:
        return
    lists, actions = filter_lists(policy), filter_actions(policy)
    pairs = tunnel_pairs(policy.ipsec.rules, lists)
    if not policy.ipsec.rules:
        _at(table, None).complain(
            "", "has no rule", cure="Write [[policy.rule]], or name a default policy by based-on."
        )
    for number, rule in enumerate(policy.ipsec.own_rules):
        here = _at(table, number, rule)
        if rule.filter_list and rule.filter_list != DYNAMIC and rule.filter_list not in lists:
            _dangling(here, "filter-list", rule.filter_list, [*lists, DYNAMIC])
        if rule.filter_action and rule.filter_action not in actions:
            _dangling(here, "filter-action", rule.filter_action, [*actions])
        elif rule.filter_action:
            _check_combination(here, rule, actions[rule.filter_action])
        if isinstance(rule.tunnel, bytes) and rule.enabled and rule.filter_list in lists:
            _check_halves(here, rule, pairs)
    _check_titles(table, policy)


def _at(table: Table, number: int | None, rule: PolicyRule | None = None) -> Table:
    steps = ("policy",) if number is None else ("policy", "rule", number)
    subject = "policy" if rule is None else f"policy, rule {shown(rule.title)}"
    return Table(table.source, steps, {}, table.findings, subject)


def _dangling(table: Table, key: str, name: str, known: list[str]) -> None:
    close = get_close_matches(name, known, 1)
    cure = (
        f'Did you mean "{close[0]}"?' if close else f"Write [{key}.{shown(name)}], or name one of: {', '.join(known)}."
    )
    table.complain(key, f"is {shown(name)}, and there is no such {key.replace('-', ' ')}", cure=cure)


def _check_combination(table: Table, rule: PolicyRule, action: FilterAction) -> None:
    if action.response is Response.NEGOTIATE:
        if rule.filter_list == DYNAMIC and rule.tunnel is not None:
            table.complain("tunnel", "cannot be: the default response rule has no tunnel")
        return
    if rule.filter_list == DYNAMIC:
        table.complain("filter-action", f'is "{rule.filter_action}", but the default response rule always negotiates',
                       cure='Such as filter-action = "Default Response".')  # fmt: skip
    if rule.tunnel is not None:
        table.complain("tunnel", f'cannot be: the filter action "{rule.filter_action}" does not negotiate')


def _check_halves(table: Table, rule: PolicyRule, pairs: dict[PolicyRule, PolicyRule]) -> None:
    other = pairs.get(rule)
    if other is None:
        table.complain("tunnel", "is for one direction only, and no rule with these filters reversed is for the other",
                       cure=TUNNEL_CURE)  # fmt: skip
    elif other.filter_action != rule.filter_action:
        table.complain("filter-action", f'is not that of the tunnel\'s other direction, "{other.filter_action}"')
    elif isinstance(other.tunnel, bytes) and isinstance(rule.tunnel, bytes) and len(other.tunnel) != len(rule.tunnel):
        table.complain("tunnel", "has ends of different families")


def _check_titles(table: Table, policy: Policy) -> None:
    """Names tell rules apart, those of both forms."""
    if policy.ipsec is None:
        return
    first = {item.name: item.place for item in policy}
    for number, rule in enumerate(policy.ipsec.own_rules):
        if rule.title in first and rule.filter_list:
            _at(table, number, rule).complain(
                "name",
                f"is already taken in {first[rule.title].beside(rule.place)}",
                cure='Name it: name = "lab is isolated"',
            )
        first.setdefault(rule.title, rule.place)
    for rule in policy.ipsec.inherited:
        if rule.title in first:
            _at(table, None).complain(
                "based-on",
                f'brings a rule "{rule.title}", a name taken in {first[rule.title].beside(policy.ipsec.place)}',
            )
