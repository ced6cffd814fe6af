# SPDX-License-Identifier: Apache-2.0
"""How patient the IKE engine is, and how much it allows."""

from dataclasses import dataclass, field

from ringfence.ike.flood import FloodLimits
from ringfence.ike.window import Patience


@dataclass(frozen=True, slots=True)
class IkeSettings:
    """Settings of one engine; the defaults are meant for everybody."""

    patience: Patience = field(default_factory=Patience)
    flood: FloodLimits = field(default_factory=FloodLimits)
    half_open_s: float = 30.0
    """A negotiation that a peer began must be over by then."""
    doubt_s: float = 2.0
    """How long a main mode goes on after an unauthenticated sign that it cannot succeed."""
    moment_s: float = 0.5
    """So long a responder of main mode leaves the first quick mode to the initiator, and one that the peer could not
    read waits before it is begun anew."""
    beside_s: float = 0.2
    """A peer that has chosen nothing of one version of IKE by then is tried with the next one of its rule, too."""
    beside_tcp_s: float = 2.0
    """Likewise by TCP, where its rule says so: by then UDP has been tried twice."""
    prefer_s: float = 5.0
    """What a rule names first goes on being tried for so long, once a peer has proved itself by a later version."""
    switch_s: float = 5.0
    """After a renewal that we began: we send by the old SAs until the peer has certainly got our last message. A peer
    that announces that it is ready before needs no time."""
    first_switch_s: float = 0.1
    """Likewise for the first SAs of a flow, which hold packets up."""
    commit_s: float = 1.0
    """How long we wait for a peer with the commit bit to say that it can receive."""
    retire_s: float = 10.0
    """What has a successor goes on receiving for so long."""
    retire_patience_s: float = 30.0
    """Likewise where the peer is the one to delete it, and does not."""
    retry_s: float = 10.0
    """After a renewal failed."""
    most_waiting: int = 64
    """Flows that one negotiation remembers, to say in the end what became of them."""
