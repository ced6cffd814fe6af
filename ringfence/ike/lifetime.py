# SPDX-License-Identifier: Apache-2.0
"""The lives of an IKE SA and of a child SA as tables, and when each comes to its end.

What a table does not have is forbidden. The soft limit, at which a successor is negotiated, is drawn at random below
the hard one: earlier at the side that began, so that the two do not usually begin at once, and different for each SA,
so that a host with many does not renew all of them in one moment.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import TypeVar

from ringfence.databases.proposal import Limits

Random = Callable[[int], bytes]


class IkeState(Enum):
    """Where an IKE SA (main mode SA) is in its life."""

    NEGOTIATING = "negotiating"
    """Its main mode is under way."""
    ESTABLISHED = "established"
    """Quick modes are made under it."""
    SPENT = "spent"
    """It serves what it has, and no new quick mode: replaced, or its quick modes are used up."""
    GONE = "gone"


class IkeEvent(Enum):
    """What may happen to an IKE SA."""

    AUTHENTICATED = auto()
    """Main mode came to its end, and the peer is who it should be."""
    FAILED = auto()
    """Main mode came to nothing."""
    REPLACED = auto()
    """Another IKE SA with the same peer counts."""
    USED_UP = auto()
    """It made as many quick modes as the policy allows, or used all its message ids."""
    DELETED = auto()
    """By the peer, by us or by an administrator."""
    EXPIRED = auto()
    """Its lifetime is over."""


IKE_SA_LIFE: dict[IkeState, dict[IkeEvent, IkeState]] = {
    IkeState.NEGOTIATING: {
        IkeEvent.AUTHENTICATED: IkeState.ESTABLISHED,
        IkeEvent.FAILED: IkeState.GONE,
        IkeEvent.DELETED: IkeState.GONE,
    },
    IkeState.ESTABLISHED: {
        IkeEvent.REPLACED: IkeState.SPENT,
        IkeEvent.USED_UP: IkeState.SPENT,
        IkeEvent.DELETED: IkeState.GONE,
        IkeEvent.EXPIRED: IkeState.GONE,
    },
    IkeState.SPENT: {
        IkeEvent.REPLACED: IkeState.SPENT,
        IkeEvent.USED_UP: IkeState.SPENT,
        IkeEvent.DELETED: IkeState.GONE,
        IkeEvent.EXPIRED: IkeState.GONE,
    },
    IkeState.GONE: {},
}


class ChildState(Enum):
    """Where a child SA (quick mode SA) is in its life."""

    LARVAL = "negotiating"
    """We could receive by it; the peer has not confirmed it."""
    AGREED = "agreed"
    """Both sides have it; we do not send by it yet, for the peer may not be ready to receive."""
    LIVE = "established"
    """We send by it."""
    REKEYING = "rekeying"
    """We send by it, and its successor is being negotiated."""
    RETIRING = "retiring"
    """It has a successor, and still receives what is under way."""
    GONE = "gone"


class ChildEvent(Enum):
    """What may happen to a child SA."""

    CONFIRMED = auto()
    """Its quick mode came to its end."""
    SWITCHED = auto()
    """From now on we send by it."""
    REKEY_BEGUN = auto()
    """A soft limit was reached, or an administrator wants other keys."""
    REKEY_FAILED = auto()
    """No successor could be had; it is tried again while this one lasts."""
    REPLACED = auto()
    """Its successor is in use."""
    ENDED = auto()
    """Deleted by either side, expired, or its negotiation came to nothing."""


CHILD_SA_LIFE: dict[ChildState, dict[ChildEvent, ChildState]] = {
    ChildState.LARVAL: {ChildEvent.CONFIRMED: ChildState.AGREED, ChildEvent.ENDED: ChildState.GONE},
    ChildState.AGREED: {
        ChildEvent.SWITCHED: ChildState.LIVE,
        ChildEvent.REPLACED: ChildState.RETIRING,
        ChildEvent.ENDED: ChildState.GONE,
    },
    ChildState.LIVE: {
        ChildEvent.REKEY_BEGUN: ChildState.REKEYING,
        ChildEvent.REPLACED: ChildState.RETIRING,
        ChildEvent.ENDED: ChildState.GONE,
    },
    ChildState.REKEYING: {
        ChildEvent.REKEY_BEGUN: ChildState.REKEYING,
        ChildEvent.REKEY_FAILED: ChildState.LIVE,
        ChildEvent.REPLACED: ChildState.RETIRING,
        ChildEvent.ENDED: ChildState.GONE,
    },
    ChildState.RETIRING: {
        ChildEvent.REKEY_FAILED: ChildState.RETIRING,
        ChildEvent.REPLACED: ChildState.RETIRING,
        ChildEvent.ENDED: ChildState.GONE,
    },
    ChildState.GONE: {},
}

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


def after(life: dict[S, dict[E, S]], state: S, event: E) -> S:
    """The state that ``event`` leads to; raises ValueError for what the table does not have."""
    try:
        return life[state][event]
    except KeyError:
        raise ValueError(f"{event.name} cannot happen to what is {state.name}") from None


INITIATOR_SHARE = (0.70, 0.80)
RESPONDER_SHARE = (0.86, 0.94)


def soft_limits(hard: Limits, random: Random, *, initiator: bool) -> Limits:
    """At which part of ``hard`` to renew."""
    low, high = INITIATOR_SHARE if initiator else RESPONDER_SHARE
    share = low + (high - low) * int.from_bytes(random(2)) / 0xFFFF

    def part(limit: int | None) -> int | None:
        return None if limit is None else max(1, int(limit * share))

    return Limits(part(hard.seconds), part(hard.octets), part(hard.packets))


def stricter(one: Limits, other: Limits) -> Limits:
    """The lower limit of each kind."""

    def lower(a: int | None, b: int | None) -> int | None:
        return b if a is None else a if b is None else min(a, b)

    return Limits(lower(one.seconds, other.seconds), lower(one.octets, other.octets), lower(one.packets, other.packets))
