# SPDX-License-Identifier: Apache-2.0
"""Raw sockets: whole IP packets onto the wire, ESP and AH and the ICMP errors about them off it.

Out: one socket for each family, headers included, with our mark, so that the packets leave by the host's own routes.
What the kernel refuses is lost like on any link; a packet too big for its path is handed back with the path's MTU.

In, IPv4: raw sockets of both protocols; the kernel has put fragments together and hands over the header with the rest.
In, IPv6: a raw socket gives no headers, so packets come from a packet socket through a filter (``backends.bpf``), with
fragments as they are. A packet socket also sees what this host only forwards: whose the packet is, is checked here.

Deaf raw sockets stand beside these, through whose filter nothing comes: they keep the kernel from answering the peer
that it knows no such protocol, which it would also do whenever a socket's buffer is full.
"""

import contextlib
import ctypes
import errno
import socket
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ringfence.backends import bpf
from ringfence.backends.base import MARK, BackendError
from ringfence.net.address import format_address
from ringfence.net.flow import AH, ESP, ICMP, ICMPV6, UDP
from ringfence.net.ip import EXTENSIONS, IPV4_OCTETS, IPV6_OCTETS, view

ICMP_OCTETS = 8
FRAGMENTATION_NEEDED, PACKET_TOO_BIG = b"\3\4", b"\2"
NAT_PORT = (4500).to_bytes(2)
ETHERTYPE_IPV6 = 0x86DD
MOST_OCTETS = 65536
BATCH = 128
BUFFER_OCTETS = 4 << 20

SO_ATTACH_FILTER, SO_RCVBUFFORCE, SO_SNDBUFFORCE = 26, 33, 32
SOL_RAW, ICMP_FILTER = 255, 1
ALL_BUT_UNREACHABLE = 0xFFFFFFFF & ~(1 << 3)
IP_MTU, IPV6_MTU = 14, 24
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, DISCOVER = 10, 23, 2
MOST_NAMES = 1024


class TooBig(NamedTuple):
    """A packet that its path does not take."""

    packet: bytes
    mtu: int


