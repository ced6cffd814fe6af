# SPDX-License-Identifier: Apache-2.0
"""What the IKE engine asks of its host: it does nothing itself, it returns these in the order to perform them."""

from dataclasses import dataclass

from ringfence.audit import Event
from ringfence.crypto.signature import Scheme
from ringfence.crypto.suites import Authenticator, Cipher, Hash
from ringfence.databases.certification import CertificateAuth
from ringfence.databases.eap import EapAuth
from ringfence.databases.pool import Assignment
from ringfence.databases.sa import ChildSa
from ringfence.ike.errors import Reason
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
class Assign:
    """A peer has given this host an address, and what goes with it; it is there before the first packet from it."""

    number: int
    """Names it when it is withdrawn."""
    peer: str
    """``PadEntry.name`` of who gave it: what the policy protects with such a peer comes from this address."""
    given: Assignment


@dataclass(frozen=True, slots=True)
class Withdraw:
    """What was assigned by that number is not ours any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Keep:
    """A peer has proved itself by this TCP connection: it may last as long as it is used (RFC 9329)."""

    path: Path


@dataclass(frozen=True, slots=True)
class Release:
    """Nothing goes by this TCP connection any more, once what was to be sent is sent."""

    path: Path


@dataclass(frozen=True, slots=True)
class LogIkeKey:
    """What decrypts a main mode in Wireshark (``ikev1_decryption_table``); for a host that keeps a key log."""

    initiator_cookie: bytes
    """8 octets."""
    key: Secret


@dataclass(frozen=True, slots=True)
class LogIkeV2Keys:
    """What decrypts an IKE SA of IKEv2 in Wireshark (``ikev2_decryption_table``); likewise."""

    initiator_spi: bytes
    """8 octets."""
    responder_spi: bytes
    cipher: Cipher
    authenticator: Authenticator | None
    """None with a combined mode."""
    ei: Secret
    er: Secret
    ai: Secret
    ar: Secret


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign by the key of a certificate of ours; the answer, ``Signed`` or ``Unfit``, goes to ``engine.answered``."""

    certificate: str
    """Its thumbprint (``OwnCertificate.id``)."""
    scheme: Scheme
    octets: bytes
    ticket: int = 0
    """What the answer has to name; the engine fills it in."""


@dataclass(frozen=True, slots=True)
class Validate:
    """Find out whether a peer's certificate is trusted, at the time of the host's clock.

    The answer, ``Trusted`` or ``Unfit``, goes to ``engine.answered``. Lists of revoked certificates may be fetched for
    it, so it may take a while.
    """

    chain: tuple[bytes, ...]
    """In DER: the peer's own certificate, then what it sent besides, in any order."""
    ways: tuple[CertificateAuth, ...]
    """Any of them will do; the first that does is taken."""
    stapled: tuple[bytes, ...] = ()
    """What its authority says of it, in DER (OCSP), as the peer has brought it."""
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class Staple:
    """Find out what the authority of a certificate of ours says of it now; the answer is ``Stapled``."""

    chain: tuple[bytes, ...]
    """In DER: ours, and its issuer's."""
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class Stapled:
    """The answer to ``Staple``."""

    octets: bytes
    """An answer of OCSP in DER, which a peer may be shown; empty for none."""


@dataclass(frozen=True, slots=True)
class Converse:
    """Go on with a conversation of EAP; the answer, ``Conversed`` or ``Unfit``, goes to ``engine.answered``.

    A server may be asked for it elsewhere, so it may take a while.
    """

    way: EapAuth
    packet: bytes
    """Of the other side; empty where we ask first."""
    conversation: int
    """The ticket of its first question."""
    server: bool
    """Whether we want the proof; otherwise we give it."""
    begins: bool = False
    station: str = ""
    """Where the peer is, for the log of whoever knows the users."""
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class Signed:
    """The answer to ``Sign``."""

    signature: bytes
    """As it goes on the wire."""


@dataclass(frozen=True, slots=True)
class Trusted:
    """The answer to ``Validate``."""

    way: CertificateAuth
    """By which of the ways."""


@dataclass(frozen=True, slots=True)
class Conversed:
    """The answer to ``Converse``."""

    packet: bytes
    """For the other side; empty where there is nothing more to say."""
    ended: bool = False
    key: Secret | None = None
    """What both sides have then; None where the method makes none."""
    name: str = ""
    """Who the other side proved to be."""
    refused: str = ""
    """Why it is not let in; empty where it is. Before the end: what it hears of that now."""


@dataclass(frozen=True, slots=True)
class Solve:
    """Solve a peer's puzzle (RFC 8019), which takes time; the answer is ``Solved``."""

    hash: Hash
    bits: int
    text: bytes
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class Solved:
    """The answer to ``Solve``."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why there is no signature, no trust, or no end of a conversation."""

    reason: Reason
    detail: str
    """A sentence for people."""


Question = Sign | Validate | Staple | Converse | Solve
Answer = Signed | Trusted | Stapled | Conversed | Solved | Unfit
Effect = (
    SendMessage
    | InstallInbound
    | InstallOutbound
    | RemoveChild
    | Report
    | AcquireFailed
    | LogIkeKey
    | LogIkeV2Keys
    | Assign
    | Withdraw
    | Keep
    | Release
    | Question
)
