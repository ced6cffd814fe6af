# SPDX-License-Identifier: Apache-2.0
"""Ranges and ports, against the standard library's own networks."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.net.address import AddressRange, Endpoint, Path, PortRange, format_address, parse_address

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)
NETWORKS = st.one_of(
    st.tuples(V4, st.integers(0, 32)).map(lambda pair: ip_network(f"{pair[0]}/{pair[1]}", strict=False)),
    st.tuples(V6, st.integers(0, 128)).map(lambda pair: ip_network(f"{pair[0]}/{pair[1]}", strict=False)),
)


@given(NETWORKS, st.one_of(V4, V6))
def test_a_network_holds_what_the_standard_library_says(network, address) -> None:
    assert (address.packed in AddressRange.parse(str(network))) == (address in network)


@given(NETWORKS)
def test_a_network_is_written_as_it_was_read(network) -> None:
    piece = AddressRange.parse(str(network))
    assert list(piece.prefixes()) == [str(network)]
    assert piece.size == network.num_addresses
    assert AddressRange.parse(str(piece)) == piece


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_range_is_the_sum_of_its_prefixes(one: int, other: int) -> None:
    first, last = sorted((one, other))
    piece = AddressRange.parse(f"{IPv4Address(first)}-{IPv4Address(last)}")
    assert piece.size == sum(ip_network(prefix).num_addresses for prefix in piece.prefixes())


@given(NETWORKS, NETWORKS)
def test_intersection_and_cover_agree_with_the_standard_library(one, other) -> None:
    a, b = AddressRange.parse(str(one)), AddressRange.parse(str(other))
    common = a.intersect(b)
    overlap = one.version == other.version and one.overlaps(other)
    assert (common is not None) == overlap
    assert a.covers(b) == (one.version == other.version and other.subnet_of(one))
    if common is not None:
        assert a.covers(common)
        assert b.covers(common)


@pytest.mark.parametrize(
    "text", ["10.0.0.300", "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "10.0.0.0/33", "", "host", "-"]
)
def test_nonsense_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        AddressRange.parse(text)


def test_ports_that_cannot_be_seen_match_only_any() -> None:
    assert None in PortRange()
    assert None not in PortRange.one(80)
    assert 80 in PortRange.one(80)
    assert PortRange(10, 20).intersect(PortRange(15, 30)) == PortRange(15, 20)
    assert PortRange(10, 20).intersect(PortRange(21, 30)) is None
    assert PortRange().covers(PortRange(1, 2))
    assert not PortRange(1, 2).covers(PortRange())
    assert [str(p) for p in (PortRange(), PortRange.one(80), PortRange(1, 9))] == ["any", "80", "1-9"]
    with pytest.raises(ValueError):
        PortRange(5, 4)


def test_ends_are_written_as_urls_write_them() -> None:
    four, six = Endpoint(parse_address("10.0.0.1"), 500), Endpoint(parse_address("fd00::1"), 4500)
    assert str(Path(four, six)) == "10.0.0.1:500 <-> [fd00::1]:4500"
    assert format_address(ip_address("fd00::1").packed) == "fd00::1"
