# SPDX-License-Identifier: Apache-2.0
"""The security policy database (RFC 4301 §4.4.1): ordered entries, the first that matches decides.

An entry's selector is written from this host's side (source: local, destination: remote). A packet that comes in is
looked up by its reversed flow, so a mirrored filter is one entry. What matches no entry is permitted, as Windows has
it; a policy that wants otherwise ends with an entry for all traffic.

That is what an answer means. It is found by an index (``spd_index``), each made when it is first asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, Flag, auto
from functools import cached_property
from typing import TYPE_CHECKING

from ringfence.crypto.suites import DhGroup
from ringfence.databases.demand import Demand
from ringfence.databases.pool import Assigned
from ringfence.databases.proposal import SecurityMethod
from ringfence.databases.sa import Mode, TunnelOptions
from ringfence.databases.selector import Selector
from ringfence.databases.spd_index import SelectorIndex
from ringfence.net.address import AddressRange
from ringfence.net.flow import FlowKey
from ringfence.place import NOWHERE, Place

if TYPE_CHECKING:
    from ringfence.databases.packet_filter import PacketList


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
    place: Place = NOWHERE
    filter_list: str = ""
    """The list in an IPsec policy that its filter is in."""

    def __str__(self) -> str:
        filter_list = f', filter list "{self.filter_list}"' if self.filter_list else ""
        return f'rule "{self.rule}" {self.place.told}'.rstrip() + filter_list


@dataclass(frozen=True, slots=True)
class Processing:
    """How traffic is protected (RFC 4301 §4.4.1.2)."""

    methods: tuple[SecurityMethod, ...]
    """In order of preference."""
    mode: Mode = Mode.TRANSPORT
    tunnel_local: bytes | None = None
    """Our end of the tunnel; None in transport mode."""
    tunnel_remote: bytes | None = None
    others: tuple[AddressRange, ...] = ()
    """Other gateways that the remote one may send us to, and that are its end then."""
    assigned: Assigned | None = None
    """Which side has an address in a tunnel only because the other gave it: no more of the selector is that side's."""
    pfs: DhGroup | None = None
    """Group of a second DH exchange in quick mode; None for none (Windows: session key PFS)."""
    pfs_further: tuple[DhGroup, ...] = ()
    """What is exchanged besides; IKEv2 alone can (RFC 9370)."""
    clear_in: bool = False
    """Accept clear packets inward (Windows: inbound pass-through; "request" inward)."""
    clear_out: bool = False
    """Fall back to clear outward when there can be no SA (Windows: fallback; "request" outward)."""
    replay_window: int = 64
    tunnel: TunnelOptions = field(default_factory=TunnelOptions)
    tfc_octets: int = 0
    udp: bool = True
    """Encapsulate in UDP where NAT is found; the choice itself is IKE's."""
    idle_s: int | None = None
    """SAs end after so long without traffic, and come back with it; None: never for that."""
    respond_only: bool = False
    """Never begin: our packets leave in clear until the peer has negotiated (Windows: default response)."""

    @property
    def exchanges(self) -> tuple[DhGroup, ...]:
        """The key exchanges of quick mode, in order; none without PFS."""
        return () if self.pfs is None else (self.pfs, *self.pfs_further)


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
    weight: int = 0
    """How specific the words are that it was made of, for people; the order follows from it."""
    demand: Demand | None = None
    """What filters ask of its SAs; of an entry that blocks: of those that there are none of."""

    def __post_init__(self) -> None:
        if (self.action is Action.PROTECT) != (self.processing is not None):
            raise ValueError("an entry has processing exactly when it protects")


@dataclass(frozen=True, slots=True)
class Home:
    """Addresses of this host, and the interfaces by which packets with them may come and go in clear."""

    addresses: tuple[bytes, ...]
    devices: tuple[str, ...]


class _Indexes:
    """What a database looks up its entries by."""

    def __init__(self, entries: tuple[SpdEntry, ...]) -> None:
        self._entries = entries

    @cached_property
    def outward(self) -> SelectorIndex:
        return self._of(Direction.OUT)

    @cached_property
    def outward_any_port(self) -> SelectorIndex:
        return self._of(Direction.OUT, ports=False)

    @cached_property
    def inward(self) -> SelectorIndex:
        both_ways = all(entry.directions is Direction.BOTH for entry in self._entries)
        return self.outward if both_ways else self._of(Direction.IN)

    @cached_property
    def names(self) -> dict[str, SpdEntry]:
        return {entry.name: entry for entry in reversed(self._entries)}

    def _of(self, direction: Direction, *, ports: bool = True) -> SelectorIndex:
        return SelectorIndex(
            ((number, entry.selector) for number, entry in enumerate(self._entries) if direction in entry.directions),
            ports=ports,
        )


@dataclass(frozen=True, slots=True)
class Spd:
    """Entries in the order in which they are asked."""

    entries: tuple[SpdEntry, ...] = ()
    guards: tuple[SpdEntry, ...] = ()
    """What rules about this computer mean for an address that it gets tomorrow, of which no entry knows yet. They do
    not decide on packets here; whoever keeps the host closed lets through nothing that they would not."""
    homes: tuple[Home, ...] = ()
    """Where entries are for some interfaces only; addresses without one may be used anywhere."""
    packet_lists: "tuple[PacketList, ...]" = ()
    """Packet filters, which packets on the wire have to pass besides."""
    translated: bool = False
    """Whether what entries require holds, too, for what others send and somebody translates to our addresses."""
    tcp_ports: tuple[int, ...] = ()
    """At which TCP connections of IKE are taken, here and by the peers (RFC 9329)."""
    _indexes: _Indexes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_indexes", _Indexes(self.entries))

    def __iter__(self) -> Iterator[SpdEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def outbound(self, flow: FlowKey) -> SpdEntry | None:
        """The entry that decides on a packet of this flow leaving; None: permitted by default."""
        return self._at(self._indexes.outward.first(flow))

    def outbound_any_port(self, flow: FlowKey) -> SpdEntry | None:
        """The first entry that may decide on a packet leaving of which only addresses and protocol are known."""
        return self._at(self._indexes.outward_any_port.first(flow))

    def inbound(self, flow: FlowKey) -> SpdEntry | None:
        """The entry that decides on a packet of this flow arriving; None: permitted by default."""
        return self._at(self._indexes.inward.first(flow.reversed()))

    def covering(self, selector: Selector) -> Iterator[SpdEntry]:
        """The entries, in order, that are about all packets leaving of ``selector``."""
        number = self._indexes.outward.covering(selector)
        while number is not None:
            yield self.entries[number]
            number = self._indexes.outward.covering(selector, number)

    def named(self, name: str) -> SpdEntry | None:
        """The entry of that name."""
        return self._indexes.names.get(name)

    def _at(self, number: int | None) -> SpdEntry | None:
        return None if number is None else self.entries[number]
