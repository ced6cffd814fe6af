# SPDX-License-Identifier: Apache-2.0
"""What a policy says that its author probably did not mean. Nothing here keeps it from being applied."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from ringfence.crypto.suites import DhGroup
from ringfence.databases.spd import Action, Origin, SpdEntry
from ringfence.databases.spd_index import SelectorIndex
from ringfence.place import Place
from ringfence.policy import words
from ringfence.policy.compile import BUILT_IN, Compiled
from ringfence.policy.errors import Finding, Severity
from ringfence.policy.exempt import OTHERS, OWN
from ringfence.policy.keying import only_first, versions
from ringfence.policy.lower import statements
from ringfence.policy.methods import weak
from ringfence.policy.model import Filter, KeyModule, Policy, Rule, Verb
from ringfence.policy.peers import signs_weakly
from ringfence.policy.terms import QUICK_MODE_LIMITS, Anonymous, MainMode
from ringfence.policy.traffic import ANY_TRAFFIC

SHORT_LIFETIME_S = 300
HOLES_AT_MOST = 10
"""Findings about what a filter does not block."""
LOOKED_AT_MOST = 200
"""Entries that may be holes of one entry."""


def validate(policy: Policy, compiled: Compiled | None = None) -> tuple[Finding, ...]:
    """Warnings about ``policy``; with ``compiled`` also those that depend on this computer."""
    items = statements(policy)
    found = [finding for item in items if item.enabled for finding in _statement(item)]
    found += [*_unassigned(policy), *_unused(policy), *_nowhere(policy, items)]
    if not any(item.enabled for item in (*items, *policy.packet_filters)):
        found.append(
            Finding("no rule and no filter: everything is permitted.", Place(policy.name), severity=Severity.WARNING)
        )
    if compiled is not None:
        found += [replace(one, severity=Severity.WARNING) for one in compiled.refusals]
        found += [*compiled.findings, *_same_traffic(policy, compiled), *_holes(policy, compiled)]
    return tuple(dict.fromkeys(found))


def warning(item: Rule | Filter, what: str, *, setting: str = "", cure: str = "") -> Finding:
    """A warning about ``item``."""
    subject = f'{"rule" if isinstance(item, Rule) else "filter"} "{item.name}"'
    place = item.places.get(setting, item.place)
    return Finding(f"{subject} {what}.", place, subject, setting, cure=cure, severity=Severity.WARNING)


def _statement(item: Rule | Filter) -> Iterator[Finding]:
    if not isinstance(item, Rule) or item.secure.exempt:
        return
    group = item.pfs if isinstance(item.pfs, DhGroup) else None
    names = weak([*item.protect, group, *(item.main_mode or MainMode()).methods])
    names += ("signatures by RSA with SHA-1",) if signs_weakly(item) else ()
    if names:
        yield warning(item, f"allows {', '.join(names)}, which a determined attacker can break",
                      setting="legacy", cure="Keep it for as long as the other side has nothing better.")  # fmt: skip
    elif item.legacy and not item.part.filter_list:
        yield warning(item, "says legacy = true but names nothing weak", setting="legacy", cure="Leave it out.")
    if len(item.auth) > 1 and Anonymous() in item.auth and {*item.keying} == {KeyModule.IKEV2}:
        yield warning(item, "names anonymous beside other ways, so nobody has to go those", setting="auth",
                      cure='Leave out "anonymous", or the others.')  # fmt: skip
    for setting, what in only_first(item.main_mode or MainMode()) if 1 not in versions(item, item.auth) else ():
        yield warning(item, f"wants {what}, which only IKEv1 has, and is negotiated by IKEv2", setting=setting,
                      cure='Leave it out, or say keying = ["ikev1"].')  # fmt: skip
    if item.part.one_way is not None and item.gateways is None:
        yield warning(item, f"negotiates for one direction only ({item.part}), and answers go in clear",
                      setting="filter-list", cure='A mirrored filter, "<->", protects both.')  # fmt: skip
    seconds = (item.lifetime or QUICK_MODE_LIMITS).seconds or SHORT_LIFETIME_S
    if seconds < SHORT_LIFETIME_S:
        yield warning(item, f"makes new keys every {seconds} s, which costs more than it brings",
                      setting="lifetime", cure='Such as lifetime = { time = "60 min" }.')  # fmt: skip
    if item.replay_window == 0:
        yield warning(item, "accepts packets that were sent before (replay-window = 0)",
                      setting="replay-window", cure="64 is enough for most networks, 1024 for fast ones.")  # fmt: skip
    yield from _about_ipsec(item)


def _unassigned(policy: Policy) -> Iterator[Finding]:
    """IPsec policies of which none is assigned."""
    if policy.ipsec is None and policy.unassigned:
        first = policy.unassigned[0]
        names = " and ".join(f'"{one.title}"' for one in policy.unassigned)
        yield Finding(f"no IPsec policy is assigned; there {'is' if len(policy.unassigned) == 1 else 'are'} {names}.",
                      first.place, cure="assigned = true in one of them has this computer follow it.",
                      severity=Severity.WARNING)  # fmt: skip


def _nowhere(policy: Policy, items: Iterable[Rule | Filter]) -> Iterator[Finding]:
    """Statements for networks of profiles by which no network is known."""
    known = {one.profile for one in policy.profiles.known} | {policy.profiles.default}
    kinds = [("rule" if isinstance(one, Rule) else "filter", one) for one in items]
    for kind, item in (*kinds, *(("main mode rule", one) for one in policy.main_modes)):
        if item.enabled and item.scope.profiles and not known.intersection(item.scope.profiles):
            names = " and ".join(one.value for one in item.scope.profiles)
            subject, first = f'{kind} "{item.name}"', item.scope.profiles[0].value
            what = f"is for {names} networks, and nothing says which these are: it holds nowhere"
            yield Finding(f"{subject} {what}.", item.places.get("profiles", item.place), subject, "profiles",
                          cure=f'Say how they are known: [profile.{first}] networks = "10.0.0.0/8"',
                          severity=Severity.WARNING)  # fmt: skip


def _unused(policy: Policy) -> Iterator[Finding]:
    """Filter lists and filter actions that no rule names."""
    rules = [rule for one in policy.ipsec_policies for rule in one.rules]
    named = {rule.filter_list for rule in rules} | {rule.filter_action for rule in rules}
    kinds = [("list", one.name, one.place) for one in policy.filter_lists]
    kinds += [("action", one.name, one.place) for one in policy.filter_actions]
    for kind, name, place in kinds:
        if name not in named:
            subject = f'filter {kind} "{name}"'
            yield Finding(f"{subject} is used by no rule.", place, subject,
                          cure=f'A rule names it: filter-{kind} = "{name}"', severity=Severity.WARNING)  # fmt: skip


def _about_ipsec(rule: Rule) -> Iterator[Finding]:
    for traffic in rule.traffic:
        ports = list(traffic.outward())
        for one in (*OWN, *OTHERS):
            covered = all(one.local_ports.covers(a) and one.remote_ports.covers(b) for a, b in ports)
            if traffic.protocol == one.protocol and covered:
                yield warning(rule, f'wants "{traffic}" protected, but {one.word} always goes in clear: '
                              "it is what protects everything else", setting="traffic")  # fmt: skip
                break


def _same_traffic(policy: Policy, compiled: Compiled) -> Iterator[Finding]:
    """Statements that never decide, because another about the same traffic wins at equal weight."""
    losers = beaten(compiled)
    for item in statements(policy):
        if item.name in losers and not item.part.respond_only:
            others = " and ".join(f'"{name}"' for name in sorted(losers[item.name]))
            yield warning(item, f"never decides: {others} is about the same traffic and wins "
                          "(block before protect before permit, require before request, then by name)")  # fmt: skip


def beaten(compiled: Compiled) -> dict[str, set[str]]:
    """Rules that lose all their traffic to others that are about the same, and these."""
    winners: dict[tuple[object, object], SpdEntry] = {}
    losers: dict[str, set[str]] = {}
    alive: set[str] = set()
    for entry in compiled.spd:
        if entry.demand is not None and entry.demand.rule is not None:
            alive |= {entry.origin.rule, *([entry.demand.rule.rule] if entry.action is Action.PROTECT else [])}
            continue
        winner = winners.setdefault((entry.selector, entry.directions), entry)
        if winner is entry or winner.origin.rule == entry.origin.rule:
            alive.add(entry.origin.rule)
        else:
            losers.setdefault(entry.origin.rule, set()).add(winner.origin.rule)
    return {name: winners for name, winners in losers.items() if name not in alive}


def _holes(policy: Policy, compiled: Compiled) -> Iterator[Finding]:
    """Filters that block named traffic, where a more specific statement lets part of it through."""
    blocks = {
        item.name: item
        for item in statements(policy)
        if isinstance(item, Filter)
        and item.enabled
        and ANY_TRAFFIC not in item.traffic
        and (item.verb is Verb.BLOCK or item.secure is not None)
    }
    if not blocks:
        return
    entries = compiled.spd.entries
    passing = SelectorIndex(
        (number, entry.selector) for number, entry in enumerate(entries)
        if entry.action is not Action.DISCARD and entry.demand is None and not entry.origin.rule.startswith(BUILT_IN)
    )  # fmt: skip
    found: dict[str, dict[tuple[Origin, str], dict[int, None]]] = {}
    """By filter, and by statement and what it does, the entries."""
    for number, entry in enumerate(entries):
        item = blocks.get(entry.origin.rule)
        if item is None:
            continue
        clear = item.secure is not None
        before = (
            other
            for other in passing.overlapping(entry.selector)
            if other < number and not (clear and entries[other].action is Action.PROTECT)
        )
        holes = islice((one for one in before if entry.directions & entries[one].directions), LOOKED_AT_MOST)
        for at in sorted(holes):
            what = "is permitted" if entries[at].action is Action.BYPASS else "may pass protected"
            found.setdefault(item.name, {}).setdefault((entries[at].origin, what), {})[at] = None
    for name, origins in found.items():
        for (origin, what), (first, *more) in islice(origins.items(), HOLES_AT_MOST):
            others = f", nor {len(more)} more like it" if more else ""
            yield warning(
                blocks[name],
                f"does not {'secure' if blocks[name].secure is not None else 'block'} {words.traffic(entries[first])}"
                f"{others}: it is more specific, and so by {origin} that traffic {what}",
                cure="Name the same addresses in the filter, and it decides.",
            )
        if len(origins) > HOLES_AT_MOST:
            yield warning(blocks[name], f"has {len(origins) - HOLES_AT_MOST} more such holes, which are not listed")
