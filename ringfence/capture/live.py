# SPDX-License-Identifier: Apache-2.0
"""Captures what leaves by some interfaces, as it happens: a process whose output is a capture file.

    python -m ringfence.capture.live eth0 eth1 >capture.pcap

On a router, a packet leaves once, by whichever interface; so what goes through it is captured once. Only IP is kept.
"""

import signal
import socket
import sys
import time
from collections.abc import Collection, Iterator
from typing import BinaryIO

from ringfence.capture.pcap import SNAP_OCTETS, Frame, PcapWriter

EVERYTHING = 0x0003
"""``ETH_P_ALL``."""
OUTGOING = 4
"""``PACKET_OUTGOING``: the kernel's word for a packet that this host sends."""
IP = (0x0800, 0x86DD)


def frames(wire: socket.socket, interfaces: Collection[str]) -> Iterator[Frame]:
    """What leaves by ``interfaces``; one socket for all of them keeps the order."""
    while True:
        octets, (interface, kind, way, *_rest) = wire.recvfrom(SNAP_OCTETS)
        if way == OUTGOING and kind in IP and interface in interfaces:
            yield Frame(time.time(), octets)


def watch(interfaces: Collection[str], file: BinaryIO) -> None:
    """Write what leaves by ``interfaces`` to ``file`` until the process is stopped."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING)) as wire:
        writer = PcapWriter(file)
        file.flush()
        for frame in frames(wire, interfaces):
            writer.write(frame)
            file.flush()


def main() -> None:
    """Watch the interfaces that the command line names."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    watch(sys.argv[1:], sys.stdout.buffer)


if __name__ == "__main__":
    main()
