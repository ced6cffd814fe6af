# SPDX-License-Identifier: Apache-2.0
"""NAT traversal (RFC 3947): find out who is behind NAT, and what a quick mode says because of it.

Each side sends hashes of the two ends as it sees them, the other's first. Who does not find itself as it is among them
is behind NAT. Then the initiator goes on by port 4500, and the responder answers to wherever the message came from.

The drafts that Windows and old routers speak (-02, -03) differ in numbers alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.payload import Chain
from ringfence.ike.v1.payloads import (
    IdType,
    NatDDraftPayload,
    NatDPayload,
    NatOaDraftPayload,
    NatOaPayload,
    VendorPayload,
)
from ringfence.net.address import IPV4_OCTETS, AddressRange, Endpoint, Path

IKE_PORT, NAT_PORT = 500, 4500


class Dialect(Enum):
    """Whose numbers are used."""

    RFC = "rfc3947"
    DRAFT = "draft"


RFC_ID = bytes.fromhex("4a131c81070358455c5728f20e95452f")
NAT_T_IDS: dict[bytes, Dialect] = {
    RFC_ID: Dialect.RFC,
    bytes.fromhex("90cb80913ebb696e086381b5ec427b1f"): Dialect.DRAFT,  # -02 as Windows has it, with a line feed
    bytes.fromhex("cd60464335df21f87cfdb2fc68b6a448"): Dialect.DRAFT,
    bytes.fromhex("7d9419a65310ca6f2c179d9215529d56"): Dialect.DRAFT,
}
"""Vendor ids, the best first."""

ENCAPSULATION = {Mode.TUNNEL: 1, Mode.TRANSPORT: 2}
IN_UDP = {
    Dialect.RFC: {Mode.TUNNEL: 3, Mode.TRANSPORT: 4},
    Dialect.DRAFT: {Mode.TUNNEL: 61443, Mode.TRANSPORT: 61444},
}

_D = {Dialect.RFC: NatDPayload, Dialect.DRAFT: NatDDraftPayload}
_OA = {Dialect.RFC: NatOaPayload, Dialect.DRAFT: NatOaDraftPayload}


@dataclass(frozen=True, slots=True)
class Nat:
    """What two hosts have found between them."""

    dialect: Dialect
    local: bool
    """Whether we are behind it."""
    remote: bool
    """Whether the peer is."""

    @property
    def between(self) -> bool:
        """Whether there is any."""
        return self.local or self.remote


def offered(*, serves: bool) -> tuple[VendorPayload, ...]:
    """What an initiator that ``serves`` NAT traversal says."""
    return tuple(map(VendorPayload, NAT_T_IDS)) if serves else ()


def common(theirs: Chain, *, serves: bool) -> bytes | None:
    """The best vendor id that the peer has said, if we serve any."""
    said = {payload.data for payload in theirs.all(VendorPayload)}
    return next((each for each in NAT_T_IDS if serves and each in said), None)


def serves(path: Path) -> bool:
    """Whether NAT is looked for at all: not in IPv6, as Windows has it."""
    return len(path.local.address) == IPV4_OCTETS


class Detector:
    """Compares what both sides see of a main mode's ends."""

    def __init__(self, hash_: Callable[[bytes], bytes], cookies: bytes, dialect: Dialect) -> None:
        """``hash_`` is the main mode's."""
        self._hash = hash_
        self._cookies = cookies
        self._dialect = dialect

    def mark(self, end: Endpoint) -> bytes:
        """The hash of an end (§3.2)."""
        return self._hash(self._cookies + end.address + end.port.to_bytes(2))

    def payloads(self, path: Path) -> tuple[NatDPayload, ...]:
        """What we say: the peer as we see it, then ourselves."""
        return tuple(_D[self._dialect](self.mark(end)) for end in (path.remote, path.local))

    def found(self, theirs: Chain, path: Path) -> Nat | None:
        """What a peer's payloads tell; None where there is no NAT, or the peer does not look for it."""
        marks = [payload.data for payload in theirs.all(NatDPayload)]
        if len(marks) < 2:
            return None
        nat = Nat(self._dialect, marks[0] != self.mark(path.local), self.mark(path.remote) not in marks[1:])
        return nat if nat.between else None

    def is_own(self, theirs: Chain, address: bytes) -> bool:
        """Whether the peer has ``address`` itself, by what it says."""
        marks = [payload.data for payload in theirs.all(NatDPayload)][1:]
        return any(self.mark(Endpoint(address, port)) in marks for port in (IKE_PORT, NAT_PORT))


def floated(path: Path) -> Path:
    """Where an initiator goes on (§4); one that has begun on the other port stays."""
    if path.local.port == NAT_PORT:
        return path
    return Path(Endpoint(path.local.address, NAT_PORT), Endpoint(path.remote.address, NAT_PORT))


# Quick mode --------------------------------------------------------------------------------------------------------


def encapsulation(mode: Mode, nat: Nat | None) -> int:
    """The attribute's value."""
    return ENCAPSULATION[mode] if nat is None else IN_UDP[nat.dialect][mode]


def originals(mode: Mode, nat: Nat | None, initiator: bytes, responder: bytes) -> tuple[NatOaPayload, ...]:
    """Both addresses as the sender sees them, in transport mode (§5.2)."""
    if nat is None or mode is not Mode.TRANSPORT:
        return ()
    return tuple(_OA[nat.dialect](IdType.IPV4_ADDR, address) for address in (initiator, responder))


def as_seen(selector: Selector, mode: Mode, nat: Nat | None, path: Path) -> Selector:
    """A peer's selector with the addresses that we see: in transport mode each end names itself as it sees itself."""
    if nat is None or mode is not Mode.TRANSPORT:
        return selector
    source, destination = selector.source, selector.destination
    if nat.local and source.is_host:
        source = AddressRange.host(path.local.address)
    if nat.remote and destination.is_host:
        destination = AddressRange.host(path.remote.address)
    return replace(selector, source=source, destination=destination)
