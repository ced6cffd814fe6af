# SPDX-License-Identifier: Apache-2.0
"""A host made of our packet path alone, on the wire of a guest: raw frames in and out, no kernel of ours in between.

It has as many addresses as a test likes. What it is sent is opened and looked at; UDP to port 7 is echoed, and pings
that it sends wait for their answers. Everything that goes over the wire is kept, to be replayed or judged.
"""

import itertools
import select
import socket
import time
from collections import Counter

from lab.guest import Guest, in_namespace
from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import Spd
from ringfence.datapath.engine import DataPath
from ringfence.datapath.verdict import Deliver, Drop, Dropped, Send, Verdict
from ringfence.net.checksum import checksum, fix_transport
from ringfence.net.flow import AH, ESP, ICMP, ICMPV6, UDP
from ringfence.net.fragment import Reassembler, fragment
from ringfence.net.ip import view

ECHO = 7
TYPES = {4: (8, 0), 6: (128, 129)}
"""ICMP echo request and reply."""


def ip_packet(source: bytes, destination: bytes, protocol: int, payload: bytes, number: int = 1) -> bytes:
    """An IP packet without options; may be fragmented."""
    if len(source) == 16:
        return b"\x60\0\0\0" + len(payload).to_bytes(2) + bytes((protocol, 64)) + source + destination + payload
    head = b"\x45\0" + (20 + len(payload)).to_bytes(2) + number.to_bytes(2) + b"\0\0" + bytes((64, protocol))
    return head + checksum(head + source + destination).to_bytes(2) + source + destination + payload


def is_intact(source: bytes, destination: bytes, protocol: int, segment: bytes) -> bool:
    """Whether the checksum of a UDP datagram or ICMP message is right."""
    return fix_transport(source, destination, protocol, segment) == segment


def told_mtu(reply: bytes) -> int:
    """The MTU that an ICMP error tells."""
    return int.from_bytes(reply[44:48]) if reply[0] >> 4 == 6 else int.from_bytes(reply[26:28])


class WireHost:
    """The host."""

    def __init__(self, guest: Guest, engine: DataPath) -> None:
        self.engine = engine
        self.deliveries: Counter[int] = Counter()
        """Packets delivered by contract."""
        self.sent: dict[int, list[bytes]] = {}
        """Protected packets by contract."""
        self.drops: list[Dropped] = []
        self.clear: list[bytes] = []
        """Frames between the guest and us that are neither ESP nor AH."""
        self.pongs: set[int] = set()
        self._numbers = itertools.count(1)
        self._whole = Reassembler()
        with in_namespace(guest.netns):
            self._link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self._link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            self._link.bind(("lab0", 0))
        self._link.setblocking(False)
        mac = bytes.fromhex(guest.run("cat", "/sys/class/net/eth0/address").replace(":", ""))
        self._head, self._from = mac + self._link.getsockname()[4], mac

    def close(self) -> None:
        """Leave the wire."""
        self._link.close()

    def apply(self, spd: Spd, children: list[ChildSa]) -> None:
        """Follow this policy with these SAs."""
        now = time.monotonic()
        self.engine.apply(spd, now)
        for child in children:
            self.engine.install_inbound(child, now)
            self.engine.install_outbound(child, now)

    # --- out ---

    def ping(self, child: ChildSa, octets: int) -> int:
        """Send an echo request of so much data; its number, which ``pongs`` will have."""
        source, destination = child.selector.source.first, child.selector.destination.first
        number, six = next(self._numbers), len(source) == 16
        protocol = ICMPV6 if six else ICMP
        body = bytes((TYPES[6 if six else 4][0], 0, 0, 0)) + number.to_bytes(4) + bytes(i & 255 for i in range(octets))
        body = fix_transport(source, destination, protocol, body)
        self.send(ip_packet(source, destination, protocol, body, number & 0xFFFF))
        return number

    def send(self, packet: bytes) -> None:
        """Let the engine have a packet of this host."""
        for verdict in self.engine.outbound([packet], time.monotonic()):
            match verdict:
                case Dropped(reason=Drop.TOO_BIG, reply=bytes(reply)) if len(packet) > told_mtu(reply):
                    # As the sender of the packet we have learnt what to do.
                    for piece in fragment(packet, told_mtu(reply), lambda: next(self._numbers)):
                        self._perform(self.engine.outbound([piece], time.monotonic()))
                case _:
                    self._perform([verdict])

    def transmit(self, packet: bytes) -> None:
        """Put an IP packet on the wire as it is."""
        self._link.send(self._head + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0") + packet)

    def _perform(self, verdicts: list[Verdict]) -> None:
        for verdict in verdicts:
            match verdict:
                case Send(packets, None, child):
                    self.sent.setdefault(child, []).extend(packets)
                    for packet in packets:
                        self.transmit(packet)
                case Deliver(packets, child):
                    self.deliveries[child] += len(packets)
                    for packet in packets:
                        self._receive(packet)
                case Dropped():
                    self.drops.append(verdict)

    # --- in ---

    def _receive(self, packet: bytes) -> None:
        parts = view(packet)
        if parts is None:
            raise AssertionError(f"delivered what is no IP packet: {packet.hex()}")
        whole = self._whole.add(packet, parts, time.monotonic())
        if not isinstance(whole, bytes) or (parts := view(whole)) is None:
            return
        source, destination, body = parts.source, parts.destination, whole[parts.at : parts.whole]
        if not is_intact(source, destination, parts.protocol, body):
            raise AssertionError(f"delivered with a wrong checksum: {whole.hex()}")
        if parts.protocol == UDP and body[2:4] == ECHO.to_bytes(2):
            # Addresses and ports change places, so the checksum stays.
            self.send(
                ip_packet(destination, source, UDP, body[2:4] + body[:2] + body[4:], next(self._numbers) & 0xFFFF)
            )
        elif parts.protocol in (ICMP, ICMPV6) and body[0] == TYPES[parts.version][1]:
            self.pongs.add(int.from_bytes(body[4:8]))

    def run(self, seconds: float, until: set[int] | None = None) -> bool:
        """Take what comes; True as soon as the pings of these numbers are answered."""
        limit = time.monotonic() + seconds
        while until is None or not until <= self.pongs:
            left = limit - time.monotonic()
            if left <= 0:
                return False
            if select.select([self._link], [], [], left)[0]:
                self._take(self._link.recv(65535))
        return True

    def _take(self, frame: bytes) -> None:
        packet = frame[14:]
        parts = view(packet) if frame[6:12] == self._from and frame[12:14] in (b"\x08\0", b"\x86\xdd") else None
        if parts is None or (parts.version == 6 and parts.destination[0] == 0xFF):
            return
        if self._is_protected(packet, parts.protocol):
            self._perform(self.engine.inbound([packet], time.monotonic()))
        elif not (parts.protocol == ICMPV6 and packet[parts.at] in range(133, 138)):  # neighbour discovery
            self.clear.append(packet)

    @staticmethod
    def _is_protected(packet: bytes, protocol: int) -> bool:
        return protocol in (ESP, AH) or (packet[0] >> 4 == 6 and packet[6] == AH)
