# SPDX-License-Identifier: Apache-2.0
"""Events of policies: followed, refused, edited, on probation."""

from dataclasses import dataclass
from typing import ClassVar

from ringfence.audit.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyApplied(Event):
    """A policy took effect."""

    NAME: ClassVar[str] = "policy-applied"
    WINDOWS_ID: ClassVar[int] = 5460
    document: str
    rules: int
    changes: str

    def __str__(self) -> str:
        return f"policy {self.document} applied: {self.changes}"


EDIT_IDS = {"authentication set": 5040, "connection security rule": 5043, "crypto set": 5046}
EDITS = ("added", "modified", "deleted")
"""To each the next of Windows' numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEdited(Event):
    """Somebody changed a policy document by a command."""

    NAME: ClassVar[str] = "policy-edited"
    document: str
    who: str
    """Login name and user id."""
    kind: str
    name: str
    edit: str
    change: str
    """In words."""

    @property
    def windows_id(self) -> int:
        """Windows has numbers for sets and connection security rules."""
        first = next((number for word, number in EDIT_IDS.items() if self.kind.endswith(word)), None)
        return 0 if first is None else first + EDITS.index(self.edit)

    def __str__(self) -> str:
        what = f'{self.kind} "{self.name}"' if self.name else self.kind
        change = f": {self.change}" if self.change else ""
        return f"{what} {self.edit} in {self.document} by {self.who}{change}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkChanged(Event):
    """An interface is in another network than before, as the policy tells networks apart."""

    NAME: ClassVar[str] = "network-changed"
    interface: str
    profile: str
    """Empty if it is in none any more."""
    why: str
    was: str
    """Its profile until now; empty if it was in none."""

    def __str__(self) -> str:
        if not self.profile:
            return f"{self.interface} is in no network any more, until now {self.was}"
        until = f", until now {self.was}" if self.was else ""
        return f"{self.interface} is in a {self.profile} network ({self.why}){until}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRefused(Event):
    """A changed policy was not applied; the running one stays."""

    NAME: ClassVar[str] = "policy-refused"
    WINDOWS_ID: ClassVar[int] = 5461
    document: str
    detail: str

    def __str__(self) -> str:
        return f"policy {self.document} refused, the running one stays: {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOnProbation(Event):
    """A policy was applied that must be confirmed."""

    NAME: ClassVar[str] = "policy-on-probation"
    document: str
    seconds: int

    def __str__(self) -> str:
        return f"policy {self.document} is on probation: without  ringfence confirm  it goes in {self.seconds} seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfirmed(Event):
    """A policy on probation was confirmed."""

    NAME: ClassVar[str] = "policy-confirmed"
    document: str

    def __str__(self) -> str:
        return f"policy {self.document} was confirmed, and stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRolledBack(Event):
    """A policy on probation was not confirmed in time."""

    NAME: ClassVar[str] = "policy-rolled-back"
    document: str
    back_to: str

    def __str__(self) -> str:
        return f"policy {self.document} was not confirmed: back to {self.back_to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWarning(Event):
    """A policy was applied, but part of it probably does not do what its author meant."""

    NAME: ClassVar[str] = "policy-warning"
    document: str
    detail: str

    def __str__(self) -> str:
        return self.detail
