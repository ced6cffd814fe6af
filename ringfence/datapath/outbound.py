# SPDX-License-Identifier: Apache-2.0
"""Packets that leave (RFC 4301 §5.1): SPD, SAD, mode, ESP or AH, and their size.

The short way is for packets of known flows that fit their path: they are gathered into runs, one for each contract,
and a run is sealed in one go. Everything else goes the long way, packet by packet, with all its questions; what waits
in runs is sent before it, so that a flow stays in order.

Fragments from the host: where transport mode or ports need the whole packet it is made whole first; through a tunnel
for any port they travel as they are (RFC 4301 §7).
"""

from collections.abc import Sequence

from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import DfPolicy, Mode
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.datapath.acquire import kind_of
from ringfence.datapath.batch import Batch, Subject
from ringfence.datapath.clear import SoftSa
from ringfence.datapath.contract import Contract, Route
from ringfence.datapath.event import SoftSaRenewed
from ringfence.datapath.immutable import find_front
from ringfence.datapath.mode import LEAST_IPV6_MTU
from ringfence.datapath.plain import PLAIN_V4, PLAIN_V4_LEAST, plain_flow
from ringfence.datapath.pmtu import TooBigNotice
from ringfence.datapath.sender import Sender
from ringfence.datapath.state import PathState
from ringfence.datapath.verdict import Drop, Hold, Reassembling, Send, Verdict
from ringfence.net.flow import FlowKey
from ringfence.net.fragment import Fate, fragment
from ringfence.net.ip import flow_at, may_fragment, spi_of, view


