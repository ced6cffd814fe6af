# SPDX-License-Identifier: Apache-2.0
"""What the packet path decided about packets, and every reason for which it drops one.

One verdict may be about a run of packets; the order within a flow is kept, and no other is promised.

A reason has one name: the member's value is the counter's name, the audit event's and the word people read.
"""

from dataclasses import dataclass
from enum import Enum

from ringfence.net.address import Path
from ringfence.net.flow import FlowKey


class Drop(Enum):
    """Why a packet was dropped."""

    BLOCKED = "blocked"
    """An SPD entry says discard."""
    NOT_AUTHORIZED = "not-authorized"
    """It came protected, from a peer to whom the filter that asks for protection permits nothing."""
    NOT_ENCRYPTED = "not-encrypted"
    """It came protected, but readable, where a filter permits only what is encrypted."""
    CLEAR_BUT_PROTECTION_REQUIRED = "clear-but-security-required"
    """A clear packet came in where only protected ones may."""
    NO_SA = "no-sa"
    """It must be protected, there is no SA, and none could be agreed on."""
    HOLD_FULL = "hold-full"
    """Too many packets wait for their SA."""
    HOLD_EXPIRED = "hold-expired"
    """It waited too long for its SA."""
    UNKNOWN_SPI = "unknown-spi"
    """A protected packet for an SA that does not exist (RFC 4303 §3.4.2)."""
    TOO_SHORT = "too-short"
    """Shorter than any packet of its SA can be."""
    MALFORMED = "malformed"
    """Not a correct IP packet."""
    FRAGMENT = "fragment"
    """A fragment where a whole packet is needed (RFC 4303 §3.4.1)."""
    REASSEMBLY_FAILED = "reassembly-failed"
    """Fragments that overlap, exceed the limits or never became whole."""
    REPLAYED = "replayed"
    """Seen before (RFC 4303 §3.4.3)."""
    TOO_OLD = "too-old"
    """Left of the replay window, so it cannot be told from a replay."""
    BAD_ICV = "bad-integrity"
    """The integrity check failed (RFC 4303 §3.4.4.1)."""
    BAD_PADDING = "bad-padding"
    """Decrypted, but the padding is not what the RFC prescribes."""
    BAD_NEXT_HEADER = "bad-next-header"
    """The inner protocol does not fit the SA's mode."""
    WRONG_BUNDLE = "wrong-bundle"
    """Protected by fewer or other SAs than the contract says (RFC 4301 §5.2)."""
    SELECTOR_MISMATCH = "selector-mismatch"
    """The inner packet is not traffic of this SA (RFC 4301 §5.2)."""
    DUMMY = "dummy"
    """Next header 59: traffic flow confidentiality, nothing to deliver (RFC 4303 §2.6)."""
    SEQUENCE_EXHAUSTED = "sequence-exhausted"
    """The SA has no sequence number left (RFC 4303 §3.3.3)."""
    SA_EXPIRED = "sa-expired"
    """The SA reached its hard limit."""
    TOO_BIG = "too-big"
    """Larger than the path allows, and it must not be fragmented; the sender was told by ICMP."""
    BAD_ECN = "bad-ecn"
    """ECN of inner and outer header that RFC 6040 §4.2 says to drop."""
    KEEPALIVE = "keepalive"
    """A NAT keepalive, which has done its work by arriving (RFC 3948 §2.3)."""
    PACKET_FILTER = "packet-filter"
    """A packet filter drops it on its interface, be it protected or clear."""
    MASQUERADED = "masqueraded"
    """Somebody else's packet that bears an address of this host in clear, where only protected ones may."""
    NEIGHBOURS_FLOW = "neighbours-flow"
    """Another host behind the same NAT has the same ports, and the contract is for no others."""
    LOOP = "loop"
    """Tunnels in tunnels, deeper than any policy means."""


@dataclass(frozen=True, slots=True)
class Send:
    """Put these on the wire."""

    packets: tuple[bytes, ...]
    """Whole IP packets, or the payload of UDP datagrams when ``path`` is set; fragments in order."""
    path: Path | None = None
    """Where to send the datagrams of UDP encapsulation; None for IP packets."""
    child: int = 0
    """``ChildSa.id`` that protected it; 0 for clear."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Hand these IP packets to the host, in order."""

    packets: tuple[bytes, ...]
    child: int = 0
    """``ChildSa.id`` that they came by; 0 for clear."""


@dataclass(frozen=True, slots=True)
class Reassembling:
    """A fragment was kept until the rest comes."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The packet is kept until there is an SA."""

    entry: str
    """``SpdEntry.name``."""
    flow: FlowKey
    acquire: bool
    """Whether this is the first packet of its kind, so that IKE has to begin."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The packet is gone."""

    reason: Drop
    flow: FlowKey | None = None
    """As far as it could be read."""
    spi: int = 0
    reply: bytes | None = None
    """An IP packet (ICMP) to tell its sender, handed to the host or sent on, see ``reply_to_host``."""
    reply_to_host: bool = True


Verdict = Send | Deliver | Hold | Dropped | Reassembling
