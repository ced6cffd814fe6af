# SPDX-License-Identifier: Apache-2.0
"""An IPsec policy, its filter lists and filter actions as tables of the document."""

from collections.abc import Iterator

from ringfence.net.address import format_address
from ringfence.place import NOWHERE, Place
from ringfence.policy.defaults import FILTER_ACTIONS, FILTER_LISTS
from ringfence.policy.gateways import Gateways
from ringfence.policy.ipfilter import format_filter
from ringfence.policy.ipsec import name_among
from ringfence.policy.model import Policy
from ringfence.policy.scope import Connection
from ringfence.policy.texts import (
    Pair,
    Section,
    Setting,
    lifetime_pairs,
    main_mode_pairs,
    toml_auth,
    toml_flag,
    toml_gateway,
    toml_pfs,
    toml_protect,
    toml_text,
)
from ringfence.policy.units import format_duration
from ringfence.policy.windows import (
    POLL_INTERVAL_S,
    DefaultExempt,
    FilterAction,
    FilterList,
    IpFilter,
    IpsecPolicy,
    PolicyRule,
    Response,
)


def sections(policy: Policy) -> Iterator[Section]:
    """What the document says of an IPsec policy."""
    several = len(policy.ipsec_policies) > 1
    for one in policy.ipsec_policies:
        key = f"policy.{toml_text(name_among(one.title))}" if several else "policy"
        assigned = one is policy.ipsec
        yield _section(f"[{key}]", one, _general(one, assigned=assigned, several=several))
        for rule in one.own_rules:
            yield _section(f"[[{key}.rule]]", rule, _rule(rule))
    yield from map(_list_section, policy.filter_lists)
    yield from map(_action_section, policy.filter_actions)


def implied(policy: Policy) -> Iterator[tuple[str, Section]]:
    """What it has without saying it, and where that comes from."""
    if policy.ipsec is None:
        return
    yield from inherited(policy.ipsec)
    own = {one.name for one in policy.filter_lists} | {one.name for one in policy.filter_actions}
    names = dict.fromkeys(name for rule in policy.ipsec.rules for name in (rule.filter_list, rule.filter_action))
    for name in names:
        if name not in own and name in FILTER_LISTS:
            yield "predefined", _list_section(FILTER_LISTS[name])
        elif name not in own and name in FILTER_ACTIONS:
            yield "predefined", _action_section(FILTER_ACTIONS[name])


def inherited(policy: IpsecPolicy) -> Iterator[tuple[str, Section]]:
    """The rules of the default policy that it is based on, and that policy."""
    for rule in policy.inherited:
        yield f'of "{policy.based_on}"', _section("[[policy.rule]]", rule, _rule(rule))


def _list_section(one: FilterList) -> Section:
    return _section(f"[filter-list.{toml_text(one.name)}]", one, _filter_list(one))


def _action_section(one: FilterAction) -> Section:
    return _section(f"[filter-action.{toml_text(one.name)}]", one, _filter_action(one))


def _section(head: str, item: IpsecPolicy | PolicyRule | FilterList | FilterAction, pairs: Iterator[Pair]) -> Section:
    def place(name: str) -> Place:
        return item.places.get(name, item.places.get(name.partition(".")[0], NOWHERE))

    return Section(head, tuple(Setting(name, text, default, place(name)) for name, text, default in pairs), item.place)


def _general(policy: IpsecPolicy, *, assigned: bool, several: bool) -> Iterator[Pair]:
    if policy.name and not several:
        yield "name", toml_text(policy.name), False
    if policy.based_on:
        yield "based-on", toml_text(policy.based_on), False
    yield "assigned", toml_flag(assigned), assigned is not several
    yield "description", toml_text(policy.description), policy.description == ""
    yield "poll-interval", toml_text(format_duration(policy.poll_interval_s)), policy.poll_interval_s == POLL_INTERVAL_S
    if policy.auth:
        yield "auth", toml_auth(policy.auth), False
    yield from main_mode_pairs(policy.main_mode)
    yield "no-default-exempt", str(policy.exempt.value), policy.exempt is DefaultExempt.IKE
    yield "legacy", toml_flag(policy.legacy), not policy.legacy


def _rule(rule: PolicyRule) -> Iterator[Pair]:
    if rule.name:
        yield "name", toml_text(rule.name), False
    yield "description", toml_text(rule.description), rule.description == ""
    yield "enabled", toml_flag(rule.enabled), rule.enabled
    yield "filter-list", toml_text(rule.filter_list), False
    yield "filter-action", toml_text(rule.filter_action), False
    if rule.auth:
        yield "auth", toml_auth(rule.auth), False
    if isinstance(rule.tunnel, Gateways):
        if rule.tunnel.local is not None:
            yield "tunnel.local", toml_text(format_address(rule.tunnel.local)), False
        yield "tunnel.remote", toml_gateway(rule.tunnel.remote), False
    else:
        end = "none" if rule.tunnel is None else format_address(rule.tunnel)
        yield "tunnel", toml_text(end), rule.tunnel is None
    yield "connection", toml_text(rule.connection.value), rule.connection is Connection.ALL


def _filter_list(one: FilterList) -> Iterator[Pair]:
    yield "description", toml_text(one.description), one.description == ""
    texts = list(map(_filter, one.filters))
    yield "filters", f"[{', '.join(texts)}]" if len(texts) < 2 else "[\n    " + ",\n    ".join(texts) + ",\n]", False


def _filter(one: IpFilter) -> str:
    words = toml_text(format_filter(one))
    return f"{{ filter = {words}, description = {toml_text(one.description)} }}" if one.description else words


def _filter_action(action: FilterAction) -> Iterator[Pair]:
    yield "description", toml_text(action.description), action.description == ""
    if action.response is not Response.NEGOTIATE:
        yield "action", toml_text(action.response.value), False
        return
    yield "negotiate", toml_protect(action.methods, action.lifetime), False
    yield from lifetime_pairs(action.lifetime)
    yield "accept-unsecured", toml_flag(action.accept_unsecured), not action.accept_unsecured
    yield "fallback-to-clear", toml_flag(action.fallback_to_clear), not action.fallback_to_clear
    yield "pfs", toml_pfs(action.pfs), action.pfs is False
    yield "legacy", toml_flag(action.legacy), not action.legacy
