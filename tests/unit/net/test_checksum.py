# SPDX-License-Identifier: Apache-2.0
"""The internet checksum against its definition, and the transport checksums of real packets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.net.checksum import CHECKSUM_AT, checksum, fix_transport, pseudo_header, transport_checksum
from ringfence.net.flow import ICMP, ICMPV6, TCP, UDP

V4, OTHER_V4 = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
V6, OTHER_V6 = b"\x20\x01\x0d\xb8" + bytes(11) + b"\1", b"\x20\x01\x0d\xb8" + bytes(11) + b"\2"


def word_by_word(data: bytes) -> int:
    """RFC 1071 §1 to the letter."""
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_the_example_of_rfc_1071():
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@settings(deadline=None)
@given(st.binary(max_size=70))
def test_it_is_the_sum_word_by_word(data):
    assert checksum(data) == word_by_word(data)


@pytest.mark.parametrize("data", [b"", bytes(8), b"\xff\xff", b"\xff" * 7, b"\xff\xff\0\0"])
def test_both_zeros_of_ones_complement(data):
    assert checksum(data) == word_by_word(data)


@settings(deadline=None)
@given(
    st.sampled_from([(V4, OTHER_V4), (V6, OTHER_V6)]),
    st.sampled_from([TCP, UDP, ICMPV6]),
    st.binary(min_size=18, max_size=60),
)
def test_a_fixed_segment_sums_to_zero_with_its_pseudo_header(ends, protocol, segment):
    at = CHECKSUM_AT[protocol]
    segment = segment[:at] + b"\x12\x34" + segment[at + 2 :]
    fixed = fix_transport(*ends, protocol, segment)
    assert word_by_word(pseudo_header(*ends, protocol, len(fixed)) + fixed) == 0
    assert fixed[:at] + fixed[at + 2 :] == segment[:at] + segment[at + 2 :]
    assert fix_transport(*ends, protocol, fixed) == fixed


def test_icmp_has_no_pseudo_header():
    fixed = fix_transport(V4, OTHER_V4, ICMP, b"\x08\0\0\0\0\1\0\1data")
    assert fixed == fix_transport(V6, OTHER_V6, ICMP, b"\x08\0\0\0\0\1\0\1data")
    assert checksum(fixed) == 0


def test_a_datagram_without_a_checksum_stays_without_in_ipv4_only():
    bare = b"\0\1\0\2\0\x0a\0\0ab"
    assert fix_transport(V4, OTHER_V4, UDP, bare) == bare
    assert fix_transport(V6, OTHER_V6, UDP, bare) != bare


def test_a_udp_checksum_of_zero_is_sent_as_all_ones():
    segment = b"\0\1\0\2\0\x0a\0\0\0\0"
    value = transport_checksum(V4, OTHER_V4, UDP, segment)
    ends_in_zero = segment[:8] + value.to_bytes(2)
    assert transport_checksum(V4, OTHER_V4, UDP, ends_in_zero) == 0xFFFF
    assert transport_checksum(V4, OTHER_V4, TCP, ends_in_zero) != 0xFFFF


@pytest.mark.parametrize(("protocol", "segment"), [(47, b"gre payload"), (TCP, b"short"), (UDP, b"\0\1\0\2\0")])
def test_what_has_no_checksum_stays_as_it_is(protocol, segment):
    assert fix_transport(V4, OTHER_V4, protocol, segment) == segment
