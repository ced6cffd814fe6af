# SPDX-License-Identifier: Apache-2.0
"""The IPsec policies that a store of ``netsh ipsec static`` ends up with.

A store may have several policies, of which a computer follows one: the assigned one. Filter lists and filter actions
belong to the store, and are all carried over. What the document could not hold (a list without filters, half a tunnel)
is left out here, by name.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from ringfence.databases.proposal import Limits
from ringfence.policy.defaults import DEFAULT_RESPONSE, FILTER_ACTIONS, FILTER_LISTS, inherited
from ringfence.policy.ipsec import name_among
from ringfence.policy.lower import tunnel_pairs
from ringfence.policy.methods import weak
from ringfence.policy.model import MainMode, Policy
from ringfence.policy.windows import (
    DYNAMIC,
    DefaultExempt,
    FilterAction,
    FilterList,
    IpsecPolicy,
    PolicyRule,
    Response,
)
from ringfence.transfer.netsh.drafts import ActionDraft, PolicyDraft, RuleDraft
from ringfence.transfer.netsh.session import WEAK_CURE, Session
from ringfence.transfer.netsh.static import Static

LONGEST_NAME = 100


def build(store: Static, session: Session, exempt: DefaultExempt = DefaultExempt.IKE) -> Policy:
    """The policy; what cannot be in it goes to the session."""
    actions = {name: _action(draft, session) for name, draft in store.actions.items()}
    lists = {one.value.name: one.value for one in store.lists.values() if one.value.filters}
    for draft in store.lists.values():
        if not draft.value.filters:
            why = f'the filter list "{draft.value.name}" has no filter, and so is about nothing'
            session.leave_out(why, line=draft.line)
    chosen = _chosen(store, session)
    own, unassigned, assigned = [*actions.values()], [], None
    for found in store.policies.values():
        made = _policy(found, lists, actions, session, alone=len(store.policies) == 1)
        if made is None:
            continue
        ipsec, response = made
        own += [response] if response is not None else []
        if found is chosen:
            assigned = replace(ipsec, exempt=exempt)
        else:
            unassigned.append(ipsec)
    return Policy(
        ipsec=assigned, unassigned=tuple(unassigned), filter_lists=tuple(lists.values()), filter_actions=tuple(own)
    )


def _chosen(store: Static, session: Session) -> PolicyDraft | None:
    """The one that the computer follows: the assigned one, or the only one."""
    drafts = list(store.policies.values())
    if store.assigned or not drafts:
        return store.policies.get(store.assigned)
    if len(drafts) == 1:
        why = f'"{drafts[0].name}" is not assigned; the document has it as the one to be followed'
        session.note(why, line=drafts[0].line)
        return drafts[0]
    why = "none of the policies is assigned, and so none holds"
    session.note(why, "Assign one when the document is written:  ringfence policy assign NAME", line=drafts[0].line)
    return None


def _action(draft: ActionDraft, session: Session) -> FilterAction:
    action = draft.value
    if action.response is not Response.NEGOTIATE:
        return action
    limits = {method.limits for method in action.methods}
    lifetime = limits.pop() if len(limits) == 1 else action.lifetime
    names = weak(action.methods)
    if names:
        session.note(f"{', '.join(names)} can be broken today", WEAK_CURE, line=draft.line)
    return replace(action, lifetime=lifetime, legacy=bool(names))


def _policy(
    draft: PolicyDraft, lists: dict[str, FilterList], actions: dict[str, FilterAction], session: Session, *, alone: bool
) -> tuple[IpsecPolicy, FilterAction | None] | None:
    made = {one.name: one for one in actions.values()}
    every = {**FILTER_ACTIONS, **made}
    rules = [rule for one in draft.rules if (rule := _rule(one, lists, every, session)) is not None]
    rules = _whole_tunnels(rules, draft, {**FILTER_LISTS, **lists}, session)
    response = _default_response(draft, session, DEFAULT_RESPONSE if alone else f"{DEFAULT_RESPONSE}, {draft.name}")
    if response is not None:
        rules.append(response[0])
    rules = _told_apart(rules)
    if not rules and not draft.based_on:
        session.leave_out(f'the policy "{draft.name}" has no rule, and so does nothing', line=draft.line)
        return None
    ipsec = IpsecPolicy(
        name="" if draft.based_on == draft.name and alone else name_among(draft.name[:LONGEST_NAME]),
        based_on=draft.based_on,
        description=draft.description,
        poll_interval_s=draft.poll_s,
        main_mode=_main_mode(draft),
        own_rules=tuple(rules),
        inherited=inherited(draft.based_on, rules),
    )
    names = weak(ipsec.main_mode.methods)
    if names:
        session.note(f"{', '.join(names)} of main mode can be broken today", WEAK_CURE, line=draft.line)
    return replace(ipsec, legacy=bool(names)), response[1] if response is not None else None


def _main_mode(draft: PolicyDraft) -> MainMode:
    limits = Limits(seconds=draft.lifetime_s)
    methods = draft.methods or tuple(replace(one, limits=limits) for one in MainMode().methods)
    return MainMode(methods, draft.lifetime_s, draft.sessions, draft.pfs)


def _rule(
    draft: RuleDraft, lists: dict[str, FilterList], actions: dict[str, FilterAction], session: Session
) -> PolicyRule | None:
    if draft.filter_list not in lists and draft.filter_list not in FILTER_LISTS:
        session.leave_out(
            f'its filter list "{draft.filter_list}" has no filter, and so is about nothing', line=draft.line
        )
        return None
    tunnel = draft.tunnel
    if tunnel is not None and actions[draft.filter_action].response is not Response.NEGOTIATE:
        session.leave_out("its tunnel has no use, since its filter action does not negotiate", line=draft.line)
        tunnel = None
    return PolicyRule(
        draft.filter_list, draft.filter_action, draft.name[:LONGEST_NAME], draft.auth, tunnel, draft.connection,
        draft.enabled, draft.description,
    )  # fmt: skip


def _whole_tunnels(
    rules: list[PolicyRule], draft: PolicyDraft, lists: dict[str, FilterList], session: Session
) -> list[PolicyRule]:
    """Without the rules of tunnels that lack the rule for the other direction."""
    pairs = tunnel_pairs(rules, lists)
    lines = {one.name: one.line for one in draft.rules}
    whole = []
    for rule in rules:
        other = pairs.get(rule)
        fits = other is not None and other.filter_action == rule.filter_action
        if isinstance(rule.tunnel, bytes) and rule.enabled and not fits:
            why = "it is a tunnel for one direction only, and no rule with the reversed filters is for the other"
            cure = "A tunnel is two rules with one-way filters (mirrored=no), one for each direction."
            session.leave_out(why, cure, line=lines.get(rule.name, draft.line))
        else:
            whole.append(rule)
    return whole


def _default_response(draft: PolicyDraft, session: Session, name: str) -> tuple[PolicyRule, FilterAction | None] | None:
    default = draft.default_rule
    if not default.active:
        return None
    why = "Windows has not applied the default response rule since Vista; here it holds"
    session.note(why, "To go without: activatedefaultrule=no", line=default.line)
    if not default.methods and not default.pfs:
        return PolicyRule(DYNAMIC, DEFAULT_RESPONSE, auth=default.auth), None
    predefined = FILTER_ACTIONS[DEFAULT_RESPONSE]
    names = weak(default.methods)
    if names:
        session.note(f"{', '.join(names)} can be broken today", WEAK_CURE, line=default.line)
    action = replace(
        predefined,
        name=name[:LONGEST_NAME],
        methods=default.methods or predefined.methods,
        pfs=default.pfs,
        legacy=bool(names),
    )
    return PolicyRule(DYNAMIC, action.name, auth=default.auth), action


def _told_apart(rules: Iterable[PolicyRule]) -> list[PolicyRule]:
    """The rules, those that would be read alike with numbers."""
    count = Counter[str]()
    found = []
    for rule in rules:
        count[rule.title] += 1
        number = count[rule.title]
        found.append(rule if number == 1 else replace(rule, name=f"{rule.title[: LONGEST_NAME - 8]} ({number})"))
    return found
