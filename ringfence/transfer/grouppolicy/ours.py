# SPDX-License-Identifier: Apache-2.0
"""Ringfence's own default methods as the default sets of a Group Policy object, and whether a set is that.

Windows' default methods are weak, so what is written names ours. Whoever reads that back has said nothing of methods.
"""

from dataclasses import replace
from functools import cache

from ringfence.place import NOWHERE
from ringfence.policy.model import Kind, Policy, Rule
from ringfence.policy.settle import Settler
from ringfence.policy.terms import MainMode
from ringfence.transfer.grouppolicy.registry import Registry
from ringfence.transfer.grouppolicy.sets import SetKind, SetSaid, read_sets
from ringfence.transfer.grouppolicy.write_sets import Sets
from ringfence.transfer.powershell.write_sets import windows_has
from ringfence.transfer.powershell.writing import Left

DEFAULT_TITLE = "Default"


def main_mode_for_windows(mode: MainMode) -> MainMode:
    """Without the methods that Windows does not have."""
    return replace(mode, methods=tuple(filter(windows_has, mode.methods)))


@cache
def _written() -> tuple[SetSaid, ...]:
    settle = Settler(Policy())
    made = Sets({}, Left())
    terms = settle.terms(Rule("", Kind.ISOLATION))
    made.main_mode(DEFAULT_TITLE, main_mode_for_windows(settle.default.main_mode), NOWHERE, default=True)
    made.quick_mode(DEFAULT_TITLE, terms.protect, terms.pfs, NOWHERE, default=True)
    registry = Registry()
    registry.apply(made.instructions)
    return tuple(one for one in read_sets(registry) if isinstance(one, SetSaid))


def is_ours(one: SetSaid) -> bool:
    """Whether a set is a default one as Ringfence writes it where a policy says nothing."""
    return one.kind in (SetKind.CRYPTO1, SetKind.CRYPTO2) and replace(one, origin="") in _written()
