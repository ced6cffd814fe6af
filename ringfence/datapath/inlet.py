# SPDX-License-Identifier: Apache-2.0
"""The way in through one SA: a packet that names it comes out as what it protected.

What comes out is a whole IP packet again: the one that a tunnel carried, or in transport mode the same packet as if
there had been no such SA. Whether the SAs of a bundle come as the contract has them is checked by ``inbound``.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ringfence.databases.proposal import Protocol
from ringfence.databases.sa import Mode, Sa
from ringfence.datapath.ah import AhOpen
from ringfence.datapath.esp import EspOpen, Opened
from ringfence.datapath.mode import decapsulate, inner_packet
from ringfence.datapath.verdict import Drop
from ringfence.net.flow import TCP, UDP
from ringfence.net.ip import IPV4_OCTETS, IPV6_OCTETS, View, fitted, traffic_class

if TYPE_CHECKING:
    from ringfence.datapath.contract import Contract

MOST_KNOWN = 4096


class Inlet:
    """One inbound SA, prepared."""

    def __init__(self, contract: "Contract", position: int, sa: Sa, was: "Inlet | None" = None) -> None:
        """Prepare ``sa``; raises what ``EspOpen`` and ``AhOpen`` raise. The window goes on from where it ``was``."""
        self.contract = contract
        self.position = position
        self.sa = sa
        self.outermost = position == len(contract.child.inbound) - 1
        """Whether a packet meets it first."""
        before: frozenset[bytes] = frozenset() if was is None else was.names
        self.opens: EspOpen | AhOpen = _opening(sa) if was is None else was.opens
        self.names: frozenset[bytes] = before | {sa.destination + sa.spi.to_bytes(4)}
        """What its packets say in their headers; those on their way say where we were before."""
        self.open_many: Callable[[Iterable[bytes]], list[Opened | Drop]] | None = None
        """Opens runs of ESP packets in one go; None where the SA is not all of its contract, or AH."""
        if isinstance(self.opens, EspOpen) and len(contract.child.inbound) == 1:
            self.open_many = self.opens.open_many
        self.tunnel = sa.mode is Mode.TUNNEL
        self.front = IPV4_OCTETS if len(sa.destination) == 4 else IPV6_OCTETS
        """Octets of the plain IP header in front of it."""
        self.run: list[bytes] = []
        """Packets of the present batch."""
        self.known: dict[int, set[bytes]] = {TCP: set(), UDP: set()}
        """Addresses and ports, as in the packet, of flows that were found to fit the contract's selector."""

    def know(self, protocol: int, key: bytes) -> None:
        """Remember a flow that fits."""
        flows = self.known.get(protocol)
        if flows is not None:
            if len(flows) >= MOST_KNOWN:
                flows.clear()
            flows.add(key)

    def forget(self) -> None:
        """Look at every flow anew."""
        for flows in self.known.values():
            flows.clear()

    def unwrap(self, packet: bytes, parts: View) -> bytes | Drop:
        """The IP packet that ``packet`` protects, its ESP or AH header being at ``parts.at``."""
        if isinstance(self.opens, AhOpen):
            clear = self.opens.open(packet)
            if isinstance(clear, Drop) or not self.tunnel:
                return clear if isinstance(clear, Drop) else clear.packet
            next_header, payload = clear.next_header, clear.packet[parts.at :]
        else:
            opened = self.opens.open(packet[parts.at : parts.whole])
            if isinstance(opened, Drop):
                return opened
            next_header, payload = opened
            if not self.tunnel:
                whole = parts.at + len(payload)
                return fitted(packet[: parts.at], parts.next_at, next_header, whole) + payload
        inner = inner_packet(next_header, payload)
        return inner if isinstance(inner, Drop) else decapsulate(traffic_class(packet) & 3, inner)


def _opening(sa: Sa) -> EspOpen | AhOpen:
    return EspOpen(sa) if sa.protocol is Protocol.ESP else AhOpen(sa)
