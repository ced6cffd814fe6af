# SPDX-License-Identifier: Apache-2.0
"""What an IKE SA begins with, whoever begins it."""

from collections.abc import Callable
from dataclasses import dataclass

from ringfence.databases.pad import PadEntry
from ringfence.ike.children import Children
from ringfence.ike.v2.assigning import Assigning
from ringfence.ike.v2.child import Offered
from ringfence.ike.v2.crash import NO_TOKENS, Tokens
from ringfence.ike.v2.peers import Proved
from ringfence.ike.v2.redirect import Elsewhere
from ringfence.ike.v2.resumption import Resumption
from ringfence.net.address import Path


@dataclass(frozen=True, slots=True)
class Setting:
    """What an IKE SA begins with."""

    ike_id: int
    path: Path
    entries: tuple[PadEntry, ...]
    """How a peer at that address may authenticate: one where we begin, all that fit where the peer does."""
    spis: tuple[bytes, bytes]
    """The initiator's and the responder's; the latter is not known yet where we begin."""
    first_contact: Callable[[], bool]
    """Whether we have nothing else with this peer, and say so; asked then, for the peer may have begun meanwhile."""
    children: Children
    offered: Callable[[Proved], Offered]
    """What a responder needs to grant a child SA to a peer that has proved that."""
    assigning: Assigning
    """What both sides give each other."""
    elsewhere: Elsewhere
    """Where one side sends the other."""
    tickets: Resumption
    """By which IKE SAs are resumed."""
    own: tuple[bytes, ...] = ()
    """Where we may negotiate from."""
    tokens: Tokens = NO_TOKENS
    """By which a peer can be sure that we have forgotten the IKE SA."""
