# SPDX-License-Identifier: Apache-2.0
"""Packets that arrive (RFC 4301 §5.2): SAD, ESP or AH, mode, and whether what came out is what the SA is for.

The short way is for ESP packets whose SA is all of its contract: they are gathered into runs, one for each SA, opened
in one go, and what comes out is compared with flows known to fit. The long way takes any packet: fragments, AH,
bundles, tunnels in tunnels, ICMP about our own packets, and clear ones.

A bundle's SAs must come in exactly the order of the contract; anything less, more or else is ``WRONG_BUNDLE``. What
came out is a packet like any other: if it names an SA of ours again, it goes through that one too, a bounded number of
times.
"""

from collections.abc import Sequence
from dataclasses import replace

from ringfence.databases.demand import Lack
from ringfence.databases.spd import Action, Direction, Processing, SpdEntry
from ringfence.datapath.batch import Batch
from ringfence.datapath.clear import refuse_clear
from ringfence.datapath.contract import Contract
from ringfence.datapath.esp import Opened
from ringfence.datapath.event import PathMtuLearnt
from ringfence.datapath.inlet import Inlet
from ringfence.datapath.mode import decapsulate, inner_packet, refit_v4, refit_v6
from ringfence.datapath.plain import PLAIN_V4, PLAIN_V4_LEAST, plain_flow, plain_name
from ringfence.datapath.pmtu import TooBigNotice, read_notice
from ringfence.datapath.state import PathState
from ringfence.datapath.udp import KEEPALIVE, transport_packet
from ringfence.datapath.verdict import Deliver, Drop, Reassembling, Verdict
from ringfence.net.address import Path
from ringfence.net.flow import AH, ESP, FlowKey
from ringfence.net.fragment import Fate, Reassembler
from ringfence.net.ip import (
    IPIP,
    IPV4_OCTETS,
    View,
    flow_at,
    spi_of,
    view,
)


