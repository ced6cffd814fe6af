# SPDX-License-Identifier: Apache-2.0
"""The packet path: whole IP packets in, verdicts out.

It opens no socket and reads no clock. Packets come in batches, with the time at which they came; what is to be done
with them goes back as verdicts, what else is to be known as events. Nothing that a packet contains makes it raise.
"""

from collections.abc import Callable, Iterable, Sequence

from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Spd
from ringfence.datapath.acquire import kind_of
from ringfence.datapath.clear import SoftSa
from ringfence.datapath.contract import ChildStatistics, Contract
from ringfence.datapath.event import FellBack, PathEvent
from ringfence.datapath.inbound import Inbound
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.outbound import Outbound
from ringfence.datapath.state import Counters, PathState
from ringfence.datapath.udp import KEEPALIVE
from ringfence.datapath.verdict import Drop, Send, Verdict
from ringfence.net.address import Path
from ringfence.net.flow import FlowKey


class DataPath:
    """All SAs of a host, and what its policy says of every packet."""

    def __init__(self, *, random: Callable[[int], bytes], limits: PathLimits | None = None) -> None:
        self._state = PathState(random, limits or PathLimits())
        self._outbound = Outbound(self._state)
        self._inbound = Inbound(self._state)

    @property
    def counters(self) -> Counters:
        """Totals: drops by their reason, protected and clear traffic."""
        return self._state.counters

    def apply(self, spd: Spd, now: float) -> list[Verdict]:
        """Follow another policy from now on, and decide anew on packets that wait.

        Contracts whose entry is gone send nothing more, and receive until they are removed.
        """
        self._state.replace_spd(spd)
        waiting = [held.packet for kind in self._state.holding.kinds() for held in self._state.holding.take(kind)]
        return self._outbound.send(waiting, now)

    def install_inbound(self, child: ChildSa, now: float) -> None:
        """Accept packets by ``child``, and let what it will carry wait for that; raises ValueError, LegacyRefused or
        NotSupported for what cannot be.
        """
        contract = self._contract(child, now)
        contract.install_inbound()
        self._state.sad.add_inbound(child)
        self._commit(contract)
        for entry, _ in child.shares:
            self._state.holding.forgive(entry)

    def install_outbound(self, child: ChildSa, now: float) -> list[Verdict]:
        """Send by ``child`` what its selector holds, and at once what waited for it; raises like the above."""
        state = self._state
        contract = self._contract(child, now)
        contract.install_outbound(state.random, state.identification)
        state.sad.add_outbound(child)
        self._commit(contract)
        for entry, selector in child.shares:
            state.soft.forget(entry, selector)
            state.holding.forgive(entry)
        if contract.path is not None and child.outbound[-1].keepalive:
            self._forget_paths()
            state.keepalives.watch(contract.path, now)
        waiting = [
            held.packet
            for entry in dict.fromkeys(one.entry for one in child.shares)
            for kind in state.holding.kinds(entry)
            if any(child.carries(flow) for flow in state.holding.flows(kind))
            for held in state.holding.take(kind)
        ]
        return self._outbound.send(waiting, now)

    def retire(self, child_id: int) -> None:
        """Send by a contract no more; what is on its way still comes in, until ``remove``."""
        contract = self._state.contracts.get(child_id)
        if contract is not None:
            contract.soft_said = contract.hard_said = True
            self._state.sad.end_outbound(child_id)
            self._state.forget_flows()

    def remove(self, child_id: int) -> None:
        """Forget a contract, both directions."""
        state = self._state
        state.sad.remove(child_id)
        contract = state.contracts.pop(child_id, None)
        if contract is None:
            return
        state.remove_inlets(contract)
        state.forget_flows()
        self._forget_paths()

    def _forget_paths(self) -> None:
        """Keep alive only what a contract goes by, and flows of whom there is a contract with."""
        state = self._state
        paths = {other.path for other in state.contracts.values() if other.path is not None}
        state.keepalives.keep(paths)
        state.neighbours.keep({path.remote for path in paths})

    def outbound(self, packets: Sequence[bytes], now: float) -> list[Verdict]:
        """Decide on whole IP packets from the device: the host's own, or those that it forwards."""
        return self._outbound.send(packets, now)

    def inbound(self, packets: Sequence[bytes], now: float) -> list[Verdict]:
        """Decide on whole IP packets from the wire: ESP, AH, fragments of them, ICMP errors about them, clear ones.

        An ICMP error that taught something gives no verdict.
        """
        return self._inbound.receive(packets, now)

    def inbound_udp(self, datagrams: Sequence[bytes], path: Path, now: float) -> list[Verdict]:
        """Decide on UDP payloads from port 4500 that are no IKE messages (``udp.is_ike``)."""
        return self._inbound.receive_udp(datagrams, path, now)

    def acquire_failed(self, entry: str, flow: FlowKey, now: float) -> list[Verdict]:
        """There can be no SA: drop what waits for one, or send it in clear where the entry allows that."""
        state = self._state
        found = state.spd.named(entry)
        if found is None or found.processing is None:
            return []
        kind = kind_of(found, flow)
        waiting = state.holding.take(kind)
        if not found.processing.clear_out:
            state.holding.refuse(kind, now)
            return [state.drop(Drop.NO_SA, held.flow) for held in waiting]
        for one in [flow, *(held.flow for held in waiting)]:
            if state.soft.begin(entry, one, now):
                state.events.append(FellBack(entry, one))
        return self._outbound.send([held.packet for held in waiting], now)

    def soft_sas(self) -> tuple[SoftSa, ...]:
        """Who talks in clear although the policy would rather have it protected."""
        return tuple(self._state.soft)

    def dummies(self, child_id: int, count: int, octets: int, now: float) -> list[Verdict]:
        """Dummy packets of ``octets`` by a contract, which its peer drops (traffic flow confidentiality, §2.6)."""
        contract = self._state.contracts.get(child_id)
        return [] if contract is None else self._outbound.dummies(contract, count, octets, now)

    def tick(self, now: float) -> list[PathEvent | Verdict]:
        """Do what time asks for: limits in seconds, packets that waited too long, keepalives."""
        state = self._state
        done: list[PathEvent | Verdict] = []
        for contract in [*state.contracts.values()]:
            state.look(contract, now)
            state.listen(contract, now)
            if contract.path_mtu.age(now):
                contract.measure()
        done += [state.drop(Drop.HOLD_EXPIRED, held.flow) for held in state.holding.expire(now)]
        for reassembler in (state.from_wire, state.from_tunnels, state.from_device):
            done += [state.drop(Drop.REASSEMBLY_FAILED) for _ in range(reassembler.tick(now))]
        if state.soft.expire(now):
            state.forget_flows()
        done += [Send((KEEPALIVE,), path) for path in state.keepalives.due(now)]
        return [*self.events(), *done]

    def next_timer(self) -> float | None:
        """When ``tick`` has something to do; None: never."""
        state = self._state
        timers: list[float | None] = [
            state.holding.next_timer(), state.soft.next_timer(), state.keepalives.next_timer(),
            *(store.next_timer() for store in (state.from_wire, state.from_tunnels, state.from_device)),
            *(at for contract in state.contracts.values() for at in _timers(contract)),
        ]  # fmt: skip
        return min((at for at in timers if at is not None), default=None)

    def events(self) -> list[PathEvent]:
        """What happened since the last call."""
        events = [*self._state.events]
        self._state.events.clear()
        return events

    def children(self) -> tuple[ChildSa, ...]:
        """All contracts."""
        return self._state.sad.children()

    def statistics(self, child_id: int) -> ChildStatistics | None:
        """What a contract did; None when there is none of that number."""
        contract = self._state.contracts.get(child_id)
        return None if contract is None else contract.statistics()

    def _commit(self, contract: Contract) -> None:
        """Put a contract into force."""
        state = self._state
        known = state.contracts.get(contract.child.id)
        if known is not None:
            state.remove_inlets(known)
        before = known or state.contracts.get(contract.child.replaces or 0)
        if before is not None and before.path is not None and contract.path is not None:
            state.neighbours.moved(before.path.remote, contract.path.remote)
        state.contracts[contract.child.id] = contract
        state.add_inlets(contract)
        state.forget_flows()

    def _contract(self, child: ChildSa, now: float) -> Contract:
        """What there is of ``child``, or a new one, which goes on where another of its number stood."""
        known = self._state.contracts.get(child.id)
        if known is not None and known.child == child:
            return known
        contract = Contract(child, self._state.limits, now)
        if known is not None:
            contract.succeed(known)
        return contract


def _timers(contract: Contract) -> Iterable[float | None]:
    """When something of a contract is due."""
    yield contract.path_mtu.until
    since, never = contract.since, float("inf")
    if not contract.soft_said and contract.out.soft.seconds < never:
        yield since + contract.out.soft.seconds
    if not contract.hard_said and contract.out.hard.seconds < never:
        yield since + contract.out.hard.seconds
    if not contract.hard_said and contract.idle_at < never:
        yield contract.idle_at
    if contract.unanswered_at < never:
        yield contract.unanswered_at