class Outbound:
    """The way out."""

    def __init__(self, state: PathState) -> None:
        self._state = state
        self._flows = state.flows
        self._sender = Sender(state, self)

    def send(self, packets: Sequence[bytes], now: float) -> list[Verdict]:
        """Decide on packets from the host or the networks behind it, in order."""
        batch, state = Batch(now), self._state
        if state.clear_until is not None and state.clear_until <= now:
            state.clear_until = None
            state.forget_flows()
        active: list[Route] = []
        for packet in packets:
            route = self._known(packet)
            if route is not None:
                if not route.run:
                    active.append(route)
                route.run.append(packet)
                continue
            if active:
                self._flush(active, batch)
            self.decide(packet, batch)
        if active:
            self._flush(active, batch)
        return batch.verdicts

    def _known(self, packet: bytes) -> Route | None:
        """Where a packet goes whose flow is known and whose size is no matter."""
        octets = len(packet)
        if octets >= PLAIN_V4_LEAST and packet[0] == 0x45:  # ``plain_flow``, but for one call less
            whole, bits, protocol, key = PLAIN_V4(packet)
            if whole != octets or bits & 0x3FFF or protocol not in self._flows:
                return None
        else:
            plain = plain_flow(packet)
            if plain is None or plain[0] not in self._flows:
                return None
            protocol, key = plain
        route = self._flows[protocol].get(key)
        return route if route is not None and octets <= route.limit else None

    def _flush(self, active: list[Route], batch: Batch) -> None:
        for route in active:
            run, route.run = route.run, []
            if route.contract is None:
                self._send_clear(run, batch, route.soft)
            else:
                self._sender.seal(route.contract, run, batch)
        active.clear()

    def _send_clear(self, packets: Sequence[bytes], batch: Batch, soft: SoftSa | None = None) -> None:
        octets = sum(map(len, packets))
        self._state.counters.clear_out.add(len(packets), octets)
        if soft is not None:
            soft.spend(len(packets), octets, batch.now)
        batch.verdicts.append(Send(tuple(packets)))

    def dummies(self, contract: Contract, count: int, octets: int, now: float) -> list[Verdict]:
        """Send dummy packets by ``contract``."""
        batch = Batch(now)
        self._sender.seal_dummies(contract, count, octets, batch)
        return batch.verdicts

    def decide(
        self, packet: bytes, batch: Batch, *, rebuilt: bool = False, applied: frozenset[str] = frozenset()
    ) -> None:
        """The long way of one packet, perhaps ``rebuilt`` from fragments, or protected already by some entries."""
        parts = view(packet)
        flow = None if parts is None else flow_at(packet, parts)
        if parts is None or flow is None:
            batch.verdicts.append(self._state.drop(Drop.MALFORMED))
            return
        subject = Subject(packet[: parts.whole], parts, flow, rebuilt, applied)
        if len(self._state.neighbours):
            subject = self._to_neighbour(subject)
        if parts.is_fragment:
            self._decide_fragment(subject, batch)
        elif applied:
            self.follow(self.nested_entry(flow, applied), subject, batch)
        else:
            self.follow(self._state.spd.outbound(subject.flow), subject, batch)

    def _to_neighbour(self, subject: Subject) -> Subject:
        """Find out which of several hosts behind one NAT a packet is for."""
        leaving = self._state.neighbours.leaving(subject.packet, subject.parts)
        if leaving is None:
            return subject
        flow = flow_at(leaving.packet, subject.parts) or subject.flow
        return subject._replace(packet=leaving.packet, flow=flow, client=leaving.client, changed=leaving.changed)

    def _decide_fragment(self, subject: Subject, batch: Batch) -> None:
        portless = subject.flow._replace(source_port=None, destination_port=None)
        entry = self._state.spd.outbound_any_port(portless)
        if entry is None or (_for_any_port(entry) and not _needs_whole(entry)):
            self.follow(entry, subject._replace(flow=portless), batch)
            return
        whole = self._state.from_device.add(subject.packet, subject.parts, batch.now)
        if whole is Fate.KEPT:
            batch.verdicts.append(Reassembling())
        elif whole is Fate.REFUSED:
            batch.verdicts.append(self._state.drop(Drop.REASSEMBLY_FAILED, subject.flow))
        else:
            self.decide(whole, batch, rebuilt=True)

    def nested_entry(self, flow: FlowKey, applied: frozenset[str]) -> SpdEntry | None:
        """The entry that protects a packet yet again that some entries protected."""
        for entry in self._state.nested_entries:
            names = {entry.name} if entry.demand is None else {entry.name, entry.demand.basis}
            if names.isdisjoint(applied) and Direction.OUT in entry.directions and flow in entry.selector:
                return entry
        return None

    def follow(self, entry: SpdEntry | None, subject: Subject, batch: Batch) -> None:
        """Do with one packet what ``entry`` says."""
        state, packet, flow = self._state, subject.packet, subject.flow
        if entry is None or entry.action is Action.BYPASS:
            self._remember(packet, state.clear_route)
            self._send_clear((packet,), batch)
        elif entry.action is Action.DISCARD:
            batch.verdicts.append(state.drop(Drop.BLOCKED, flow))
        elif (contract := state.contract_for(entry, flow, subject.client)) is not None:
            self._protect(contract, subject, batch)
        elif entry.processing is not None and entry.processing.respond_only:
            self._remember(packet, state.clear_route)
            self._send_clear((packet,), batch)
        elif (soft := self._soft(entry, flow, batch.now)) is not None:
            self._remember(packet, soft.route)
            self._send_clear((packet,), batch, soft)
        else:
            held = state.holding.add(kind_of(entry, flow), flow, packet, batch.now)
            batch.verdicts.append(state.drop(held, flow) if isinstance(held, Drop) else Hold(entry.name, flow, held))

    def _soft(self, entry: SpdEntry, flow: FlowKey, now: float) -> SoftSa | None:
        """What lets a packet leave in clear that ``entry`` would rather protect, if anything."""
        state = self._state
        soft, renewed = state.soft.find(entry.name, flow, now)
        if soft is None:
            return None
        if renewed:
            state.events.append(SoftSaRenewed(entry.name, flow))
        state.clear_until = soft.until if state.clear_until is None else min(state.clear_until, soft.until)
        return soft

    def _remember(self, packet: bytes, route: Route) -> None:
        plain = plain_flow(packet)
        if plain is not None:
            self._state.remember(*plain, route)

    def _protect(self, contract: Contract, subject: Subject, batch: Batch) -> None:
        """Send one packet by ``contract``, whatever its size."""
        packet, limit = subject.packet, contract.route.limit
        if not contract.tunnel:
            front = find_front(packet, with_ah=False)
            if isinstance(front, Drop):
                batch.verdicts.append(self._state.drop(front, subject.flow))
                return
            limit = contract.limit(front.end)
        if len(packet) <= limit:
            if not subject.applied and not subject.changed:
                self._remember(packet, contract.route)
            self._sender.seal(contract, [packet], batch, subject.applied)
            return
        if subject.parts.version == 6:
            limit = max(limit, LEAST_IPV6_MTU)
            must_fit = len(packet) > limit and not subject.rebuilt
        else:
            must_fit = not may_fragment(packet) and not (contract.tunnel and contract.df is DfPolicy.CLEAR)
        if must_fit:
            self._refuse_size(subject, limit, batch)
            return
        pieces = [packet]
        if contract.tunnel and subject.parts.version == 4 and contract.df is DfPolicy.SET:
            pieces = fragment(packet, limit, self._state.identification)
        self._sender.seal(contract, pieces, batch, subject.applied, fits=False)

    def _refuse_size(self, subject: Subject, limit: int, batch: Batch) -> None:
        """Drop what does not fit and say so; where the sender is a contract of ours, that one learns it."""
        state, parts, flow = self._state, subject.parts, subject.flow
        if not subject.applied:
            batch.verdicts.append(state.drop_too_big(subject.packet, parts, limit, flow, batch.now))
            return
        protocol, spi = Protocol(parts.protocol), spi_of(subject.packet, parts)
        child = state.sad.find_outbound(protocol, parts.destination, spi)
        if child is not None:
            inside = state.contracts[child.id]
            notice = TooBigNotice(parts.destination, protocol, spi, limit, len(subject.packet))
            if inside.path_mtu.learn(notice, batch.now):
                inside.measure()
        batch.verdicts.append(state.drop(Drop.TOO_BIG, flow, spi))


def _for_any_port(entry: SpdEntry) -> bool:
    return entry.selector.source_ports.is_any and entry.selector.destination_ports.is_any


def _needs_whole(entry: SpdEntry) -> bool:
    return entry.processing is not None and entry.processing.mode is Mode.TRANSPORT
