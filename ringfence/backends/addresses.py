# SPDX-License-Identifier: Apache-2.0
"""This host's own addresses, asked of the kernel (rtnetlink(7), RTM_GETADDR).

One question and its answer need no library, and whoever only checks a policy does not have to load one.
"""

import socket
import struct
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from typing import NamedTuple

from ringfence.backends.base import BackendError
from ringfence.net.address import AddressRange

REQUEST_DUMP = 0x301
GET_ADDRESS, NEW_ADDRESS, GET_LINK, NEW_LINK, DONE, ERROR = 22, 20, 18, 16, 3, 2
ADDRESS, LOCAL, BROADCAST, FLAGS = 1, 2, 4, 8
NAME = 3
LOOPBACK = 772
TENTATIVE_OR_FAILED = 0x40 | 0x08
MESSAGE, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=HH")
ADDRESS_HEADER, LINK_HEADER = struct.Struct("=BBBBI"), struct.Struct("=BxHiII")


class LocalAddresses(NamedTuple):
    """Addresses of all interfaces, sorted, each once."""

    addresses: tuple[bytes, ...]
    broadcasts: tuple[bytes, ...]
    links: tuple["LinkAddresses", ...] = ()
    """Interfaces that have some, but for loopback, by their number."""
    subnets: tuple[AddressRange, ...] = ()
    """The networks that these are in, sorted, each once; of a link to one peer its address."""


class LinkAddresses(NamedTuple):
    """An interface with its addresses."""

    number: int
    name: str
    hardware: int
    """Its kind (ARPHRD_*)."""
    addresses: tuple[bytes, ...]


def local_addresses() -> LocalAddresses:
    """The addresses of this network namespace, those of loopback among them; raises BackendError."""
    addresses: set[bytes] = set()
    broadcasts: set[bytes] = set()
    of_link: dict[int, set[bytes]] = {}
    subnets: dict[int, set[AddressRange]] = {}
    try:
        for octets in _dump(GET_ADDRESS, NEW_ADDRESS, ADDRESS_HEADER.size):
            attributes = _attributes(octets[ADDRESS_HEADER.size :])
            address = attributes.get(LOCAL) or attributes.get(ADDRESS)
            flags = int.from_bytes(attributes.get(FLAGS, b""), sys.byteorder)
            if address is not None and not flags & TENTATIVE_OR_FAILED:
                addresses.add(address)
                _, length, _, _, number = ADDRESS_HEADER.unpack_from(octets)
                of_link.setdefault(number, set()).add(address)
                subnets.setdefault(number, set()).add(_network(attributes.get(ADDRESS, address), length))
            if BROADCAST in attributes:
                broadcasts.add(attributes[BROADCAST])
        links = tuple(
            LinkAddresses(number, name, kind, tuple(sorted(of_link[number])))
            for number, name, kind in sorted(_links())
            if number in of_link and kind != LOOPBACK
        )
    except (OSError, struct.error) as error:
        raise BackendError(f"The addresses of this computer cannot be read: {error}.") from error
    nets = {one for link in links for one in subnets[link.number]} - set(map(AddressRange.host, addresses))
    in_order = sorted(nets, key=lambda one: (len(one.first), one.first, one.last))
    return LocalAddresses(tuple(sorted(addresses)), tuple(sorted(broadcasts)), links, tuple(in_order))


def _network(address: bytes, length: int) -> AddressRange:
    network = ip_network((address, length), strict=False)
    return AddressRange(network.network_address.packed, network.broadcast_address.packed)


def _links() -> Iterator[tuple[int, str, int]]:
    """Number, name and kind of each link."""
    for octets in _dump(GET_LINK, NEW_LINK, LINK_HEADER.size):
        _, kind, number, _, _ = LINK_HEADER.unpack_from(octets)
        name = _attributes(octets[LINK_HEADER.size :]).get(NAME, b"")
        yield number, name.rstrip(b"\0").decode(errors="replace"), kind


def _dump(get: int, new: int, header_octets: int) -> Iterator[bytes]:
    """What the kernel says of each address or link."""
    question = MESSAGE.pack(MESSAGE.size + header_octets, get, REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(5)
        sock.sendto(question + bytes(header_octets), (0, 0))
        while True:
            answer = sock.recv(1 << 16)
            at = 0
            while at < len(answer):
                length, kind, _, _, _ = MESSAGE.unpack_from(answer, at)
                if kind == DONE:
                    return
                if kind == ERROR:
                    raise OSError("the kernel refuses to say")
                if kind == new:
                    yield answer[at + MESSAGE.size : at + length]
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
