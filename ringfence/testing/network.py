# SPDX-License-Identifier: Apache-2.0
"""A network in memory: IKE engines on a wire that delays, loses, doubles and reorders, all from one seed.

``MemoryHost`` does what a real host does with an engine's effects and keeps what came of them: the contracts it could
receive by, those it sends by, and every event. ``MemoryNetwork`` lets time pass from one event to the next, so an hour
of renewals takes a moment.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from ringfence.audit import Event
from ringfence.capture.pcap import Frame
from ringfence.credentials.base import Keeper
from ringfence.databases.sa import ChildSa
from ringfence.databases.selector import Selector
from ringfence.ike.effects import (
    AcquireFailed,
    Assign,
    Effect,
    InstallInbound,
    InstallOutbound,
    Keep,
    LogIkeKey,
    LogIkeV2Keys,
    Question,
    Release,
    RemoveChild,
    Report,
    SendMessage,
    Withdraw,
)
from ringfence.ike.engine import IkeEngine
from ringfence.net.address import Endpoint, Path, parse_address
from ringfence.net.checksum import transport_checksum
from ringfence.net.flow import UDP, FlowKey
from ringfence.net.ip import build
from ringfence.testing.nat import MemoryNat
from ringfence.testing.random import SeededRandom


@dataclass(frozen=True, slots=True)
class Link:
    """What happens to datagrams on their way."""

    delay_s: tuple[float, float] = (0.01, 0.01)
    """Shortest and longest; unless they are equal, datagrams overtake each other."""
    loss: float = 0.0
    """Share of datagrams that never arrive."""
    double: float = 0.0
    """Share of those that arrive twice."""


UDP_OCTETS = 8
PERFECT = Link()


@dataclass(slots=True, eq=False)
class MemoryHost:
    """A host with an engine, and what the engine made it do."""

    address: bytes
    engine: IkeEngine
    inbound: dict[int, ChildSa] = field(default_factory=dict)
    """What it could receive by."""
    outbound: dict[int, ChildSa] = field(default_factory=dict)
    """What it could send by; the last of a selector is in use."""
    removed: list[RemoveChild] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    failures: list[AcquireFailed] = field(default_factory=list)
    keys: list[LogIkeKey] = field(default_factory=list)
    logged: list[LogIkeV2Keys] = field(default_factory=list)
    """Keys of IKEv2."""
    assigned: dict[int, Assign] = field(default_factory=dict)
    """What peers have given it, by the number that it is withdrawn by."""
    keeper: Keeper | None = None
    """Answers what the engine asks; without one nobody does."""
    kept: set[Path] = field(default_factory=set)
    """TCP connections that its engine wants kept."""
    sent: list[bytes] = field(default_factory=list)
    timeline: list[tuple[float, Effect]] = field(default_factory=list)
    """Every effect with its time."""

    def using(self, selector: Selector | None = None) -> ChildSa | None:
        """The contract that it sends by, for one selector or for its only one."""
        fitting = [child for child in self.outbound.values() if selector is None or child.selector == selector]
        return fitting[-1] if fitting else None

    def of(self, kind: type[Event]) -> list[Event]:
        """Its events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def perform(self, effect: Effect, now: float) -> SendMessage | None:
        """Do what the engine wants; a message to send comes back."""
        self.timeline.append((now, effect))
        match effect:
            case SendMessage(datagram):
                self.sent.append(datagram)
                return effect
            case InstallInbound(child):
                self.inbound[child.id] = child
            case InstallOutbound(child):
                self.outbound.pop(child.id, None)
                self.outbound[child.id] = child
            case RemoveChild(child_id):
                self.inbound.pop(child_id, None)
                self.outbound.pop(child_id, None)
                self.removed.append(effect)
            case Report(event):
                self.events.append(event)
            case AcquireFailed():
                self.failures.append(effect)
            case Assign() | Withdraw() | Keep() | Release():
                self._give(effect)
            case LogIkeKey():
                self.keys.append(effect)
            case LogIkeV2Keys():
                self.logged.append(effect)
        return None

    def _give(self, effect: Assign | Withdraw | Keep | Release) -> None:
        match effect:
            case Assign():
                self.assigned[effect.number] = effect
            case Withdraw():
                del self.assigned[effect.number]
            case Keep(path):
                self.kept.add(path)
            case Release(path):
                self.kept.discard(path)


Filter = Callable[[bytes, Path], bool]


