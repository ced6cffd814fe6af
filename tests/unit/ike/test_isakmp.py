# SPDX-License-Identifier: Apache-2.0
"""The SA payload and its attributes: octets by hand, exact counts and lengths, and nothing lost on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ike.errors import Reason, Refused
from ringfence.ike.isakmp import (
    MAX_PROPOSALS,
    Attribute,
    ProposalPayload,
    SaPayload,
    TransformPayload,
    decode_attributes,
    encode_attributes,
)
from ringfence.wire import DecodeError, Reader

AES = TransformPayload(1, 1, (Attribute(1, 7), Attribute(14, 256), Attribute(12, bytes.fromhex("00007080"))))
TRIPLE_DES = TransformPayload(2, 1, (Attribute(1, 5),))
SA = SaPayload(1, 1, (ProposalPayload(0, 1, b"", (AES, TRIPLE_DES)),))
SA_OCTETS = bytes.fromhex(
    "00000001 00000001"
    "00 00 002c 00 01 00 02"
    "03 00 0018 01 01 0000 8001 0007 800e 0100 000c 0004 00007080"
    "00 00 000c 02 01 0000 8001 0005"
)
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
)


@pytest.mark.parametrize(("payload", "octets"), [(SA, SA_OCTETS), (BUNDLE, BUNDLE_OCTETS)], ids=["phase 1", "bundle"])
def test_octets_by_hand(payload, octets):
    assert payload.encode() == octets
    assert SaPayload.decode(octets) == payload
    assert payload.number == 1


def test_numbers_come_both_ways():
    assert Attribute.of_number(12, 28800) == Attribute(12, 28800)
    assert Attribute.of_number(12, 65535).encode() == bytes.fromhex("800c ffff")
    assert Attribute.of_number(12, 65536).encode() == bytes.fromhex("000c 0004 00010000")
    for value in (28800, b"\x70\x80", b"\0\0\x70\x80", bytes(6) + b"\x70\x80"):
        assert Attribute(12, value).as_number == 28800


def test_attributes_that_do_not_fit():
    for attribute in (Attribute(0x8000, 1), Attribute(-1, 1), Attribute(1, 65536), Attribute(1, bytes(65536))):
        with pytest.raises(ValueError, match="does not fit"):
            attribute.encode()


attributes = st.builds(Attribute, st.integers(0, 0x7FFF), st.integers(0, 0xFFFF) | st.binary(max_size=12))
transforms = st.builds(
    TransformPayload, st.integers(0, 255), st.integers(0, 255), st.lists(attributes, max_size=4).map(tuple)
)
proposals = st.builds(
    ProposalPayload, st.integers(0, 255), st.integers(0, 255), st.binary(max_size=16),
    st.lists(transforms, max_size=3).map(tuple),
)  # fmt: skip
payloads = st.builds(SaPayload, st.just(1), st.just(1), st.lists(proposals, min_size=1, max_size=3).map(tuple))


@given(payloads)
def test_round_trip(payload):
    assert SaPayload.decode(payload.encode()) == payload


@given(st.lists(attributes, max_size=8).map(tuple))
def test_attributes_round_trip(several):
    assert decode_attributes(Reader(encode_attributes(several))) == several


@given(payloads, st.data())
def test_no_cut_and_no_addition_goes_unnoticed(payload, data):
    octets = payload.encode()
    end = data.draw(st.integers(0, len(octets) - 1))
    for bad in (octets[:end], octets + b"\0", octets + bytes(4)):
        with pytest.raises(DecodeError):
            SaPayload.decode(bad)


def bent(place: int, value: int) -> bytes:
    octets = bytearray(SA_OCTETS)
    octets[place] = value
    return bytes(octets)


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"\0\0\0\1\0\0\0\1", "no proposal at octet 8"),
        (bent(8, 2), "payload 2 is announced behind a 2 at octet 8"),
        (bent(8, 13), "payload 13 is announced behind a 2 at octet 8"),
        (bent(11, 0x2B), "payload 0 is announced behind a 2 at octet 8"),
        (bent(11, 0x2D), "41 octets wanted, 40 left at octet 12"),
        (bent(11, 3), "a payload of 3 octets at octet 8"),
        (bent(11, 0), "a payload of 0 octets at octet 8"),
        (bent(14, 255), "255 octets wanted, 36 left at octet 16"),
        (bent(15, 1), "more than 1 of payload 3 at octet 40"),
        (bent(15, 3), "2 transforms where 3 are announced at octet 16"),
        (bent(15, 0), "more than 0 of payload 3 at octet 16"),
        (bent(16, 0), "payload 0 is announced behind a 3 at octet 16"),
        (bent(16, 2), "payload 2 is announced behind a 3 at octet 16"),
        (bent(19, 7), "252 octets wanted, 25 left at octet 27"),
        (bent(40, 3), "payload 3 is announced behind a 3 at octet 40"),
        (bent(35, 5), "5 octets wanted, 4 left at octet 36"),
        (SA_OCTETS[:8] + bytes.fromhex("00 00 0008 01 01 00 01"), "0 transforms where 1 are announced at octet 16"),
    ],
)
def test_errors_say_where(octets, message):
    with pytest.raises(DecodeError, match=message):
        SaPayload.decode(octets)


def test_so_many_proposals_and_no_more():
    one = ProposalPayload(1, 1, b"", (TransformPayload(1, 1),))
    assert len(SaPayload.decode(SaPayload(1, 1, (one,) * MAX_PROPOSALS).encode()).proposals) == MAX_PROPOSALS
    with pytest.raises(DecodeError, match="more than 64 of payload 2"):
        SaPayload.decode(SaPayload(1, 1, (one,) * (MAX_PROPOSALS + 1)).encode())


def test_what_else_might_stand_there_is_not_guessed():
    for octets, reason in ((b"\0\0\0\2", Reason.DOI), (b"\0\0\0\1\0\0\0\3", Reason.SITUATION)):
        with pytest.raises(Refused) as error:
            SaPayload.decode(octets + SA_OCTETS[8:])
        assert error.value.reason is reason
