# SPDX-License-Identifier: Apache-2.0
"""NAT traversal in IKEv2 (RFC 7296 §2.23): find out who is behind NAT, and what traffic selectors say because of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import Hash
from ringfence.databases.identity import Identity, IdentityKind
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.ike.payload import Chain
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.net.address import AddressRange, Endpoint, Path

IKE_PORT, NAT_PORT = 500, 4500


@dataclass(frozen=True, slots=True)
class Nat:
    """What two hosts have found between them."""

    local: bool
    """Whether we are behind it."""
    remote: bool
    """Whether the peer is."""


def mark(spis: bytes, end: Endpoint) -> bytes:
    """SHA-1 of both SPIs and an end (§2.23)."""
    return Prf(Hash.SHA1).hash(spis + end.address + end.port.to_bytes(2))


def marks(spis: bytes, path: Path) -> tuple[NotifyPayload, NotifyPayload]:
    """What we say: ourselves, and the peer as we see it; ``spis`` as in the message's header."""
    return (
        NotifyPayload(Notify.NAT_DETECTION_SOURCE_IP, mark(spis, path.local)),
        NotifyPayload(Notify.NAT_DETECTION_DESTINATION_IP, mark(spis, path.remote)),
    )


def found(theirs: Chain, spis: bytes, path: Path) -> Nat | None:
    """What a peer's message tells; None where there is no NAT, or the peer does not look for it."""
    said = theirs.all(NotifyPayload)
    sources = [each.data for each in said if each.kind == Notify.NAT_DETECTION_SOURCE_IP]
    ours = [each.data for each in said if each.kind == Notify.NAT_DETECTION_DESTINATION_IP]
    if not sources or not ours:
        return None
    nat = Nat(mark(spis, path.local) not in ours, mark(spis, path.remote) not in sources)
    return nat if nat.local or nat.remote else None


def between(theirs: Chain, spis: bytes, path: Path, *, looks: bool) -> Nat | None:
    """What is between two hosts that makes ESP go inside something else; ``looks``: whether both look for NAT.

    In a TCP connection ESP goes as it does through NAT, whether there is any or not (RFC 9329 §3.2, §6.5).
    """
    nat = found(theirs, spis, path) if looks else None
    return nat or (Nat(local=False, remote=False) if path.tcp else None)


def is_sought(theirs: Chain) -> bool:
    """Whether a peer looks for NAT, and so can go through it."""
    return any(each.kind == Notify.NAT_DETECTION_SOURCE_IP for each in theirs.all(NotifyPayload))


def is_own(theirs: Chain, spis: bytes, identity: Identity, nat: Nat | None) -> bool:
    """Whether a peer behind NAT calls itself by the address that it has there, as its message shows."""
    if nat is None or not nat.remote or identity.kind not in (IdentityKind.IPV4_ADDRESS, IdentityKind.IPV6_ADDRESS):
        return False
    said = [each.data for each in theirs.all(NotifyPayload) if each.kind == Notify.NAT_DETECTION_SOURCE_IP]
    return any(mark(spis, Endpoint(identity.data, port)) in said for port in (IKE_PORT, NAT_PORT))


def floated(path: Path) -> Path:
    """Where an initiator goes on; one that has begun on the other port, or by TCP, stays."""
    if path.tcp or path.local.port == NAT_PORT:
        return path
    return Path(Endpoint(path.local.address, NAT_PORT), Endpoint(path.remote.address, NAT_PORT))


def as_seen(selectors: Sequence[Selector], mode: Mode, nat: Nat | None, path: Path) -> list[Selector]:
    """A peer's selectors, from us outward, with the addresses that we see (§2.23.1): in transport mode each end names
    both as it sees them.
    """
    if nat is None or mode is not Mode.TRANSPORT:
        return list(selectors)
    ours, theirs = AddressRange.host(path.local.address), AddressRange.host(path.remote.address)
    return [
        replace(
            each,
            source=ours if nat.local and each.source.is_host else each.source,
            destination=theirs if nat.remote and each.destination.is_host else each.destination,
        )
        for each in selectors
    ]
