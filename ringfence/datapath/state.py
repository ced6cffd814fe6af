# SPDX-License-Identifier: Apache-2.0
"""What both directions of the packet path share: databases, contracts, caches, stores and counters."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ringfence.databases.proposal import Protocol
from ringfence.databases.sad import Sad
from ringfence.databases.spd import Action, Spd, SpdEntry
from ringfence.datapath.acquire import Holding
from ringfence.datapath.clear import SoftSas
from ringfence.datapath.contract import NO_LIMIT, Contract, Route
from ringfence.datapath.event import Answered, HardExpired, PathEvent, PeerMoved, SoftExpired, Unanswered
from ringfence.datapath.inlet import Inlet
from ringfence.datapath.lifetime import IDLE
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.neighbours import Neighbours
from ringfence.datapath.pmtu import too_big
from ringfence.datapath.udp import Keepalives
from ringfence.datapath.verdict import Drop, Dropped
from ringfence.net.address import Endpoint, Path
from ringfence.net.flow import AH, ESP, TCP, UDP, FlowKey
from ringfence.net.fragment import Reassembler
from ringfence.net.ip import View


@dataclass(slots=True)
class Tally:
    """Packets and their octets."""

    packets: int = 0
    octets: int = 0

    def add(self, packets: int, octets: int) -> None:
        """Count these."""
        self.packets += packets
        self.octets += octets


@dataclass(slots=True)
class Counters:
    """Totals since the start."""

    dropped: Counter[Drop] = field(default_factory=Counter)
    protected_out: Tally = field(default_factory=Tally)
    """Inner packets, as are those in."""
    protected_in: Tally = field(default_factory=Tally)
    clear_out: Tally = field(default_factory=Tally)
    clear_in: Tally = field(default_factory=Tally)


class PathState:
    """All that the packet path knows."""

    def __init__(self, random: Callable[[int], bytes], limits: PathLimits) -> None:
        self.random = random
        self.limits = limits
        self.spd = Spd()
        self.nested_entries: tuple[SpdEntry, ...] = ()
        """Those that protect packets which are ESP or AH already."""
        self.sad = Sad()
        self.contracts: dict[int, Contract] = {}
        self.inlets: dict[int, dict[bytes, Inlet]] = {ESP: {}, AH: {}}
        """By protocol number, then destination and SPI as they stand in packets."""
        self.flows: dict[int, dict[bytes, Route]] = {TCP: {}, UDP: {}}
        """The flow cache: by protocol number, then addresses and ports as they stand in packets."""
        self.clear_route = Route(None, NO_LIMIT)
        self.clear_until: float | None = None
        """When the flow cache may hold a soft SA whose lifetime is over."""
        self.holding = Holding(limits.hold)
        self.soft = SoftSas(limits.clear_seconds, limits.clear_pairs)
        self.neighbours = Neighbours(limits.flows)
        self.keepalives = Keepalives(limits.keepalive_seconds)
        self.from_wire, self.from_tunnels, self.from_device = (Reassembler(limits.reassembly) for _ in range(3))
        self.counters = Counters()
        self.events: list[PathEvent] = []
        self._identification = int.from_bytes(random(4))
        self._replies = float(limits.replies_per_second)
        self._replied = 0.0

    def identification(self) -> int:
        """A number for a packet that may be cut; never one that IPv4 sees as 0, for which the kernel puts another."""
        self._identification += 1 if (self._identification + 1) & 0xFFFF else 2
        return self._identification

    def replace_spd(self, spd: Spd) -> None:
        """Take another policy."""
        self.spd = spd
        self.nested_entries = tuple(
            entry for entry in spd
            if entry.action is Action.PROTECT and entry.selector.protocol in (ESP, AH) and _seals_again(entry, spd)
        )  # fmt: skip
        self.soft.keep({entry.name for entry in spd if entry.processing is not None and entry.processing.clear_out})
        self.holding.forgive()
        self.forget_flows()
        self._forget_known()

    def forget_flows(self) -> None:
        """What decided about flows has changed."""
        for cache in self.flows.values():
            cache.clear()

    def _forget_known(self) -> None:
        """The policy that decided which flows fit their contract has changed."""
        for inlet in (inlet for table in self.inlets.values() for inlet in table.values()):
            inlet.forget()

    def remember(self, protocol: int, key: bytes, route: Route) -> None:
        """Enter a flow into the cache."""
        cache = self.flows.get(protocol)
        if cache is not None:
            if len(cache) >= self.limits.flows:
                cache.clear()
            cache[key] = route

    def contract_for(self, entry: SpdEntry, flow: FlowKey, remote: Endpoint | None = None) -> Contract | None:
        """The newest contract that a packet may leave by, if it suffices for what filters ask.

        ``remote``: of several hosts behind one NAT, the one that is there. What will leave by its own contract soon
        leaves by no other's.
        """
        demand = entry.demand
        for name in (entry.name,) if demand is None else (entry.name, demand.basis):
            child = self.sad.outbound(name, flow, remote)
            if child is not None and remote not in (None, child.remote) and self._is_awaited(remote):
                return None
            if child is not None and (demand is None or demand.lack(child, inward=False) is None):
                return self.contracts[child.id]
        return None

    def _is_awaited(self, remote: Endpoint | None) -> bool:
        """Whether a contract with a host behind NAT only receives as yet."""
        return any(
            one.outlet is None and one.path is not None and one.path.remote == remote for one in self.contracts.values()
        )

    def inlet_for(self, packet: bytes, parts: View) -> Inlet | None:
        """The SA that an ESP or AH packet names."""
        table = self.inlets.get(parts.protocol)
        if table is None:
            return None
        at = parts.at + (0 if parts.protocol == ESP else 4)
        return table.get(parts.destination + packet[at : at + 4])

    def drop(
        self, reason: Drop, flow: FlowKey | None = None, spi: int = 0, reply: bytes | None = None, count: int = 1
    ) -> Dropped:
        """Count a drop, and say it."""
        self.counters.dropped[reason] += count
        return Dropped(reason, flow, spi, reply)

    def drop_too_big(self, packet: bytes, parts: View, mtu: int, flow: FlowKey | None, now: float) -> Dropped:
        """Drop a packet and tell its sender what fits, unless we told enough for now."""
        rate = self.limits.replies_per_second
        self._replies = min(self._replies + max(now - self._replied, 0.0) * rate, rate)
        self._replied = now
        reply = too_big(packet, parts, mtu) if self._replies >= 1 else None
        if reply is not None:
            self._replies -= 1
        return self.drop(Drop.TOO_BIG, flow, reply=reply)

    def soft_expired(self, contract: Contract, why: str) -> None:
        """Ask for a successor, once, and only where there is none yet."""
        if not contract.soft_said:
            contract.soft_said = True
            if self.sad.newer(contract.child) is None:
                self.events.append(SoftExpired(contract.child.id, why))

    def hard_expired(self, contract: Contract, why: str, *, outward: bool, inward: bool) -> None:
        """End a contract, in the directions that reached their limit."""
        if outward:
            self.sad.end_outbound(contract.child.id)
            self.forget_flows()
        contract.closed = contract.closed or inward
        if not contract.hard_said:
            contract.hard_said = True
            self.events.append(HardExpired(contract.child.id, why))

    def look(self, contract: Contract, now: float) -> None:
        """Say which limits a contract has reached."""
        out, into = contract.out.hard_reached(now), contract.into.hard_reached(now)
        if why := out or into:
            self.hard_expired(contract, why, outward=out is not None, inward=into is not None)
        elif now >= contract.idle_at:
            self.hard_expired(contract, IDLE, outward=True, inward=False)
        elif why := contract.out.soft_reached(now) or contract.into.soft_reached(now):
            self.soft_expired(contract, why)

    def listen(self, contract: Contract, now: float) -> None:
        """Say that nothing comes in, if so; then the silence is measured anew, from the next packet out."""
        if now >= contract.unanswered_at:
            contract.unanswered_since, contract.unanswered_said = None, True
            self.events.append(Unanswered(contract.child.id))

    def heard(self, contract: Contract) -> None:
        """Something has come in."""
        contract.unanswered_since = None
        if contract.unanswered_said or (contract.outlet is None and not contract.heard):
            contract.unanswered_said, contract.heard = False, True
            self.events.append(Answered(contract.child.id))

    def came_by(self, contract: Contract, path: Path) -> None:
        """An authentic packet of a contract came in UDP by ``path``."""
        own = contract.path
        if own is None or path in (own, contract.moved) or path.local != own.local:
            return
        if path.remote.address == own.remote.address:
            contract.moved = path
            self.events.append(PeerMoved(contract.child.id, path))

    def add_inlets(self, contract: Contract) -> None:
        """Let packets in by a contract."""
        for inlet in contract.inlets:
            sa = inlet.sa
            number = ESP if sa.protocol is Protocol.ESP else AH
            for name in inlet.names:
                self.inlets[number][name] = inlet

    def remove_inlets(self, contract: Contract) -> None:
        """Let no more in."""
        for table in self.inlets.values():
            for name in [name for name, inlet in table.items() if inlet.contract is contract]:
                del table[name]


def _seals_again(entry: SpdEntry, spd: Spd) -> bool:
    """Whether a rule says so of ESP or AH, and not just a filter that asks of those what rules do for all."""
    basis = None if entry.demand is None else spd.named(entry.demand.basis)
    return basis is None or basis.selector.protocol in (ESP, AH)
