# SPDX-License-Identifier: Apache-2.0
"""What the parts of a policy say of each other: names that lead nowhere, and combinations that cannot be."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from ringfence.policy.auth import AUTH_CURE
from ringfence.policy.decode import Table, shown
from ringfence.policy.ipsec import TUNNEL_CURE
from ringfence.policy.lower import filter_actions, filter_lists, tunnel_pairs
from ringfence.policy.model import KeyModule, Policy, Rule
from ringfence.policy.sets import check_null
from ringfence.policy.settle import Settler, Terms
from ringfence.policy.tables import Tables
from ringfence.policy.terms import Auth, Eap, PskFile, SecondAuth
from ringfence.policy.windows import DYNAMIC, FilterAction, IpsecPolicy, PolicyRule, Response


def check_references(tables: Tables, policy: Policy, ipsec: Iterable[tuple[Table, IpsecPolicy]] = ()) -> None:
    """Add the findings about a whole policy, with its IPsec policies and the table of each."""
    _check_terms(tables, policy)
    for table, one in ipsec:
        _check_ipsec(table, policy, one)


def _check_terms(tables: Tables, policy: Policy) -> None:
    """Sets of terms that are named, and what rules come to by them."""
    known = {
        "auth-set": [one.name for one in policy.auth_sets],
        "main-mode-crypto": [one.name for one in policy.main_mode_cryptos],
        "quick-mode-crypto": [one.name for one in policy.quick_mode_cryptos],
    }
    pools = [one.name for one in policy.pools]
    _check_eap(tables, policy)
    settings, settler, table = policy.settings, Settler(policy), tables.one("global")
    if table is not None:
        said = (settings.auth_set, settings.main_mode_crypto, settings.quick_mode_crypto)
        _check_named(table, dict(zip(known, said, strict=True)), known)
        if settings.second_auth and _has_key(settler.default.auth):
            table.complain("second-auth", AFTER_KEY_WHY, cure=AFTER_KEY_CURE)
    for (_, here), one in zip(tables.named("auth-set"), policy.auth_sets, strict=True):
        if one.second and _has_key(one.first):
            here.complain("second", AFTER_KEY_WHY, cure=AFTER_KEY_CURE)
    for here, main in zip(tables.items("main-mode"), policy.main_modes, strict=True):
        _check_named(here, {"auth-set": main.auth_set, "main-mode-crypto": main.main_mode_crypto}, known)
    for here, rule in zip(tables.items("rule"), policy.rules, strict=True):
        _check_named(here, {"auth-set": rule.auth_set, "quick-mode-crypto": rule.quick_mode_crypto}, known)
        pool = "" if rule.gateways is None else rule.gateways.pool
        if pool and pool not in pools and (end := here.table("remote")) is not None:
            _dangling(end, "pool", pool, pools)
        if not rule.secure.exempt:
            _check_settled(here, policy, rule, settler.terms(rule))


def _check_eap(tables: Tables, policy: Policy) -> None:
    """RADIUS servers that ways by EAP name."""
    known = [one.name for one in policy.radius]
    sets = zip(tables.named("auth-set"), policy.auth_sets, strict=True)
    saying: list[tuple[Table, str, tuple[Auth, ...]]] = [(here, "first", one.first) for (_, here), one in sets]
    saying += [(here, "auth", one.auth) for here, one in zip(tables.items("main-mode"), policy.main_modes, strict=True)]
    saying += [(here, "auth", one.auth) for here, one in zip(tables.items("rule"), policy.rules, strict=True)]
    saying += [
        (here, "second-auth", _eap(one.second_auth))
        for here, one in zip(tables.items("rule"), policy.rules, strict=True)
    ]
    if (table := tables.one("global")) is not None:
        saying.append((table, "auth", policy.settings.auth))
        saying.append((table, "second-auth", _eap(policy.settings.second_auth)))
    for here, key, auth in saying:
        for name in [name for one in auth if isinstance(one, Eap) for name in one.radius if name not in known]:
            _no_server(here, key, name, known)


def _eap(ways: Iterable[SecondAuth]) -> tuple[Auth, ...]:
    return tuple(one for one in ways if isinstance(one, Eap))


def _no_server(table: Table, key: str, name: str, known: list[str]) -> None:
    others = f" There {'is' if len(known) == 1 else 'are'} {', '.join(known)}." if known else ""
    cure = f'Write [radius.{shown(name)}] host = "10.0.0.5" and secret-file = "radius.secret".{others}'
    table.complain(key, f"names the RADIUS server {shown(name)}, and there is none of this name", cure=cure)


AFTER_KEY_WHY = "cannot follow a preshared key, which has no second authentication"
AFTER_KEY_CURE = "Leave it out, or authenticate first by kerberos or a certificate."


def _check_named(table: Table, said: Mapping[str, str], known: Mapping[str, list[str]]) -> None:
    for key, name in said.items():
        if name and name not in known[key]:
            _dangling(table, key, name, known[key])


def _check_settled(table: Table, policy: Policy, rule: Rule, terms: Terms) -> None:
    if not terms.auth and not rule.auth_set and not policy.settings.auth_set and not table.has("auth"):
        table.complain("", "does not say how both sides prove who they are", cure=AUTH_CURE)
    if rule.second_auth and _has_key(terms.auth) and {*rule.keying} != {KeyModule.IKEV2}:
        table.complain("second-auth", AFTER_KEY_WHY, cure=AFTER_KEY_CURE)
    key = "protect" if rule.protect else "quick-mode-crypto" if rule.quick_mode_crypto else ""
    if not terms.protect:
        table.complain(key, "has no method that encrypts, and [global] requires encryption",
                       cure='Add one, such as "esp aes256-gcm".')  # fmt: skip
    if rule.gateways is not None and not all(method.encapsulate for method in terms.protect):
        table.complain(key, "names null encapsulation, which a tunnel cannot have", cure='Such as "esp null-sha256".')
    elif not rule.quick_mode_crypto:
        check_null(table, terms.protect, pfs=bool(terms.pfs))


def _has_key(auth: Iterable[Auth]) -> bool:
    return any(isinstance(one, PskFile) for one in auth)


def _check_ipsec(table: Table, policy: Policy, ipsec: IpsecPolicy) -> None:
    lists, actions = filter_lists(policy), filter_actions(policy)
    pairs = tunnel_pairs(ipsec.rules, lists)
    if not ipsec.rules and not table.has("based-on") and ipsec is policy.ipsec:
        cure = f"Write [[{_dotted(table)}.rule]], or name a default policy by based-on."
        _at(table, None).complain("", "has no rule", cure=cure)
    for number, rule in enumerate(ipsec.own_rules):
        here = _at(table, number, rule)
        if rule.filter_list and rule.filter_list != DYNAMIC and rule.filter_list not in lists:
            _dangling(here, "filter-list", rule.filter_list, [*lists, DYNAMIC])
        if rule.filter_action and rule.filter_action not in actions:
            _dangling(here, "filter-action", rule.filter_action, [*actions])
        elif rule.filter_action:
            _check_combination(here, rule, actions[rule.filter_action])
        if isinstance(rule.tunnel, bytes) and rule.enabled and rule.filter_list in lists:
            _check_halves(here, rule, pairs)
    _check_titles(table, policy, ipsec)


def _dotted(table: Table) -> str:
    """``policy``, or ``policy."NAME"``."""
    return ".".join(["policy", *(shown(step) for step in table.steps[1:])])


def _at(table: Table, number: int | None, rule: PolicyRule | None = None) -> Table:
    steps = table.steps if number is None else (*table.steps, "rule", number)
    subject = table.subject if rule is None else f"{table.subject}, rule {shown(rule.title)}"
    return Table(table.source, steps, {}, table.findings, subject)


def _dangling(table: Table, key: str, name: str, known: list[str]) -> None:
    close = get_close_matches(name, known, 1)
    others = f", or name one of: {', '.join(known)}." if known else "."
    cure = f'Did you mean "{close[0]}"?' if close else f"Write [{key}.{shown(name)}]{others}"
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


def _check_titles(table: Table, policy: Policy, ipsec: IpsecPolicy) -> None:
    """Names tell rules apart, those of both forms."""
    first = {item.name: item.place for item in policy}
    for number, rule in enumerate(ipsec.own_rules):
        if rule.title in first and rule.filter_list:
            _at(table, number, rule).complain(
                "name",
                f"is already taken in {first[rule.title].beside(rule.place)}",
                cure='Name it: name = "lab is isolated"',
            )
        first.setdefault(rule.title, rule.place)
    for rule in ipsec.inherited:
        if rule.title in first:
            _at(table, None).complain(
                "based-on",
                f'brings a rule "{rule.title}", a name taken in {first[rule.title].beside(ipsec.place)}',
            )
