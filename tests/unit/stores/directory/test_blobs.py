# SPDX-License-Identifier: Apache-2.0
"""Octets of the five blobs: those that Windows wrote, those of newer systems by hand, and broken ones."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab.ldif import default_policies

from ringfence.stores.directory import blobs
from ringfence.stores.directory.records import (
    AddressBlock,
    AlternateAuth,
    AuthMethod,
    FiltersV1,
    FiltersV2,
    FilterV2,
    NfaRecord,
    PolicyRecord,
    PortBlock,
    TunnelV6,
    text_octets,
)
from ringfence.wire import DecodeError

CODECS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes]]] = {
    "ipsecPolicy": (blobs.decode_policy, blobs.encode_policy),
    "ipsecISAKMPPolicy": (blobs.decode_isakmp, blobs.encode_isakmp),
    "ipsecNFA": (blobs.decode_nfa, blobs.encode_nfa),
    "ipsecNegotiationPolicy": (blobs.decode_negotiation, blobs.encode_negotiation),
    "ipsecFilter": (blobs.decode_filters, blobs.encode_filters),
}
SAMPLES = [
    (values["objectClass"][-1].decode(), values["ipsecData"][0])
    for values in default_policies().values()
    if "ipsecData" in values
]
VISTA_NFA = bytes.fromhex(
    "00acbb118d49d111863900a0248d3021 2a000000 01000000 05000000 02000000 0000 fdffffff 02000000 0000 00000000"
    "00000000 00000000 02000000 0000" + "01" * 16 + "01000000 05000000 00000000" + "01" * 15 + "02 01000000 00000000 00"
)
"""The default response rule of a newer system."""


def test_there_are_22_objects_of_windows_and_each_is_written_back_as_it_was():
    assert len(SAMPLES) == 22
    for kind, data in SAMPLES:
        decode, encode = CODECS[kind]
        assert encode(decode(data)) == data


def test_a_policy_by_hand():
    octets = bytes.fromhex("632120224c4fd111863b00a0248d3021 04000000 302a0000 00")
    assert blobs.decode_policy(octets) == blobs.Blob(PolicyRecord(10_800))
    assert blobs.encode_policy(blobs.Blob(PolicyRecord(10_800))) == octets
    assert sum(octets == data for _, data in SAMPLES) == 3


def test_the_version_record_of_the_store_is_kept_before_the_rule_in_it():
    (data,) = (data for kind, data in SAMPLES if kind == "ipsecNFA" and len(data) == 163)
    blob = blobs.decode_nfa(data)
    assert len(blob.before) == 100
    assert "Windows 2000".encode("utf-16-le") in blob.before
    assert blob.record == blobs.decode_nfa(data[100:]).record
    assert blob.after == b"\0"
    assert blobs.decode_nfa(data[:100] + b"\0" + data[100:]).before == data[:100] + b"\0"


def test_a_rule_of_a_newer_system_has_the_optional_parts():
    blob = blobs.decode_nfa(VISTA_NFA)
    assert blob.record.is_active == 0
    assert blob.alternate == AlternateAuth((AuthMethod(5, b""),))
    assert (blob.flags_zero, blob.flags, blob.tunnel_v6) == (1, (0,), None)
    assert blobs.encode_nfa(blob) == VISTA_NFA


def test_flags_and_an_ipv6_tunnel():
    record = NfaRecord(
        (AuthMethod(3, text_octets("CN=CA")), AuthMethod(5, b"\0\0")), 0xFFFFFFFD, b"", bytes(4), 1, 1, b""
    )
    blob = blobs.NfaBlob(record, flags=(3, 0), tunnel_v6=TunnelV6(bytes(15) + b"\1"))
    octets = blobs.encode_nfa(blob)
    assert blobs.decode_nfa(octets) == blob
    assert octets.endswith(b"\1" * 15 + b"\3" + bytes(15) + b"\1\0")
    with pytest.raises(ValueError, match="one flag for each"):
        blobs.encode_nfa(replace(blob, flags=(3,)))
    with pytest.raises(DecodeError, match="does not belong in this place"):
        blobs.decode_nfa(octets[:-1] + b"\1" * 16 + bytes(4))


V2 = FilterV2(
    text_octets(""), text_octets(""), text_octets(""), bytes(16), 1, AddressBlock(8, 3, bytes(16), bytes(16)),
    AddressBlock(0, 0, bytes(16), bytes(16)), PortBlock(0, 0, 0), PortBlock(1, 80, 0), 6, 0,
)  # fmt: skip


@pytest.mark.parametrize("between", [b"", b"\0"])
def test_the_second_part_of_filters_is_found_with_a_pad_before_it_and_without(between):
    blob = blobs.FilterBlob(FiltersV1(()), FiltersV2(0, (V2,)), between=between, after=b"")
    octets = blobs.encode_filters(blob)
    assert len(octets) == 24 + len(between) + 28 + 6 * 3 + 16 + 4 + 80 + 16 + 8
    assert blobs.decode_filters(octets) == blob


def test_filters_in_a_place_where_they_would_be_overlooked_are_refused():
    octets = blobs.encode_filters(blobs.FilterBlob(FiltersV1(()), FiltersV2(0, (V2,)), after=b""))
    with pytest.raises(DecodeError, match="does not belong in this place at octet 26"):
        blobs.decode_filters(octets[:24] + b"\0\0" + octets[24:])
    counting = blobs.encode_filters(blobs.FilterBlob(FiltersV1(()), FiltersV2(2, (V2,))))
    with pytest.raises(DecodeError, match="says 2 filters of the first, which has 0"):
        blobs.decode_filters(counting)


def test_lengths_are_held_against_what_is_there_and_no_more():
    octets = blobs.encode_policy(blobs.Blob(PolicyRecord(60)))
    assert blobs.decode_policy(octets[:-1]) == blobs.Blob(PolicyRecord(60), after=b"")
    for length, after in ((3, b"\0"), (5, b"\0"), (0, b"")):
        blob = blobs.Blob(PolicyRecord(60), length, after=after)
        assert blobs.decode_policy(blobs.encode_policy(blob)) == blob
    with pytest.raises(DecodeError, match="a length of 6 octets, but only 5 follow at octet 16"):
        blobs.decode_policy(octets[:16] + b"\6" + octets[17:])


def test_another_kind_of_record_is_refused_with_its_octet():
    data = next(data for kind, data in SAMPLES if kind == "ipsecFilter")
    with pytest.raises(DecodeError, match="no record of the kind that belongs here at octet 0"):
        blobs.decode_policy(data)
    with pytest.raises(DecodeError, match="wanted"):
        blobs.decode_nfa(data)
    with pytest.raises(DecodeError, match="more than"):
        blobs.decode_policy(bytes(blobs.MOST_OCTETS + 1))


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A blob of Windows, cut, changed in some octets, or with others put in."""
    kind, data = draw(st.sampled_from([*SAMPLES, ("ipsecNFA", VISTA_NFA)]))
    octets = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(octets) - 1)))
        match draw(st.integers(0, 2)):
            case 0 if octets:
                octets[at] = draw(st.sampled_from([0, 1, 2, 0x7F, 0xFF]))
            case 1:
                octets[at:at] = draw(st.binary(max_size=5) | st.sampled_from([blobs.FILTER_V2, blobs.TUNNEL_V6]))
            case _:
                del octets[at : at + draw(st.integers(1, 8))]
    return kind, bytes(octets)


@settings(deadline=None, max_examples=400)
@given(mutated() | st.tuples(st.sampled_from([*CODECS]), st.binary(max_size=300)))
def test_whatever_is_accepted_is_written_back_and_the_rest_is_refused_by_name(given_):
    kind, data = given_
    decode, encode = CODECS[kind]
    with suppress(DecodeError):
        assert encode(decode(data)) == data
