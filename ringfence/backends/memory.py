# SPDX-License-Identifier: Apache-2.0
"""A backend for tests: it drives the packet path like the real ones, with lists in place of device and wire."""

from collections.abc import Callable, Sequence

from ringfence.backends.base import (
    Acquire,
    BackendStatistics,
    Events,
    soft_traffic,
    told,
)
from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Spd
from ringfence.datapath import event as path_event
from ringfence.datapath.engine import DataPath
from ringfence.datapath.verdict import Deliver, Dropped, Hold, Reassembling, Send, Verdict
from ringfence.net.address import Path, format_address
from ringfence.net.flow import FlowKey


class MemoryBackend:
    """Carries out a policy on nothing."""

    name = "memory"

    def __init__(self, *, random: Callable[[int], bytes], clock: Callable[[], float], events: Events) -> None:
        self.events = events
        self.started = False
        self.spd = Spd()
        self.calls: list[str] = []
        """What it was told, in order, such as ``install_inbound 3``."""
        self.wire: list[bytes] = []
        """IP packets that it sent."""
        self.datagrams: list[tuple[bytes, Path]] = []
        """What it sent in UDP."""
        self.delivered: list[bytes] = []
        """What the host got."""
        self.dropped: list[Dropped] = []
        self._path = DataPath(random=random)
        self._clock = clock

    async def start(self) -> None:
        """From now on."""
        self.started = True
        self.calls.append("start")

    async def apply(self, spd: Spd) -> None:
        """Follow this policy."""
        self.spd = spd
        self.calls.append("apply")
        self._perform(self._path.apply(spd, self._clock()))

    def install_inbound(self, child: ChildSa) -> None:
        """Accept packets by it."""
        self.calls.append(f"install_inbound {child.id}")
        self._path.install_inbound(child, self._clock())

    def install_outbound(self, child: ChildSa) -> None:
        """Send by it."""
        self.calls.append(f"install_outbound {child.id}")
        self._perform(self._path.install_outbound(child, self._clock()))

    def remove(self, child_id: int) -> None:
        """Forget it."""
        self.calls.append(f"remove {child_id}")
        self._path.remove(child_id)

    def assign(self, number: int, peer: str, addresses: Sequence[bytes]) -> None:
        """They are its own."""
        self.calls.append(f"assign {number} {peer} {' '.join(map(format_address, addresses))}")

    def withdraw(self, number: int) -> None:
        """They are no more."""
        self.calls.append(f"withdraw {number}")

    def acquire_failed(self, entry: str, flow: FlowKey) -> None:
        """There will be no SA."""
        self.calls.append(f"acquire_failed {entry}")
        self._perform(self._path.acquire_failed(entry, flow, self._clock()))

    def inbound_udp(self, datagrams: Sequence[bytes], path: Path) -> None:
        """ESP in UDP arrives."""
        self._perform(self._path.inbound_udp(datagrams, path, self._clock()))

    def outbound(self, packets: Sequence[bytes]) -> None:
        """Play the host: it sends these."""
        self._perform(self._path.outbound(packets, self._clock()))

    def inbound(self, packets: Sequence[bytes]) -> None:
        """Play the wire: these arrive."""
        self._perform(self._path.inbound(packets, self._clock()))

    def tick(self) -> None:
        """Do what time asks for."""
        self._perform(self._path.tick(self._clock()))

    def statistics(self) -> BackendStatistics:
        """Totals so far."""
        counters = self._path.counters
        return BackendStatistics(
            soft=tuple(soft_traffic(self._path)),
            protected_packets_in=counters.protected_in.packets,
            protected_packets_out=counters.protected_out.packets,
            protected_octets_in=counters.protected_in.octets,
            protected_octets_out=counters.protected_out.octets,
            clear_packets_out=counters.clear_out.packets,
            clear_octets_out=counters.clear_out.octets,
            dropped={reason.value: count for reason, count in counters.dropped.items() if count},
        )

    async def stop(self, leaving: str = "") -> None:
        """No more."""
        self.started = False
        self.calls.append(f"stop {leaving}".rstrip())

    def _perform(self, verdicts: Sequence[Verdict | path_event.PathEvent]) -> None:
        for one in [*verdicts, *self._path.events()]:
            match one:
                case Send(packets, None):
                    self.wire += packets
                case Send(packets, Path() as path):
                    self.datagrams += [(packet, path) for packet in packets]
                case Deliver(packets):
                    self.delivered += packets
                case Dropped():
                    self.dropped.append(one)
                case _:
                    self._tell(one)

    def _tell(self, one: Verdict | path_event.PathEvent) -> None:
        match one:
            case Hold(entry, flow, acquire=True):
                self.events(Acquire(entry, flow))
            case Hold() | Send() | Deliver() | Dropped() | Reassembling() | path_event.PathMtuLearnt():
                pass
            case _:
                self.events(told(one))
