# SPDX-License-Identifier: Apache-2.0
"""One contract at work: what the packet path keeps about a ``ChildSa``."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringfence.databases.sa import ChildSa, Mode, Sa
from ringfence.datapath.inlet import Inlet
from ringfence.datapath.lifetime import NEVER, Meter
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.outlet import Outlet
from ringfence.datapath.pmtu import PathMtu, most_inside
from ringfence.net.address import Path
from ringfence.net.ip import IPV4_OCTETS, IPV6_OCTETS

if TYPE_CHECKING:
    from ringfence.datapath.clear import SoftSa

NO_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class ChildStatistics:
    """What one contract did."""

    packets_in: int
    packets_out: int
    octets_in: int
    """Of the inner packets, as are those out."""
    octets_out: int
    since: float
    """When it was installed."""
    last_used: float | None
    path_mtu: int
    """Of its path, as far as we know."""


class Route:
    """Where a flow goes: by a contract or in clear; entries of the flow cache point here."""

    __slots__ = ("contract", "limit", "run", "soft")

    def __init__(self, contract: "Contract | None", limit: int, soft: "SoftSa | None" = None) -> None:
        self.contract = contract
        self.soft = soft
        """Where it goes in clear only for want of a contract."""
        self.limit = limit
        """The largest packet that goes this way as a matter of course."""
        self.run: list[bytes] = []
        """Packets of the present batch."""


class Contract:
    """A ``ChildSa``, its SAs prepared, and its counters."""

    def __init__(self, child: ChildSa, limits: PathLimits, now: float) -> None:
        self.child = child
        self.since = now
        self.outlet: Outlet | None = None
        """None until it is installed outbound."""
        self.inlets: list[Inlet] = []
        """Innermost first; empty until it is installed inbound."""
        out_numbers = all(sa.esn for sa in child.outbound)
        self.out = Meter(child.soft, child.hard, now, extended=out_numbers, sends=True)
        self.into = Meter(child.soft, child.hard, now, extended=out_numbers, sends=False)
        self.closed = False
        """Inbound: its hard limit is reached."""
        self.soft_said = False
        self.hard_said = False
        self.unanswered_since: float | None = None
        """When the first packet went out behind the last that came in."""
        self.unanswered_said = False
        self.heard = False
        """Whether something has come in before it was installed outbound."""
        self.moved: Path | None = None
        """Where the peer was last seen in UDP, if that is not where we send to."""
        outermost = child.outbound[-1]
        self.path = outermost.encapsulation
        self.tunnel = child.mode is Mode.TUNNEL
        self.df = child.outbound[0].tunnel.df
        self.ported = not all(
            one.selector.source_ports.is_any and one.selector.destination_ports.is_any for one in child.shares
        )
        """Whether its selector asks for ports, which later fragments do not show."""
        version = 4 if len(outermost.destination) == 4 else 6
        self.path_mtu = PathMtu(limits.mtu, version, limits.path_mtu_seconds)
        self._plain_front = IPV4_OCTETS if child.selector.source.version == 4 else IPV6_OCTETS
        self.route = Route(self, 0)
        self.measure()

    def measure(self) -> None:
        """The path MTU has changed."""
        self.route.limit = self.limit(self._plain_front)
        self.padded_over = max(sa.tfc_octets for sa in self.child.outbound) > self.route.limit
        """Whether TFC padding alone makes packets larger than the path carries, so that all have to be cut."""

    def limit(self, front_octets: int) -> int:
        """The largest packet with such a front that its path carries whole."""
        return most_inside(self.child.outbound, self.path_mtu.mtu, front_octets)

    @property
    def idle_at(self) -> float:
        """When it has had no traffic for too long, unless some comes."""
        if self.child.idle_s is None:
            return NEVER
        return max(self.since, self.out.last_used or 0.0, self.into.last_used or 0.0) + self.child.idle_s

    @property
    def unanswered_at(self) -> float:
        """When it is to be said that nothing comes in, unless something does."""
        if self.child.unanswered_s is None or self.unanswered_since is None or self.hard_said:
            return NEVER
        return self.unanswered_since + self.child.unanswered_s

    def succeed(self, other: "Contract") -> None:
        """Go on where ``other``, of the same number, stood: windows, sequence numbers and counts stay."""
        if _same(other.child.outbound, self.child.outbound):
            self.outlet = other.outlet
        elif other.outlet is not None and _moved(other.child.outbound, self.child.outbound):
            self.outlet = other.outlet.moved(self.child.outbound)
        if _same(other.child.inbound, self.child.inbound):
            self.inlets = other.inlets
            for inlet in self.inlets:
                inlet.contract = self
        elif other.inlets and _moved(other.child.inbound, self.child.inbound):
            pairs = zip(other.inlets, self.child.inbound, strict=True)
            self.inlets = [Inlet(self, position, sa, was) for position, (was, sa) in enumerate(pairs)]
        self.closed, self.soft_said, self.hard_said = other.closed, other.soft_said, other.hard_said
        self.since = other.since
        self.unanswered_since, self.unanswered_said = other.unanswered_since, other.unanswered_said
        self.out.go_on(other.out)
        self.into.go_on(other.into)

    def install_outbound(self, random: Callable[[int], bytes], identification: Callable[[], int]) -> None:
        """Make it ready to send, once; raises for what the SAs cannot be."""
        if self.outlet is None:
            self.outlet = Outlet(self.child.outbound, random, identification)

    def install_inbound(self) -> None:
        """Make it ready to receive, once; raises for what the SAs cannot be."""
        if not self.inlets:
            self.inlets = [Inlet(self, position, sa) for position, sa in enumerate(self.child.inbound)]

    def statistics(self) -> ChildStatistics:
        """What it did until now."""
        used = [at for at in (self.out.last_used, self.into.last_used) if at is not None]
        return ChildStatistics(
            self.into.packets, self.out.packets, self.into.octets, self.out.octets, self.since,
            max(used, default=None), self.path_mtu.mtu,
        )  # fmt: skip


def _same(old: tuple[Sa, ...], new: tuple[Sa, ...]) -> bool:
    """Whether they are the same SAs; a peer behind NAT may have moved to another port."""
    return _bare(old) == _bare(new) and [sa.encapsulation is None for sa in old] == [
        sa.encapsulation is None for sa in new
    ]


def _moved(old: tuple[Sa, ...], new: tuple[Sa, ...]) -> bool:
    """Whether they are the same SAs between other addresses (RFC 4555)."""
    ends = [(sa.source, sa.destination) for sa in old]
    return _bare(old) == [
        replace(sa, source=ends[at][0], destination=ends[at][1])
        for at, sa in enumerate(_bare(new)) if at < len(ends)
    ]  # fmt: skip


def _bare(sas: tuple[Sa, ...]) -> list[Sa]:
    return [replace(sa, encapsulation=None, keepalive=False) for sa in sas]
