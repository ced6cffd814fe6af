# SPDX-License-Identifier: Apache-2.0
"""What is wrong, or worth a second look, in a policy: each finding leads to the line that made it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ringfence.errors import IpsecError
from ringfence.place import NOWHERE, Place


class Severity(Enum):
    """What a finding means for the policy."""

    ERROR = "error"
    """It cannot be applied."""
    WARNING = "warning"
    """It can, but does not do what its author probably meant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found in a policy; ``str()`` is what a person reads."""

    message: str
    """One sentence: the rule, the setting, what is wrong with it."""
    place: Place = NOWHERE
    rule: str = ""
    setting: str = ""
    """Such as ``remote.gateway``."""
    excerpt: str = ""
    """The line itself with carets below the culprit."""
    cure: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        warning = "warning: " if self.severity is Severity.WARNING else ""
        head = f"{self.place}: {warning}{self.message}" if self.place else f"{warning}{self.message}"
        return "\n".join(part for part in (head, self.excerpt, self.cure) if part)


class PolicyError(IpsecError):
    """A policy that cannot be applied, with everything found in it at once."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        """At least one."""
        first = self.findings[0]
        super().__init__(first.message, place=str(first.place), cure=first.cure)

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings))


class BadWord(ValueError):
    """A word of the policy's language that means nothing; a decoder adds where it stands."""

    def __init__(self, why: str, *, cure: str = "") -> None:
        super().__init__(why)
        self.why = why
        """Continues ``NAME is VALUE, ``: such as ``which is not an IP address``."""
        self.cure = cure
