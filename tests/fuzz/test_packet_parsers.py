# SPDX-License-Identifier: Apache-2.0
"""Hostile octets into what opens packets: every answer is a verdict, and none of them delivers anything."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.datapath.ah import AhOpen, AhSeal
from ringfence.datapath.esp import EspOpen, EspSeal
from ringfence.datapath.immutable import find_front, picture
from ringfence.datapath.verdict import Drop
from ringfence.testing.associations import AH_SUITES, ESP_SUITES, make_sa

some = settings(max_examples=40, deadline=None)
many = settings(max_examples=400, deadline=None)
esp_suites = pytest.mark.parametrize("suite", ESP_SUITES[::3], ids=str)
ah_suites = pytest.mark.parametrize("suite", AH_SUITES, ids=str)

IPV4 = bytes.fromhex("4500 003c 0001 4000 40 11 0000 c0000201 c0000202") + bytes(40)
IPV4_OPTIONS = bytes.fromhex("4800 0048 0001 4000 40 11 0000 c0000201 c0000202 830b04c0000203c0000204 01") + bytes(40)
IPV6_HEAD = bytes.fromhex("60000000 0048 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002")
IPV6 = IPV6_HEAD + bytes.fromhex("2b00 0502 0000 0100  1104 0001 00000000") + bytes(32) + bytes(24)
PACKETS = (IPV4, IPV4_OPTIONS, IPV6)


def bend(packet: bytes, changes: list[tuple[int, int]], cut: int) -> bytes:
    octets = bytearray(packet)
    for place, value in changes:
        octets[place % len(octets)] = value
    return bytes(octets[: max(0, len(octets) - cut)])


bends = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4)
cuts = st.just(0) | st.integers(0, 100)


@esp_suites
@some
@given(octets=st.binary(max_size=120), esn=st.booleans())
def test_esp_of_nobody(suite, octets, esn):
    sa = make_sa(suite)
    for packet in (octets, sa.spi.to_bytes(4) + b"\0\0\0\1" + octets):
        assert isinstance(EspOpen(sa).open(packet), Drop)
        assert all(isinstance(each, Drop) for each in EspOpen(sa).open_many([packet, packet]))


@esp_suites
@some
@given(changes=bends, cut=cuts)
def test_bent_esp(suite, changes, cut):
    sa = make_sa(suite)
    sealed = EspSeal(sa, Random(1).randbytes).seal(17, bytes(60))
    bent = bend(sealed, changes, cut)
    if bent[4:] != sealed[4:]:  # who looked up the SPI has looked at the first four
        assert isinstance(EspOpen(sa).open(bent), Drop)


@ah_suites
@some
@given(octets=st.binary(max_size=160))
def test_ah_of_nobody(suite, octets):
    sa = make_sa(suite)
    for front in (b"", *PACKETS):
        assert isinstance(AhOpen(sa).open(front + octets), Drop)


@ah_suites
@some
@given(packet=st.sampled_from(PACKETS), changes=bends, cut=cuts)
def test_bent_ah_opens_to_what_was_sealed_or_not_at_all(suite, packet, changes, cut):
    sa = make_sa(suite)
    sealed = AhSeal(sa, Random(1).randbytes).seal(packet)
    if isinstance(sealed, Drop):
        return
    opened = AhOpen(sa).open(bend(sealed, changes, cut))
    if not isinstance(opened, Drop):  # a field that may change on the way was bent
        assert opened.packet[-24:] == packet[-24:]


@many
@given(packet=st.sampled_from(PACKETS), changes=bends, cut=cuts, departing=st.booleans())
def test_fronts_of_bent_packets(packet, changes, cut, departing):
    for with_ah in (False, True):
        bent = bend(packet, changes, cut)
        front = find_front(bent, with_ah=with_ah)
        if not isinstance(front, Drop):
            picture(bent[: front.end], departing=departing)


@many
@given(octets=st.binary(max_size=200), version=st.sampled_from([0x40, 0x45, 0x4F, 0x60]))
def test_fronts_of_random_octets(octets, version):
    for packet in (octets, bytes([version]) + octets):
        for with_ah in (False, True):
            find_front(packet, with_ah=with_ah)
