# SPDX-License-Identifier: Apache-2.0
"""What of a policy the rest of the program takes: as a document would be, it is checked, and what is wrong leaves it.

A registry can hold what neither Windows nor Ringfence accepts, such as a set of null encapsulation only. Documents have
those checks, so the policy is written as one and read; each thing that is found wrong is told and taken out, and then
what needed it, until the rest holds.
"""

from collections.abc import Iterator
from dataclasses import replace

from ringfence.policy.decode import shown
from ringfence.policy.document import parse
from ringfence.policy.errors import Finding, PolicyError
from ringfence.policy.model import Policy
from ringfence.policy.terms import GlobalSettings
from ringfence.policy.write import canonical
from ringfence.transfer.base import ImportFailed
from ringfence.transfer.grouppolicy.report import Report

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


def _subjects(policy: Policy) -> Iterator[tuple[str, str]]:
    """What a finding calls each thing, and where that is."""
    for kind, items in (
        ("rule", policy.rules),
        ("filter", policy.filters),
        ("main mode rule", policy.main_modes),
        ("auth set", policy.auth_sets),
        ("main mode crypto", policy.main_mode_cryptos),
        ("quick mode crypto", policy.quick_mode_cryptos),
    ):
        yield from ((f"{kind} {shown(one.name)}", str(one.place)) for one in items)


def _without(policy: Policy, findings: tuple[Finding, ...], report: Report) -> Policy:
    known, wrong = dict(_subjects(policy)), dict[str, Finding]()
    settings = policy.settings
    sets_first = sorted(findings, key=lambda one: one.rule.startswith(("rule", "filter", "main mode rule", "global")))
    for one in sets_first:
        if one.rule in known and (not wrong or _is_set(one.rule) == _is_set(next(iter(wrong)))):
            wrong.setdefault(one.rule, one)
        elif one.rule == "global" and one.setting in SETS and not wrong:
            settings = _unset(settings, one.setting)
    for subject, one in wrong.items():
        why = one.message.removeprefix(subject).lstrip(": ").rstrip(".")
        report.leave(known[subject], subject, why, one.cure)
    return replace(
        policy,
        settings=settings,
        rules=tuple(one for one in policy.rules if f"rule {shown(one.name)}" not in wrong),
        filters=tuple(one for one in policy.filters if f"filter {shown(one.name)}" not in wrong),
        main_modes=tuple(one for one in policy.main_modes if f"main mode rule {shown(one.name)}" not in wrong),
        auth_sets=tuple(one for one in policy.auth_sets if f"auth set {shown(one.name)}" not in wrong),
        main_mode_cryptos=tuple(
            one for one in policy.main_mode_cryptos if f"main mode crypto {shown(one.name)}" not in wrong
        ),
        quick_mode_cryptos=tuple(
            one for one in policy.quick_mode_cryptos if f"quick mode crypto {shown(one.name)}" not in wrong
        ),
    )


def _is_set(subject: str) -> bool:
    return not subject.startswith(("rule", "filter", "main mode rule"))


def _unset(settings: GlobalSettings, name: str) -> GlobalSettings:
    places = {each: place for each, place in settings.places.items() if each != name}
    match SETS[name]:
        case "auth_set":
            return replace(settings, auth_set="", places=places)
        case "quick_mode_crypto":
            return replace(settings, quick_mode_crypto="", places=places)
    return replace(settings, main_mode_crypto="", places=places)
