# SPDX-License-Identifier: Apache-2.0
"""Seal runs of packets by a contract, within its limits, and send them.

A packet that was sealed is looked up once more among entries whose selector names ESP or AH: that is how one tunnel is
sent through another (RFC 4301 §5.1, appendix E). Each entry protects a packet once.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ringfence.datapath.batch import Batch, Subject
from ringfence.datapath.contract import Contract
from ringfence.datapath.lifetime import SEQUENCE
from ringfence.datapath.outlet import Outlet
from ringfence.datapath.state import PathState
from ringfence.datapath.verdict import Drop, Send
from ringfence.net.fragment import fragment
from ringfence.net.ip import flow_at, flow_of, view

if TYPE_CHECKING:
    from ringfence.datapath.outbound import Outbound

NOTHING: frozenset[str] = frozenset()


class Sender:
    """The last part of the way out."""

    def __init__(self, state: PathState, outbound: "Outbound") -> None:
        self._state = state
        self._outbound = outbound

    def seal(
        self,
        contract: Contract,
        packets: Sequence[bytes],
        batch: Batch,
        applied: frozenset[str] = NOTHING,
        *,
        fits: bool = True,
    ) -> None:
        """Seal a run and send it; ``fits`` says that all of it is known to fit the path."""
        meter, outlet = contract.out, contract.outlet
        octets = sum(map(len, packets))
        if outlet is None or not meter.fits(len(packets), octets) or batch.now - meter.since >= meter.hard.seconds:
            self._seal_last(contract, packets, batch, applied)
            return
        sealed = outlet.seal_many(packets)
        good = [packet for packet in sealed if type(packet) is bytes]
        if len(good) < len(sealed):
            octets = self._drop_unsealed(contract, packets, sealed, batch)
        if meter.spend(len(good), octets, batch.now):
            self._state.look(contract, batch.now)
        if contract.unanswered_since is None:
            contract.unanswered_since = batch.now
        self._state.counters.protected_out.add(len(good), octets)
        if good:
            self._emit(contract, good, batch, applied, fits=fits)

    def seal_dummies(self, contract: Contract, count: int, octets: int, batch: Batch) -> None:
        """Send packets that carry nothing; they count against the limits as others do."""
        outlet, meter = contract.outlet, contract.out
        if not self._may_send(contract, outlet, batch.now) or not meter.fits(count, count * octets) or outlet is None:
            return
        good = [packet for packet in outlet.dummies(count, octets) if isinstance(packet, bytes)]
        if meter.spend(len(good), len(good) * octets, batch.now):
            self._state.look(contract, batch.now)
        if good:
            self._emit(contract, good, batch, NOTHING, fits=False)

    def _may_send(self, contract: Contract, outlet: Outlet | None, now: float) -> bool:
        return outlet is not None and not contract.hard_said and now - contract.since < contract.out.hard.seconds

    def _drop_unsealed(
        self, contract: Contract, packets: Sequence[bytes], sealed: Sequence[bytes | Drop], batch: Batch
    ) -> int:
        """Report what could not be sealed; the octets of what could."""
        octets = 0
        for packet, result in zip(packets, sealed, strict=True):
            if not isinstance(result, Drop):
                octets += len(packet)
                continue
            batch.verdicts.append(self._state.drop(result, flow_of(packet), contract.child.outbound[-1].spi))
            if result is Drop.SEQUENCE_EXHAUSTED:
                self._state.hard_expired(contract, SEQUENCE, outward=True, inward=False)
        return octets

    def _seal_last(self, contract: Contract, packets: Sequence[bytes], batch: Batch, applied: frozenset[str]) -> None:
        """The contract ends within this run: send what its limits allow, and decide anew on the rest."""
        meter = contract.out
        fitting = 0 if batch.now - meter.since >= meter.hard.seconds else meter.fitting(map(len, packets))
        if contract.outlet is not None and fitting:
            self.seal(contract, packets[:fitting], batch, applied, fits=False)
        why = meter.hard_reached(batch.now) or "octets"
        self._state.hard_expired(contract, why, outward=True, inward=False)
        for packet in packets[fitting:]:
            self._outbound.decide(packet, batch, applied=applied)

    def _emit(
        self, contract: Contract, sealed: list[bytes], batch: Batch, applied: frozenset[str], *, fits: bool
    ) -> None:
        if contract.path is not None:
            self._state.keepalives.sent(contract.path, batch.now)
            batch.verdicts.append(Send(tuple(sealed), contract.path, contract.child.id))
            return
        if self._state.nested_entries:
            sealed = self._nest(contract, sealed, batch, applied)
        if not fits or contract.padded_over:
            mtu, number = contract.path_mtu.mtu, self._state.identification
            sealed = [piece for packet in sealed for piece in fragment(packet, mtu, number)]
        if sealed:
            batch.verdicts.append(Send(tuple(sealed), None, contract.child.id))

    def _nest(self, contract: Contract, sealed: list[bytes], batch: Batch, applied: frozenset[str]) -> list[bytes]:
        """Send through a second contract what an entry protects yet again; what is left goes to the wire."""
        applied |= {contract.child.entry}
        left: list[bytes] = []
        for packet in sealed:
            parts = view(packet)
            flow = None if parts is None else flow_at(packet, parts)
            entry = None if flow is None else self._outbound.nested_entry(flow, applied)
            if entry is None or parts is None or flow is None:
                left.append(packet)
            else:
                self._outbound.follow(entry, Subject(packet, parts, flow, applied=applied), batch)
        return left
