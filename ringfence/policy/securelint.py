# SPDX-License-Identifier: Apache-2.0
"""Filters that permit what is secure, and that permit nothing or more than was meant: for ``lint``."""

from collections.abc import Iterator

from ringfence.databases.spd import Action
from ringfence.policy.compile import Compiled
from ringfence.policy.errors import Finding
from ringfence.policy.model import Policy
from ringfence.policy.terms import Security
from ringfence.policy.validate import warning


def secure_filter_findings(policy: Policy, compiled: Compiled) -> Iterator[Finding]:
    """Such filters that no rule serves, those that let anybody pass blocks, and those that pass none."""
    served = {one.origin.rule for one in compiled.spd if one.demand is not None and one.action is Action.PROTECT}
    passing = {grant.filter for one in compiled.spd if one.demand is not None for grant in one.demand.grants}
    about = {one.origin.rule for one in compiled.spd}
    for item in policy.filters:
        if not item.enabled or item.secure is None:
            continue
        if item.override_block:
            if item.name not in passing:
                yield warning(
                    item, "passes no block: no filter blocks any of its traffic that a rule protects",
                    setting="override-block", cure="Leave the filter out, or block that traffic for everybody else.",
                )  # fmt: skip
        elif item.name in about and item.name not in served:
            word = "encrypts" if item.secure in (Security.ENCRYPTED, Security.NEGOTIATED) else "protects"
            yield warning(
                item, f"permits nothing: no rule {word} any of its traffic, and so it blocks it", setting="secure",
                cure='A [[rule]] says how it is protected, such as  with = "10.0.0.0/8"  auth = { psk-file = "FILE" }',
            )  # fmt: skip
        if item.override_block and not item.allow:
            yield warning(
                item, "lets whoever can authenticate pass every filter that blocks", setting="override-block",
                cure='Say for whom: allow = { computers = ["*.admin.corp.example"] }.',
            )  # fmt: skip