class Inbound:
    """The way in."""

    def __init__(self, state: PathState) -> None:
        self._state = state

    def receive(self, packets: Sequence[bytes], now: float) -> list[Verdict]:
        """Decide on whole IP packets from the wire, in order."""
        batch = Batch(now)
        active: list[Inlet] = []
        table = self._state.inlets[ESP]
        for packet in packets:
            name = plain_name(packet)
            inlet = None if name is None else table.get(name)
            if inlet is not None and inlet.open_many is not None:
                if not inlet.run:
                    active.append(inlet)
                inlet.run.append(packet)
                continue
            if active:
                self._flush(active, batch)
            self._packet(packet, batch, 0)
        if active:
            self._flush(active, batch)
        return batch.verdicts

    def receive_udp(self, datagrams: Sequence[bytes], path: Path, now: float) -> list[Verdict]:
        """Decide on the payloads of UDP datagrams that are no IKE messages, in order."""
        batch = Batch(now)
        active: list[Inlet] = []
        table, state, local = self._state.inlets[ESP], self._state, path.local.address
        for datagram in datagrams:
            inlet = table.get(local + datagram[:4])
            if inlet is not None and inlet.open_many is not None:
                if not inlet.run:
                    active.append(inlet)
                inlet.run.append(datagram)
                continue
            flow = FlowKey(path.remote.address, local, ESP, None, None)
            if datagram == KEEPALIVE:
                batch.verdicts.append(state.drop(Drop.KEEPALIVE, flow))
            elif len(datagram) < 4:
                batch.verdicts.append(state.drop(Drop.TOO_SHORT, flow))
            else:
                reason = Drop.UNKNOWN_SPI if inlet is None else Drop.WRONG_BUNDLE
                batch.verdicts.append(state.drop(reason, flow, int.from_bytes(datagram[:4])))
        for inlet in active:
            run, inlet.run = inlet.run, []
            self._open_run(inlet, run, batch, path)
        return batch.verdicts

    def _flush(self, active: list[Inlet], batch: Batch) -> None:
        for inlet in active:
            run, inlet.run = inlet.run, []
            self._open_run(inlet, run, batch, None)
        active.clear()

    def _open_run(self, inlet: Inlet, packets: Sequence[bytes], batch: Batch, path: Path | None) -> None:
        """Open packets that name one SA which is all of its contract."""
        contract = inlet.contract
        if self._ended(contract, batch.now) or inlet.open_many is None:
            batch.verdicts += [self._refuse(Drop.SA_EXPIRED, packet, inlet, path) for packet in packets]
            return
        begin = inlet.front if path is None else 0
        results = inlet.open_many([packet[begin:] for packet in packets] if begin else packets)
        if path is not None and path != contract.path and any(type(result) is Opened for result in results):
            self._state.came_by(contract, path)
        delivered: list[bytes] = []
        for packet, result in zip(packets, results, strict=True):
            inner = _known(inlet, packet if path is None else _NO_HEADER, result)
            if inner is not None:
                delivered.append(inner)
                continue
            if delivered:
                self._deliver(contract, delivered, batch)
                delivered = []
            carried = result if isinstance(result, Drop) else _carried(inlet, packet, result, path)
            if isinstance(carried, Drop):
                batch.verdicts.append(self._refuse(carried, packet, inlet, path))
            else:
                self._accept(inlet, carried, batch, 0)
        if delivered:
            self._deliver(contract, delivered, batch)

    def _ended(self, contract: Contract, now: float) -> bool:
        """Whether the contract's hard limit is reached inward."""
        if not contract.closed and now - contract.into.since >= contract.into.hard.seconds:
            self._state.look(contract, now)
        return contract.closed

    def _refuse(self, reason: Drop, packet: bytes, inlet: Inlet, path: Path | None) -> Verdict:
        if path is not None:
            flow = FlowKey(path.remote.address, path.local.address, ESP, None, None)
            return self._state.drop(reason, flow, inlet.sa.spi)
        parts = view(packet)
        return self._state.drop(reason, None if parts is None else flow_at(packet, parts), inlet.sa.spi)

    def _deliver(self, contract: Contract, packets: list[bytes], batch: Batch) -> None:
        self._count(contract, len(packets), sum(map(len, packets)), batch.now)
        batch.verdicts.append(Deliver(tuple(packets), contract.child.id))

    def _count(self, contract: Contract, packets: int, octets: int, now: float) -> None:
        self._state.counters.protected_in.add(packets, octets)
        self._state.heard(contract)
        if contract.into.spend(packets, octets, now):
            self._state.look(contract, now)

    def _packet(self, packet: bytes, batch: Batch, depth: int) -> None:
        """The long way of one packet."""
        parts = view(packet)
        if parts is None:
            batch.verdicts.append(self._state.drop(Drop.TOO_SHORT if len(packet) < IPV4_OCTETS else Drop.MALFORMED))
            return
        packet = packet[: parts.whole]
        if parts.protocol in (ESP, AH):
            if parts.is_fragment:
                whole = self._whole(self._state.from_wire, packet, parts, batch)
                if whole is not None:
                    self._packet(whole, batch, depth)
                return
            self._protected(packet, parts, batch, depth)
        elif (notice := read_notice(packet, parts)) is not None:
            self._learn(notice, packet, parts, batch)
        else:
            self._clear(packet, parts, batch)

    def _whole(self, reassembler: Reassembler, packet: bytes, parts: View, batch: Batch) -> bytes | None:
        whole = reassembler.add(packet, parts, batch.now)
        if whole is Fate.KEPT:
            batch.verdicts.append(Reassembling())
            return None
        if whole is Fate.REFUSED:
            batch.verdicts.append(self._state.drop(Drop.REASSEMBLY_FAILED, flow_at(packet, parts)))
            return None
        return whole

    def _protected(self, packet: bytes, parts: View, batch: Batch, depth: int) -> None:
        """Take every SA of one contract off a packet, from the outermost to the innermost."""
        inlet = self._state.inlet_for(packet, parts)
        if inlet is None:
            self._drop(Drop.UNKNOWN_SPI, packet, parts, batch)
            return
        outer, outer_parts = packet, parts
        expected = len(inlet.contract.child.inbound) - 1
        while True:
            result = self._unwrap(inlet, expected, packet, parts, batch.now)
            if isinstance(result, Drop):
                self._drop(result, outer, outer_parts, batch)
                return
            packet = result
            if not expected:
                self._accept(inlet, packet, batch, depth)
                return
            expected -= 1
            inside = view(packet)
            found = None if inside is None else self._state.inlet_for(packet, inside)
            if inside is None or found is None or found.contract is not inlet.contract:
                self._drop(Drop.WRONG_BUNDLE, outer, outer_parts, batch)
                return
            inlet, parts = found, inside

    def _drop(self, reason: Drop, packet: bytes, parts: View, batch: Batch) -> None:
        batch.verdicts.append(self._state.drop(reason, flow_at(packet, parts), spi_of(packet, parts)))

    def _unwrap(self, inlet: Inlet, expected: int, packet: bytes, parts: View, now: float) -> bytes | Drop:
        if inlet.position != expected:
            return Drop.WRONG_BUNDLE
        if self._ended(inlet.contract, now):
            return Drop.SA_EXPIRED
        return inlet.unwrap(packet, parts)

    def _accept(self, inlet: Inlet, packet: bytes, batch: Batch, depth: int) -> None:
        """Deliver what came out of a contract, if it is what the contract is for."""
        state, contract = self._state, inlet.contract
        plain = plain_flow(packet)
        if plain is not None and plain[1] in inlet.known.get(plain[0], ()):
            self._hand_over(inlet, packet, batch)
            return
        parts = view(packet)
        flow = None if parts is None else flow_at(packet, parts)
        if parts is None or flow is None:
            batch.verdicts.append(state.drop(Drop.MALFORMED, None, inlet.sa.spi))
            return
        if parts.is_fragment and contract.ported:
            whole = self._whole(state.from_tunnels, packet, parts, batch)
            if whole is not None:
                self._accept(inlet, whole, batch, depth)
            return
        if (why := self._refusal(contract, flow)) is not None:
            batch.verdicts.append(state.drop(why, flow, inlet.sa.spi))
            return
        if parts.protocol in (ESP, AH) and not parts.is_fragment and state.inlet_for(packet, parts) is not None:
            self._count(contract, 1, len(packet), batch.now)
            if depth >= state.limits.nested:
                batch.verdicts.append(state.drop(Drop.LOOP, flow, inlet.sa.spi))
            else:
                self._protected(packet, parts, batch, depth + 1)
            return
        if plain is not None:
            inlet.know(*plain)
        self._hand_over(inlet, packet, batch)

    def _hand_over(self, inlet: Inlet, packet: bytes, batch: Batch) -> None:
        """Deliver a packet that is what its contract is for; others behind the same NAT may have the same flow."""
        contract, state = inlet.contract, self._state
        if contract.path is not None and not contract.tunnel:
            seen, new = state.neighbours.arrived(contract.path.remote, packet, may_change=not contract.ported)
            if seen is None:
                parts = view(packet)
                flow = None if parts is None else flow_at(packet, parts)
                batch.verdicts.append(state.drop(Drop.NEIGHBOURS_FLOW, flow, inlet.sa.spi))
                return
            if new:
                state.forget_flows()  # its answers go to whom it came from
            packet = seen
        self._deliver(contract, [packet], batch)

    def _refusal(self, contract: Contract, flow: FlowKey) -> Drop | None:
        """Why the contract is not for packets of ``flow``: they are beyond its selector, or another entry's.

        Selectors of entries overlap, and the first entry decides. RFC 4301 takes such a database apart beforehand
        (§4.4.1, appendix B); here each flow is asked about. Otherwise whoever has the wide contract could send in the
        name of those for whom a narrow entry wants another peer, or another treatment.
        """
        if not contract.child.carries(flow.reversed()):
            return Drop.SELECTOR_MISMATCH
        if flow.protocol in (ESP, AH):
            return None  # tunnels in tunnels
        entry, mine = self._state.spd.inbound(flow), self._state.spd.named(contract.child.entry)
        if entry is not None and entry.action is Action.PROTECT and entry.demand is not None:
            lack = entry.demand.lack(contract.child, inward=True)
            if lack is not None:
                return LACKING[lack]
        if mine is None or entry is None or entry is mine or Direction.IN not in mine.directions:
            return None  # of ``mine``: a policy has just been replaced
        if entry.action is Action.DISCARD:
            return Drop.BLOCKED
        if entry.action is Action.PROTECT:
            return None if _alike(entry, mine) else Drop.SELECTOR_MISMATCH
        # more protection than a service needs does no harm, but hosts that talk in clear are not behind a tunnel
        return Drop.SELECTOR_MISMATCH if contract.tunnel and entry.selector.protocol is None else None

    def _learn(self, notice: TooBigNotice, packet: bytes, parts: View, batch: Batch) -> None:
        """An ICMP error about a packet of ours says how narrow its path is."""
        state = self._state
        child = state.sad.find_outbound(notice.protocol, notice.destination, notice.spi)
        if child is None:
            batch.verdicts.append(state.drop(Drop.UNKNOWN_SPI, flow_at(packet, parts), notice.spi))
            return
        contract = state.contracts[child.id]
        if contract.path_mtu.learn(notice, batch.now):
            contract.measure()
            state.events.append(PathMtuLearnt(child.id, contract.path_mtu.mtu))

    def _clear(self, packet: bytes, parts: View, batch: Batch) -> None:
        """A packet that nothing protects may come in where the policy lets it."""
        state, flow = self._state, flow_at(packet, parts)
        if flow is None:
            batch.verdicts.append(state.drop(Drop.MALFORMED))
            return
        reason = refuse_clear(state.spd.inbound(flow), flow, state.soft, batch.now)
        if reason is not None:
            batch.verdicts.append(state.drop(reason, flow))
            return
        state.counters.clear_in.add(1, len(packet))
        batch.verdicts.append(Deliver((packet,)))


