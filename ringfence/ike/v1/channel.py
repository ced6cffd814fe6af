# SPDX-License-Identifier: Apache-2.0
"""One IKEv1 message in and out of its octets: header, encryption and its IVs, payloads.

IVs chain: each message's IV is the last block of ciphertext before it in its exchange, whoever sent that (RFC 2409
appendix B). A receiver takes a message's IV on only when the message was accepted, so that a forged one breaks nothing.
"""

from collections.abc import Iterable, Sequence

from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.header import HEADER_OCTETS, VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import Chain, Payload, decode_chain, encode_chain
from ringfence.ike.v1.informational import name_of
from ringfence.ike.v1.keys import MainKeys, whole_blocks
from ringfence.ike.v1.payloads import (
    REGISTRY,
    AttributesPayload,
    CertPayload,
    CertRequestPayload,
    DeletePayload,
    HashPayload,
    IdPayload,
    KePayload,
    NatDDraftPayload,
    NatDPayload,
    NatOaDraftPayload,
    NatOaPayload,
    NoncePayload,
    NotifyPayload,
    SaPayload,
    SigPayload,
    VendorPayload,
)
from ringfence.wire import DecodeError

Cookies = tuple[bytes, bytes]


def seal(
    cookies: Cookies, exchange: Exchange, message_id: int, payloads: Sequence[Payload], keys: MainKeys | None, iv: bytes
) -> tuple[bytes, bytes]:
    """A message, encrypted where there are keys, and the IV of the next."""
    first, octets = encode_chain(payloads)
    flags = Flags(0)
    if keys is not None:
        octets = keys.cipher.encrypt(iv, whole_blocks(octets, keys.cipher.block))
        iv = octets[-keys.cipher.block :]
        flags = Flags.ENCRYPTED
    header = Header(*cookies, first, VERSION_1, exchange, flags, message_id)
    return header.over(octets), iv


def open_clear(header: Header, datagram: bytes) -> Chain:
    """The payloads of a message in clear; raises Ignored or what a payload raises."""
    try:
        return decode_chain(header.next_payload, datagram[HEADER_OCTETS:], REGISTRY)
    except DecodeError as error:
        raise Ignored(Reason.MALFORMED, f"a message is malformed: {error.message}") from error


def open_encrypted(header: Header, datagram: bytes, keys: MainKeys, iv: bytes) -> tuple[Chain, bytes]:
    """The payloads of an encrypted message, and the IV of the next; raises Ignored or what a payload raises."""
    octets = datagram[HEADER_OCTETS:]
    block = keys.cipher.block
    if not octets or len(octets) % block:
        raise Ignored(Reason.MALFORMED, f"an encrypted message has {len(octets)} octets, no whole blocks")
    try:
        chain = decode_chain(header.next_payload, keys.cipher.decrypt(iv, octets), REGISTRY)
    except DecodeError as error:
        raise Ignored(Reason.UNDECIPHERABLE, f"a message cannot be deciphered: {error.message}") from error
    return chain, octets[-block:]


WORDS: dict[type[Payload], str] = {
    SaPayload: "SA",
    KePayload: "KE",
    IdPayload: "ID",
    CertPayload: "CERT",
    CertRequestPayload: "CR",
    HashPayload: "HASH",
    SigPayload: "SIG",
    NoncePayload: "NONCE",
    DeletePayload: "D",
    AttributesPayload: "ATTR",
    VendorPayload: "VID",
    NatDPayload: "NAT-D",
    NatOaPayload: "NAT-OA",
    NatDDraftPayload: "NAT-D",
    NatOaDraftPayload: "NAT-OA",
}


def words(payloads: Iterable[Payload]) -> str:
    """Payloads as RFC 2409's diagrams write them."""
    return " ".join(_word(payload) for payload in payloads)


def _word(payload: Payload) -> str:
    if isinstance(payload, NotifyPayload):
        return f"N({name_of(payload.kind)})"
    return WORDS.get(type(payload), f"payload-{payload.number}")
