# SPDX-License-Identifier: Apache-2.0
"""A first look finds the payloads that decoding finds, and takes nothing that decoding refuses for its shape."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.ike.v2.test_stranger import FIRST, SAID

from ringfence.ike.dispatch import header_of
from ringfence.ike.errors import Ignored, IkeError, Reason
from ringfence.ike.glance import glance
from ringfence.ike.header import HEADER_OCTETS
from ringfence.ike.payload import MAX_PAYLOADS, decode_chain
from ringfence.ike.v2.channel import in_clear
from ringfence.wire import DecodeError

MESSAGE = in_clear(FIRST, SAID)


def test_types_and_bodies():
    header = header_of(MESSAGE)
    assert glance(header.next_payload, MESSAGE) == [(each.number, each.encode()) for each in SAID]
    assert glance(0, MESSAGE) == []


@pytest.mark.parametrize("end", range(HEADER_OCTETS, len(MESSAGE)))
def test_a_cut_message_is_none(end):
    with pytest.raises(Ignored) as raised:
        glance(header_of(MESSAGE).next_payload, MESSAGE[:end])
    assert raised.value.reason is Reason.MALFORMED


def test_payloads_without_end():
    with pytest.raises(Ignored):
        glance(43, MESSAGE[:HEADER_OCTETS] + b"\x2b\0\0\4" * (MAX_PAYLOADS + 1))
    with pytest.raises(Ignored):
        glance(43, MESSAGE[:HEADER_OCTETS] + b"\x2b\0\0\0" * 3)


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 255))
def test_as_decoding_has_it(octets, first):
    try:
        chain = decode_chain(first, octets, {})
    except (DecodeError, IkeError):
        with pytest.raises(Ignored):
            glance(first, MESSAGE[:HEADER_OCTETS] + octets)
        return
    seen = glance(first, MESSAGE[:HEADER_OCTETS] + octets)
    assert seen == [(each.payload.number, each.body) for each in chain.items]