class MemoryNetwork:
    """Hosts on one wire."""

    def __init__(self, seed: int | str = 0, link: Link = PERFECT) -> None:
        self.now = 0.0
        self.link = link
        self.random = SeededRandom(f"network {seed}")
        self.seen: list[tuple[float, Path, bytes]] = []
        """Every datagram sent, with the sender's path."""
        self.passes: Filter = lambda _datagram, _path: True
        """A test's own loss: False for a datagram that must not arrive."""
        self.listens: set[tuple[bytes, int]] = set()
        """Addresses and ports at which somebody takes TCP connections."""
        self._refused: list[tuple[float, Path]] = []
        """Those that nobody takes, until who wanted to open them hears so."""
        self._open: set[Path] = set()
        """TCP connections, from who opened them."""
        self.nats: list[MemoryNat] = []
        """Between some hosts and all others."""
        self._hosts: dict[bytes, MemoryHost] = {}
        self._wire: list[tuple[float, int, bytes, Path]] = []
        self._serial = count()

    def add(self, address: str, engine: IkeEngine) -> MemoryHost:
        """A host; one that had the address before is gone, as if its machine were restarted."""
        host = MemoryHost(parse_address(address), engine)
        self._hosts[host.address] = host
        return host

    def also(self, host: MemoryHost, address: str) -> None:
        """A host has another address, too."""
        self._hosts[parse_address(address)] = host

    def leave(self, address: str) -> None:
        """Nobody has that address any more."""
        self._hosts.pop(parse_address(address), None)

    def remove(self, host: MemoryHost) -> None:
        """A host vanishes without a word."""
        self._hosts = {address: one for address, one in self._hosts.items() if one is not host}

    def do(self, host: MemoryHost, effects: list[Effect]) -> None:
        """Perform what an entry of the host's engine returned."""
        for effect in effects:
            message = host.perform(effect, self.now)
            if message is not None:
                self._send(message)
        for question in [effect for effect in effects if isinstance(effect, Question)]:
            if host.keeper is not None:
                answer = host.keeper.answer(question)
                self.do(host, host.engine.answered(question.ticket, answer, self.now))

    def acquire(self, host: MemoryHost, entry: str, flow: FlowKey) -> None:
        """A packet of the host wants protection."""
        self.do(host, host.engine.acquire(entry, flow, self.now))

    def inject(self, datagram: bytes, path: Path) -> None:
        """Send a datagram as whoever ``path`` says, with the link's delay and nothing else."""
        heappush(self._wire, (self.now + self.link.delay_s[0], next(self._serial), datagram, path))

    def frames(self) -> list[Frame]:
        """Every datagram sent as an IP packet, for a capture of link type ``RAW_IP``."""
        return [Frame(at, udp_packet(path, datagram)) for at, path, datagram in self.seen]

    def cut(self) -> None:
        """All TCP connections are gone, and both ends notice."""
        gone, self._open = sorted(self._open, key=str), set()
        for path in [each for one in gone for each in (one, one.reversed())]:
            self._disconnected(path)

    def _disconnected(self, path: Path) -> None:
        host = self._hosts.get(path.local.address)
        if host is not None:
            self.do(host, host.engine.disconnected(path, self.now))

    def _connected(self, path: Path) -> bool:
        """Whether a message can go by a TCP connection, which is opened for it where that can be."""
        if path in self._open or path.reversed() in self._open:
            return True
        if (path.remote.address, path.remote.port) not in self.listens:
            return False
        self._open.add(path)
        return True

    def _send_by_tcp(self, message: SendMessage) -> None:
        """What is sent by a connection gets there, in order."""
        path, answers = message.path, (message.path.local.address, message.path.local.port) in self.listens
        if not self.passes(message.datagram, path):
            return
        if self._connected(path):
            heappush(self._wire, (self.now + self.link.delay_s[0], next(self._serial), message.datagram, path))
        elif not answers:  # whoever takes connections opens none
            self._refused.append((self.now + self.link.delay_s[0], path))

    def _send(self, message: SendMessage) -> None:
        self.seen.append((self.now, message.path, message.datagram))
        if message.path.tcp:
            self._send_by_tcp(message)
            return
        if not self.passes(message.datagram, message.path) or self.random.chance(self.link.loss):
            return
        path = self._translated(message.path)
        if path is None:
            return
        for _ in range(2 if self.random.chance(self.link.double) else 1):
            when = self.now + self.random.between(*self.link.delay_s)
            heappush(self._wire, (when, next(self._serial), message.datagram, path))

    def _translated(self, path: Path) -> Path | None:
        """What the NATs make of a datagram's path."""
        for nat in self.nats:
            path = nat.outward(path)
        for nat in self.nats:
            inner = nat.inward(path)
            if inner is None:
                return None
            path = inner
        return path

    def run(self, seconds: float, *, most_steps: int = 100_000) -> None:
        """Let ``seconds`` pass with all that happens in them; raises RuntimeError when that is endless."""
        end = self.now + seconds
        for _ in range(most_steps):
            when = min(self._next_times(), default=None)
            if when is None or when > end:
                self.now = end
                return
            self.now = max(self.now, when)
            self._step()
        raise RuntimeError(f"more than {most_steps} things happened in {seconds} s")

    def _next_times(self) -> Iterator[float]:
        if self._wire:
            yield self._wire[0][0]
        if self._refused:
            yield self._refused[0][0]
        for host in dict.fromkeys(self._hosts.values()):
            if (timer := host.engine.next_timer()) is not None:
                yield timer

    def _step(self) -> None:
        if self._refused and self._refused[0][0] <= self.now:
            self._disconnected(self._refused.pop(0)[1])
            return
        if self._wire and self._wire[0][0] <= self.now:
            _, _, datagram, path = heappop(self._wire)
            host = self._hosts.get(path.remote.address)
            if host is not None:
                self.do(host, host.engine.receive(datagram, path.reversed(), self.now))
            return
        for host in dict.fromkeys(self._hosts.values()):
            if (timer := host.engine.next_timer()) is not None and timer <= self.now:
                self.do(host, host.engine.tick(self.now))


def path_between(local: str, remote: str, port: int = 500) -> Path:
    """The path of IKE messages between two addresses."""
    return Path(Endpoint(parse_address(local), port), Endpoint(parse_address(remote), port))


def udp_packet(path: Path, datagram: bytes) -> bytes:
    """The IP packet in which a host sends ``datagram`` by its ``path``."""
    ports = path.local.port.to_bytes(2) + path.remote.port.to_bytes(2)
    head = ports + (UDP_OCTETS + len(datagram)).to_bytes(2)
    source, destination = path.local.address, path.remote.address
    value = transport_checksum(source, destination, UDP, head + bytes(2) + datagram)
    return build(source, destination, UDP, head + value.to_bytes(2) + datagram)
