# SPDX-License-Identifier: Apache-2.0
"""IKEv1's payloads: octets written by hand, and every payload through its octets and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ike.v1.notifies import Notify
from ringfence.ike.v1.payloads import (
    PAYLOADS,
    REGISTRY,
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
    SigPayload,
    VendorPayload,
)
from ringfence.wire import DecodeError

BY_HAND = [
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
    assert sorted(REGISTRY) == [1, *range(4, 15), 20, 21, 130, 131]
    assert len(REGISTRY) == len(PAYLOADS)


@pytest.mark.parametrize(("payload", "octets"), BY_HAND, ids=lambda part: type(part).__name__)
def test_octets_by_hand(payload, octets):
    assert payload.encode() == octets
    assert type(payload).decode(octets) == payload


def test_known_numbers_get_their_names():
    assert IdPayload.decode(b"\2\0\0\0x").id_type is IdType.FQDN
    assert NotifyPayload.decode(bytes.fromhex("00000000 01 00 000e")).kind is Notify.NO_PROPOSAL_CHOSEN


def test_a_nonce_is_neither_short_nor_long():
    for octets in (8, 256):
        assert NoncePayload.decode(bytes(octets)) == NoncePayload(bytes(octets))
    for octets in (0, 7, 257):
        with pytest.raises(DecodeError):
            NoncePayload.decode(bytes(octets))


def test_a_delete_names_something():
    for octets in ("00000001 03 00 0001", "00000001 03 04 0000", "00000001 03 00 ffff", "00000001 03 04 0002 61626364"):
        with pytest.raises(DecodeError):
            DeletePayload.decode(bytes.fromhex(octets))
    for spis in ((), (b"",), (b"abcd", b"abcdef")):
        with pytest.raises(ValueError, match="one length"):
            DeletePayload(1, 3, spis).encode()


def test_an_spi_ends_where_the_payload_does():
    with pytest.raises(DecodeError):
        NotifyPayload.decode(bytes.fromhex("00000001 03 05 0001 61626364"))


number8, number16, number32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
octets = st.binary(max_size=40)
one_of_each = st.one_of(
    *(st.builds(kind, octets) for kind in (KePayload, HashPayload, SigPayload, VendorPayload, NatDPayload)),
    *(st.builds(kind, number8, octets) for kind in (CertPayload, CertRequestPayload, NatOaPayload)),
    st.builds(IdPayload, number8, number8, number16, octets),
    st.builds(NoncePayload, st.binary(min_size=8, max_size=256)),
    st.builds(NotifyPayload, number32, number8, octets, number16, octets),
    st.builds(
        DeletePayload, number32, number8, st.lists(st.binary(min_size=4, max_size=4), min_size=1, max_size=5).map(tuple)
    ),
)


@given(one_of_each)
def test_round_trip(payload):
    assert type(payload).decode(payload.encode()) == payload
