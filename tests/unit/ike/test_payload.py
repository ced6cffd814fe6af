# SPDX-License-Identifier: Apache-2.0
"""Chains of payloads: what was sent comes out, with the octets it came in, and nothing makes a reader run astray."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.ike.payload import MAX_PAYLOADS, Chain, Decoded, UnknownPayload, decode_chain, encode_chain
from ringfence.ike.v1.negotiate import offer_main
from ringfence.ike.v1.payloads import REGISTRY, HashPayload, IdPayload, NoncePayload, SaPayload, VendorPayload
from ringfence.testing.hosts import FAST_MAIN
from ringfence.wire import DecodeError

OFFER = offer_main((FAST_MAIN,))
HASH, NONCE, VENDORS = HashPayload(b"h" * 20), NoncePayload(b"n" * 16), (VendorPayload(b"one"), VendorPayload(b""))
OCTETS = bytes.fromhex("0a00 0018") + b"h" * 20 + bytes.fromhex("0d00 0014") + b"n" * 16
OCTETS += bytes.fromhex("0d00 0007") + b"one" + bytes.fromhex("0000 0004")


def test_octets_by_hand():
    assert encode_chain((HASH, NONCE, *VENDORS)) == (8, OCTETS)
    chain = decode_chain(8, OCTETS, REGISTRY)
    assert list(chain) == [HASH, NONCE, *VENDORS]
    assert [item.raw for item in chain.items] == [OCTETS[:24], OCTETS[24:44], OCTETS[44:51], OCTETS[51:]]


def test_nothing_is_a_chain_too():
    assert encode_chain(()) == (0, b"")
    assert decode_chain(0, b"", REGISTRY) == Chain(())


def test_a_chain_finds_its_payloads():
    chain = decode_chain(8, OCTETS + b"\0\0\0", REGISTRY)
    assert len(chain) == 4
    assert chain.one(NoncePayload) == chain.maybe(NoncePayload) == NONCE
    assert chain.all(VendorPayload) == VENDORS
    assert chain.maybe(IdPayload) is None
    assert chain.body(NoncePayload) == NONCE.data
    assert chain.behind_first() == OCTETS[24:]
    assert chain.padding == b"\0\0\0"


def test_an_offer_that_many_make_is_read_once():
    sa = OFFER.encode()
    octets = bytes([0, 0]) + (4 + len(sa)).to_bytes(2) + sa
    one, other = decode_chain(1, octets, REGISTRY), decode_chain(1, octets + b"\0", REGISTRY)
    assert one.one(SaPayload) is other.one(SaPayload)
    assert one.one(SaPayload) == OFFER
    bent = octets[:-1] + bytes([octets[-1] ^ 1])
    assert decode_chain(1, bent, REGISTRY).one(SaPayload) != OFFER
    for _ in range(2):
        with pytest.raises(DecodeError):
            decode_chain(1, octets[:2] + bytes([0, 12]) + octets[4:12], REGISTRY)


def test_octets_are_kept_as_they_came():
    """A reserved octet and reserved fields that are not zero count in hashes."""
    body = bytes.fromhex("01 eeeeee c0000201")
    chain = decode_chain(21, b"\0\xee\0\x0c" + body, REGISTRY)
    assert chain.items[0].body == body
    assert chain.items[0].payload.encode() != body


def test_unknown_payloads_survive():
    chain = decode_chain(200, b"\x09\0\0\x06zz" + b"\0\0\0\x05y", {})
    assert list(chain) == [UnknownPayload(200, b"zz"), UnknownPayload(9, b"y")]
    assert encode_chain(tuple(chain)) == (200, b"\x09\0\0\x06zz" + b"\0\0\0\x05y")


def test_there_may_be_so_many():
    vendors = (VendorPayload(b"v"),) * MAX_PAYLOADS
    first, octets = encode_chain(vendors)
    assert len(decode_chain(first, octets, REGISTRY)) == MAX_PAYLOADS
    first, octets = encode_chain((*vendors, HASH))
    with pytest.raises(DecodeError, match=f"more than {MAX_PAYLOADS} payloads at octet 320"):
        decode_chain(first, octets, REGISTRY)


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"", "4 octets wanted, 0 left at octet 0"),
        (b"\0\0\0", "4 octets wanted, 3 left at octet 0"),
        (b"\0\0\0\0", "a payload of 0 octets at octet 0"),
        (b"\0\0\0\3", "a payload of 3 octets at octet 0"),
        (b"\0\0\0\x0dabcdefgh", "9 octets wanted, 8 left at octet 4"),
        (b"\x0a\0\0\x0cabcdefgh\x0a\0\0\0", "a payload of 0 octets at octet 12"),
        (b"\x0a\0\0\x0cabcdefgh", "4 octets wanted, 0 left at octet 12"),
        (b"\0\0\0\x0babcdefg", "NoncePayload: data has 8 to 256 octets at octet 11"),
        (b"\0\0\0\x0cabcdefgh" + bytes(256), "256 octets behind the last payload at octet 12"),
    ],
)
def test_errors_say_where(octets, message):
    with pytest.raises(DecodeError, match=message):
        decode_chain(10, octets, REGISTRY)


def test_padding_has_a_limit_of_the_callers():
    octets = b"\0\0\0\x0cabcdefgh"
    assert decode_chain(10, octets + b"\1\2\3", REGISTRY, most_padding=3).padding == b"\1\2\3"
    with pytest.raises(DecodeError):
        decode_chain(10, octets + b"\1\2\3", REGISTRY, most_padding=2)


def test_a_payload_too_long_is_not_sent():
    assert len(encode_chain([HashPayload(bytes(65531))])[1]) == 65535
    with pytest.raises(ValueError):
        encode_chain([HashPayload(bytes(65532))])


@given(
    st.lists(
        st.builds(UnknownPayload, st.integers(1, 255), st.binary(max_size=40))
        | st.builds(HashPayload, st.binary(max_size=40))
        | st.builds(NoncePayload, st.binary(min_size=8, max_size=40)),
        max_size=10,
    )
)
def test_round_trip(payloads):
    known = {8: HashPayload, 10: NoncePayload}
    payloads = [each for each in payloads if not isinstance(each, UnknownPayload) or each.kind not in known]
    first, octets = encode_chain(payloads)
    chain = decode_chain(first, octets, known)
    assert list(chain) == payloads
    assert b"".join(item.raw for item in chain.items) == octets
    assert all(item == Decoded(item.payload, item.raw) for item in chain.items)
