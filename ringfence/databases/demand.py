# SPDX-License-Identifier: Apache-2.0
"""What filters ask of the SAs by which traffic passes (Windows: allow the connection if it is secure).

A rule says how traffic is protected. A filter may permit traffic if it is protected, perhaps only encrypted, perhaps
only by some of those who can prove who they are. Neither is known of a packet before its SA is.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.databases.admission import Admission
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.sa import ChildSa

if TYPE_CHECKING:
    from ringfence.databases.spd import Origin


EVERYBODY = Admission()


class Lack(Enum):
    """What an SA has not that a filter asks for."""

    AUTHORITY = "authority"
    """Its peer is none of those who may."""
    ENCRYPTION = "encryption"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one filter permits."""

    filter: str
    """Its name."""
    encrypted: bool = False
    """Only what nobody on the way can read."""
    begins_readable: bool = False
    """But what comes in may be readable, until there is an SA by which answers leave encrypted (Windows: negotiate
    encryption)."""
    admission: Admission = EVERYBODY
    """Only what these send and receive."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What an SPD entry asks of an SA besides its processing: that it suffices for one of some grants."""

    grants: tuple[Grant, ...]
    basis: str = ""
    """The entry, of a rule, whose SAs serve as well if they suffice; empty where no rule protects the traffic."""
    rule: "Origin | None" = field(default=None, compare=False)
    """The rule that says how it is protected, or that it is not."""
    overrides: "Origin | None" = field(default=None, compare=False)
    """The block that gives way to such traffic (Windows: override block rules)."""

    def admits(self, *names: Identity) -> bool:
        """Whether who has proved to be all of ``names`` may, by some grant; without any: of whom nothing is known."""
        return any(_admits(one.admission, names) for one in self.grants)

    def lack(self, child: ChildSa, *, inward: bool) -> Lack | None:
        """Why ``child`` does not suffice for what comes in, or leaves; None: it does."""
        given = [one for one in self.grants if _admits(one.admission, child.proved)]
        if not given:
            return Lack.AUTHORITY
        readable = any(not one.encrypted or (inward and one.begins_readable) for one in given)
        return None if readable or child.encrypted else Lack.ENCRYPTION


def _admits(admission: Admission, names: tuple[Identity, ...]) -> bool:
    if any(one.kind is IdentityKind.NULL for one in names):
        return False  # what has to be secure is between those who have proved themselves
    return admission.admits(*names) if names else admission == EVERYBODY
