# SPDX-License-Identifier: Apache-2.0
"""What an IKE SA tells the engine that keeps it, in its place among the effects.

An IKE SA knows its peer's messages; what they mean for contracts, wishes and other IKE SAs is the engine's matter.
"""

from dataclasses import dataclass

from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa
from ringfence.ike.effects import Effect
from ringfence.ike.errors import Reason
from ringfence.ike.wishes import Wish


@dataclass(frozen=True, slots=True)
class Prepared:
    """A contract is ready to receive by; its ``InstallInbound`` follows."""

    child: ChildSa
    wish: Wish | None
    """Ours, where we began."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Both sides have a contract."""

    child: ChildSa
    wish: Wish | None
    """Ours, where we began."""


@dataclass(frozen=True, slots=True)
class QuickFailed:
    """A quick mode came to nothing."""

    reason: Reason
    detail: str
    wish: Wish | None
    """Ours, where we began."""
    child_id: int | None
    """What was prepared."""


@dataclass(frozen=True, slots=True)
class Established:
    """The peer has proved who it is."""

    first_contact: bool
    """It says that it has nothing else with us."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The peer has said something under an IKE SA that it began, so it has got our last message."""


@dataclass(frozen=True, slots=True)
class MainFailed:
    """The IKE SA is gone before it was made."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The peer's messages come from another port than before."""


@dataclass(frozen=True, slots=True)
class FirstContact:
    """The peer says, later, that it has nothing but this IKE SA with us."""


@dataclass(frozen=True, slots=True)
class PeerDeleted:
    """The peer does not receive by these any more."""

    protocol: Protocol
    spis: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PeerDeletedIke:
    """The peer has deleted an IKE SA."""

    cookies: bytes


@dataclass(frozen=True, slots=True)
class PeerSilent:
    """The peer was asked whether it is there, as often as the policy says, and did not answer."""

    detail: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Somebody says in clear that the peer does not know what we send: it may have been restarted."""

    what: str


Happening = (
    Prepared
    | Agreed
    | QuickFailed
    | Established
    | Confirmed
    | MainFailed
    | FirstContact
    | Moved
    | PeerDeleted
    | PeerDeletedIke
    | PeerSilent
    | Suspicion
)
Output = Effect | Happening