LACKING = {Lack.AUTHORITY: Drop.NOT_AUTHORIZED, Lack.ENCRYPTION: Drop.NOT_ENCRYPTED}


def _alike(entry: SpdEntry, other: SpdEntry) -> bool:
    """Whether an SA of ``other`` is as good for the traffic of ``entry`` as one of its own."""
    if entry.peer != other.peer or entry.processing is None or other.processing is None:
        return False
    if entry.demand is None and other.demand is None:
        return entry.processing == other.processing
    # What a filter demands besides is asked of the SA itself; methods and clear traffic are all that it changed.
    suffices = entry.demand is not None or set(other.processing.methods) <= set(entry.processing.methods)
    return suffices and _form(entry.processing) == _form(other.processing)


def _form(processing: Processing) -> Processing:
    return replace(processing, methods=(), clear_in=False, clear_out=False, respond_only=False)


_NO_HEADER = bytes(20)
"""Of a packet that came in UDP, whose IP header we do not see."""


def _known(inlet: Inlet, outer: bytes, result: Opened | Drop) -> bytes | None:
    """The IP packet that an opened one stands for, if it is plainly of a flow that fits the contract."""
    if type(result) is not Opened:
        return None
    next_header, payload = result
    if not inlet.tunnel:
        if outer[0] == 0x45 and outer[12:20] + payload[:4] in inlet.known.get(next_header, ()):
            return refit_v4(outer, next_header, payload)
        return None
    octets = len(payload)
    if (
        next_header != IPIP
        or octets < PLAIN_V4_LEAST
        or payload[0] != 0x45
        or outer[1] & (3 if outer[0] < 0x60 else 48)
    ):
        return None
    whole, bits, protocol, key = PLAIN_V4(payload)
    return payload if whole == octets and not bits & 0x3FFF and key in inlet.known.get(protocol, ()) else None


def _carried(inlet: Inlet, outer: bytes, opened: Opened, path: Path | None) -> bytes | Drop:
    """The IP packet that an opened ESP packet stands for."""
    next_header, payload = opened
    if inlet.tunnel:
        inner = inner_packet(next_header, payload)
        if path is not None or isinstance(inner, Drop):
            return inner
        ecn = (outer[1] if outer[0] < 0x60 else outer[1] >> 4) & 3
        return decapsulate(ecn, inner) if ecn else inner
    if path is not None:
        return transport_packet(path, next_header, payload)
    return (refit_v4 if outer[0] < 0x60 else refit_v6)(outer, next_header, payload)
