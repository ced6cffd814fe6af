# SPDX-License-Identifier: Apache-2.0
"""Addresses inside a tunnel: the pool that a gateway gives them from, and what it tells of its network besides.

The same for both versions of IKE: IKEv1 carries it in mode config, IKEv2 in its configuration payload (RFC 7296 §2.19).
Which address who has is in ``ike.leases``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from ringfence.databases.identity import Identity
from ringfence.net.address import AddressRange


class Assigned(Enum):
    """Whose address a side of a tunnel has only because the other one gave it."""

    OURS = "ours"
    """The peer gives us one."""
    THEIRS = "theirs"
    """We give the peer one of a pool."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Addresses that a gateway gives to peers, and what it tells them."""

    name: str
    ranges: tuple[AddressRange, ...]
    """Of both families, in the order in which they are given."""
    excluded: tuple[AddressRange, ...] = ()
    """What of these is never given."""
    fixed: Mapping[Identity, tuple[bytes, ...]] = field(default_factory=dict)
    """Addresses that belong to one identity, within the ranges or not."""
    dns: tuple[bytes, ...] = ()
    wins: tuple[bytes, ...] = ()
    """IPv4 only."""
    domains: tuple[str, ...] = ()
    """The names that the name servers are for (split DNS, RFC 8598); empty: for all."""

    def __hash__(self) -> int:
        return hash((self.name, self.ranges))

    @property
    def reserved(self) -> frozenset[bytes]:
        """Addresses that only those may have whom they belong to."""
        return frozenset(address for addresses in self.fixed.values() for address in addresses)

    def fixed_for(self, owner: Identity, octets: int) -> bytes | None:
        """The address of that length (4 or 16 octets) that belongs to ``owner``."""
        return next((one for one in self.fixed.get(owner, ()) if len(one) == octets), None)

    def gives(self, address: bytes) -> bool:
        """Whether anybody may have that address."""
        if any(address in one for one in self.excluded) or address in self.reserved:
            return False
        return any(address in usable_in(one) for one in self.ranges)

    def has_family(self, octets: int) -> bool:
        """Whether it has addresses of 4 or 16 octets at all."""
        return any(len(one.first) == octets for one in self.ranges) or any(
            len(address) == octets for address in self.reserved
        )

    def usable(self, octets: int) -> tuple[AddressRange, ...]:
        """What hosts may have of the ranges of one family, before anything is excluded."""
        return tuple(usable_in(one) for one in self.ranges if len(one.first) == octets)


@dataclass(frozen=True, slots=True)
class Asks:
    """What this host wants a peer to give it."""

    families: tuple[int, ...]
    """4, 6 or both."""
    addresses: tuple[bytes, ...] = ()
    """Those that it would rather have; the peer decides."""
    dns: bool = True
    """Whether it asks the peer's name servers."""
    domains: tuple[str, ...] = ()
    """Only for names within these; empty: for whatever the peer says."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a peer has given this host."""

    addresses: tuple[bytes, ...]
    """One of each family at most."""
    dns: tuple[bytes, ...] = ()
    domains: tuple[str, ...] = ()
    """The names that these name servers are for; empty: all."""
    subnets: tuple[AddressRange, ...] = ()
    """What the peer says that it protects; which traffic goes there is the policy's matter."""

    def of_family(self, octets: int) -> bytes | None:
        """The address of 4 or 16 octets."""
        return next((one for one in self.addresses if len(one) == octets), None)


def usable_in(written: AddressRange) -> AddressRange:
    """A network without its own address and, in IPv4, its broadcast address; any other range whole."""
    if written.size < 4 or "/" not in str(written):
        return written
    first, last = int.from_bytes(written.first), int.from_bytes(written.last)
    octets = len(written.first)
    return AddressRange((first + 1).to_bytes(octets), (last - (octets == 4)).to_bytes(octets))
