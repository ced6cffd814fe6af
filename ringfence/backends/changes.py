# SPDX-License-Identifier: Apache-2.0
"""Hears when somebody changes this host's networking, and says so once a flurry is over.

Links, addresses, routes and rules come over rtnetlink(7), nftables over its own group. The host's own things change,
and ours are taken away: network managers remove rules and routes that they do not know, a firewall that is loaded again
flushes all tables. Whoever listens looks what is amiss and mends it; what we do ourselves causes a look too, which
finds nothing.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator
from struct import Struct

NEW_LINK, DELETED_LINK, NEW_ADDRESS, DELETED_ADDRESS = 16, 17, 20, 21
NEW_ROUTE, DELETED_ROUTE, DELETED_RULE = 24, 25, 33
DELETED_TABLE = 10 << 8 | 2
LINKS, ADDRESSES, ROUTES, RULES, ADDRESSES_V6, ROUTES_V6, RULES_V6 = 1, 5, 7, 8, 9, 11, 19
NETFILTER, NFTABLES_GROUP = 12, 7
SOL_NETLINK, ADD_MEMBERSHIP = 270, 1
MAIN, LOCAL = 254, 255
UP = 1
SETTLE_SECONDS = 0.3
MOST_OCTETS = 1 << 16

_HEADER = Struct("=IHHII")
_LINK = Struct("=4xiI")
"""Of each message, behind its family: the interface and its flags, the interface, the table."""
_ADDRESS = Struct("=4xi")
_ROUTE = Struct("=4xB")


class Changes:
    """Calls back after something changed."""

    def __init__(self, changed: Callable[[], None], *, ours: int) -> None:
        """Begin to listen, in the running loop; ``ours`` is the index of our device. Raises OSError."""
        self.ours = ours
        self._changed = changed
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._channels: list[socket.socket] = []
        try:
            for protocol, groups in (
                (socket.NETLINK_ROUTE, (LINKS, ADDRESSES, ROUTES, RULES, ADDRESSES_V6, ROUTES_V6, RULES_V6)),
                (NETFILTER, (NFTABLES_GROUP,)),
            ):
                self._listen(protocol, groups)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Listen no more."""
        for one in self._channels:
            self._loop.remove_reader(one)
            one.close()
        self._channels.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _listen(self, protocol: int, groups: tuple[int, ...]) -> None:
        channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        self._channels.append(channel)
        channel.bind((0, 0))
        for group in groups:
            channel.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, group)
        self._loop.add_reader(channel, self._read, channel)

    def _read(self, channel: socket.socket) -> None:
        try:
            news = channel.recv(MOST_OCTETS)
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
    """Whether something changed that we follow, or something of ours may be gone."""
    return any(_concerns(kind, body, ours) for kind, body in _messages(news))


def _messages(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(octets):
        length, kind, _, _, _ = _HEADER.unpack_from(octets, at)
        yield kind, octets[at + _HEADER.size : at + length]
        at += max(_HEADER.size, length + -length % 4)


def _concerns(kind: int, body: bytes, ours: int) -> bool:
    if kind in (DELETED_RULE, DELETED_TABLE):
        return True
    if kind in (NEW_LINK, DELETED_LINK) and len(body) >= _LINK.size:
        index, flags = _LINK.unpack_from(body)
        return index != ours or not flags & UP
    if kind in (NEW_ADDRESS, DELETED_ADDRESS) and len(body) >= _ADDRESS.size:
        return bool(_ADDRESS.unpack_from(body)[0] != ours)
    if kind in (NEW_ROUTE, DELETED_ROUTE) and len(body) >= _ROUTE.size:
        (table,) = _ROUTE.unpack_from(body)
        return bool(table == MAIN or (kind == DELETED_ROUTE and table != LOCAL))
    return False
