# SPDX-License-Identifier: Apache-2.0
"""INFORMATIONAL exchanges (RFC 7296 §1.4): deletes and notifies; an empty one asks whether the peer is alive."""

from collections.abc import Iterable, Iterator

from ringfence.databases.proposal import Protocol
from ringfence.ike.errors import Aborted, IkeError, Reason
from ringfence.ike.exchange import Exchange, Message, request
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2.notifies import NOTIFY_OF, Answered, Notify, NotLetIn, name_of
from ringfence.ike.v2.numbers import ProtocolId
from ringfence.ike.v2.payloads import DeletePayload, EapPayload, NotifyPayload
from ringfence.ike.v2.proposals import PROTOCOL_ID, SPI_OCTETS

FATAL = Notify.INVALID_SYNTAX, Notify.AUTHENTICATION_FAILED
Spi = tuple[Protocol, int]


def tell(*payloads: Payload) -> Exchange[Message]:
    """Say something, and wait until the peer has heard it."""
    return (yield from request(*payloads))


def delete_children(spis: Iterable[Spi]) -> tuple[DeletePayload, ...]:
    """Our inbound SAs are gone: one payload per protocol."""
    by_protocol: dict[Protocol, list[bytes]] = {}
    for protocol, spi in spis:
        by_protocol.setdefault(protocol, []).append(spi.to_bytes(SPI_OCTETS))
    return tuple(DeletePayload(PROTOCOL_ID[each], tuple(own)) for each, own in by_protocol.items())


def delete_ike() -> DeletePayload:
    """The IKE SA itself is gone."""
    return DeletePayload(ProtocolId.IKE)


def disbelieve() -> tuple[Payload, ...]:
    """The peer has not proved who it is, so there is no IKE SA (§2.21.2)."""
    return NotifyPayload(Notify.AUTHENTICATION_FAILED), delete_ike()


def deleted(chain: Chain) -> Iterator[Spi]:
    """The child SAs that a message says are deleted; what makes no sense is passed over."""
    for payload in chain.all(DeletePayload):
        protocol = next((each for each, number in PROTOCOL_ID.items() if number == payload.protocol), None)
        if protocol is not None:
            yield from ((protocol, int.from_bytes(spi)) for spi in payload.spis if len(spi) == SPI_OCTETS)


def deletes_ike(chain: Chain) -> bool:
    """Whether a message ends its IKE SA: by a delete, or since its sender does not believe who we are (§2.21.2)."""
    denied = any(notify.kind == Notify.AUTHENTICATION_FAILED for notify in chain.all(NotifyPayload))
    return denied or any(payload.protocol == ProtocolId.IKE for payload in chain.all(DeletePayload))


def fatal(chain: Chain) -> int | None:
    """The error in a response after which its sender has no IKE SA any more, and says no more (§2.21.2, §2.21.3)."""
    return next((each.kind for each in chain.all(NotifyPayload) if each.kind in FATAL), None)


def check_stays(chain: Chain) -> None:
    """Raise Aborted where a response says that its sender has no IKE SA any more."""
    if (notify := fatal(chain)) is not None:
        raise Aborted(Reason.PEER_REFUSED, f"the peer ends the IKE SA: {name_of(notify)}")


def told(error: IkeError) -> tuple[NotifyPayload | EapPayload, ...]:
    """What a peer is told of an error."""
    if isinstance(error, NotLetIn):
        return (EapPayload(error.packet),)
    if isinstance(error, Answered):
        return (NotifyPayload(error.notify, error.data, *error.about),)
    kind = NOTIFY_OF.get(error.reason)
    return () if kind is None else (NotifyPayload(kind),)
