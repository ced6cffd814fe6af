# SPDX-License-Identifier: Apache-2.0
"""How much the packet path may keep and how long: every store that a stranger can fill has its bound here."""

from dataclasses import dataclass, field

from ringfence.net.fragment import ReassemblyLimits


@dataclass(frozen=True, slots=True)
class HoldLimits:
    """Packets that wait for their SA."""

    packets: int = 512
    """Of one kind: an entry and a pair of hosts, or a tunnel."""
    octets: int = 1 << 20
    """Of one kind."""
    all_octets: int = 16 << 20
    seconds: float = 30.0
    kinds: int = 1024
    retry_seconds: float = 1.0
    """After a failure, packets of its kind are dropped that long before the next attempt."""


@dataclass(frozen=True, slots=True)
class PathLimits:
    """All settings of the packet path that are not policy."""

    mtu: int = 1500
    """Of the links that protected packets leave by."""
    hold: HoldLimits = field(default_factory=HoldLimits)
    reassembly: ReassemblyLimits = field(default_factory=ReassemblyLimits)
    flows: int = 65536
    """In the flow cache."""
    clear_seconds: float = 300.0
    """Lifetime of a soft SA: how long traffic that fell back goes in clear before SAs are tried for again."""
    clear_pairs: int = 4096
    """How many are."""
    keepalive_seconds: float = 20.0
    """Of silence on a NATed path before a keepalive (RFC 3948 §4)."""
    path_mtu_seconds: float = 600.0
    """After which a learnt path MTU is forgotten (RFC 1191 §6.3)."""
    nested: int = 8
    """Contracts that one packet may come through."""
    replies_per_second: int = 200
    """ICMP answers (RFC 1812 §4.3.2.8)."""
