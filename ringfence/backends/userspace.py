# SPDX-License-Identifier: Apache-2.0
"""The backend that needs no IPsec in the kernel: it drives ``datapath.engine`` with a TUN device and raw sockets.

Packets come in bursts from the device and the sockets, go through the packet path together, and what it decides is
carried out. One timer serves all its clocks. What many packets have to say (drops) is merged for a second.

What the kernel does for a policy is ``backends.kernel``'s. When it refuses a new policy, the old one is put back.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from socket import socket
from typing import Protocol

from ringfence.backends import answers, base, nft
from ringfence.backends import filter as static
from ringfence.backends.base import BackendError, BackendStatistics, ChildTraffic
from ringfence.backends.changes import Changes
from ringfence.backends.early import Early
from ringfence.backends.kernel import KernelSide
from ringfence.backends.raw import RawSockets, TooBig
from ringfence.backends.tun import Tun
from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Spd
from ringfence.datapath import event as path_event
from ringfence.datapath import verdict
from ringfence.datapath.engine import DataPath
from ringfence.datapath.limits import PathLimits
from ringfence.datapath.pmtu import too_big
from ringfence.datapath.verdict import Drop, Verdict
from ringfence.net.address import Path
from ringfence.net.flow import AH, ESP, FlowKey
from ringfence.net.ip import view

MERGE_SECONDS = 1.0
MOST_MERGED = 256
"""Kinds of drops told of one by one within that time; of the rest, the counters."""
GRACE_SECONDS = 2.0
"""After SAs are there or gone, what the peer had sent before, in clear or by them, may still come in."""
TIMER_SECONDS = 0.1
"""How late a timer may be that a packet set; so bursts need not look at it each time."""


class UdpSender(Protocol):
    """What sends ESP in UDP: ``udp.IkeSockets``."""

    def send_esp(self, datagrams: Iterable[bytes], path: Path) -> None:
        """Send these as they are."""


class UserspaceBackend:
    """Carries out a policy with a TUN device, raw sockets, routes and nftables."""

    name = "userspace"

    def __init__(
        self,
        *,
        random: Callable[[int], bytes],
        clock: Callable[[], float],
        events: base.Events,
        udp: UdpSender | None = None,
        device: str = base.DEVICE,
        mark: int = base.MARK,
        table: int = base.TABLE,
    ) -> None:
        """``clock`` gives monotonic seconds; ``udp`` may be set later, before the first SA that encapsulates."""
        self.events = events
        self.udp = udp
        self._random, self._clock = random, clock
        self._device, self._mark = device, mark
        self._kernel = KernelSide(device=device, mark=mark, table=table)
        self._lock = asyncio.Lock()
        """Around all that changes the kernel's side."""
        self._open = contextlib.AsyncExitStack()
        self._started = False
        self._spd = Spd()
        self._path = DataPath(random=random)
        self._early = Early()
        self._assigned: dict[int, tuple[str, tuple[bytes, ...]]] = {}
        """Addresses that peers have given this host, and which peer, by the number that withdraws them."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._drops: dict[tuple[Drop, FlowKey | None, int], int] = {}
        self._reported: dict[str, int] = {}
        self._told: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Make device, sockets and rules; a killed predecessor's rules stay in force until ``apply``."""
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as opening:
            await opening.enter_async_context(self._kernel)
            self._raw = RawSockets(self._mark)
            opening.callback(self._raw.close)
            self._tun = Tun(self._device)
            opening.callback(self._close_device)
            self._path = DataPath(random=self._random, limits=PathLimits(mtu=await self._kernel.set_up_device()))
            self._changes = Changes(lambda: self._later(self._mend), ours=self._kernel.index)
            opening.callback(self._changes.close)
            await self._kernel.add_rules()
            self._open = opening.pop_all()
        self._reported = {name: count.packets for name, count in nft.counts().items()}
        loop.add_reader(self._tun, self._from_device)
        for one in self._raw.receivers():
            loop.add_reader(one, self._from_wire, one)
        self._told = loop.call_later(MERGE_SECONDS, self._tell_drops)
        self._started = True

    async def apply(self, spd: Spd) -> None:
        """Follow ``spd``; when the host refuses, the old policy is put back and BackendError says why.

        The first one has none before it: what was in force until then stays, if it can.
        """
        async with self._lock:
            before, had = self._spd, self._kernel.applied
            try:
                await self._follow(spd)
            except BackendError:
                if had:
                    with contextlib.suppress(BackendError):
                        await self._follow(before)
                raise

    def install_inbound(self, child: ChildSa) -> None:
        """Accept packets by ``child.inbound``."""
        self._path.install_inbound(child, self._clock())
        self._try_again(self._early.take(sa.spi for sa in child.inbound))
        self._look()

    def install_outbound(self, child: ChildSa) -> None:
        """Send by ``child.outbound``, what waits for it first."""
        found = self._spd.named(child.entry)
        noted = found is not None and answers.needed(found) and any(self._path.soft_sas())
        self._perform(self._path.install_outbound(child, self._clock()))
        if noted:
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._later, lambda: self._refuse_clear(child))

    async def _refuse_clear(self, child: ChildSa) -> None:
        for _, selector in child.shares:
            await self._kernel.refuse_clear(selector)

    def remove(self, child_id: int) -> None:
        """Send by it no more; what is on its way still comes in for a moment."""
        self._path.retire(child_id)
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._path.remove, child_id)

    def assign(self, number: int, peer: str, addresses: Sequence[bytes]) -> None:
        """Give our device these; what is protected with that peer comes from them."""
        self._assigned[number] = peer, tuple(addresses)
        self._later(self._addresses)

    def withdraw(self, number: int) -> None:
        """Take them away, and what led to them."""
        if self._assigned.pop(number, None) is not None:
            self._later(self._addresses)

    def acquire_failed(self, entry: str, flow: FlowKey) -> None:
        """Drop what waits, or send it in clear where the entry allows it."""
        self._perform(self._path.acquire_failed(entry, flow, self._clock()))

    def inbound_udp(self, datagrams: Sequence[bytes], path: Path) -> None:
        """Take ESP that came in UDP."""
        self._perform(self._path.inbound_udp(datagrams, path, self._clock()))

    def statistics(self) -> BackendStatistics:
        """Totals so far."""
        counters = self._path.counters
        dropped = {reason.value: count for reason, count in counters.dropped.items() if count}
        for name, count in nft.counts().items():
            if count.packets:
                dropped[name] = dropped.get(name, 0) + count.packets
        errors = {**self._raw.errors, "device": self._tun.lost} if self._started else {}
        return BackendStatistics(
            children={child.id: self._traffic(child.id) for child in self._path.children()},
            soft=tuple(base.soft_traffic(self._path)),
            protected_packets_in=counters.protected_in.packets,
            protected_packets_out=counters.protected_out.packets,
            protected_octets_in=counters.protected_in.octets,
            protected_octets_out=counters.protected_out.octets,
            clear_packets_out=counters.clear_out.packets,
            clear_octets_out=counters.clear_out.octets,
            dropped=dropped,
            errors={name: count for name, count in errors.items() if count},
        )

    async def stop(self, leaving: str = "") -> None:
        """Remove rules, routes, table, device and sockets, and put settings back, each even if another cannot be.

        ``leaving``: an input of nft that takes the place of our table.
        """
        async with self._lock:
            if not self._started:
                return
            self._started = False
            for handle in (self._timer, self._told):
                if handle is not None:
                    handle.cancel()
            for one in self._raw.receivers():
                asyncio.get_running_loop().remove_reader(one)
            self._open.push_async_callback(self._kernel.remove_all, leaving)
            await self._open.aclose()

    async def _follow(self, spd: Spd) -> None:
        def switch() -> None:
            self._spd = spd
            self._raw.local = self._kernel.host.local
            self._perform(self._path.apply(spd, self._clock()))

        await self._kernel.follow(spd, switch)

    async def _addresses(self) -> None:
        """Peers have given this host addresses, or taken them back."""
        found: dict[str, tuple[bytes, ...]] = {}
        for peer, addresses in reversed(self._assigned.values()):  # of several the newest comes first
            found[peer] = (*found.get(peer, ()), *addresses)
        self._kernel.assigned = found
        await self._kernel.follow_addresses(self._spd)
        self._raw.local = self._kernel.host.local
        self._emit(base.HostChanged())

    async def _mend(self) -> None:
        """The host changed, or somebody took away what is ours."""
        self._emit(base.HostChanged())
        await self._kernel.mend(self._spd)
        self._raw.local = self._kernel.host.local

    async def _device_again(self) -> None:
        """Somebody deleted the device; nftables kept the host closed. Make another."""
        self._tun = Tun(self._device)
        asyncio.get_running_loop().add_reader(self._tun, self._from_device)
        await self._kernel.mend(self._spd)
        self._changes.ours = self._kernel.index

    def _later(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do this when the kernel's side is free, unless we are stopping by then."""

        async def do() -> None:
            async with self._lock:
                if self._started:
                    with contextlib.suppress(BackendError):  # half done by somebody else; its next message comes
                        await work()

        task = asyncio.get_running_loop().create_task(do())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _close_device(self) -> None:
        asyncio.get_running_loop().remove_reader(self._tun)
        self._tun.close()

    def _from_device(self) -> None:
        try:
            packets = self._tun.read()
        except BackendError:
            self._close_device()
            self._later(self._device_again)
        else:
            self._perform(self._path.outbound(packets, self._clock()))

    def _from_wire(self, one: socket) -> None:
        packets = self._raw.receive(one)
        now = self._clock()
        verdicts, kept = self._early.sort_out(packets, self._path.inbound(packets, now), now)
        self._path.counters.dropped[Drop.UNKNOWN_SPI] -= kept  # not yet
        self._perform(verdicts)

    def _perform(self, verdicts: Iterable[Verdict | path_event.PathEvent]) -> None:
        """Carry out what the packet path decided, in its order for the wire and for the host."""
        wire: list[bytes] = []
        host: list[bytes] = []
        for one in verdicts:
            if isinstance(one, verdict.Send):
                self._send(one, wire)
            elif isinstance(one, verdict.Deliver):
                host += one.packets
            else:
                self._note(one, wire, host)
        if wire:
            self._tell_sizes(self._raw.send(wire), host)
        if host:
            self._tun.write(host)
        for one in self._path.events():
            self._note(one, wire, host)
        self._look()

    def _send(self, one: verdict.Send, wire: list[bytes]) -> None:
        if one.path is None:
            wire += one.packets
        elif self.udp is not None:
            self.udp.send_esp(one.packets, one.path)

    def _note(self, one: Verdict | path_event.PathEvent, wire: list[bytes], host: list[bytes]) -> None:
        match one:
            case verdict.Dropped(reason, flow, spi, reply, to_host):
                self._merge(reason, flow, spi)
                if reply is not None:
                    (host if to_host else wire).append(reply)
            case verdict.Hold(entry, flow, acquire=True):
                self._emit(base.Acquire(entry, flow))
            case verdict.Hold() | verdict.Send() | verdict.Deliver() | verdict.Reassembling():
                pass
            case _:
                self._emit(base.told(one))

    def _emit(self, event: base.BackendEvent) -> None:
        asyncio.get_running_loop().call_soon(self.events, event)

    def _tell_sizes(self, refused: Iterable[TooBig], host: list[bytes]) -> None:
        """What the kernel would not send for its size: the packet path learns it of its own, a sender of clear ones."""
        for packet, mtu in refused:
            parts = view(packet)
            notice = None if parts is None or not mtu else too_big(packet, parts, mtu)
            if parts is None or notice is None:
                continue
            if parts.protocol in (ESP, AH):
                self._path.inbound([notice], self._clock())
            else:
                host.append(notice)

    def _merge(self, reason: Drop, flow: FlowKey | None, spi: int) -> None:
        key = (reason, flow, spi)
        if key in self._drops or len(self._drops) < MOST_MERGED:
            self._drops[key] = self._drops.get(key, 0) + 1

    def _tell_drops(self) -> None:
        """Each second: what the packet path dropped, and how far the static rules' counters went."""
        for (reason, flow, spi), count in self._drops.items():
            self._emit(base.Dropped(reason, flow, spi, count))
        self._drops.clear()
        counts = nft.counts()
        for reason in static.REASONS:
            now = counts.get(reason.value, static.Count()).packets
            more = now - self._reported.get(reason.value, 0)
            self._reported[reason.value] = now
            if more > 0:
                self._emit(base.Dropped(reason, None, 0, more))
        self._told = asyncio.get_running_loop().call_later(MERGE_SECONDS, self._tell_drops)

    def _look(self) -> None:
        """See to it that the packet path's timers are looked at soon."""
        loop = asyncio.get_running_loop()
        if self._timer is None or self._timer.when() > loop.time() + TIMER_SECONDS:
            self._set_timer(TIMER_SECONDS)

    def _set_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._clock()
        self._try_again(self._early.overdue(now))
        due = self._path.next_timer()
        if due is not None and due <= now:
            self._perform(self._path.tick(now))
            due = self._path.next_timer()
        soon = [moment for moment in (due, self._early.next_timer()) if moment is not None]
        if soon:
            self._set_timer(max(min(soon) - now, TIMER_SECONDS))

    def _try_again(self, packets: Sequence[bytes]) -> None:
        if packets:
            self._perform(self._path.inbound(packets, self._clock()))

    def _traffic(self, child_id: int) -> ChildTraffic:
        found = self._path.statistics(child_id)
        if found is None:
            return ChildTraffic()
        return ChildTraffic(
            packets_in=found.packets_in,
            packets_out=found.packets_out,
            octets_in=found.octets_in,
            octets_out=found.octets_out,
            last_used=found.last_used,
            path_mtu=found.path_mtu,
            since=found.since,
        )
