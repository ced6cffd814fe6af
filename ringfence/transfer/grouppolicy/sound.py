# SPDX-License-Identifier: Apache-2.0
"""What of a policy the rest of the program takes: as a document would be, it is checked, and what is wrong leaves it.

A registry can hold what neither Windows nor Ringfence accepts, such as a set of null encapsulation only. Documents have
those checks, so the policy is written as one and read; each thing that is found wrong is told and taken out, and then
what needed it, until the rest holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from ringfence.policy.decode import shown
from ringfence.policy.document import parse
from ringfence.policy.errors import Finding, PolicyError
from ringfence.policy.model import Filter, MainModeRule, Policy, Rule
from ringfence.policy.terms import AuthSet, GlobalSettings, MainModeCrypto, QuickModeCrypto
from ringfence.policy.write import canonical
from ringfence.transfer.base import ImportFailed
from ringfence.transfer.grouppolicy.report import Report

Item = Rule | Filter | MainModeRule | AuthSet | MainModeCrypto | QuickModeCrypto
T = TypeVar("T", Rule, Filter, MainModeRule, AuthSet, MainModeCrypto, QuickModeCrypto)
SETS = {"auth-set": "auth_set", "quick-mode-crypto": "quick_mode_crypto", "main-mode-crypto": "main_mode_crypto"}
"""Settings of ``[global]`` that name a set."""


def sound(policy: Policy, report: Report) -> Policy:
    """``policy`` without what is wrong; raises ImportFailed where nothing helps."""
    while True:
        try:
            parse(canonical(policy), name=report.file)
        except PolicyError as error:
            less = _without(policy, error.findings, report)
            if less == policy:
                raise ImportFailed(error.findings) from error
            policy = less
            continue
        return policy


KINDS: Mapping[str, Callable[[Policy], tuple[Item, ...]]] = {
    "rule": lambda policy: policy.rules,
    "filter": lambda policy: policy.filters,
    "main mode rule": lambda policy: policy.main_modes,
    "auth set": lambda policy: policy.auth_sets,
    "main mode crypto": lambda policy: policy.main_mode_cryptos,
    "quick mode crypto": lambda policy: policy.quick_mode_cryptos,
}
"""What findings call the things of a policy."""


def _without(policy: Policy, findings: tuple[Finding, ...], report: Report) -> Policy:
    known = {f"{kind} {shown(one.name)}" for kind, items in KINDS.items() for one in items(policy)}
    wrong, settings = dict[str, Finding](), policy.settings
    for found in sorted(findings, key=lambda one: not _is_set(one.rule)):
        if found.rule in known and (not wrong or _is_set(found.rule) == _is_set(next(iter(wrong)))):
            wrong.setdefault(found.rule, found)
        elif found.rule == "global" and found.setting in SETS and not wrong:
            settings = _unset(settings, found.setting)
    for kind, items in KINDS.items():
        for item in items(policy):
            subject = f"{kind} {shown(item.name)}"
            if subject in wrong:
                why = wrong[subject].message.removeprefix(subject).lstrip(": ").rstrip(".")
                report.leave(str(item.place), f'{kind} "{item.name}"', why, wrong[subject].cure)

    def right(kind: str, items: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(one for one in items if f"{kind} {shown(one.name)}" not in wrong)

    return replace(
        policy,
        settings=settings,
        rules=right("rule", policy.rules),
        filters=right("filter", policy.filters),
        main_modes=right("main mode rule", policy.main_modes),
        auth_sets=right("auth set", policy.auth_sets),
        main_mode_cryptos=right("main mode crypto", policy.main_mode_cryptos),
        quick_mode_cryptos=right("quick mode crypto", policy.quick_mode_cryptos),
    )


def _is_set(subject: str) -> bool:
    return not subject.startswith(("rule", "filter", "main mode rule", "global"))


def _unset(settings: GlobalSettings, name: str) -> GlobalSettings:
    places = {each: place for each, place in settings.places.items() if each != name}
    match SETS[name]:
        case "auth_set":
            return replace(settings, auth_set="", places=places)
        case "quick_mode_crypto":
            return replace(settings, quick_mode_crypto="", places=places)
    return replace(settings, main_mode_crypto="", places=places)