class RawSockets:
    """All raw sockets of a backend."""

    def __init__(self, mark: int = MARK, *, receive: bool = True) -> None:
        """Open them, or only those that send; raises BackendError. A host without IPv6 is served too."""
        self._mark = mark
        self.errors: Counter[str] = Counter()
        """What the kernel refused, by the error's name."""
        self.local: frozenset[bytes] = frozenset()
        """This host's IPv6 addresses; empty: all packets are taken as ours."""
        self._names: dict[bytes, str] = {}
        self._open = contextlib.ExitStack()
        self._receiving: list[socket.socket] = []
        self._senders: dict[int, socket.socket] = {}
        try:
            families = {4: socket.AF_INET, 6: socket.AF_INET6} if _has_ipv6() else {4: socket.AF_INET}
            for version, family in families.items():
                self._senders[version] = self._socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            if receive:
                self._receive_v4()
            if receive and 6 in families:
                self._receive_v6()
        except OSError as error:
            self.close()
            raise BackendError(
                f"cannot open raw sockets: {error.strerror}",
                cure="It needs the rights to administer the network and to use raw sockets (root, or "
                "CAP_NET_ADMIN and CAP_NET_RAW).",
            ) from error

    def receivers(self) -> Iterator[socket.socket]:
        """Sockets to watch; hand each that is readable to ``receive``."""
        return iter(self._receiving)

    def receive(self, one: socket.socket, most: int = BATCH) -> list[bytes]:
        """The packets that wait at a socket, at most ``most``."""
        packets: list[bytes] = []
        receive, append = one.recv, packets.append
        for _ in range(most):
            try:
                append(receive(MOST_OCTETS))
            except BlockingIOError:
                break
            except OSError as error:  # an error that ICMP told of an earlier packet
                self._count(error)
        if one.family == socket.AF_PACKET:
            return [packet for packet in packets if self._is_ours_v6(packet)]
        if one.proto == ICMP:
            return [packet for packet in packets if quotes_us(packet)]
        return packets

    def send(self, packets: Iterable[bytes]) -> list[TooBig]:
        """Put packets on the wire; those too big for their path come back."""
        too_big: list[TooBig] = []
        for packet in packets:
            is_v4 = packet[0] >> 4 == 4
            sender = self._senders.get(4 if is_v4 else 6)
            if sender is None:
                self.errors["EAFNOSUPPORT"] += 1
                continue
            address = packet[16:20] if is_v4 else packet[24:40]
            try:
                sender.sendto(packet, (self._name(address), 0))
            except OSError as error:
                self._count(error)
                if error.errno == errno.EMSGSIZE:
                    too_big.append(TooBig(packet, self.path_mtu(address)))
        return too_big

    def path_mtu(self, address: bytes) -> int:
        """What the kernel holds for the MTU of the path to ``address``; 0 when there is no path."""
        is_v4 = len(address) == 4
        family = socket.AF_INET if is_v4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)
            try:
                probe.connect((format_address(address), 9))
                if is_v4:
                    return probe.getsockopt(socket.IPPROTO_IP, IP_MTU)
                return probe.getsockopt(socket.IPPROTO_IPV6, IPV6_MTU)
            except OSError:
                return 0

    def close(self) -> None:
        """Close them all."""
        self._open.close()
        self._receiving.clear()
        self._senders.clear()

    def _receive_v4(self) -> None:
        for protocol in (ESP, AH, ICMP):
            one = self._socket(socket.AF_INET, socket.SOCK_RAW, protocol)
            if protocol != ICMP:
                self._deaf(socket.AF_INET, protocol)
            else:
                one.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", ALL_BUT_UNREACHABLE))
            self._receiving.append(one)

    def _receive_v6(self) -> None:
        for protocol in (ESP, AH):
            self._deaf(socket.AF_INET6, protocol)
        whole = self._socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETHERTYPE_IPV6))
        attach(whole, bpf.ipv6_protected())
        while self.receive(whole):  # what came before the filter
            pass
        self._receiving.append(whole)

    def _is_ours_v6(self, packet: bytes) -> bool:
        if self.local and packet[24:40] not in self.local:
            return False
        return packet[6] in (ESP, AH) or not _is_icmp(packet) or quotes_us(packet)

    def _deaf(self, family: socket.AddressFamily, protocol: int) -> None:
        attach(self._socket(family, socket.SOCK_RAW, protocol), bpf.NOTHING)

    def _socket(self, family: socket.AddressFamily, kind: socket.SocketKind, protocol: int) -> socket.socket:
        one = self._open.enter_context(socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol))
        # also on those that only receive: an ICMP error about what we sent is then about the host's route, not ours
        one.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)
        for option in (SO_RCVBUFFORCE, SO_SNDBUFFORCE):
            with contextlib.suppress(OSError):  # in a user namespace the usual size has to do
                one.setsockopt(socket.SOL_SOCKET, option, BUFFER_OCTETS)
        return one

    def _name(self, address: bytes) -> str:
        name = self._names.get(address)
        if name is None:
            if len(self._names) >= MOST_NAMES:
                self._names.clear()
            name = self._names[address] = format_address(address)
        return name

    def _count(self, error: OSError) -> None:
        self.errors[errno.errorcode.get(error.errno or 0, "unknown")] += 1


def _has_ipv6() -> bool:
    return Path("/proc/net/if_inet6").exists()


def quotes_us(packet: bytes) -> bool:
    """Whether an IP packet is an ICMP error "too big" about ESP, AH, or UDP from the NAT port.

    The kernel sees to all others; the packet path must not meet them, for to it they would be traffic that came in.
    """
    parts = view(packet)
    if parts is None or parts.is_fragment:
        return False
    message = packet[parts.at : parts.whole]
    quote = message[ICMP_OCTETS:]
    if parts.protocol == ICMP and message[:2] == FRAGMENTATION_NEEDED and len(quote) >= IPV4_OCTETS:
        return _is_of_us(quote[9], quote[(quote[0] & 15) * 4 :])
    if parts.protocol == ICMPV6 and message[:1] == PACKET_TOO_BIG and len(quote) >= IPV6_OCTETS:
        return quote[6] in EXTENSIONS or _is_of_us(quote[6], quote[IPV6_OCTETS:])
    return False


def _is_of_us(protocol: int, body: bytes) -> bool:
    return protocol in (ESP, AH) or (protocol == UDP and body[:2] == NAT_PORT)


def _is_icmp(packet: bytes) -> bool:
    parts = view(packet)
    return parts is not None and parts.protocol == ICMPV6


def attach(one: socket.socket, program: bytes) -> None:
    """Put a filter before a socket; raises OSError."""
    code = ctypes.create_string_buffer(program, len(program))
    one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
