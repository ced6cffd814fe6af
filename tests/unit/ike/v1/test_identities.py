# SPDX-License-Identifier: Apache-2.0
"""ID payloads of both phases, there and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.identity import Identity
from ringfence.databases.selector import Selector
from ringfence.ike.errors import Aborted, Reason, Refused
from ringfence.ike.v1.identities import identity_of, main_id, quick_ids, selector_of
from ringfence.ike.v1.payloads import IdPayload, IdType
from ringfence.net.address import AddressRange, PortRange, parse_address


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1", "host.example", "alice@example", "keyid:0102"])
def test_main_mode_there_and_back(text):
    identity = Identity.parse(text)
    payload = main_id(identity)
    assert (payload.protocol, payload.port) == (0, 0)
    assert identity_of(IdPayload.decode(payload.encode())) == identity


@pytest.mark.parametrize(("protocol", "port"), [(0, 0), (17, 500), (17, 4500), (17, 0)])
def test_what_peers_say_of_their_port(protocol, port):
    assert identity_of(IdPayload(IdType.FQDN, protocol, port, b"host")).data == b"host"


@pytest.mark.parametrize(
    "payload",
    [
        IdPayload(IdType.IPV4_ADDR_SUBNET, 0, 0, bytes(8)),
        IdPayload(99, 0, 0, b"x"),
        IdPayload(IdType.IPV4_ADDR, 0, 0, bytes(5)),
        IdPayload(IdType.IPV6_ADDR, 0, 0, bytes(4)),
        IdPayload(IdType.FQDN, 0, 0, b""),
        IdPayload(IdType.FQDN, 6, 80, b"host"),
    ],
)
def test_what_nobody_can_be(payload):
    with pytest.raises(Aborted) as error:
        identity_of(payload)
    assert error.value.reason is Reason.WRONG_IDENTITY


@pytest.mark.parametrize(
    ("addresses", "kind", "data"),
    [
        ("192.0.2.7", IdType.IPV4_ADDR, "c0000207"),
        ("192.0.2.0/24", IdType.IPV4_ADDR_SUBNET, "c0000200ffffff00"),
        ("0.0.0.0/0", IdType.IPV4_ADDR_SUBNET, "0000000000000000"),
        ("192.0.2.1-192.0.2.9", IdType.IPV4_ADDR_RANGE, "c0000201c0000209"),
        ("192.0.2.1-192.0.2.2", IdType.IPV4_ADDR_RANGE, "c0000201c0000202"),
        ("2001:db8::1", IdType.IPV6_ADDR, "20010db8000000000000000000000001"),
        ("2001:db8::/64", IdType.IPV6_ADDR_SUBNET, "20010db8" + "0" * 24 + "f" * 16 + "0" * 16),
        ("2001:db8::1-2001:db8::9", IdType.IPV6_ADDR_RANGE, "20010db8" + "0" * 23 + "120010db8" + "0" * 23 + "9"),
    ],
)
def test_forms_of_addresses(addresses, kind, data):
    other = "::" if ":" in addresses else "10.0.0.1"
    source, _ = quick_ids(Selector.between(addresses, other))
    assert (source.id_type, source.data.hex()) == (kind, data)
    assert selector_of(*quick_ids(Selector.between(addresses, other))) == Selector.between(addresses, other)


@st.composite
def selectors(draw):
    octets = draw(st.sampled_from([4, 16]))
    pairs = [sorted(draw(st.tuples(*[st.binary(min_size=octets, max_size=octets)] * 2))) for _ in range(2)]
    ports = [PortRange.one(port) if port else PortRange() for port in draw(st.tuples(*[st.integers(0, 65535)] * 2))]
    protocol = draw(st.one_of(st.none(), st.integers(1, 255)))
    return Selector(*(AddressRange(*pair) for pair in pairs), protocol, *ports)


@settings(deadline=None)
@given(selectors())
def test_every_selector_there_and_back(selector):
    ids = [IdPayload.decode(each.encode()) for each in quick_ids(selector)]
    assert selector_of(*ids) == selector


def test_a_range_of_ports_cannot_be_said():
    base = Selector.between("10.0.0.1", "10.0.0.2", 6)
    for ports in (PortRange(1, 2), PortRange(0, 0)):
        with pytest.raises(Refused, match="cannot say the ports"):
            quick_ids(Selector(base.source, base.destination, 6, ports))


def side(kind, data, protocol=0, port=0):
    return IdPayload(kind, protocol, port, bytes.fromhex(data))


GOOD = side(IdType.IPV4_ADDR, "0a000001")


@pytest.mark.parametrize(
    "bad",
    [
        side(IdType.FQDN, "61"),
        side(IdType.IPV4_ADDR, "0a0000"),
        side(IdType.IPV4_ADDR_SUBNET, "0a000000ff00ff00"),
        side(IdType.IPV4_ADDR_RANGE, "0a0000090a000001"),
        side(IdType.IPV6_ADDR, "00" * 16),
        side(IdType.IPV4_ADDR, "0a000001", protocol=6),
    ],
)
def test_selectors_that_make_no_sense(bad):
    good = side(IdType.IPV4_ADDR, "0a000001", protocol=17)
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(Refused) as error:
            selector_of(*pair)
        assert error.value.reason is Reason.WRONG_SELECTORS


def test_host_bits_below_a_netmask_are_passed_over_and_one_protocol_is_enough():
    selector = selector_of(side(IdType.IPV4_ADDR_SUBNET, "0a0000050ffffff00"[:8] + "ffffff00", protocol=6), GOOD)
    assert str(selector.source) == "10.0.0.0/24"
    assert selector.protocol == 6
    assert selector.destination == AddressRange.host(parse_address("10.0.0.1"))
