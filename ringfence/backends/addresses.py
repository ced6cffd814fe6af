# SPDX-License-Identifier: Apache-2.0
"""This host's own addresses, asked of the kernel (rtnetlink(7), RTM_GETADDR).

One question and its answer need no library, and whoever only checks a policy does not have to load one.
"""

import socket
import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

from ringfence.backends.base import BackendError

REQUEST_DUMP = 0x301
GET_ADDRESS, NEW_ADDRESS, DONE, ERROR = 22, 20, 3, 2
ADDRESS, LOCAL, BROADCAST, FLAGS = 1, 2, 4, 8
TENTATIVE_OR_FAILED = 0x40 | 0x08
MESSAGE, ADDRESS_HEADER, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBBBI"), struct.Struct("=HH")


class LocalAddresses(NamedTuple):
    """Addresses of all interfaces, sorted, each once."""

    addresses: tuple[bytes, ...]
    broadcasts: tuple[bytes, ...]


def local_addresses() -> LocalAddresses:
    """The addresses of this network namespace, those of loopback among them; raises BackendError."""
    addresses: set[bytes] = set()
    broadcasts: set[bytes] = set()
    try:
        for attributes in _dump():
            address = attributes.get(LOCAL) or attributes.get(ADDRESS)
            flags = int.from_bytes(attributes.get(FLAGS, b""), sys.byteorder)
            if address is not None and not flags & TENTATIVE_OR_FAILED:
                addresses.add(address)
            if BROADCAST in attributes:
                broadcasts.add(attributes[BROADCAST])
    except (OSError, struct.error) as error:
        raise BackendError(f"The addresses of this computer cannot be read: {error}.") from error
    return LocalAddresses(tuple(sorted(addresses)), tuple(sorted(broadcasts)))


def _dump() -> Iterator[dict[int, bytes]]:
    """The attributes of each address."""
    question = MESSAGE.pack(MESSAGE.size + ADDRESS_HEADER.size, GET_ADDRESS, REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(5)
        sock.sendto(question + ADDRESS_HEADER.pack(0, 0, 0, 0, 0), (0, 0))
        while True:
            answer = sock.recv(1 << 16)
            at = 0
            while at < len(answer):
                length, kind, _, _, _ = MESSAGE.unpack_from(answer, at)
                if kind == DONE:
                    return
                if kind == ERROR:
                    raise OSError("the kernel refuses to say")
                if kind == NEW_ADDRESS:
                    yield _attributes(answer[at + MESSAGE.size + ADDRESS_HEADER.size : at + length])
                at += _aligned(length)


def _attributes(octets: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + ATTRIBUTE.size <= len(octets):
        length, kind = ATTRIBUTE.unpack_from(octets, at)
        found[kind] = octets[at + ATTRIBUTE.size : at + length]
        at += _aligned(max(length, ATTRIBUTE.size))
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
