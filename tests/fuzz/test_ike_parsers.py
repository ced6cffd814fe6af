# SPDX-License-Identifier: Apache-2.0
"""Hostile octets into every parser of IKE: random, truncated, bent, spliced, looping, as large as a datagram can be.

Only DecodeError and IkeError may come out, in bounded time; and what was accepted is written back as octets of the same
length, which say the same again.
"""

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ringfence.ike.errors import IkeError
from ringfence.ike.header import HEADER_OCTETS, VERSION_1, Exchange, Flags, Header
from ringfence.ike.payload import MAX_PAYLOADS, Chain, UnknownPayload, decode_chain, encode_chain
from ringfence.ike.v1.payloads import (
    PAYLOADS,
    REGISTRY,
    Attribute,
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
    ProposalPayload,
    SaPayload,
    SigPayload,
    TransformPayload,
    VendorPayload,
)
from ringfence.ike.v1.rules import INFORMATIONAL, INFORMATIONAL_IN_CLEAR, MAIN_MODE, QUICK_MODE, Proof
from ringfence.wire import DecodeError

many = settings(max_examples=400, deadline=None)
DATAGRAM = 65_507
"""The most that UDP carries over IPv4."""
SECONDS = 2.0
"""Far above what any message takes, far below what a loop would."""

RULES = [*MAIN_MODE[Proof.HASH], *MAIN_MODE[Proof.SIGNATURE], *QUICK_MODE, INFORMATIONAL, INFORMATIONAL_IN_CLEAR]

AES = (Attribute(1, 7), Attribute(14, 256), Attribute(2, 4), Attribute(4, 14), Attribute(12, b"\0\0\x70\x80"))
PHASE_1 = SaPayload(1, 1, (ProposalPayload(1, 1, b"", (TransformPayload(1, 1, AES), TransformPayload(2, 1, AES))),))
BUNDLE = SaPayload(
    1, 1,
    (
        ProposalPayload(1, 2, b"ahah", (TransformPayload(1, 3, AES),)),
        ProposalPayload(1, 3, b"esps", (TransformPayload(1, 12, AES), TransformPayload(2, 12, AES[:1]))),
    ),
)  # fmt: skip
ID = IdPayload(1, 6, 80, b"abcd")
CHAINS = (
    (PHASE_1, VendorPayload(bytes(16)), VendorPayload(bytes(20))),
    (KePayload(bytes(256)), NoncePayload(bytes(32)), NatDPayload(bytes(20)), NatDPayload(bytes(20))),
    (ID, HashPayload(bytes(32)), NotifyPayload(1, 1, bytes(16), 24578)),
    (ID, CertPayload(4, bytes(50)), CertRequestPayload(4, b"dn"), SigPayload(bytes(64))),
    (HashPayload(bytes(20)), BUNDLE, NoncePayload(bytes(16)), KePayload(bytes(32)), ID, ID, NatOaPayload(1, b"abcd")),
    (HashPayload(bytes(20)), DeletePayload(1, 3, (b"abcd", b"efgh")), NotifyPayload(1, 3, b"abcd", 14, b"why")),
    (HashPayload(bytes(20)), AttributesPayload(1, 7, (Attribute(1, b"abcd"), Attribute(16520, 3)))),
    (NatDDraftPayload(bytes(20)), NatOaDraftPayload(1, b"abcd")),
    (UnknownPayload(200, b"x"), UnknownPayload(132, b"yy")),
)
MESSAGES = tuple(
    Header(b"initiate", b"response", first, VERSION_1, Exchange.MAIN, Flags(0), 0).over(body)
    for first, body in map(encode_chain, CHAINS)
)


def parse(message: bytes) -> Chain | None:
    """All that can be read of a message without keys; None where it was refused."""
    try:
        header = Header.decode(message[:HEADER_OCTETS])
        chain = decode_chain(header.next_payload, message[HEADER_OCTETS:], REGISTRY)
    except (DecodeError, IkeError):
        return None
    first, octets = encode_chain(tuple(chain))
    assert first == header.next_payload
    assert len(octets) + len(chain.padding) == len(message) - HEADER_OCTETS
    assert list(decode_chain(first, octets, REGISTRY)) == list(chain)
    for rule in RULES:
        with suppress(IkeError):
            rule.check(chain, encrypted=rule.encrypted)
    return chain


def test_the_messages_themselves_are_right():
    for message, payloads in zip(MESSAGES, CHAINS, strict=True):
        assert list(parse(message)) == list(payloads)
    assert {kind.NUMBER for kind in PAYLOADS} <= {payload.number for chain in CHAINS for payload in chain}


@pytest.mark.parametrize("message", MESSAGES)
def test_every_cut(message):
    for end in range(len(message)):
        chain = parse(message[:end])
        assert chain is None or chain.padding == b""
        assert chain is None or end == HEADER_OCTETS == len(message)


