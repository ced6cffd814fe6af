# SPDX-License-Identifier: Apache-2.0
"""Addresses and ports as ranges, in the form that packets carry them.

Inside engines an address is its octets in network order: 4 (IPv4) or 16 (IPv6). Two addresses of one family compare
as octet strings, so a range test is two comparisons and no object is made per packet. People see ``str()`` of the
classes here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network, summarize_address_range
from typing import Self

IPV4_OCTETS = 4
IPV6_OCTETS = 16


def parse_address(text: str) -> bytes:
    """The octets of ``text``; raises ValueError when it is no address."""
    return ip_address(text).packed


def format_address(octets: bytes) -> str:
    """``octets`` (4 or 16) as people write them."""
    return "{}.{}.{}.{}".format(*octets) if len(octets) == IPV4_OCTETS else str(IPv6Address(octets))


@dataclass(frozen=True, slots=True, order=True)
class AddressRange:
    """All addresses of one family from ``first`` to ``last``, both included."""

    first: bytes
    """4 or 16 octets."""
    last: bytes
    """As many octets as ``first``, and not before it."""

    def __post_init__(self) -> None:
        if len(self.first) not in (IPV4_OCTETS, IPV6_OCTETS) or len(self.first) != len(self.last):
            raise ValueError("a range needs two addresses of one family")
        if self.first > self.last:
            raise ValueError("a range must not end before it begins")

    @classmethod
    def parse(cls, text: str) -> Self:
        """``10.0.0.1``, ``10.0.0.0/8`` or ``10.0.0.1-10.0.0.9``, likewise IPv6; raises ValueError."""
        if "-" in text:
            first, _, last = text.partition("-")
            return cls(parse_address(first.strip()), parse_address(last.strip()))
        network = ip_network(text, strict=False)
        return cls(network.network_address.packed, network.broadcast_address.packed)

    @classmethod
    def host(cls, address: bytes) -> Self:
        """The range of one address."""
        return cls(address, address)

    @classmethod
    def everything(cls, octets: int) -> Self:
        """All of IPv4 (4 octets) or IPv6 (16)."""
        return cls(bytes(octets), b"\xff" * octets)

    @property
    def version(self) -> int:
        """4 or 6."""
        return 4 if len(self.first) == IPV4_OCTETS else 6

    @property
    def is_host(self) -> bool:
        """Whether it holds one address only."""
        return self.first == self.last

    @property
    def size(self) -> int:
        """How many addresses it holds."""
        return int.from_bytes(self.last) - int.from_bytes(self.first) + 1

    def __contains__(self, address: bytes) -> bool:
        return len(address) == len(self.first) and self.first <= address <= self.last

    def covers(self, other: "AddressRange") -> bool:
        """Whether every address of ``other`` is in this range."""
        return len(other.first) == len(self.first) and self.first <= other.first and other.last <= self.last

    def intersect(self, other: "AddressRange") -> "AddressRange | None":
        """What both hold, or None."""
        if len(self.first) != len(other.first):
            return None
        first, last = max(self.first, other.first), min(self.last, other.last)
        return AddressRange(first, last) if first <= last else None

    def prefixes(self) -> Iterator[str]:
        """The fewest networks that make up the range, as ``10.0.0.0/8``."""
        first, last = ip_address(self.first), ip_address(self.last)
        yield from map(str, summarize_address_range(first, last))

    def __str__(self) -> str:
        if self.is_host:
            return format_address(self.first)
        first, size = int.from_bytes(self.first), self.size
        if size & size - 1 or first & size - 1:
            return f"{format_address(self.first)}-{format_address(self.last)}"
        return f"{format_address(self.first)}/{8 * len(self.first) - size.bit_length() + 1}"


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports from ``first`` to ``last``, both included.

    For ICMP and ICMPv6 the number is ``type * 256 + code`` (RFC 7296 §3.13.1), the same on both sides of a selector.
    """

    first: int = 0
    last: int = 65535

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last <= 65535:
            raise ValueError("ports lie between 0 and 65535, first before last")

    @classmethod
    def one(cls, port: int) -> Self:
        """The range of one port."""
        return cls(port, port)

    @property
    def is_any(self) -> bool:
        """Whether every port is meant, and also a packet whose ports cannot be seen."""
        return self.first == 0 and self.last == 65535

    def __contains__(self, port: int | None) -> bool:
        return self.is_any if port is None else self.first <= port <= self.last

    def covers(self, other: "PortRange") -> bool:
        """Whether every port of ``other`` is in this range."""
        return self.first <= other.first and other.last <= self.last

    def intersect(self, other: "PortRange") -> "PortRange | None":
        """What both hold, or None."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return PortRange(first, last) if first <= last else None

    def __str__(self) -> str:
        if self.is_any:
            return "any"
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


ANY_PORT = PortRange()


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """An address and a UDP port: one end of a path that IKE messages or encapsulated packets take."""

    address: bytes
    """4 or 16 octets."""
    port: int

    def __str__(self) -> str:
        text = format_address(self.address)
        return f"[{text}]:{self.port}" if len(self.address) == IPV6_OCTETS else f"{text}:{self.port}"


@dataclass(frozen=True, slots=True)
class Path:
    """Where a datagram goes or came from, seen from this host."""

    local: Endpoint
    remote: Endpoint
    tcp: bool = False
    """Whether by a TCP connection between these two ports (RFC 9329) instead of UDP."""

    def __str__(self) -> str:
        return f"{self.local} <-> {self.remote}" + (" (tcp)" if self.tcp else "")

    def reversed(self) -> "Path":
        """The same seen from the other host."""
        return Path(self.remote, self.local, self.tcp)
