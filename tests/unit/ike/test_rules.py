# SPDX-License-Identifier: Apache-2.0
"""A rule accepts what it names, and says what is wrong with anything else."""

import pytest

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import Chain, Decoded, UnknownPayload
from ringfence.ike.rules import MANY, MessageRule, Role
from ringfence.ike.v1.payloads import HashPayload, IdPayload, KePayload, NoncePayload, NotifyPayload, VendorPayload

H, N, K, V = HashPayload(b"h"), NoncePayload(bytes(8)), KePayload(b"k"), VendorPayload(b"v")
ID, NOTIFY = IdPayload(1, 0, 0, b"abcd"), NotifyPayload(1, 1, b"", 1)

RULE = MessageRule(
    name="the message", sender=Role.INITIATOR, encrypted=True,
    need={HashPayload: 1, NoncePayload: 1}, may={KePayload: 1, IdPayload: 2, VendorPayload: MANY},
    front=(HashPayload, KePayload), all_or_none=(IdPayload,),
)  # fmt: skip
NEWS = MessageRule("news", None, encrypted=False, may={NotifyPayload: 2, VendorPayload: 1}, some=(NotifyPayload,))


def chain(*payloads, padding: bytes = b"") -> Chain:
    return Chain(tuple(Decoded(payload, b"") for payload in payloads), padding)


@pytest.mark.parametrize(
    "payloads",
    [(H, N), (H, K, N), (H, N, ID, ID), (H, K, ID, V, ID, V, N, V), (H, N, UnknownPayload(128, b""))],
)
def test_what_a_rule_names_is_accepted(payloads):
    RULE.check(chain(*payloads, padding=bytes(200)), encrypted=True)


@pytest.mark.parametrize(
    ("payloads", "reason", "message"),
    [
        ((), Reason.PAYLOAD_MISSING, "the message has 0 HashPayload of 1"),
        ((H,), Reason.PAYLOAD_MISSING, "the message has 0 NoncePayload of 1"),
        ((H, N, N), Reason.PAYLOAD_UNEXPECTED, "the message has 2 NoncePayload, 1 allowed"),
        ((H, K, K, N), Reason.PAYLOAD_UNEXPECTED, "the message has 2 KePayload, 1 allowed"),
        ((H, N, NOTIFY), Reason.PAYLOAD_UNEXPECTED, "the message has 1 NotifyPayload, 0 allowed"),
        ((H, N, ID), Reason.PAYLOAD_MISSING, "the message has 1 IdPayload, not all or none"),
        ((H, N, ID, ID, ID), Reason.PAYLOAD_UNEXPECTED, "the message has 3 IdPayload, 2 allowed"),
        ((N, H), Reason.PAYLOAD_UNEXPECTED, "the message does not begin with HashPayload"),
        ((H, N, K), Reason.PAYLOAD_UNEXPECTED, "the message does not begin with HashPayload, KePayload"),
        ((V, H, N), Reason.PAYLOAD_UNEXPECTED, "the message does not begin with HashPayload"),
        ((H, N, UnknownPayload(127, b"")), Reason.PAYLOAD_TYPE, "the message: nobody knows payload type 127"),
    ],
)
def test_what_is_wrong_is_said(payloads, reason, message):
    with pytest.raises(Refused) as error:
        RULE.check(chain(*payloads), encrypted=True)
    assert (error.value.reason, str(error.value)) == (reason, message)


def test_clear_and_encrypted_are_not_mixed_up():
    with pytest.raises(Refused, match="the message must be encrypted") as error:
        RULE.check(chain(H, N), encrypted=False)
    assert error.value.reason is Reason.UNPROTECTED
    with pytest.raises(Refused, match="news must not be encrypted"):
        NEWS.check(chain(NOTIFY), encrypted=True)


def test_a_message_in_clear_has_no_more_than_alignment_behind_it():
    NEWS.check(chain(NOTIFY, padding=bytes(3)), encrypted=False)
    with pytest.raises(Refused, match="4 octets behind the payloads") as error:
        NEWS.check(chain(NOTIFY, padding=bytes(4)), encrypted=False)
    assert error.value.reason is Reason.MALFORMED


def test_something_must_be_said():
    NEWS.check(chain(V, NOTIFY, NOTIFY), encrypted=False)
    with pytest.raises(Refused, match="news says nothing") as error:
        NEWS.check(chain(V), encrypted=False)
    assert error.value.reason is Reason.PAYLOAD_MISSING
