# SPDX-License-Identifier: Apache-2.0
"""What the IKE engine asks of its host: it does nothing itself, it returns these in the order to perform them."""

from dataclasses import dataclass

from ringfence.audit import Event
from ringfence.databases.sa import ChildSa
from ringfence.net.address import Path
from ringfence.net.flow import FlowKey
from ringfence.secret import Secret


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Send an IKE message. The host adds the non-ESP marker on port 4500 (RFC 3948 §2.2)."""

    datagram: bytes
    path: Path


@dataclass(frozen=True, slots=True)
class InstallInbound:
    """Accept packets by ``child.inbound`` from now on; comes before the message that lets the peer use them."""

    child: ChildSa


@dataclass(frozen=True, slots=True)
class InstallOutbound:
    """Send by ``child.outbound`` from now on, instead of any older contract for the same selector."""

    child: ChildSa


@dataclass(frozen=True, slots=True)
class RemoveChild:
    """Forget both directions of a contract."""

    child_id: int
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the administrator."""

    event: Event


@dataclass(frozen=True, slots=True)
class AcquireFailed:
    """No SA can be had for this flow now: drop what waits, or let it go in clear where the entry allows it."""

    entry: str
    flow: FlowKey
    reason: str
    """``ike.errors.Reason``'s value."""
    detail: str
    """A sentence for people."""


@dataclass(frozen=True, slots=True)
class LogIkeKey:
    """What decrypts a main mode in Wireshark (``ikev1_decryption_table``); for a host that keeps a key log."""

    initiator_cookie: bytes
    """8 octets."""
    key: Secret


Effect = SendMessage | InstallInbound | InstallOutbound | RemoveChild | Report | AcquireFailed | LogIkeKey
