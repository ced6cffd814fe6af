# SPDX-License-Identifier: Apache-2.0
"""The port that every backend serves: something that makes this host's traffic follow an SPD and its SAs.

A backend is told (``apply``, ``install_…``, ``remove``) and tells (events through one callback). It owns every trace
that it leaves on the host: ``stop`` removes them all, and ``start`` takes over what a predecessor left that was
killed. Between those two the host fails closed: what an entry requires to be protected never leaves or enters in clear.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Spd
from ringfence.datapath import event as path_event
from ringfence.datapath.engine import DataPath
from ringfence.datapath.verdict import Drop
from ringfence.errors import IpsecError
from ringfence.net.address import Path
from ringfence.net.flow import FlowKey

DEVICE = "rf0"
MARK = 0x5246
"""On every packet that we send ourselves; such packets leave by the host's own routes."""
TABLE_NAME = "ringfence"
"""Of our table in nftables."""
BOOT_TABLE_NAME = "ringfence_boot"
"""Of the one that holds until ours is there."""
TABLE = 4301
"""Our routing table, for what this host sends; the number is that of the RFC. The next one is for what it forwards."""
PRIORITY = 4301
"""Of our routing rules: this, the one before and the one behind. They come behind the local table, before all that
people usually add."""


class BackendError(IpsecError):
    """The host does not let us do our work; ``cure`` says what would."""


@dataclass(frozen=True, slots=True)
class Acquire:
    """A packet waits for an SA; answer with ``install_outbound`` or ``acquire_failed``."""

    entry: str
    flow: FlowKey


@dataclass(frozen=True, slots=True)
class SoftExpired:
    """The contract should have a successor."""

    child_id: int
    why: str


@dataclass(frozen=True, slots=True)
class HardExpired:
    """The contract is at its end; the backend uses it no more."""

    child_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Packets went out by the contract for a while, and none came in."""

    child_id: int


@dataclass(frozen=True, slots=True)
class Answered:
    """After that something came in."""

    child_id: int


@dataclass(frozen=True, slots=True)
class PeerMoved:
    """The peer of the contract sends from another port in UDP than before."""

    child_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class PathMtu:
    """The path to a peer takes only packets of this size."""

    child_id: int
    mtu: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """Packets of one kind were dropped within about a second."""

    reason: Drop
    flow: FlowKey | None
    """As far as it is known; static rules only count."""
    spi: int
    """0 where there is none."""
    count: int


@dataclass(frozen=True, slots=True)
class FellBack:
    """Traffic goes in clear because no SA could be had and the entry allows it."""

    entry: str
    flow: FlowKey


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Traffic has gone in clear for a while because no SA could be had; nothing waits, but perhaps there can be one."""

    entry: str
    flow: FlowKey


@dataclass(frozen=True, slots=True)
class HostChanged:
    """This host's networking is another one than before: what "me", gateways and networks stand for may be, too."""


BackendEvent = (
    Acquire
    | SoftExpired
    | HardExpired
    | Unanswered
    | Answered
    | PeerMoved
    | PathMtu
    | Dropped
    | FellBack
    | TryAgain
    | HostChanged
)
Events = Callable[[BackendEvent], None]


@dataclass(frozen=True, slots=True)
class ChildTraffic:
    """What one contract has carried."""

    packets_in: int = 0
    packets_out: int = 0
    octets_in: int = 0
    octets_out: int = 0
    last_used: float | None = None
    """On the engine's clock; None when it never carried anything."""
    path_mtu: int | None = None
    since: float | None = None
    """When it was installed, on the same clock."""


@dataclass(frozen=True, slots=True)
class SoftTraffic:
    """Traffic that goes in clear although its entry would rather have it protected."""

    entry: str
    flow: FlowKey
    """The first one, from us outward."""
    since: float
    """On the engine's clock, as are the others."""
    until: float
    """When SAs are tried for again, if there is traffic then."""
    packets_out: int = 0
    octets_out: int = 0
    last_used: float | None = None


@dataclass(frozen=True, slots=True)
class BackendStatistics:
    """Totals since start."""

    children: Mapping[int, ChildTraffic] = field(default_factory=dict)
    soft: tuple[SoftTraffic, ...] = ()
    """Soft SAs."""
    protected_packets_in: int = 0
    protected_packets_out: int = 0
    protected_octets_in: int = 0
    protected_octets_out: int = 0
    clear_packets_out: int = 0
    """Sent in clear by us: permitted flows to protected places, and fallback."""
    clear_octets_out: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    """By ``Drop``'s value; the packet path's and the static rules' together."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """What the kernel refused, by the name of its error; such packets are lost as on any full link."""


def told(event: path_event.PathEvent) -> BackendEvent:
    """What a backend says of what the packet path says."""
    match event:
        case path_event.SoftExpired(child_id, why):
            return SoftExpired(child_id, why)
        case path_event.HardExpired(child_id, why):
            return HardExpired(child_id, why)
        case path_event.Unanswered(child_id):
            return Unanswered(child_id)
        case path_event.Answered(child_id):
            return Answered(child_id)
        case path_event.PeerMoved(child_id, by):
            return PeerMoved(child_id, by)
        case path_event.PathMtuLearnt(child_id, mtu):
            return PathMtu(child_id, mtu)
        case path_event.FellBack(entry, flow):
            return FellBack(entry, flow)
        case path_event.SoftSaRenewed(entry, flow):
            return TryAgain(entry, flow)


def soft_traffic(path: DataPath) -> Iterator[SoftTraffic]:
    """The soft SAs of a packet path."""
    for one in path.soft_sas():
        yield SoftTraffic(one.entry, one.flow, one.since, one.until, one.packets, one.octets, one.last_used)


class Backend(Protocol):
    """Carries out a policy on this host."""

    name: str
    """One word for people: ``userspace``."""
    events: Events
    """Set before ``start``; called from within the event loop, never from within a call to the backend's methods."""

    async def start(self) -> None:
        """Make what is needed on the host, take over what a killed predecessor left; raises BackendError."""

    async def apply(self, spd: Spd) -> None:
        """Follow this policy from now on; raises BackendError, and then the old one stays in force."""

    def install_inbound(self, child: ChildSa) -> None:
        """Accept packets by ``child.inbound``."""

    def install_outbound(self, child: ChildSa) -> None:
        """Send by ``child.outbound``, what waits for it first."""

    def remove(self, child_id: int) -> None:
        """Send by it no more; what is on its way may come in for a moment."""

    def assign(self, number: int, peer: str, addresses: Sequence[bytes]) -> None:
        """These addresses are this host's from now on, and what is protected with ``peer`` comes from them."""

    def withdraw(self, number: int) -> None:
        """What was assigned by that number is this host's no more."""

    def acquire_failed(self, entry: str, flow: FlowKey) -> None:
        """There will be no SA for this flow: drop what waits, or send it in clear where the entry allows it."""

    def inbound_udp(self, datagrams: Sequence[bytes], path: Path) -> None:
        """Take ESP that came in UDP, without the UDP header."""

    def statistics(self) -> BackendStatistics:
        """Totals so far."""

    async def stop(self, leaving: str = "") -> None:
        """Remove every trace; traffic flows in clear from now on, but for what ``leaving`` says to nftables."""
