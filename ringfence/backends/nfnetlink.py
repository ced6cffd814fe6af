# SPDX-License-Identifier: Apache-2.0
"""Questions to the kernel's nftables over netlink (linux/netfilter/nf_tables.h), for who may not wait for a program."""

import socket
from collections.abc import Iterator
from struct import Struct

NETLINK_NETFILTER = 12
REQUEST_DUMP = 0x301
DONE, ERROR = 3, 2
NESTED = 0x8000

_MESSAGE = Struct("=IHHII")
_FAMILY = Struct("=BBH")
_ATTRIBUTE = Struct("=HH")


def dump(kind: int, *, family: int = 0, body: bytes = b"") -> Iterator[dict[int, bytes]]:
    """The attributes of each object of a kind of message, of all families unless one is said; raises OSError.

    Ends early where the kernel refuses to say.
    """
    body = _FAMILY.pack(family, 0, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER) as channel:
        channel.settimeout(2)
        channel.send(_MESSAGE.pack(_MESSAGE.size + len(body), kind, REQUEST_DUMP, 1, 0) + body)
        while True:
            for answer, content in _messages(channel.recv(1 << 16)):
                if answer in (DONE, ERROR):
                    return
                yield attributes(content[_FAMILY.size :])


def attribute(kind: int, octets: bytes) -> bytes:
    """One attribute, padded."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(octets), kind) + octets + bytes(-len(octets) % 4)


def attributes(octets: bytes) -> dict[int, bytes]:
    """The attributes of a message, or nested in another, by their kind."""
    found, at = {}, 0
    while at + _ATTRIBUTE.size <= len(octets):
        length, kind = _ATTRIBUTE.unpack_from(octets, at)
        found[kind & ~NESTED] = octets[at + _ATTRIBUTE.size : at + length]
        at += max(_ATTRIBUTE.size, length + -length % 4)
    return found


def _messages(octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _MESSAGE.size <= len(octets):
        length, kind, _, _, _ = _MESSAGE.unpack_from(octets, at)
        yield kind, octets[at + _MESSAGE.size : at + length]
        at += max(_MESSAGE.size, length + -length % 4)
