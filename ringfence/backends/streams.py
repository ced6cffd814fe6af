# SPDX-License-Identifier: Apache-2.0
"""The TCP connections of IKE and ESP (RFC 9329); a connection is known by its path.

One is opened when something is to be sent by it, from the port that its path names. Connections of others are taken
only at the ports that the policy names. Until the IKE engine says that a peer has proved itself by one (``keep``) it
gets half a minute, so many octets, and one source so many of them; whoever is slower, says more or comes more often
costs nobody else anything. Frames that cannot be end a connection. What a full connection does not take is lost, as
on any full link: ESP first, IKE only if nothing goes at all.

Our sockets bear the mark, also those that a listening one gives, so what we send goes by the host's own routes. A
keepalive of TCP tells when the other host is gone; none of IKE or ESP is sent (§6.6).
"""

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from ringfence.backends.base import MARK, BackendError
from ringfence.backends.framing import PREFIX, Deframer, Garbage, framed
from ringfence.backends.udp import NON_ESP_MARKER
from ringfence.net.address import IPV4_OCTETS, Endpoint, Path, format_address, parse_address

READ_OCTETS = 256 << 10
READS = 4
"""From one connection, before others have their turn."""
BACKLOG = 128
KEEPALIVE_IDLE_S, KEEPALIVE_EVERY_S, KEEPALIVE_TRIES = 60, 15, 4
UNHEARD_MS = 60_000
"""What is sent and not acknowledged for so long ends a connection."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What connections may cost."""

    connections: int = 4096
    """In all; the oldest one that nobody has proved himself by goes for the next."""
    unproved_per_source: int = 35
    """Of one address, as of half-open IKE SAs."""
    prove_s: float = 30.0
    """By then a peer has proved itself by a connection that it opened."""
    unproved_octets: int = 256 << 10
    """More than the longest IKE_AUTH with EAP and certificates."""
    dial_s: float = 10.0
    """So long one that we open may take to come about."""
    waiting_octets: int = 1 << 20
    """ESP beyond what the kernel takes; IKE may wait twice as long."""
    linger_s: float = 2.0
    """One that is not needed any more ends after so long."""


USUAL = StreamLimits()


