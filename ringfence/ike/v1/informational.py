# SPDX-License-Identifier: Apache-2.0
"""Informational exchanges (RFC 2409 §5.7): one message, nobody answers but a delete that asks for it.

With keys it is ``{ HASH(1), N or D }`` and as good as the peer's word. Without keys it is a notify in clear, which
proves nothing: at most it makes us less patient.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ringfence.crypto.integrity import same
from ringfence.databases.proposal import Protocol
from ringfence.ike.errors import Ignored, Reason
from ringfence.ike.exchange import Message
from ringfence.ike.payload import Payload, encode_chain
from ringfence.ike.v1.keys import MainKeys
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, DeletePayload, HashPayload, NoncePayload, ProtocolId
from ringfence.ike.v1.transforms import PROTOCOL_ID, SPI_OCTETS


def protected(keys: MainKeys, message_id: int, *payloads: Payload) -> tuple[Payload, ...]:
    """``payloads`` behind their HASH(1)."""
    _, octets = encode_chain(payloads)
    return HashPayload(keys.phase2_hash(message_id, b"", octets)), *payloads


def check(keys: MainKeys, message: Message) -> None:
    """Raise Ignored unless HASH(1) is right."""
    expected = keys.phase2_hash(message.header.message_id, b"", message.chain.behind_first())
    if not same(message.chain.one(HashPayload).data, expected):
        raise Ignored(Reason.BAD_HASH, "the hash of an informational message is wrong")


def acknowledgement(keys: MainKeys, message: Message, fresh: bytes) -> tuple[Payload, ...]:
    """What answers a delete that asks for it by a nonce ([MS-IKEE] §3.8).

    It is the deletes again behind a nonce of ours, ``fresh``, and HASH(2).
    """
    rest = NoncePayload(fresh), *message.chain.all(DeletePayload)
    _, octets = encode_chain(rest)
    nonce = message.chain.one(NoncePayload).data
    return HashPayload(keys.acknowledging_hash(message.header.message_id, nonce, octets)), *rest


@dataclass(frozen=True, slots=True)
class Deleted:
    """The peer has deleted its inbound SAs: we must not send by these any more."""

    protocol: Protocol
    spis: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeletedIke:
    """The peer has deleted an IKE SA."""

    cookies: bytes
    """Both, 16 octets."""


def deletions(message: Message) -> Iterator[Deleted | DeletedIke]:
    """What a message says is deleted; what makes no sense is passed over."""
    for payload in message.chain.all(DeletePayload):
        protocol = next((each for each, number in PROTOCOL_ID.items() if number == payload.protocol), None)
        if protocol is not None:
            spis = tuple(int.from_bytes(spi) for spi in payload.spis if len(spi) == SPI_OCTETS)
            yield Deleted(protocol, spis)
        elif payload.protocol == ProtocolId.ISAKMP:
            for cookies in payload.spis:
                yield DeletedIke(cookies)


def delete_children(spis: Iterable[tuple[Protocol, int]]) -> tuple[DeletePayload, ...]:
    """Our inbound SAs are gone: one payload per protocol."""
    by_protocol: dict[Protocol, list[bytes]] = {}
    for protocol, spi in spis:
        by_protocol.setdefault(protocol, []).append(spi.to_bytes(SPI_OCTETS))
    return tuple(DeletePayload(IPSEC_DOI, PROTOCOL_ID[each], tuple(own)) for each, own in by_protocol.items())


def delete_ike(initiator_cookie: bytes, responder_cookie: bytes) -> DeletePayload:
    """The IKE SA itself is gone."""
    return DeletePayload(IPSEC_DOI, ProtocolId.ISAKMP, (initiator_cookie + responder_cookie,))


def name_of(kind: Notify | int) -> str:
    """A notify's name as the RFC writes it."""
    return kind.name.replace("_", "-") if isinstance(kind, Notify) else f"notify {kind}"