@pytest.mark.parametrize("message", MESSAGES)
def test_every_octet_to_every_extreme(message):
    for place in range(len(message)):
        for value in (0, 1, 3, 4, 0x7F, 0x80, 0xFF, message[place] ^ 1, message[place] ^ 0x80):
            parse(message[:place] + bytes([value]) + message[place + 1 :])


@many
@given(st.binary(max_size=400))
@example(b"")
def test_random_octets(octets):
    parse(octets)
    parse(MESSAGES[0][:HEADER_OCTETS] + octets)


@many
@given(st.integers(0, 255), st.binary(max_size=200))
def test_random_bodies(number, octets):
    parse(MESSAGES[0][:16] + bytes([number]) + MESSAGES[0][17:HEADER_OCTETS] + octets)
    for kind in PAYLOADS:
        try:
            payload = kind.decode(octets)
        except (DecodeError, IkeError):
            continue
        assert len(payload.encode()) == len(octets)


edits = st.lists(
    st.tuples(st.sampled_from(["set", "cut", "insert", "repeat"]), st.integers(0, 10_000), st.binary(max_size=6)),
    min_size=1, max_size=6,
)  # fmt: skip


def edited(message: bytes, changes) -> bytes:
    octets = bytearray(message)
    for change, place, data in changes:
        at = HEADER_OCTETS + place % max(1, len(octets) - HEADER_OCTETS)
        match change:
            case "set":
                octets[at : at + len(data)] = data
            case "cut":
                del octets[at : at + len(data)]
            case "insert":
                octets[at:at] = data
            case "repeat":
                octets[at:at] = octets[at : at + 4 * len(data)]
    return bytes(octets)


@many
@given(st.sampled_from(MESSAGES), edits)
def test_bent_messages(message, changes):
    parse(edited(message, changes))


@many
@given(st.sampled_from(MESSAGES), st.sampled_from(MESSAGES), st.integers(0, 600), st.integers(0, 600))
def test_spliced_messages(one, other, end, start):
    parse(one[:end] + other[start:])


def chain_of(number: int, piece: bytes) -> bytes:
    return Header(b"initiate", b"response", number, VERSION_1, Exchange.MAIN, Flags(0), 0).over(
        piece * ((DATAGRAM - HEADER_OCTETS) // len(piece))
    )


def nested(attributes: int, transforms: int, proposals: int) -> bytes:
    """An SA payload that makes as much work as it can."""
    transform = TransformPayload(1, 1, (Attribute(1, 1),) * attributes)
    sa = SaPayload(1, 1, (ProposalPayload(1, 1, b"", (transform,) * transforms),) * proposals)
    first, body = encode_chain([sa])
    return Header(b"initiate", b"response", first, VERSION_1, Exchange.MAIN, Flags(0), 0).over(body)


@pytest.mark.parametrize(
    ("message", "accepted"),
    [
        (chain_of(13, b"\x0d\0\0\4"), False),  # payloads of nothing, without end
        (chain_of(13, b"\x0d\0\0\0"), False),  # one that stands still
        (chain_of(1, b"\1\0\0\x08\0\0\0\1"), False),
        (chain_of(1, b"\0\0\xff\xff\0\0\0\1\0\0\0\1" + b"\2\0\0\0" * 10), False),
        (nested(16_000, 1, 1), True),
        (nested(0, 255, 30), True),
        (nested(1, 80, 64), True),
        (nested(62, 255, 1), True),
        (MESSAGES[0][:16] + b"\x0c" + MESSAGES[0][17:28] + b"\0\0\xff\xdc\0\0\0\1\1\1\xff\xd0" + bytes(0xFFD0), True),
        (MESSAGES[0][:16] + b"\x0b" + MESSAGES[0][17:28] + b"\0\0\xff\xff" + b"\xff" * 65_531, True),
    ],
    ids=[
        "endless", "standing still", "endless SAs", "proposals that stand still", "attributes", "transforms",
        "proposals", "everything", "SPIs", "a notify",
    ],
)  # fmt: skip
def test_much_work_is_done_soon(message, accepted):
    start = perf_counter()
    chain = parse(message)
    assert perf_counter() - start < SECONDS
    assert (chain is not None) == accepted


def test_no_message_has_more_payloads_than_it_may():
    assert len(parse(chain_of(13, b"\x0d\0\0\4")[: HEADER_OCTETS + 4 * MAX_PAYLOADS]) or ()) == 0
    last = b"\x0d\0\0\4" * (MAX_PAYLOADS - 1) + b"\0\0\0\4"
    assert len(parse(chain_of(13, last)[: HEADER_OCTETS + len(last)])) == MAX_PAYLOADS
