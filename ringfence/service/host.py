# SPDX-License-Identifier: Apache-2.0
"""The host: does what the engines ask, and tells them what happened.

Datagrams, events of the packet path and the passing of time go into the IKE engine; the effects that come out are
performed in their order, because a rekey without loss depends on it. Whatever happens while effects are performed, or
while a new policy is on its way into the packet path, waits its turn: no engine is ever entered twice at a time, and
an acquire never meets an IKE engine that does not know its entry yet.

A fault in one message must not end the protection of all others: it is reported, and the service goes on.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from ringfence.audit import Event, FellBackToClear, MainModeFailed, PacketDropped, QuickModeFailed, ServiceFault
from ringfence.backends.base import (
    Acquire,
    Answered,
    BackendEvent,
    Dropped,
    FellBack,
    HardExpired,
    HostChanged,
    PathMtu,
    PeerMoved,
    SoftExpired,
    TryAgain,
    Unanswered,
)
from ringfence.credentials.base import Keeper
from ringfence.databases.pad import Pad
from ringfence.databases.proposal import Protocol
from ringfence.databases.spd import Spd, SpdEntry
from ringfence.datapath.verdict import Drop
from ringfence.ike.effects import (
    AcquireFailed,
    Answer,
    Assign,
    Converse,
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
    Sign,
    Staple,
    Unfit,
    Validate,
    Withdraw,
)
from ringfence.ike.errors import Reason
from ringfence.ike.header import Exchange
from ringfence.net.address import Endpoint, Path, format_address, parse_address
from ringfence.net.flow import FlowKey
from ringfence.service.connections import Connections
from ringfence.service.events import EventLog
from ringfence.service.fallback import USUAL, Fallbacks, Waits
from ringfence.service.given import Given
from ringfence.service.peers import host_part
from ringfence.service.ports import Ike, KeyRecord, PacketPath, Streams

REPORTED = "a fault that is in the event log"
"""Marks what the loop's exception handler need not report again."""

IKE_PORT = 500
EXCHANGE_AT, ERROR_EXCHANGE = 18, bytes((Exchange.INFORMATIONAL,))
"""Where a message says what exchange it is of; by this one a peer refuses, so it gives no hope."""
SECURITY_PROTOCOLS = frozenset(protocol.value for protocol in Protocol)

CONVERSATIONS = 32
"""Of EAP that may wait for a server at a time."""

LONGEST_S = 30.0
"""How long a timer may run: the loop's clock stands still while the computer sleeps, that of the engines does not."""

Now = Callable[[], float]
Send = Callable[[bytes, Path], None]


