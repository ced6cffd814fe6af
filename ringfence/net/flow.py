# SPDX-License-Identifier: Apache-2.0
"""The flow key: what a policy can see of a packet (RFC 4301 §4.4.1.1)."""

from typing import NamedTuple

from ringfence.net.address import format_address

ICMP, TCP, UDP, ESP, AH, ICMPV6, SCTP, UDPLITE, DCCP, MOBILITY = 1, 6, 17, 50, 51, 58, 132, 136, 33, 135

PROTOCOL_NAMES = {
    ICMP: "icmp", TCP: "tcp", UDP: "udp", ESP: "esp", AH: "ah", ICMPV6: "icmpv6", SCTP: "sctp", UDPLITE: "udplite",
    DCCP: "dccp", MOBILITY: "mobility", 4: "ipip", 41: "ipv6", 47: "gre", 112: "vrrp", 89: "ospf", 2: "igmp",
}  # fmt: skip


class FlowKey(NamedTuple):
    """One packet's addresses, protocol and ports, from its sender to its receiver."""

    source: bytes
    """4 or 16 octets."""
    destination: bytes
    """As many octets as ``source``."""
    protocol: int
    """The protocol number above IP, behind all extension headers."""
    source_port: int | None
    """None when it cannot be seen (a later fragment, a protocol without ports); for ICMP ``type * 256 + code``."""
    destination_port: int | None
    """Likewise; for ICMP the same number as ``source_port``."""

    def reversed(self) -> "FlowKey":
        """The key of the answer to this packet."""
        return FlowKey(self.destination, self.source, self.protocol, self.destination_port, self.source_port)

    def __str__(self) -> str:
        name = PROTOCOL_NAMES.get(self.protocol, str(self.protocol))
        if self.protocol in (ICMP, ICMPV6) or self.source_port is None or self.destination_port is None:
            return f"{name} {format_address(self.source)} -> {format_address(self.destination)}"
        return (
            f"{name} {_with_port(self.source, self.source_port)} -> "
            f"{_with_port(self.destination, self.destination_port)}"
        )


def _with_port(address: bytes, port: int) -> str:
    text = format_address(address)
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"