class _Stream:
    """One connection."""

    def __init__(self, one: socket.socket, path: Path, *, ours: bool) -> None:
        self.socket, self.path, self.ours = one, path, ours
        self.deframer = Deframer(prefixed=not ours)
        self.connected = not ours
        self.kept = False
        self.came = 0
        """Octets."""
        self.waiting = bytearray(PREFIX if ours else b"")
        """What the kernel has not taken yet."""
        self.writing = False
        self.timer: asyncio.TimerHandle | None = None

    def set_timer(self, seconds: float | None, step: Callable[["_Stream"], None]) -> None:
        """Another deadline, or none."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, step, self)


class TcpStreams:
    """All connections of one host."""

    def __init__(
        self,
        on_datagram: Callable[[bytes, Path], None],
        on_esp: Callable[[list[bytes], Path], None],
        on_gone: Callable[[Path], None],
        mark: int = MARK,
        *,
        limits: StreamLimits = USUAL,
    ) -> None:
        """As ``udp.IkeSockets``; ``on_gone`` hears of each connection that ended, or never came about."""
        self._on_datagram, self._on_esp, self._on_gone = on_datagram, on_esp, on_gone
        self._mark, self._limits = mark, limits
        self._listeners: dict[tuple[int, int], socket.socket] = {}
        self._streams: dict[Path, _Stream] = {}
        self._unproved: Counter[bytes] = Counter()
        """Connections of others that nobody has proved himself by, by address."""
        self.lost = 0
        """Messages and packets that no connection took."""
        self.refused = 0
        """Connections that were not taken, or ended because of what came by them."""

    # Whom we listen to ---------------------------------------------------------------------------------------------

    def listen(self, ports: Iterable[int]) -> None:
        """Take connections at these ports and no others from now on; raises BackendError, and then all is as before."""
        wanted = {(octets, port) for octets in (4, 16) for port in ports}
        opened: dict[tuple[int, int], socket.socket] = {}
        try:
            for octets, port in sorted(wanted - self._listeners.keys()):
                one = self._listener(octets, port)
                if one is not None:
                    opened[octets, port] = one
        except BackendError:
            for one in opened.values():
                one.close()
            raise
        loop = asyncio.get_running_loop()
        for key in self._listeners.keys() - wanted:
            loop.remove_reader(self._listeners[key])
            self._listeners.pop(key).close()
        for key, one in opened.items():
            self._listeners[key] = one
            loop.add_reader(one, self._accept, one)

    @property
    def ports(self) -> frozenset[int]:
        """Those that we listen at."""
        return frozenset(port for _, port in self._listeners)

    def close(self) -> None:
        """End all."""
        self.listen(())
        for stream in [*self._streams.values()]:
            self._forget(stream)

    def _listener(self, octets: int, port: int) -> socket.socket | None:
        family = socket.AF_INET if octets == IPV4_OCTETS else socket.AF_INET6
        try:
            one = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError:
            return None
        try:
            self._prepare(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(("", port))
            one.listen(BACKLOG)
        except OSError as error:
            one.close()
            if family == socket.AF_INET6 and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                return None
            raise BackendError(
                f"cannot use TCP port {port}: {error.strerror}",
                cure="Another service may have it: name another with tcp-port, at both ends.",
            ) from error
        return one

    def _prepare(self, one: socket.socket) -> None:
        if self._mark:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            (socket.TCP_NODELAY, 1), (socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S), (socket.TCP_KEEPINTVL, KEEPALIVE_EVERY_S),
            (socket.TCP_KEEPCNT, KEEPALIVE_TRIES), (socket.TCP_USER_TIMEOUT, UNHEARD_MS),
        ):  # fmt: skip
            one.setsockopt(socket.IPPROTO_TCP, option, value)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(BACKLOG):
            try:
                one, _ = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:  # no file descriptor left: room for the next
                if not self._make_room():
                    self._pause(listener)
                return
            one.setblocking(False)
            try:
                path = Path(_end(one.getsockname()), _end(one.getpeername()), tcp=True)
            except OSError:
                one.close()
                continue
            self._take(one, path)

    def _take(self, one: socket.socket, path: Path) -> None:
        source = path.remote.address
        full = len(self._streams) >= self._limits.connections and not self._make_room()
        if full or self._unproved[source] >= self._limits.unproved_per_source:
            self.refused += 1
            one.close()
            return
        self._unproved[source] += 1
        self._add(_Stream(one, path, ours=False)).set_timer(self._limits.prove_s, self._reject)

    def _make_room(self) -> bool:
        oldest = next((each for each in self._streams.values() if not each.kept and not each.ours), None)
        if oldest is not None:
            self._reject(oldest)
        return oldest is not None

    def _pause(self, listener: socket.socket) -> None:
        """Not to be asked again and again for what cannot be."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)

        def go_on() -> None:
            if listener in self._listeners.values():
                loop.add_reader(listener, self._accept, listener)

        loop.call_later(1.0, go_on)

    # What is known of them -----------------------------------------------------------------------------------------

    def keep(self, path: Path) -> None:
        """A peer has proved itself by it."""
        stream = self._streams.get(path)
        if stream is not None:
            self._proved(stream)
            if stream.connected:
                stream.set_timer(None, self._reject)

    def release(self, path: Path) -> None:
        """Nobody needs it any more, but what was just said by it shall arrive."""
        stream = self._streams.get(path)
        if stream is not None:
            stream.set_timer(self._limits.linger_s, self._forget)

    def _proved(self, stream: _Stream) -> None:
        if not stream.kept and not stream.ours:
            source = stream.path.remote.address
            self._unproved[source] -= 1
            if not self._unproved[source]:
                del self._unproved[source]
        stream.kept = True

    def _add(self, stream: _Stream) -> _Stream:
        self._streams[stream.path] = stream
        asyncio.get_running_loop().add_reader(stream.socket, self._receive, stream)
        return stream

    def _forget(self, stream: _Stream) -> None:
        """End a connection."""
        if self._streams.get(stream.path) is not stream:
            return
        del self._streams[stream.path]
        self._proved(stream)
        stream.set_timer(None, self._reject)
        loop = asyncio.get_running_loop()
        loop.remove_reader(stream.socket)
        if stream.writing:
            loop.remove_writer(stream.socket)
        stream.socket.close()

    def _reject(self, stream: _Stream) -> None:
        """End it because of how its other end behaves."""
        self.refused += not stream.ours
        self._lose(stream)

    def _lose(self, stream: _Stream) -> None:
        """It is at its end."""
        if self._streams.get(stream.path) is stream:
            self._forget(stream)
            self._gone(stream.path)

    def _gone(self, path: Path) -> None:
        asyncio.get_running_loop().call_soon(self._on_gone, path)

    # Out -----------------------------------------------------------------------------------------------------------

    def send(self, datagram: bytes, path: Path) -> None:
        """Send an IKE message; one that no connection takes is lost."""
        stream = self._streams.get(path) or self._dialled(path)
        if stream is None or not self._write(stream, framed((NON_ESP_MARKER + datagram,)), 2):
            self.lost += 1

    def send_esp(self, packets: Iterable[bytes], path: Path) -> None:
        """Send ESP packets; where there is no connection, or no room in it, they are lost."""
        stream = self._streams.get(path)
        if stream is None or not self._write(stream, framed(packets), 1):
            self.lost += 1

    def _dialled(self, path: Path) -> _Stream | None:
        """A new connection; None where it is the other end's to open one."""
        if path.local.port in self.ports:
            return None
        family = socket.AF_INET if len(path.local.address) == IPV4_OCTETS else socket.AF_INET6
        try:
            one = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError:
            self._gone(path)
            return None
        try:
            self._prepare(one)
            one.bind((format_address(path.local.address), path.local.port))
            with suppress(BlockingIOError):
                one.connect((format_address(path.remote.address), path.remote.port))
        except OSError:  # the port is in use, or there is no route: the engine tries another
            one.close()
            self._gone(path)
            return None
        stream = self._add(_Stream(one, path, ours=True))
        stream.set_timer(self._limits.dial_s, self._reject)
        self._await_room(stream)
        return stream

    def _write(self, stream: _Stream, octets: bytes, patience: int) -> bool:
        """Whether they go, sooner or later."""
        if stream.connected and not stream.waiting:
            try:
                taken = stream.socket.send(octets)
            except BlockingIOError:
                taken = 0
            except OSError:
                self._lose(stream)
                return False
            if taken == len(octets):
                return True
            octets = octets[taken:]
        elif len(stream.waiting) + len(octets) > patience * self._limits.waiting_octets:
            return False
        stream.waiting += octets
        self._await_room(stream)
        return True

    def _await_room(self, stream: _Stream) -> None:
        if not stream.writing:
            stream.writing = True
            asyncio.get_running_loop().add_writer(stream.socket, self._flush, stream)

    def _flush(self, stream: _Stream) -> None:
        if not stream.connected:
            if stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._lose(stream)
                return
            stream.connected = True
            stream.set_timer(None, self._reject)
        try:
            taken = stream.socket.send(stream.waiting)
        except BlockingIOError:
            return
        except OSError:
            self._lose(stream)
            return
        del stream.waiting[:taken]
        if not stream.waiting:
            stream.writing = False
            asyncio.get_running_loop().remove_writer(stream.socket)

    # In ------------------------------------------------------------------------------------------------------------

    def _receive(self, stream: _Stream) -> None:
        for _ in range(READS):
            try:
                octets = stream.socket.recv(READ_OCTETS)
            except BlockingIOError:
                return
            except OSError:
                octets = b""
            if not octets:
                self._lose(stream)
                return
            try:
                bodies = stream.deframer.feed(octets)
            except Garbage:
                self._reject(stream)
                return
            stream.came += len(octets)
            if not stream.kept and not stream.ours and stream.came > self._limits.unproved_octets:
                self._reject(stream)
                return
            self._hand_on(bodies, stream.path)
            if len(octets) < READ_OCTETS or self._streams.get(stream.path) is not stream:
                return

    def _hand_on(self, bodies: list[bytes], path: Path) -> None:
        esp: list[bytes] = []
        for body in bodies:
            if body[:4] != NON_ESP_MARKER:
                esp.append(body)
                continue
            if esp:
                self._on_esp(esp, path)
                esp = []
            self._on_datagram(body[4:], path)
        if esp:
            self._on_esp(esp, path)


def _end(name: tuple[str, int] | tuple[str, int, int, int]) -> Endpoint:
    return Endpoint(parse_address(name[0].partition("%")[0]), name[1])
