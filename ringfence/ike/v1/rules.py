# SPDX-License-Identifier: Apache-2.0
"""The messages of IKEv1 (RFC 2409 §5), and what real peers add to them.

Phase 1 begins with the SA payload, phase 2 with HASH and then SA; beyond that, order means nothing. Vendor ids may come
in every message of phase 1. Notifies may come anywhere, and prove nothing where the message does not.
"""

from enum import Enum

from ringfence.ike.header import Exchange
from ringfence.ike.payload import Payload
from ringfence.ike.rules import MANY, MessageRule, Role
from ringfence.ike.v1.payloads import (
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


class Proof(Enum):
    """How messages 5 and 6 of main mode prove who sent them."""

    HASH = "hash"
    """With a pre-shared key (§5.4)."""
    SIGNATURE = "signature"
    """(§5.1)."""


EXTRAS: dict[type[Payload], int] = {NotifyPayload: MANY, VendorPayload: MANY}


def _main(number: int, need: dict[type[Payload], int], may: dict[type[Payload], int] | None = None) -> MessageRule:
    return MessageRule(
        name=f"main mode message {number}",
        sender=Role.INITIATOR if number % 2 else Role.RESPONDER,
        encrypted=number > 4,
        need=need,
        may=EXTRAS | (may or {}),
        front=(SaPayload,),
    )


_SA: dict[type[Payload], int] = {SaPayload: 1}
_KEYS: dict[type[Payload], int] = {KePayload: 1, NoncePayload: 1}
_KEYS_MAY: dict[type[Payload], int] = {
    NatDPayload: MANY,
    NatDDraftPayload: MANY,
    CertRequestPayload: MANY,
}
_FIRST = (_main(1, _SA), _main(2, _SA), _main(3, _KEYS, _KEYS_MAY), _main(4, _KEYS, _KEYS_MAY))
_HASHED: dict[type[Payload], int] = {IdPayload: 1, HashPayload: 1}
_SIGNED: dict[type[Payload], int] = {IdPayload: 1, SigPayload: 1}
_SIGNED_MAY: dict[type[Payload], int] = {CertPayload: MANY, CertRequestPayload: MANY}

MAIN_MODE: dict[Proof, tuple[MessageRule, ...]] = {
    Proof.HASH: (*_FIRST, _main(5, _HASHED), _main(6, _HASHED)),
    Proof.SIGNATURE: (*_FIRST, _main(5, _SIGNED, _SIGNED_MAY), _main(6, _SIGNED, _SIGNED_MAY)),
}
"""Messages 1 to 6, the first at index 0."""


def _aggressive(number: int, need: dict[type[Payload], int], may: dict[type[Payload], int]) -> MessageRule:
    return MessageRule(
        name=f"aggressive mode message {number}",
        sender=Role.INITIATOR if number % 2 else Role.RESPONDER,
        encrypted=None if number == 3 else False,
        need=need,
        may=EXTRAS | may,
        front=(SaPayload,),
    )


_ALL = _SA | _KEYS | {IdPayload: 1}
_NAT: dict[type[Payload], int] = {NatDPayload: MANY, NatDDraftPayload: MANY}

_SHOWN: tuple[tuple[Proof, dict[type[Payload], int], dict[type[Payload], int]], ...] = (
    (Proof.HASH, {HashPayload: 1}, {}),
    (Proof.SIGNATURE, {SigPayload: 1}, _SIGNED_MAY),
)

AGGRESSIVE_MODE: dict[Proof, tuple[MessageRule, ...]] = {
    proof: (
        _aggressive(1, _ALL, {CertRequestPayload: MANY}),
        _aggressive(2, _ALL | shown, _NAT | may),
        _aggressive(3, shown, _NAT | may),
    )
    for proof, shown, may in _SHOWN
}
"""Messages 1 to 3, likewise. The third may come encrypted or not."""
FIRST_MODES = {Exchange.MAIN: MAIN_MODE, Exchange.AGGRESSIVE: AGGRESSIVE_MODE}


def _quick(number: int) -> MessageRule:
    """Messages 1 and 2: an offer and its answer."""
    return MessageRule(
        name=f"quick mode message {number}",
        sender=Role.INITIATOR if number % 2 else Role.RESPONDER,
        encrypted=True,
        need={HashPayload: 1, SaPayload: 1, NoncePayload: 1},
        may={KePayload: 1, IdPayload: 2, NatOaPayload: 2, NatOaDraftPayload: 2, **EXTRAS},
        front=(HashPayload, SaPayload),
        all_or_none=(IdPayload,),
    )


QUICK_MODE: tuple[MessageRule, ...] = (
    _quick(1),
    _quick(2),
    MessageRule("quick mode message 3", Role.INITIATOR, True, need={HashPayload: 1}, may=EXTRAS, front=(HashPayload,)),
    # Windows: the message that the commit bit asks for may come without a HASH ([MS-IKEE] figure 6).
    MessageRule(
        name="quick mode message 4",
        sender=Role.RESPONDER,
        encrypted=True,
        need={NotifyPayload: 1},
        may={HashPayload: 1, VendorPayload: MANY},
        front=(HashPayload,),
    ),
)
"""Messages 1 to 4, the first at index 0; the fourth only comes after a message 2 with the commit bit."""


INFORMATIONAL = MessageRule(
    name="informational message",
    sender=None,
    encrypted=True,
    need={HashPayload: 1},
    # Windows: a nonce makes a delete one that is answered ([MS-IKEE] §3.8).
    may={NotifyPayload: MANY, DeletePayload: MANY, NoncePayload: 1, VendorPayload: MANY},
    front=(HashPayload,),
    some=(NotifyPayload, DeletePayload),
)
"""A message of its own under an IKE SA (§5.7)."""

TRANSACTION = tuple(
    MessageRule(
        name=f"mode config message {number}",
        sender=None,
        encrypted=True,
        need={HashPayload: 1, AttributesPayload: 1},
        may=EXTRAS,
        front=(HashPayload,),
    )
    for number in (1, 2)
)
"""A question and its answer (draft-dukes-ike-mode-cfg §3.3); either side may ask."""

INFORMATIONAL_IN_CLEAR = MessageRule(
    name="informational message in clear",
    sender=None,
    encrypted=False,
    may=EXTRAS,
    some=(NotifyPayload,),
)
"""What a peer can say before there are keys, and nobody need believe."""
