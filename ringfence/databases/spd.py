# SPDX-License-Identifier: Apache-2.0
"""The security policy database (RFC 4301 §4.4.1): ordered entries, the first that matches decides.

An entry's selector is written from this host's side (source: local, destination: remote). A packet that comes in is
looked up by its reversed flow, so a mirrored filter is one entry. What matches no entry is permitted, as Windows has
it; a policy that wants otherwise ends with an entry for all traffic.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, Flag, auto

from ringfence.crypto.suites import DhGroup
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.sa import Mode, TunnelOptions
from ringfence.databases.selector import Selector
from ringfence.net.flow import FlowKey


class Action(Enum):
    """What happens to a packet."""

    BYPASS = "permit"
    DISCARD = "block"
    PROTECT = "protect"


class Direction(Flag):
    """Which packets an entry is about."""

    OUT = auto()
    IN = auto()
    BOTH = OUT | IN


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entry was written, for people."""

    rule: str
    """The rule's name."""
    document: str = ""
    """The file's name, or another store's."""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.document}:{self.line}" if self.line else self.document
        return f'rule "{self.rule}" {where}'.rstrip()


@dataclass(frozen=True, slots=True)
class Processing:
    """How traffic is protected (RFC 4301 §4.4.1.2)."""

    methods: tuple[SecurityMethod, ...]
    """In order of preference."""
    mode: Mode = Mode.TRANSPORT
    tunnel_local: bytes | None = None
    """Our end of the tunnel; None in transport mode."""
    tunnel_remote: bytes | None = None
    pfs: DhGroup | None = None
    """Group of a second DH exchange in quick mode; None for none (Windows: session key PFS)."""
    clear_in: bool = False
    """Accept clear packets inward (Windows: inbound pass-through; "request" inward)."""
    clear_out: bool = False
    """Fall back to clear outward when there can be no SA (Windows: fallback; "request" outward)."""
    replay_window: int = 64
    tunnel: TunnelOptions = field(default_factory=TunnelOptions)
    tfc_octets: int = 0
    udp: bool = True
    """Encapsulate in UDP where NAT is found; the choice itself is IKE's."""


@dataclass(frozen=True, slots=True)
class SpdEntry:
    """One entry."""

    name: str
    """Unique in its database and stable from one compilation to the next."""
    selector: Selector
    """From this host outward."""
    action: Action
    origin: Origin
    directions: Direction = Direction.BOTH
    processing: Processing | None = None
    """Present exactly when the action is PROTECT."""
    peer: str = ""
    """``PadEntry.name`` of how the peer authenticates; empty unless PROTECT."""

    def __post_init__(self) -> None:
        if (self.action is Action.PROTECT) != (self.processing is not None):
            raise ValueError("an entry has processing exactly when it protects")


@dataclass(frozen=True, slots=True)
class Spd:
    """Entries in the order in which they are asked."""

    entries: tuple[SpdEntry, ...] = ()

    def __iter__(self) -> Iterator[SpdEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def outbound(self, flow: FlowKey) -> SpdEntry | None:
        """The entry that decides on a packet of this flow leaving; None: permitted by default."""
        for entry in self.entries:
            if Direction.OUT in entry.directions and flow in entry.selector:
                return entry
        return None

    def inbound(self, flow: FlowKey) -> SpdEntry | None:
        """The entry that decides on a packet of this flow arriving; None: permitted by default."""
        answer = flow.reversed()
        for entry in self.entries:
            if Direction.IN in entry.directions and answer in entry.selector:
                return entry
        return None

    def named(self, name: str) -> SpdEntry | None:
        """The entry of that name."""
        return next((entry for entry in self.entries if entry.name == name), None)
