# SPDX-License-Identifier: Apache-2.0
"""What an IKE SA tells the engine that keeps it, in its place among the effects.

An IKE SA knows its peer's messages; what they mean for contracts, wishes and other IKE SAs is the engine's matter.
"""

from dataclasses import dataclass

from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.sa import ChildSa
from ringfence.ike.effects import Effect
from ringfence.ike.errors import Reason
from ringfence.ike.wishes import Wish
from ringfence.net.address import Path


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
    lowest: bytes = b""
    """The lesser of both nonces, where that decides which of several counts (IKEv2)."""
    connects: bool = False
    """Whether the peer says when it has all it needs (the commit bit of IKEv1)."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The peer says that it has all it needs of a contract."""

    child_id: int


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
class Shortened:
    """The peer keeps an IKE SA for less than was agreed on."""

    limits: Limits


@dataclass(frozen=True, slots=True)
class Limited:
    """The peer wants proved again who we are before so many seconds are over (IKEv2)."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Worn:
    """So much has been encrypted under an IKE SA that it is to be replaced, or must be."""

    out: bool
    """Whether nothing more may be."""


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
class Relocated:
    """An IKE SA goes by other addresses (RFC 4555)."""

    contracts: bool = False
    """Whether what is under it goes there, too; until then it goes where it went."""
    was: Path | None = None
    """What that went by."""


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


@dataclass(frozen=True, slots=True)
class Succeeded:
    """An IKE SA has been rekeyed (IKEv2)."""

    made: object
    """What the version that made it knows of it: keys, SPIs, who began."""
    inherits: bool
    """Whether the successor takes over the contracts; else both sides have rekeyed, and which counts is not known, or
    the other does."""
    closes: bool = False
    """Whether it is given up, by us."""


@dataclass(frozen=True, slots=True)
class Inherits:
    """Of several successors of an IKE SA the one with these SPIs takes over its contracts."""

    spis: bytes
    """Both, 16 octets."""


@dataclass(frozen=True, slots=True)
class SuccessionFailed:
    """An IKE SA could not be rekeyed now."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The peer does not answer under an IKE SA, or says what nobody can go on with."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Left:
    """An IKE SA that has ended has nothing more to say."""


@dataclass(frozen=True, slots=True)
class Orphaned:
    """An IKE SA has ended, and its contracts end with it."""

    why: str


@dataclass(frozen=True, slots=True)
class SentElsewhere:
    """The peer sends us to another gateway, where the policy lets us go."""

    to: bytes


@dataclass(frozen=True, slots=True)
class Referred:
    """The peer has been sent to another gateway, and ends the IKE SA."""

    to: bytes


Happening = (
    Prepared
    | Agreed
    | Connected
    | QuickFailed
    | Established
    | Shortened
    | Limited
    | Worn
    | Confirmed
    | MainFailed
    | FirstContact
    | Moved
    | Relocated
    | PeerDeleted
    | PeerDeletedIke
    | PeerSilent
    | Suspicion
    | Succeeded
    | Inherits
    | SuccessionFailed
    | Lost
    | Left
    | Orphaned
    | SentElsewhere
    | Referred
)
Output = Effect | Happening
