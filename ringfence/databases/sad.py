# SPDX-License-Identifier: Apache-2.0
"""The security association database (RFC 4301 §4.4.2): which contracts are in force, and which SA a packet names.

A packet that arrives names its SA by destination, protocol and SPI. A packet that leaves takes the newest contract of
its SPD entry whose selector holds it: when a contract is rekeyed the new one is used at once, and the old one, which
the peer may still send by, stays until it is removed.
"""

from typing import NamedTuple

from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import ChildSa, Sa
from ringfence.net.address import Endpoint
from ringfence.net.flow import FlowKey


class InboundSa(NamedTuple):
    """One SA that packets may arrive by."""

    child: ChildSa
    position: int
    """In ``child.inbound``; the last is the one that a packet meets first."""

    @property
    def sa(self) -> Sa:
        """The SA itself."""
        return self.child.inbound[self.position]


class SpiInUse(ValueError):
    """Two contracts cannot share an SPI."""

    def __init__(self, spi: int) -> None:
        super().__init__(f"SPI 0x{spi:08x} is in use by another contract")
        self.spi = spi


def name_of(sa: Sa) -> tuple[Protocol, bytes]:
    """What a packet of ``sa`` says in its headers: protocol, and destination with SPI."""
    return sa.protocol, sa.destination + sa.spi.to_bytes(4)


class Sad:
    """All contracts."""

    def __init__(self) -> None:
        self._inbound: dict[Protocol, dict[bytes, InboundSa]] = {protocol: {} for protocol in Protocol}
        self._outbound: dict[str, list[ChildSa]] = {}
        """By entry, newest first."""
        self._senders: dict[tuple[Protocol, bytes], ChildSa] = {}
        """Contracts that are sent by, by what their packets say in their headers."""
        self._children: dict[int, ChildSa] = {}

    def __len__(self) -> int:
        return len(self._children)

    def add_inbound(self, child: ChildSa) -> None:
        """Let packets arrive by ``child``; raises SpiInUse, and then nothing changed."""
        for sa in child.inbound:
            protocol, name = name_of(sa)
            other = self._inbound[protocol].get(name)
            if other is not None and other.child.id != child.id:
                raise SpiInUse(sa.spi)
        self._forget_inbound(child.id)
        self._children[child.id] = child
        for position, sa in enumerate(child.inbound):
            protocol, name = name_of(sa)
            self._inbound[protocol][name] = InboundSa(child, position)

    def add_outbound(self, child: ChildSa) -> None:
        """Let packets leave by ``child``, before all older contracts of its entry."""
        self._forget_outbound(child.id)
        self._children[child.id] = child
        for entry in dict.fromkeys(one.entry for one in child.shares):
            self._outbound.setdefault(entry, []).insert(0, child)
        self._senders.update((name_of(sa), child) for sa in child.outbound)

    def remove(self, child_id: int) -> ChildSa | None:
        """Forget both directions; the contract that it was."""
        self._forget_inbound(child_id)
        self._forget_outbound(child_id)
        return self._children.pop(child_id, None)

    def end_outbound(self, child_id: int) -> None:
        """Send by it no more."""
        self._forget_outbound(child_id)

    def inbound(self, protocol: Protocol, destination: bytes, spi: int) -> InboundSa | None:
        """The SA that a packet with these names."""
        return self._inbound[protocol].get(destination + spi.to_bytes(4))

    def outbound(self, entry: str, flow: FlowKey, remote: Endpoint | None = None) -> ChildSa | None:
        """The contract that a packet of ``flow`` leaves by, under the SPD entry of that name.

        ``remote``: of several hosts behind one NAT, the one that is there; another if it has none.
        """
        found = [child for child in self._outbound.get(entry, ()) if child.carries(flow)]
        if remote is not None:
            found.sort(key=lambda child: child.remote != remote)
        return found[0] if found else None

    def newer(self, child: ChildSa) -> ChildSa | None:
        """A contract with the same peer that took over all traffic of ``child``."""
        for other in self._outbound.get(child.entry, ()):
            if other.id == child.id:
                return None
            if _covers(other, child) and (other.peer, other.remote) == (child.peer, child.remote):
                return other
        return None

    def find_outbound(self, protocol: Protocol, destination: bytes, spi: int) -> ChildSa | None:
        """The contract that we send by to ``destination`` under this SPI of its, as an ICMP error quotes it."""
        return self._senders.get((protocol, destination + spi.to_bytes(4)))

    def child(self, child_id: int) -> ChildSa | None:
        """The contract of that number."""
        return self._children.get(child_id)

    def children(self) -> tuple[ChildSa, ...]:
        """All contracts, in the order of their numbers."""
        return tuple(self._children[number] for number in sorted(self._children))

    def _forget_inbound(self, child_id: int) -> None:
        for table in self._inbound.values():
            for name in [name for name, found in table.items() if found.child.id == child_id]:
                del table[name]

    def _forget_outbound(self, child_id: int) -> None:
        self._senders = {name: child for name, child in self._senders.items() if child.id != child_id}
        for entry, children in [*self._outbound.items()]:
            left = [child for child in children if child.id != child_id]
            if left:
                self._outbound[entry] = left
            else:
                del self._outbound[entry]


def _covers(one: ChildSa, other: ChildSa) -> bool:
    """Whether all traffic of ``other`` goes by ``one``."""
    return all(any(mine.selector.covers(theirs.selector) for mine in one.shares) for theirs in other.shares)
