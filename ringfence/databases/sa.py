# SPDX-License-Identifier: Apache-2.0
"""Security associations as values (RFC 4301 §4.4.2.1): what IKE agrees on and the packet path carries out.

An ``Sa`` is one direction of one protocol. A ``ChildSa`` is the whole contract of one quick mode: for each direction
the SAs to stack, innermost first (ESP inside AH), with the traffic that they serve.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from ringfence.crypto.suites import READABLE, Authenticator, Cipher
from ringfence.databases.identity import Identity
from ringfence.databases.proposal import Limits, Protocol
from ringfence.databases.selector import Selector
from ringfence.net.address import Endpoint, Path, format_address
from ringfence.net.flow import FlowKey
from ringfence.secret import Secret

NO_LIMITS = Limits()
NO_KEY = Secret(b"")

SPI_FIRST = 256
"""Smaller SPIs are reserved (RFC 4303 §2.1)."""


class Mode(Enum):
    """How a packet is wrapped."""

    TRANSPORT = "transport"
    TUNNEL = "tunnel"


class DfPolicy(Enum):
    """The outer DF bit of an IPv4 tunnel (RFC 4301 §8.1)."""

    COPY = "copy"
    SET = "set"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class TunnelOptions:
    """How the outer header of a tunnel is made (RFC 4301 §5.1.2)."""

    ttl: int = 64
    df: DfPolicy = DfPolicy.COPY
    copy_dscp: bool = True
    """Copy the inner DSCP outward; otherwise ``dscp``."""
    dscp: int = 0
    """0 to 63."""
    ecn: bool = True
    """RFC 6040 normal mode; False is its compatibility mode, for a peer that knows nothing of ECN."""


@dataclass(frozen=True, slots=True)
class Sa:
    """One SA, one direction."""

    protocol: Protocol
    spi: int
    """Chosen by the receiver of the packets."""
    mode: Mode
    source: bytes
    """Address that the packets come from: the tunnel's or the host's, 4 or 16 octets."""
    destination: bytes
    cipher: Cipher | None = None
    cipher_key: Secret = NO_KEY
    """Key and salt; empty for AH and NULL."""
    authenticator: Authenticator | None = None
    authenticator_key: Secret = NO_KEY
    """Key and salt; empty with a combined mode."""
    esn: bool = False
    replay_window: int = 64
    """Packets that may come late, 32 to 4096; 0 turns anti-replay off."""
    encapsulation: Path | None = None
    """UDP encapsulation (RFC 3948), seen from this host; None for none."""
    keepalive: bool = True
    """Whether this host is behind NAT, which must not forget it (RFC 3948 §4)."""
    tunnel: TunnelOptions = field(default_factory=TunnelOptions)
    tfc_octets: int = 0
    """Pad tunnel packets up to this length (RFC 4303 §2.7); 0 for no padding."""
    align_64: bool = False
    """AH over IPv4 padded to 8 octets, as some stacks do (RFC 4302 §2.6 asks it for IPv6 only)."""
    legacy: bool = False
    """The policy named a weak algorithm and said ``legacy = true``; without it the packet path refuses one."""

    def __str__(self) -> str:
        names = "-".join(str(part) for part in (self.cipher, self.authenticator) if part is not None)
        ends = f"{format_address(self.source)} -> {format_address(self.destination)}"
        return f"{self.protocol.name} 0x{self.spi:08x} {ends} {self.mode.value} {names}"


class Share(NamedTuple):
    """Traffic of one entry of the policy."""

    entry: str
    """``SpdEntry.name``."""
    selector: Selector
    """From this host outward."""


@dataclass(frozen=True, slots=True)
class ChildSa:
    """The SAs of one quick mode, both directions."""

    id: int
    """Unique in this engine; names the contract towards IKE, packet path and people."""
    ike_id: int
    """The main mode it was made under; 0 for manual keys."""
    entry: str
    """``SpdEntry.name`` of the policy it serves."""
    selector: Selector
    """From this host (or the networks behind it) to the peer."""
    outbound: tuple[Sa, ...]
    """Innermost first."""
    inbound: tuple[Sa, ...]
    """Innermost first; the SPIs are ours."""
    hard: Limits = NO_LIMITS
    """At these the SAs end."""
    soft: Limits = NO_LIMITS
    """At these a successor is negotiated."""
    idle_s: int | None = None
    """They end after so long without a packet in either direction; None: never for that."""
    unanswered_s: int | None = None
    """After packets were sent for so long without any coming in, somebody should ask whether the peer is there."""
    replaces: int | None = None
    """The ``id`` that this one was rekeyed from."""
    peer: Identity | None = None
    """Who the other end proved to be."""
    names: tuple[Identity, ...] = ()
    """All that the other end proved to be, ``peer`` among it; empty: ``peer`` alone."""
    more: tuple[Share, ...] = ()
    """What it carries besides (IKEv2): traffic of other entries that want just the same, or more of its own."""

    @property
    def proved(self) -> tuple[Identity, ...]:
        """All that is known of who the other end is; empty for nothing."""
        return self.names or (() if self.peer is None else (self.peer,))

    @property
    def shares(self) -> tuple[Share, ...]:
        """All that it carries."""
        return Share(self.entry, self.selector), *self.more

    def carries(self, flow: FlowKey) -> bool:
        """Whether packets of ``flow``, from us to the peer, go by it."""
        return flow in self.selector or any(flow in one.selector for one in self.more)

    def serves(self, entry: str) -> bool:
        """Whether it carries traffic of the entry of that name."""
        return entry == self.entry or any(one.entry == entry for one in self.more)

    @property
    def words(self) -> str:
        """All its selectors, for people."""
        return ", ".join(dict.fromkeys(str(one.selector) for one in self.shares))

    @property
    def mode(self) -> Mode:
        """The innermost SA's mode, which is the contract's."""
        return self.outbound[0].mode

    @property
    def remote(self) -> Endpoint | None:
        """Where its packets go in UDP; None without UDP."""
        path = self.outbound[-1].encapsulation
        return None if path is None else path.remote

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way can read what it carries, in either direction."""
        return all(
            any(sa.cipher is not None and sa.cipher.algorithm not in READABLE for sa in sas)
            for sas in (self.outbound, self.inbound)
        )

    def __str__(self) -> str:
        return f"{self.selector} by " + " + ".join(str(sa) for sa in self.outbound)