class Host:
    """One computer's."""

    def __init__(
        self, ike: Ike, backend: PacketPath, *, send: Send, now: Now, events: EventLog, moved: Callable[[], None],
        key_log: KeyRecord | None = None, waits: Waits = USUAL, keeper: Keeper | None = None,
        given: Given | None = None, streams: Streams | None = None,
    ) -> None:  # fmt: skip
        """``moved`` is called when this computer's networking changed."""
        self._ike = ike
        self._backend = backend
        self._send = send
        self._now = now
        self._events = events
        self._moved = moved
        self._key_log = key_log
        self._keeper = keeper
        self._given = given
        self._connections = Connections(streams)
        self._conversing = ThreadPoolExecutor(CONVERSATIONS, "eap")
        """Somebody whom a RADIUS server lets wait does not keep others from signing."""
        self._asked: set[asyncio.Task[None]] = set()
        self._spd = Spd()
        self._fallbacks = Fallbacks(waits, backend.acquire_failed)
        self._inbox: deque[tuple[str, Callable[[], Iterable[Effect]]]] = deque()
        self._busy = False
        self._applying = False
        self._timer: asyncio.TimerHandle | None = None
        self._alarm = 0.0
        """When the timer rings."""
        self._stopped = False

    def receive(self, datagram: bytes, path: Path) -> None:
        """An IKE message arrived."""
        if datagram[EXCHANGE_AT : EXCHANGE_AT + 1] != ERROR_EXCHANGE:
            self._fallbacks.heard(path.remote.address)
        self._enter("an IKE message", lambda: self._ike.receive(datagram, path, self._now()))

    def closed(self, peer: Endpoint) -> None:
        """ICMP says that nobody can be reached at ``peer``."""
        self._fallbacks.closed(peer.address)

    def disconnected(self, path: Path) -> None:
        """A TCP connection of IKE is gone, or never came about."""
        self._enter("the end of a connection", lambda: self._ike.disconnected(path, self._now()))

    def on_event(self, event: BackendEvent) -> None:
        """The packet path says something."""
        match event:
            case Acquire(entry, flow):
                self._enter("an acquire", lambda: self._acquire(entry, flow))
            case TryAgain(entry, flow):
                self._enter("another try", lambda: self._ike.acquire(entry, flow, self._now()))
            case SoftExpired() | HardExpired() | Unanswered() | Answered() | PeerMoved():
                self._on_contract(event)
            case Dropped():
                self._dropped(event)
            case FellBack(entry, flow):
                known = self._spd.named(entry)
                rule = known.origin.rule if known is not None else entry
                why = self._fallbacks.why(entry, flow)
                self._events.add(FellBackToClear(peer=format_address(peer_of(known, flow)), rule=rule, why=why))
            case HostChanged():
                self._moved()
            case PathMtu():
                pass  # the packet path has used it already; status shows it

    def _acquire(self, entry: str, flow: FlowKey) -> Iterable[Effect]:
        """Of a new policy, what waited under the one before is asked for while it comes into force."""
        wanted = self._spd.named(entry)
        self._fallbacks.acquire(wanted, flow, peer_of(wanted, flow))
        return self._ike.acquire(entry, flow, self._now())

    def _on_contract(self, event: SoftExpired | HardExpired | Unanswered | Answered | PeerMoved) -> None:
        """The packet path says something about one contract."""
        match event:
            case SoftExpired(child_id, why):
                self._enter("a rekey", lambda: self._ike.rekey_child(child_id, self._now(), why))
            case HardExpired(child_id, why):
                self._enter("an expiry", lambda: self._ike.child_expired(child_id, self._now(), why))
            case Unanswered(child_id):
                self._enter("a silence", lambda: self._ike.child_unanswered(child_id, self._now()))
            case Answered(child_id):
                self._enter("a sign of life", lambda: self._ike.child_answered(child_id, self._now()))
            case PeerMoved(child_id, path):
                self._enter("a move", lambda: self._ike.child_moved(child_id, path, self._now()))

    async def apply(self, spd: Spd, pad: Pad) -> None:
        """Follow a new policy: first the packet path, which fails closed, then IKE."""
        self._applying = True
        try:
            with self._connections.following(pad):
                await self._backend.apply(spd)
        except BaseException:
            self._applying = False
            self._work()
            raise
        self._applying = False
        self._spd = spd
        self._inbox.appendleft(("a new policy", lambda: self._ike.apply(spd, pad, self._now())))
        self._work()

    def delete_child(self, child_id: int, why: str) -> None:
        """End the SAs of a quick mode, and tell the peer."""
        self._enter("a deletion", lambda: self._ike.delete_child(child_id, self._now(), why))

    def drain(self, to: bytes | None) -> None:
        """Send clients to another gateway, or nowhere any more."""
        self._enter("an order", lambda: self._ike.drain(to, self._now()))

    def delete_ike(self, ike_id: int, why: str) -> None:
        """End a main mode SA, and tell the peer."""
        self._enter("a deletion", lambda: self._ike.delete_ike(ike_id, self._now(), why))

    def stop(self) -> None:
        """Take leave of every peer; nothing is done after this."""
        self._applying = False
        self._enter("the end", lambda: self._ike.shut_down(self._now()))
        self._stopped = True
        self._inbox.clear()
        self._fallbacks.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _enter(self, during: str, step: Callable[[], Iterable[Effect]]) -> None:
        if self._stopped:
            return
        self._inbox.append((during, step))
        self._work()

    def _dropped(self, event: Dropped) -> None:
        self._events.add(_told(event))
        flow = event.flow
        if event.reason is Drop.UNKNOWN_SPI and flow is not None and flow.protocol in SECURITY_PROTOCOLS:
            # A peer sends by an SA that we do not have; perhaps we had it before a restart, and it does not know.
            protocol = Protocol(flow.protocol)
            path = Path(Endpoint(flow.destination, IKE_PORT), Endpoint(flow.source, IKE_PORT))
            self._enter("an unknown SPI", lambda: self._ike.unknown_spi(protocol, event.spi, path, self._now()))
        self._schedule()

    def _work(self) -> None:
        """Take what waits, one after the other."""
        if self._busy or self._applying:
            return
        self._busy = True
        try:
            while self._inbox:
                during, step = self._inbox.popleft()
                self._guarded(during, step)
        finally:
            self._busy = False
        self._schedule()

    def _guarded(self, during: str, step: Callable[[], Iterable[Effect]]) -> None:
        try:
            for effect in step():
                self._perform(effect)
        except Exception as error:
            self._events.add(ServiceFault(during=during, detail=f"{type(error).__name__}: {error}"))
            _remember(error)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case SendMessage(datagram, path):
                self._send(datagram, path)
            case Report(event):
                self._report(event)
            case AcquireFailed(entry, flow, _, detail):
                if self._fallbacks.failed(entry, flow, detail):
                    self._backend.acquire_failed(entry, flow)
            case Sign() | Validate() | Staple() | Converse():
                task = asyncio.get_running_loop().create_task(self._ask(effect))
                self._asked.add(task)
                task.add_done_callback(self._asked.discard)
            case Assign() | Withdraw():
                if self._given is not None:
                    self._given.take(effect, self._spd)
            case Keep() | Release() | LogIkeKey() | LogIkeV2Keys():
                self._beside(effect)
            case InstallInbound() | InstallOutbound() | RemoveChild():
                self._change(effect)

    def _beside(self, effect: Keep | Release | LogIkeKey | LogIkeV2Keys) -> None:
        """What only some hosts have: TCP connections, a key log."""
        if isinstance(effect, Keep | Release):
            self._connections.take(effect)
        elif self._key_log is None:
            return
        elif isinstance(effect, LogIkeKey):
            self._key_log.ike(effect.initiator_cookie, effect.key)
        else:
            keys = effect.ei, effect.er, effect.ai, effect.ar
            spis = effect.initiator_spi, effect.responder_spi
            self._key_log.ike_v2(spis, effect.cipher, effect.authenticator, keys)

    async def _ask(self, question: Question) -> None:
        """Have a question answered beside everything else."""
        answer: Answer = Unfit(Reason.NO_PRIVATE_KEY, "nobody keeps keys here")
        if self._keeper is not None:
            try:
                threads = self._conversing if isinstance(question, Converse) else None
                answer = await asyncio.get_running_loop().run_in_executor(threads, self._keeper.answer, question)
            except Exception as error:
                self._events.add(
                    ServiceFault(during="a question about keys", detail=f"{type(error).__name__}: {error}")
                )
                answer = Unfit(Reason.NO_PRIVATE_KEY, "the keeper of keys failed")
        self._enter("an answer about keys", lambda: self._ike.answered(question.ticket, answer, self._now()))

    def _report(self, event: Event) -> None:
        match event:
            case MainModeFailed() | QuickModeFailed() if event.reason != Reason.PEER_SILENT.value:
                self._fallbacks.troubled(parse_address(host_part(event.peer)))
        self._events.add(event)

    def _change(self, effect: InstallInbound | InstallOutbound | RemoveChild) -> None:
        """Change what the packet path works by."""
        match effect:
            case InstallInbound(child):
                if self._key_log is not None:
                    self._key_log.child(child)
                self._backend.install_inbound(child)
            case InstallOutbound(child):
                self._fallbacks.installed(child)
                self._backend.install_outbound(child)
            case RemoveChild(child_id):
                self._fallbacks.removed(child_id)
                self._backend.remove(child_id)

    def _schedule(self) -> None:
        """One timer for whatever is due next; one that comes too early sets the next, so most messages set none."""
        due = [moment for moment in (self._ike.next_timer(), self._events.next_flush()) if moment is not None]
        if not due or self._stopped:
            return
        first = min(due)
        if self._timer is not None:
            if self._alarm <= first:
                return
            self._timer.cancel()
        now = self._now()
        self._alarm = min(max(now, first), now + LONGEST_S)
        self._timer = asyncio.get_running_loop().call_later(self._alarm - now, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._events.flush()
        self._enter("a timer", lambda: self._ike.tick(self._now()))


def peer_of(entry: SpdEntry | None, outward: FlowKey) -> bytes:
    """Who is to protect a flow with us: its destination, or the gateway before it."""
    processing = entry.processing if entry is not None else None
    gateway = processing.tunnel_remote if processing is not None else None
    return outward.destination if gateway is None else gateway


def _told(event: Dropped) -> PacketDropped:
    flow = str(event.flow) if event.flow is not None else "a packet"
    spi = f"0x{event.spi:08x}" if event.spi else ""
    return PacketDropped(reason=event.reason.value, flow=flow, spi=spi, count=event.count)


def _remember(error: Exception) -> None:
    """Let the log show where the fault is; the values in the frames, which may be keys, are not shown."""
    asyncio.get_running_loop().call_exception_handler({"message": REPORTED, "exception": error})
