# SPDX-License-Identifier: Apache-2.0
"""RESPONDER-LIFETIME (RFC 2407 §4.6.3.1): a responder takes what is offered, and keeps it for less.

Both phases have it, and no offer is refused for its lifetimes. In main mode it comes in message 6, or soon after in a
message of its own; HASH_R says nothing of it, so it may only shorten. Which numbers its attributes have in main mode,
those of phase 1 or of the DOI, is not said anywhere: ours are of phase 1, both are read.
"""

from ringfence.databases.proposal import Limits
from ringfence.ike.isakmp import decode_attributes, encode_attributes
from ringfence.ike.lifetime import stricter
from ringfence.ike.payload import Chain
from ringfence.ike.v1.negotiate import MainAttribute, life_attributes, meaning
from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import IPSEC_DOI, NotifyPayload, ProtocolId, TransformPayload
from ringfence.ike.v1.transforms import QuickAttribute
from ringfence.wire import DecodeError, Reader

MAIN = (MainAttribute.LIFE_TYPE, MainAttribute.LIFE_DURATION)
QUICK = (QuickAttribute.LIFE_TYPE, QuickAttribute.LIFE_DURATION)
NUMBERS = {ProtocolId.ISAKMP: MAIN, ProtocolId.ESP: QUICK, ProtocolId.AH: QUICK}
"""Of the attributes: a lifetime's type and its duration."""


def shorter(ours: Limits, offered: Limits, protocol: int, spi: bytes) -> tuple[NotifyPayload, ...]:
    """What tells the initiator that we keep it for less than it ``offered``; ``spi`` is its own, or both cookies."""
    limits = Limits(
        ours.seconds if ours.seconds != offered.seconds else None,
        ours.octets if ours.octets != offered.octets else None,
    )
    if limits == Limits():
        return ()
    numbers = MAIN if protocol == ProtocolId.ISAKMP else QUICK
    data = encode_attributes(tuple(life_attributes(limits, *numbers)))
    return (NotifyPayload(IPSEC_DOI, protocol, spi, Notify.RESPONDER_LIFETIME, data),)


def said(chain: Chain, *, main: bool = False) -> Limits:
    """What the responder says of its own lifetimes; what makes no sense is passed over."""
    limits = Limits()
    for notify in chain.all(NotifyPayload):
        if notify.kind == Notify.RESPONDER_LIFETIME and (notify.protocol == ProtocolId.ISAKMP) is main:
            for numbers in (MAIN, QUICK) if main else (QUICK,):
                limits = stricter(limits, _read(notify.data, numbers))
    return limits


def _read(data: bytes, numbers: tuple[int, int]) -> Limits:
    try:
        attributes = decode_attributes(Reader(data))
    except DecodeError:
        return Limits()
    found = meaning(TransformPayload(0, 0, attributes), *numbers).limits
    return Limits(found.seconds or None, found.octets or None)
