# SPDX-License-Identifier: Apache-2.0
"""IKEv1's payloads: octets written by hand, and every payload through its octets and back."""

import pytest

from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import (
    PAYLOADS,
    REGISTRY,
    Attribute,
    CertPayload,
    CertRequestPayload,
    DeletePayload,
    HashPayload,
    IdPayload,
    IdType,
    KePayload,
    NatDPayload,
    NatOaPayload,
    NoncePayload,
    NotifyPayload,
    ProposalPayload,
    SaPayload,
    SigPayload,
    TransformPayload,
    VendorPayload,
)

AES = TransformPayload(1, 1, (Attribute(1, 7), Attribute(14, 256), Attribute(12, bytes.fromhex("00007080"))))
TRIPLE_DES = TransformPayload(2, 1, (Attribute(1, 5),))
SA = SaPayload(1, 1, (ProposalPayload(0, 1, b"", (AES, TRIPLE_DES)),))
SA_OCTETS = bytes.fromhex(
    "00000001 00000001"
    "00 00 002c 00 01 00 02"
    "03 00 0018 01 01 0000 8001 0007 800e 0100 000c 0004 00007080"
    "00 00 000c 02 01 0000 8001 0005"
)  # fmt: skip
BUNDLE = SaPayload(
    1, 1,
    (
        ProposalPayload(1, 2, b"ahah", (TransformPayload(1, 3, (Attribute(5, 2),)),)),
        ProposalPayload(1, 3, b"esps", (TransformPayload(1, 12, (Attribute(6, 128),)),)),
    ),
)  # fmt: skip
BUNDLE_OCTETS = bytes.fromhex(
    "00000001 00000001"
    "02 00 0018 01 02 04 01 61686168 00 00 000c 01 03 0000 8005 0002"
    "00 00 0018 01 03 04 01 65737073 00 00 000c 01 0c 0000 8006 0080"
)  # fmt: skip
BY_HAND = [
    (SA, SA_OCTETS),
    (BUNDLE, BUNDLE_OCTETS),
    (KePayload(b"\1\2\3"), b"\1\2\3"),
    (IdPayload(IdType.IPV4_ADDR, 17, 500, b"\xc0\0\2\1"), bytes.fromhex("01 11 01f4 c0000201")),
    (IdPayload(99, 0, 0, b""), bytes.fromhex("63 00 0000")),
    (CertPayload(4, b"der"), b"\4der"),
    (CertRequestPayload(4, b"dn"), b"\4dn"),
    (HashPayload(b"h"), b"h"),
    (SigPayload(b"s"), b"s"),
    (NoncePayload(b"12345678"), b"12345678"),
    (NotifyPayload(1, 1, b"", Notify.INITIAL_CONTACT), bytes.fromhex("00000001 01 00 6002")),
    (NotifyPayload(1, 3, b"spis", 31000, b"data"), bytes.fromhex("00000001 03 04 7918 73706973 64617461")),
    (DeletePayload(1, 3, (b"abcd", b"efgh")), bytes.fromhex("00000001 03 04 0002 61626364 65666768")),
    (DeletePayload(1, 1, (bytes(16),)), bytes.fromhex("00000001 01 10 0001") + bytes(16)),
    (VendorPayload(b"v"), b"v"),
    (NatDPayload(b"d"), b"d"),
    (NatOaPayload(1, b"abcd"), bytes.fromhex("01 000000 61626364")),
]


def test_the_numbers_of_rfc_2408():
    assert sorted(REGISTRY) == [1, *range(4, 14), 20, 21]
    assert len(REGISTRY) == len(PAYLOADS)


@pytest.mark.parametrize(("payload", "octets"), BY_HAND, ids=lambda part: type(part).__name__)
def test_octets_by_hand(payload, octets):
    assert payload.encode() == octets
    assert type(payload).decode(octets) == payload


def test_known_numbers_get_their_names():
    assert IdPayload.decode(b"\2\0\0\0x").id_type is IdType.FQDN
    assert NotifyPayload.decode(bytes.fromhex("00000000 01 00 000e")).kind is Notify.NO_PROPOSAL_CHOSEN
