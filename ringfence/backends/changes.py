# SPDX-License-Identifier: Apache-2.0
"""Hears when this host's links, addresses or routes change (rtnetlink(7)); says so once a flurry is over.

What we change ourselves, our device and our routing table, is not told.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from struct import Struct

NEW_LINK, DELETED_LINK, NEW_ADDRESS, DELETED_ADDRESS, NEW_ROUTE, DELETED_ROUTE = 16, 17, 20, 21, 24, 25
GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
"""Links; addresses and routes of both families."""
MAIN = 254
SETTLE_SECONDS = 0.3
MOST_OCTETS = 1 << 16

_HEADER = Struct("=IHHII")
_LINK = Struct("=4xi")
_ADDRESS = Struct("=4xi")
_ROUTE = Struct("=4xB")


class Changes:
    """Calls back after something changed."""

    def __init__(self, changed: Callable[[], None], *, except_for: int) -> None:
        """Begin to listen, in the running loop; ``except_for`` is the index of our device."""
        self.ours = except_for
        self._changed = changed
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        try:
            self._channel.bind((0, GROUPS))
        except OSError:
            self._channel.close()
            raise
        self._loop.add_reader(self._channel, self._read)

    def close(self) -> None:
        """Listen no more."""
        self._loop.remove_reader(self._channel)
        self._channel.close()
        if self._timer is not None:
            self._timer.cancel()

    def _read(self) -> None:
        try:
            news = self._channel.recv(MOST_OCTETS)
        except BlockingIOError:
            return
        except OSError:  # more than the buffer holds: something did change
            news = b""
        if self._timer is None and (not news or concerns(news, self.ours)):
            self._timer = self._loop.call_later(SETTLE_SECONDS, self._tell)

    def _tell(self) -> None:
        self._timer = None
        self._changed()


def concerns(news: bytes, ours: int) -> bool:
    """Whether there is a message about something else than interface ``ours`` and routes outside the main table."""
    return any(_concerns(kind, body, ours) for kind, body in _messages(news))


def _messages(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(octets):
        length, kind, _, _, _ = _HEADER.unpack_from(octets, at)
        yield kind, octets[at + _HEADER.size : at + length]
        at += max(_HEADER.size, length + -length % 4)


def _concerns(kind: int, body: bytes, ours: int) -> bool:
    if kind in (NEW_LINK, DELETED_LINK) and len(body) >= _LINK.size:
        return bool(_LINK.unpack_from(body)[0] != ours)
    if kind in (NEW_ADDRESS, DELETED_ADDRESS) and len(body) >= _ADDRESS.size:
        return bool(_ADDRESS.unpack_from(body)[0] != ours)
    if kind in (NEW_ROUTE, DELETED_ROUTE) and len(body) >= _ROUTE.size:
        return bool(_ROUTE.unpack_from(body)[0] == MAIN)
    return False
