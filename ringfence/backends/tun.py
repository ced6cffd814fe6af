# SPDX-License-Identifier: Apache-2.0
"""The TUN device: whole IP packets of this host and of those it routes for, out of the kernel and back into it.

The device has no address, so nothing is renumbered, and it ends with the process that holds it: then its routes are
gone, and nftables alone decides (see ``backends.filter``).

Its own MTU is that of the largest link, for it carries packets of every kind: protected ones, whose routes say how
large they may be (see ``backends.routes``), and permitted ones, which may fill the link. What is too big all the same
is answered by the packet path with ICMP.
"""

import errno
import os
from collections.abc import Iterable
from fcntl import ioctl
from struct import Struct

from ringfence.backends.base import BackendError

CONTROL = "/dev/net/tun"
SET_INTERFACE = 0x400454CA
IS_TUN, NO_PACKET_INFORMATION = 0x0001, 0x1000
MOST_OCTETS = 65536
BATCH = 128

_REQUEST = Struct("16sH22x")


class Tun:
    """An open device; readable when the kernel has packets for it."""

    def __init__(self, name: str) -> None:
        """Make the device; raises BackendError."""
        self.name = name
        self.lost = 0
        """Packets that the kernel would not take."""
        try:
            self._file = os.open(CONTROL, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise BackendError(
                f"cannot open {CONTROL}: {error.strerror}",
                cure="Load the module tun, or give the container this device.",
            ) from error
        try:
            ioctl(self._file, SET_INTERFACE, _REQUEST.pack(name.encode(), IS_TUN | NO_PACKET_INFORMATION))
        except OSError as error:
            os.close(self._file)
            raise BackendError(f"cannot make the device {name}: {error.strerror}", cure=_cure(error)) from error

    def fileno(self) -> int:
        """For the event loop."""
        return self._file

    def read(self, most: int = BATCH) -> list[bytes]:
        """The packets that wait, at most ``most``; raises BackendError when the device was deleted."""
        packets: list[bytes] = []
        file, read, append = self._file, os.read, packets.append
        try:
            while len(packets) < most:
                append(read(file, MOST_OCTETS))
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno in (errno.EBADFD, errno.EBADF):
                raise BackendError(f"somebody deleted the device {self.name}") from error
            self.lost += 1  # it is down
        return packets

    def write(self, packets: Iterable[bytes]) -> None:
        """Hand packets to the host; what it will not take is counted as lost."""
        file, write = self._file, os.write
        for packet in packets:
            try:
                write(file, packet)
            except OSError:
                self.lost += 1

    def close(self) -> None:
        """Remove the device; once is enough."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _cure(error: OSError) -> str:
    if error.errno == errno.EBUSY:
        return "Another program has it; if that is a Ringfence, end it first."
    return "It needs the right to administer the network (root, or CAP_NET_ADMIN)."
