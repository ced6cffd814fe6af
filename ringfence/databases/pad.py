# SPDX-License-Identifier: Apache-2.0
"""The peer authorization database (RFC 4301 §4.4.3): who may be the other end, and how each side proves itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.databases.identity import Identity
from ringfence.databases.proposal import IkeProposal
from ringfence.databases.spd import Origin
from ringfence.net.address import AddressRange
from ringfence.secret import Secret


@dataclass(frozen=True, slots=True)
class PresharedKey:
    """Both sides know a key."""

    key: Secret
    source: str = ""
    """Where it came from, such as a file's name, for people."""


@dataclass(frozen=True, slots=True)
class PadEntry:
    """Peers that authenticate in one way."""

    name: str
    remote: tuple[AddressRange, ...]
    """Addresses that such a peer may negotiate from."""
    auth: tuple[PresharedKey, ...]
    """In order of preference."""
    proposals: tuple[IkeProposal, ...]
    """For main mode, in order of preference."""
    origin: Origin
    local_identity: Identity | None = None
    """What we say we are; None for the address we negotiate from."""
    remote_identity: Identity | None = None
    """What the peer must prove to be; None for the address it negotiates from."""
    nat_traversal: bool = True
    master_key_pfs: bool = False
    """One quick mode per main mode (Windows: master key perfect forward secrecy)."""
    quick_mode_limit: int = 0
    """Quick modes per main mode; 0 for no limit."""
    initiate: bool = True
    """Whether we may begin; otherwise only answer."""


@dataclass(frozen=True, slots=True)
class Pad:
    """Entries in the order in which they are asked."""

    entries: tuple[PadEntry, ...] = ()

    def __iter__(self) -> Iterator[PadEntry]:
        return iter(self.entries)

    def named(self, name: str) -> PadEntry | None:
        """The entry of that name."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def for_address(self, address: bytes) -> Iterator[PadEntry]:
        """The entries that serve a peer at ``address``, in order."""
        return (entry for entry in self.entries if any(address in piece for piece in entry.remote))
