# SPDX-License-Identifier: Apache-2.0
"""Payloads: octets as RFC 7296 draws them, round trips, and everything that is no payload."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.ike.isakmp import Attribute, IdType
from ringfence.ike.payload import decode_chain, encode_chain
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.numbers import AuthMethod
from ringfence.ike.v2.payloads import (
    PAYLOADS,
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
    Proposal,
    SaPayload,
    TrafficSelector,
    Transform,
    TsInitiatorPayload,
    TsResponderPayload,
    VendorPayload,
)
from ringfence.ike.v2.solution import SolutionPayload
from ringfence.wire import DecodeError

TS = TrafficSelector(7, 6, bytes.fromhex("00160016 c0000201 c0000202"))
SAMPLES = [
    SaPayload((
        Proposal(1, 3, b"spi4", (Transform(1, 20, (Attribute(14, 256),)), Transform(5, 0))),
        Proposal(2, 2, b"spi4", (Transform(3, 12),)),
    )),
    KePayload(31, bytes(32)),
    IdInitiatorPayload(IdType.FQDN, b"a.example"),
    IdResponderPayload(201, b"?"),
    CertPayload(4, b"der"),
    CertRequestPayload(4, bytes(20)),
    AuthPayload(AuthMethod.SHARED_KEY, bytes(32)),
    NoncePayload(bytes(16)),
    NotifyPayload(Notify.REKEY_SA, b"", 3, b"spi4"),
    NotifyPayload(45000, b"data"),
    DeletePayload(1),
    DeletePayload(3, (b"spi1", b"spi2")),
    VendorPayload(b"who"),
    SolutionPayload(b"four" * 4),
    TsInitiatorPayload((TS, TrafficSelector(8, 0, bytes(4) + bytes(32)))),
    TsResponderPayload((TrafficSelector(9, 0, b"labels"),)),
    ConfigPayload(1, ((1, b""), (3, bytes(4)))),
    EapPayload(b"\x01\x01\x00\x04"),
]  # fmt: skip


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda payload: type(payload).__name__)
def test_round_trip_and_each_truncation(payload):
    octets = payload.encode()
    assert type(payload).decode(octets) == payload
    for size in range(len(octets)):
        try:
            shorter = type(payload).decode(octets[:size])
        except DecodeError:
            continue
        assert shorter.encode() == octets[:size]


def test_samples_have_every_payload():
    assert {type(payload) for payload in SAMPLES} == set(PAYLOADS)
    first, octets = encode_chain(SAMPLES)
    assert [*decode_chain(first, octets, REGISTRY, most_padding=0)] == SAMPLES


def test_the_octets_of_a_traffic_selector():
    assert TsInitiatorPayload((TS,)).encode().hex() == "010000000706001000160016c0000201c0000202"


def test_the_octets_of_a_proposal():
    payload = SaPayload((Proposal(1, 1, b"", (Transform(1, 12, (Attribute(14, 128),)), Transform(4, 19))),))
    assert payload.encode().hex() == "0000001c 01010002 0300000c 0100000c 800e0080 00000008 04000013".replace(" ", "")


@pytest.mark.parametrize(
    ("kind", "octets"),
    [
        (SaPayload, ""),
        (SaPayload, "0000000801010001"),
        (SaPayload, "02000010010100010000000804000013"),
        (NoncePayload, "00" * 15),
        (DeletePayload, "03000001"),
        (DeletePayload, "0304ffff"),
        (TsInitiatorPayload, "00000000"),
        (TsInitiatorPayload, "010000000706000800160016"),
        (TsInitiatorPayload, "0100000007060003"),
        (TsInitiatorPayload, "010000000706001000160016c0000201c000020200"),
        (ConfigPayload, "010000000001000500"),
        (ConfigPayload, "01000000" + "00010000" * 129),
        (EapPayload, "010100"),
    ],
)
def test_what_is_none(kind, octets):
    with pytest.raises(DecodeError):
        kind.decode(bytes.fromhex(octets))


def test_spis_of_one_delete_have_one_length():
    with pytest.raises(ValueError, match="one length"):
        DeletePayload(3, (b"12", b"1234")).encode()


@settings(deadline=None)
@given(st.sampled_from(PAYLOADS), st.binary(max_size=80))
def test_random_octets_raise_nothing_else(kind, octets):
    try:
        payload = kind.decode(octets)
    except DecodeError:
        return
    assert kind.decode(payload.encode()) == payload
