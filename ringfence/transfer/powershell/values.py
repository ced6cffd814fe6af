# SPDX-License-Identifier: Apache-2.0
"""What variables and parameters of a script hold, and what an object of the NetSecurity cmdlets is.

A value that only Windows knows is ``Unknown``, with the reason; whatever is made of it is unknown too. Objects are
handed out as copies, as on Windows: a change of ``$rule.Enabled`` counts once ``Set-NetIPsecRule`` gets ``$rule``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """The kinds of object; the value is the noun of the cmdlets."""

    RULE = "NetIPsecRule"
    MAIN_MODE_RULE = "NetIPsecMainModeRule"
    PHASE1 = "NetIPsecPhase1AuthSet"
    PHASE2 = "NetIPsecPhase2AuthSet"
    MAIN_MODE_CRYPTO = "NetIPsecMainModeCryptoSet"
    QUICK_MODE_CRYPTO = "NetIPsecQuickModeCryptoSet"
    FIREWALL_RULE = "NetFirewallRule"
    PROFILE = "NetFirewallProfile"
    SETTING = "NetFirewallSetting"
    AUTH_PROPOSAL = "NetIPsecAuthProposal"
    MAIN_MODE_PROPOSAL = "NetIPsecMainModeCryptoProposal"
    QUICK_MODE_PROPOSAL = "NetIPsecQuickModeCryptoProposal"


PROPOSALS = (Kind.AUTH_PROPOSAL, Kind.MAIN_MODE_PROPOSAL, Kind.QUICK_MODE_PROPOSAL)
"""Those that exist only in variables."""

DEFAULT_NAMES = {
    Kind.MAIN_MODE_CRYPTO: "{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE1}",
    Kind.QUICK_MODE_CRYPTO: "{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE2}",
    Kind.PHASE1: "{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}",
    Kind.PHASE2: "{E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE4}",
}
"""The Name of the set that rules without one have."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that cannot be known here."""

    why: str
    """A clause: ``Read-Host asks for it``."""


@dataclass(slots=True)
class Thing:
    """An object of the NetSecurity cmdlets."""

    kind: Kind
    values: dict[str, Value]
    """By the parameter that sets it."""
    line: int
    """Of the command that made or last changed it."""
    number: int = 0
    """The same for an object and its copies; 0 for a proposal."""
    store: str = ""
    """The policy store, if one is said."""
    doubt: int = 0
    """The line that makes of it what is not known."""

    def copy(self) -> Thing:
        """Another with the same values."""
        return Thing(self.kind, dict(self.values), self.line, self.number, self.store, self.doubt)

    @property
    def name(self) -> str:
        """What is unique in a store."""
        return text_of(self.values.get("Name"))

    @property
    def title(self) -> str:
        """What people see."""
        return text_of(self.values.get("DisplayName")) or self.name


@dataclass(slots=True)
class Hash:
    """A hashtable; keys in lower case."""

    items: dict[str, Value] = field(default_factory=dict)


Value = str | int | bool | None | Unknown | tuple["Value", ...] | Hash | Thing


def text_of(value: Value) -> str:
    """A single value as text; empty for what is none."""
    match value:
        case bool():
            return "True" if value else "False"
        case str() | int():
            return str(value)
        case tuple() if len(value) == 1:
            return text_of(value[0])
        case _:
            return ""


def items_of(value: Value) -> tuple[Value, ...]:
    """A value as a list; ``$null`` is an empty one."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def single(values: tuple[Value, ...]) -> Value:
    """What a pipeline gives: nothing, its only value, or a list."""
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def unknown_in(value: Value) -> Unknown | None:
    """The first value within ``value`` that is not known."""
    if isinstance(value, Unknown):
        return value
    if isinstance(value, tuple):
        return next((found for one in value if (found := unknown_in(one)) is not None), None)
    if isinstance(value, Hash):
        return unknown_in(tuple(value.items.values()))
    return None


def truth(value: Value) -> bool:
    """Whether a condition holds, as PowerShell sees it."""
    match value:
        case tuple():
            return truth(value[0]) if len(value) == 1 else bool(value)
        case Thing() | Hash():
            return True
        case _:
            return bool(value)
