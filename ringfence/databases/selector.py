# SPDX-License-Identifier: Apache-2.0
"""The selector of RFC 4301 §4.4.1.1: which packets something is about."""

from dataclasses import dataclass
from typing import Self

from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import PROTOCOL_NAMES, FlowKey


@dataclass(frozen=True, slots=True)
class Selector:
    """A cube of flows, from source to destination, of one address family."""

    source: AddressRange
    destination: AddressRange
    protocol: int | None = None
    """The protocol above IP; None for any."""
    source_ports: PortRange = ANY_PORT
    destination_ports: PortRange = ANY_PORT

    def __post_init__(self) -> None:
        if self.source.version != self.destination.version:
            raise ValueError("a selector's addresses are of one family")

    @classmethod
    def between(cls, source: str, destination: str, protocol: int | None = None) -> Self:
        """From texts such as ``10.0.0.0/8``; raises ValueError."""
        return cls(AddressRange.parse(source), AddressRange.parse(destination), protocol)

    def __contains__(self, flow: FlowKey) -> bool:
        return (
            flow.source in self.source
            and flow.destination in self.destination
            and (self.protocol is None or self.protocol == flow.protocol)
            and flow.source_port in self.source_ports
            and flow.destination_port in self.destination_ports
        )

    def reversed(self) -> "Selector":
        """The selector of the answers."""
        return Selector(self.destination, self.source, self.protocol, self.destination_ports, self.source_ports)

    def covers(self, other: "Selector") -> bool:
        """Whether every flow of ``other`` is in this selector."""
        return (
            self.source.covers(other.source)
            and self.destination.covers(other.destination)
            and self.protocol in (None, other.protocol)
            and self.source_ports.covers(other.source_ports)
            and self.destination_ports.covers(other.destination_ports)
        )

    def intersect(self, other: "Selector") -> "Selector | None":
        """What both hold (narrowing, RFC 7296 §2.9), or None."""
        if self.protocol is not None and other.protocol not in (None, self.protocol):
            return None
        source = self.source.intersect(other.source)
        destination = self.destination.intersect(other.destination)
        source_ports = self.source_ports.intersect(other.source_ports)
        destination_ports = self.destination_ports.intersect(other.destination_ports)
        if source is None or destination is None or source_ports is None or destination_ports is None:
            return None
        protocol = other.protocol if self.protocol is None else self.protocol
        return Selector(source, destination, protocol, source_ports, destination_ports)

    def narrowed_to_hosts(self, flow: FlowKey) -> "Selector":
        """This selector between the two hosts of ``flow`` only, as transport mode needs it."""
        return Selector(
            AddressRange.host(flow.source), AddressRange.host(flow.destination),
            self.protocol, self.source_ports, self.destination_ports,
        )  # fmt: skip

    def __str__(self) -> str:
        what = "" if self.protocol is None else f" {PROTOCOL_NAMES.get(self.protocol, str(self.protocol))}"
        return f"{_end(self.source, self.source_ports)} -> {_end(self.destination, self.destination_ports)}{what}"


def _end(addresses: AddressRange, ports: PortRange) -> str:
    if ports.is_any:
        return str(addresses)
    return f"[{addresses}]:{ports}" if addresses.version == 6 else f"{addresses}:{ports}"
