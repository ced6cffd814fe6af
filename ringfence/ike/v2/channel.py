# SPDX-License-Identifier: Apache-2.0
"""One IKEv2 message in and out of its octets: header, payloads, the Encrypted payload (RFC 7296 §3.1, §3.14).

An unknown payload is passed over, unless its sender calls it critical (§2.5).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ringfence.ike.errors import Ignored, Reason, Refused
from ringfence.ike.header import HEADER_OCTETS, VERSION_2, Flags, Header
from ringfence.ike.payload import (
    GENERIC_OCTETS,
    Chain,
    GenericHeader,
    Payload,
    UnknownPayload,
    decode_chain,
    encode_chain,
)
from ringfence.ike.v2.notifies import Answered, Notify, name_of
from ringfence.ike.v2.numbers import Flag, Kind
from ringfence.ike.v2.payloads import (
    ENCRYPTED,
    REGISTRY,
    AuthPayload,
    CertPayload,
    CertRequestPayload,
    ConfigPayload,
    DeletePayload,
    EapPayload,
    IdInitiatorPayload,
    IdResponderPayload,
    KePayload,
    NoncePayload,
    NotifyPayload,
    SaPayload,
    TsInitiatorPayload,
    TsResponderPayload,
    VendorPayload,
)
from ringfence.ike.v2.protection import Protection
from ringfence.ike.v2.solution import SolutionPayload
from ringfence.wire import DecodeError, Reader

CRITICAL = 0x80
_RESPONSE, _INITIATOR = int(Flag.RESPONSE), int(Flag.INITIATOR)
Spis = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Frame:
    """What a message's header says."""

    spis: Spis
    kind: Kind
    message_id: int
    initiator: bool
    """Whether its sender began the IKE SA."""
    response: bool

    def header(self, first: int) -> Header:
        """With the type of the first payload."""
        flags = (Flag.INITIATOR if self.initiator else Flag(0)) | (Flag.RESPONSE if self.response else Flag(0))
        return Header(*self.spis, first, VERSION_2, self.kind, Flags(flags.value), self.message_id)


def is_response(header: Header) -> bool:
    """Whether it answers a request."""
    return bool(int(header.flags) & _RESPONSE)


def from_initiator(header: Header) -> bool:
    """Whether its sender began the IKE SA."""
    return bool(int(header.flags) & _INITIATOR)


def in_clear(frame: Frame, payloads: Sequence[Payload]) -> bytes:
    """A message in clear."""
    first, octets = encode_chain(payloads)
    return frame.header(first).over(octets)


def seal(frame: Frame, payloads: Sequence[Payload], keys: Protection, seed: bytes) -> bytes:
    """A protected message; ``seed`` is of ``keys.seed_octets``."""
    first, octets = encode_chain(payloads)
    size = keys.sealed_octets(len(octets))
    payload = GenericHeader(first, GENERIC_OCTETS + size).encode()
    head = frame.header(ENCRYPTED).over(payload + bytes(size))[: HEADER_OCTETS + GENERIC_OCTETS]
    return head + keys.seal(head, octets, seed)


def open_clear(header: Header, datagram: bytes) -> Chain:
    """The payloads of a message in clear; raises Ignored, and Refused for an unknown critical one."""
    return _known(_decoded(header.next_payload, datagram[HEADER_OCTETS:]))


def open_sealed(header: Header, datagram: bytes, keys: Protection) -> Chain:
    """The payloads of a protected message.

    Raises Ignored unless it is one, and Refused for what its sender made wrong under the keys.
    """
    first, start = _encrypted(header, datagram)
    return decrypted(first, keys.open(datagram[:start], datagram[start:]))


def decrypted(first: int, octets: bytes) -> Chain:
    """The payloads of a message that was authentic; raises Refused for what its sender made wrong under the keys."""
    try:
        chain = _decoded(first, octets)
    except Ignored as error:
        raise Refused(error.reason, error.detail) from error
    return _known(chain)


def is_sealed(header: Header, datagram: bytes) -> bool:
    """Whether there is an Encrypted payload in it."""
    try:
        _encrypted(header, datagram)
    except Ignored:
        return False
    return True


def _encrypted(header: Header, datagram: bytes) -> tuple[int, int]:
    """Type of the first payload inside the Encrypted one, which is the last, and where its IV begins."""
    reader, number = Reader(datagram, HEADER_OCTETS), header.next_payload
    while True:
        try:
            generic = GenericHeader.read(reader)
            reader.take(max(generic.length, GENERIC_OCTETS) - GENERIC_OCTETS)
        except DecodeError as error:
            raise Ignored(Reason.UNPROTECTED, f"a message that must be protected is not: {error.message}") from error
        if number == ENCRYPTED:
            break
        number = generic.next_payload
    if reader.left:
        raise Ignored(Reason.MALFORMED, f"{reader.left} octets behind the Encrypted payload")
    return generic.next_payload, len(datagram) - max(generic.length, GENERIC_OCTETS) + GENERIC_OCTETS


def _decoded(first: int, octets: bytes) -> Chain:
    try:
        return decode_chain(first, octets, REGISTRY, most_padding=0)
    except DecodeError as error:
        raise Ignored(Reason.MALFORMED, f"a message is malformed: {error.message}") from error


def _known(chain: Chain) -> Chain:
    """Without the payloads that nobody knows; raises Refused for a critical one."""
    for item in chain.items:
        if isinstance(item.payload, UnknownPayload) and item.raw[1] & CRITICAL:
            number = item.payload.number
            what = f"nobody knows payload type {number}, which the peer calls critical"
            raise Answered(Reason.PAYLOAD_TYPE, what, Notify.UNSUPPORTED_CRITICAL_PAYLOAD, bytes([number]))
    items = tuple(item for item in chain.items if not isinstance(item.payload, UnknownPayload))
    return replace(chain, items=items)


WORDS: dict[type[Payload], str] = {
    SaPayload: "SA",
    KePayload: "KE",
    IdInitiatorPayload: "IDi",
    IdResponderPayload: "IDr",
    CertPayload: "CERT",
    CertRequestPayload: "CERTREQ",
    AuthPayload: "AUTH",
    NoncePayload: "NONCE",
    DeletePayload: "D",
    VendorPayload: "V",
    TsInitiatorPayload: "TSi",
    TsResponderPayload: "TSr",
    ConfigPayload: "CP",
    EapPayload: "EAP",
    SolutionPayload: "PS",
}


def words(payloads: Iterable[Payload]) -> str:
    """Payloads as the RFC's diagrams write them."""
    return " ".join(_word(payload) for payload in payloads)


def _word(payload: Payload) -> str:
    if isinstance(payload, NotifyPayload):
        return f"N({name_of(payload.kind)})"
    return WORDS.get(type(payload), f"payload-{payload.number}")
