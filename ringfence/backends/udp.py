# SPDX-License-Identifier: Apache-2.0
"""The UDP sockets of IKE: ports 500 and 4500 of both families, also for ESP in UDP (RFC 3948).

On port 4500 a datagram that begins with four zero octets is IKE, one octet 0xFF is a keepalive, all else is ESP. No
kernel takes ESP out of these sockets, so they need no UDP_ENCAP. The address that a peer spoke to comes with each
datagram, and the answer leaves from it. What we send bears the mark, so it goes by the host's own routes.

ICMP errors about what we sent are asked for (ip(7), IP_RECVERR): they tell at once that nobody listens at a peer.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Iterable
from struct import Struct
from typing import Protocol

from ringfence.backends.base import MARK, BackendError
from ringfence.net.address import IPV4_OCTETS, Endpoint, Path, format_address, parse_address

IKE_PORT, NAT_PORT = 500, 4500
NON_ESP_MARKER = bytes(4)
KEEPALIVE = b"\xff"
MOST_OCTETS = 65536
BATCH = 64

IP_PKTINFO = 8
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, DO_NOT_DISCOVER = 10, 23, 0

IP_RECVERR, IPV6_RECVERR = 11, 25
SO_RCVBUFFORCE = 33
RECEIVE_OCTETS = 4 << 20
"""Some six thousand first messages: what comes while a busy machine lets us wait for half a second."""
FROM_ICMP = (2, 3)
"""Where an error comes from: a router or a host, by ICMP or ICMPv6."""

_ERROR = Struct("=I4B")
_INFO4 = Struct("=I4s4s")
_INFO6 = Struct("=16sI")
_ANCILLARY_OCTETS = 128
_ERROR_OCTETS = 512


class Streams(Protocol):
    """What sends by TCP: ``streams.TcpStreams``."""

    def send(self, datagram: bytes, path: Path) -> None:
        """Send an IKE message."""

    def send_esp(self, packets: Iterable[bytes], path: Path) -> None:
        """Send ESP packets."""


class IkeSockets:
    """Receives and sends IKE messages and encapsulated ESP; open from the first to the last."""

    def __init__(
        self,
        on_datagram: Callable[[bytes, Path], None],
        on_esp: Callable[[list[bytes], Path], None],
        mark: int = MARK,
        *,
        ports: tuple[int, int] = (IKE_PORT, NAT_PORT),
        on_closed: Callable[[Endpoint], None] = lambda _: None,
    ) -> None:
        """``on_datagram`` gets IKE messages without marker, ``on_esp`` runs of ESP packets of one path.

        ``on_closed`` hears of each ICMP error that says that what we sent cannot reach a peer.
        """
        self._on_datagram, self._on_esp, self._mark, self._on_closed = on_datagram, on_esp, mark, on_closed
        self._ike_port, self._nat_port = ports
        self._sockets: dict[tuple[int, int], socket.socket] = {}
        self.streams: Streams | None = None
        """For what does not go by UDP."""
        self.lost = 0
        """Datagrams that the kernel would not take."""

    def open(self) -> None:
        """Bind the sockets and begin to receive; raises BackendError. The host may lack IPv6."""
        loop = asyncio.get_running_loop()
        try:
            for family, octets in ((socket.AF_INET, 4), (socket.AF_INET6, 16)):
                for port in (self._ike_port, self._nat_port):
                    opened = self._bind(family, port)
                    if opened is not None:
                        self._sockets[octets, port] = opened
                        loop.add_reader(opened, self._receive, opened, port)
        except BackendError:
            self.close()
            raise

    def close(self) -> None:
        """Stop receiving and free the ports."""
        for one in self._sockets.values():
            asyncio.get_running_loop().remove_reader(one)
            one.close()
        self._sockets.clear()

    def send(self, datagram: bytes, path: Path) -> None:
        """Send an IKE message; on the NAT port with the marker before it. One that cannot leave is lost."""
        if path.tcp:
            if self.streams is not None:
                self.streams.send(datagram, path)
            return
        marker = NON_ESP_MARKER if path.local.port == self._nat_port else b""
        self._send(marker + datagram, path)

    def send_esp(self, datagrams: Iterable[bytes], path: Path) -> None:
        """Send ESP packets and keepalives as they are."""
        if path.tcp:
            if self.streams is not None:
                self.streams.send_esp(datagrams, path)
            return
        for datagram in datagrams:
            self._send(datagram, path)

    def _send(self, datagram: bytes, path: Path) -> None:
        octets = len(path.local.address)
        one = self._sockets.get((octets, path.local.port))
        if one is None:
            self.lost += 1
            return
        to = (format_address(path.remote.address), path.remote.port)
        if octets == IPV4_OCTETS:
            info = (socket.IPPROTO_IP, IP_PKTINFO, _INFO4.pack(0, path.local.address, bytes(4)))
        else:
            info = (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, _INFO6.pack(path.local.address, 0))
        for _ in range(2):
            try:
                one.sendmsg([datagram], [info], 0, to)
                return
            except OSError:  # no route, a full buffer: as if lost on the way. Or an error of an earlier datagram
                if not self._read_errors(one):
                    break
        self.lost += 1

    def _bind(self, family: socket.AddressFamily, port: int) -> socket.socket | None:
        try:
            one = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        except OSError:
            return None
        try:
            self._prepare(one, family)
            one.bind(("", port))
        except OSError as error:
            one.close()
            if family == socket.AF_INET6 and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                return None
            raise BackendError(
                f"cannot use UDP port {port}: {error.strerror}",
                cure="Another IKE service may have it: stop it first. Ports below 1024 and marks need privileges.",
            ) from error
        return one

    def _prepare(self, one: socket.socket, family: socket.AddressFamily) -> None:
        _widen(one)
        if self._mark:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)
        if family == socket.AF_INET:
            one.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            one.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            one.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DO_NOT_DISCOVER)
        else:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            one.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            one.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, DO_NOT_DISCOVER)

    def _receive(self, one: socket.socket, port: int) -> None:
        esp: list[bytes] = []
        where: Path | None = None
        for _ in range(BATCH):
            try:
                datagram, ancillary, _, sender = one.recvmsg(MOST_OCTETS, _ANCILLARY_OCTETS)
            except BlockingIOError:
                break
            except OSError:  # an error of an earlier datagram
                continue
            path = _path(ancillary, sender, port)
            if path is None or datagram == KEEPALIVE:
                continue
            if path != where or self._is_ike(datagram, port):
                self._hand_on(esp, where)
                esp, where = [], path
            if self._is_ike(datagram, port):
                self._on_datagram(datagram[4:] if port == self._nat_port else datagram, path)
            else:
                esp.append(datagram)
        self._hand_on(esp, where)
        self._read_errors(one)

    def _read_errors(self, one: socket.socket) -> int:
        """Take what ICMP said about earlier datagrams; how much that was."""
        for count in range(BATCH):
            try:
                _, ancillary, _, to = one.recvmsg(_ERROR_OCTETS, _ERROR_OCTETS, socket.MSG_ERRQUEUE)
            except OSError:
                return count
            if _is_closed(ancillary):
                self._on_closed(Endpoint(parse_address(to[0].partition("%")[0]), to[1]))
        return BATCH

    def _is_ike(self, datagram: bytes, port: int) -> bool:
        return port != self._nat_port or datagram.startswith(NON_ESP_MARKER)

    def _hand_on(self, esp: list[bytes], path: Path | None) -> None:
        if esp and path is not None:
            self._on_esp(esp, path)


def _widen(one: socket.socket) -> None:
    """Let it hold a burst of messages, beyond what the host allows to everybody if we may."""
    try:
        one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_OCTETS)
    except PermissionError:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_OCTETS)


def _is_closed(ancillary: Iterable[tuple[int, int, bytes]]) -> bool:
    """Whether an error is one of ICMP that says that the peer cannot be reached there."""
    for level, kind, content in ancillary:
        if (level, kind) in ((socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)):
            number, origin, _, _, _ = _ERROR.unpack_from(content)
            return origin in FROM_ICMP and number != errno.EMSGSIZE
    return False


def _path(ancillary: Iterable[tuple[int, int, bytes]], sender: tuple[str, int], port: int) -> Path | None:
    for level, kind, content in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            _, _, destination = _INFO4.unpack_from(content)
            return Path(Endpoint(destination, port), Endpoint(socket.inet_aton(sender[0]), sender[1]))
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            destination, _ = _INFO6.unpack_from(content)
            return Path(Endpoint(destination, port), Endpoint(parse_address(sender[0].partition("%")[0]), sender[1]))
    return None
