# SPDX-License-Identifier: Apache-2.0
"""The configuration payload: what is asked for, what is given, and what of either is passed over."""

from ipaddress import ip_network

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from ringfence.databases.pool import Asks, Assignment, Pool
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.configuration import Attribute, Form, given, informed, reply, request, wishes
from ringfence.ike.v2.payloads import ConfigPayload, NoncePayload
from ringfence.net.address import AddressRange, parse_address

BOTH = Asks((4, 6))
V4, V6 = parse_address("10.9.0.7"), parse_address("fd00:9::7")
POOL = Pool(
    "people", (AddressRange.parse("10.9.0.0/24"), AddressRange.parse("fd00:9::/112")), dns=(bytes([10, 1, 0, 53]),),
    wins=(bytes([10, 1, 0, 54]),), domains=("corp.example", "lab.example"),
)  # fmt: skip
NETS = tuple(map(AddressRange.parse, ("10.1.0.0/16", "fd00:1::/32")))


def chain(form: int, *attributes: tuple[int, bytes]) -> Chain:
    return Chain((Decoded(ConfigPayload(form, attributes), b""),))


def answer(*attributes: tuple[int, bytes], asks: Asks = BOTH) -> Assignment:
    return given(chain(Form.REPLY, *attributes), asks)


def kinds(payload: ConfigPayload) -> list[tuple[str, str]]:
    return [(Attribute(kind).name, value.hex()) for kind, value in payload.attributes]


def asked(*attributes: tuple[int, bytes], leased: tuple[bytes, ...] = (V4, V6)) -> list[tuple[str, str]]:
    found = wishes(chain(Form.REQUEST, *attributes))
    assert found is not None
    return kinds(reply(found, POOL, leased, NETS))


def test_what_is_asked_for() -> None:
    assert request(None) == ()
    (payload,) = request(BOTH)
    assert payload.kind == Form.REQUEST
    assert kinds(payload) == [
        ("IP4_ADDRESS", ""), ("IP4_DNS", ""), ("IP4_SUBNET", ""),
        ("IP6_ADDRESS", ""), ("IP6_DNS", ""), ("IP6_SUBNET", ""), ("DNS_DOMAIN", ""),
    ]  # fmt: skip
    (payload,) = request(Asks((4,), (V4,), dns=False))
    assert kinds(payload) == [("IP4_ADDRESS", V4.hex()), ("IP4_SUBNET", "")]
    (payload,) = request(Asks((4, 6), domains=("a.example", "b.example")), (V4, V6))
    assert kinds(payload)[0] == ("IP4_ADDRESS", V4.hex())
    assert ("IP6_ADDRESS", V6.hex() + "80") in kinds(payload)
    assert kinds(payload)[-2:] == [("DNS_DOMAIN", b"a.example".hex()), ("DNS_DOMAIN", b"b.example".hex())]


def test_what_is_given() -> None:
    dns, dns6 = bytes([10, 1, 0, 53]), parse_address("fd00:1::53")
    found = answer(
        (1, V4), (8, V6 + b"\x40"), (3, dns), (10, dns6), (25, b"Corp.Example."), (25, b"corp.example"),
        (13, bytes.fromhex("0a010203ffff0000")), (15, NETS[1].first + b"\x20"), (99, b"unknown"),
    )  # fmt: skip
    assert found == Assignment((V4, V6), (dns, dns6), ("corp.example",), NETS)


@pytest.mark.parametrize(
    "attributes",
    [
        (), ((1, b""),), ((1, V4 + b"\0"),), ((1, bytes(4)),), ((1, bytes([127, 0, 0, 1])),),
        ((1, bytes([224, 0, 0, 1])),), ((8, V6),), ((8, bytes(16) + b"\x80"),), ((8, bytes(15) + b"\1\x80"),),
        ((8, b"\xff\x02" + bytes(14) + b"\x80"),), ((8, b"\xfe\x80" + bytes(14) + b"\x40"),),
    ],
)  # fmt: skip
def test_no_address_that_a_host_can_have_is_none(attributes: tuple[tuple[int, bytes], ...]) -> None:
    with pytest.raises(Refused, match="gives us no address") as caught:
        answer(*attributes)
    assert caught.value.reason is Reason.NO_ADDRESS


def test_a_family_that_was_not_asked_for_is_not_taken() -> None:
    assert answer((1, V4), (8, V6 + b"\x80"), asks=Asks((6,))).addresses == (V6,)
    with pytest.raises(Refused):
        given(Chain((Decoded(NoncePayload(bytes(16)), b""),)), BOTH)
    with pytest.raises(Refused):
        given(chain(Form.REQUEST, (1, V4)), BOTH)


def test_names_count_as_far_as_the_policy_lets_them() -> None:
    dns = (3, bytes([10, 1, 0, 53]))
    names = (25, b"corp.example"), (25, b"evil.example"), (25, b"sub.corp.example"), (25, b"no\xffname"), (25, b"")
    only = Asks((4,), domains=("corp.example",))
    assert answer((1, V4), dns, *names, asks=only).domains == ("corp.example", "sub.corp.example")
    assert answer((1, V4), dns, asks=only).domains == ("corp.example",)
    refused = answer((1, V4), dns, (25, b"evil.example"), asks=only)
    assert (refused.dns, refused.domains) == ((), ())
    assert answer((1, V4), *names).domains == ()  # names without a server mean nothing (RFC 8598 §3.2)
    assert answer((1, V4), dns, *names, asks=Asks((4,), dns=False)) == Assignment((V4,))


def test_what_is_told_is_what_was_asked_for() -> None:
    assert asked((1, b"")) == [("IP4_ADDRESS", V4.hex()), ("IP6_ADDRESS", V6.hex() + "80")]
    assert asked((1, b""), (2, b""), (3, b""), (4, b""), (13, b""), leased=(V4,)) == [
        ("IP4_ADDRESS", V4.hex()), ("IP4_NETMASK", "ffffffff"), ("IP4_DNS", "0a010035"), ("IP4_NBNS", "0a010036"),
        ("IP4_SUBNET", "0a010000ffff0000"),
    ]  # fmt: skip
    assert asked((8, b""), (15, b""), leased=(V6,))[1:] == [("IP6_SUBNET", NETS[1].first.hex() + "20")]


def test_names_are_told_with_their_servers_only() -> None:
    corp, lab = ("DNS_DOMAIN", b"corp.example".hex()), ("DNS_DOMAIN", b"lab.example".hex())
    assert asked((1, b""), (3, b""), (25, b""))[-2:] == [corp, lab]
    assert asked((1, b""), (3, b""), (25, b"lab.example"))[-1:] == [lab]
    assert not {corp, lab} & {*asked((1, b""), (25, b""))}
    assert not {corp, lab} & {*asked((1, b""), (3, b""))}


def test_about_itself_it_says_what_it_knows_and_no_version() -> None:
    (payload,) = informed(chain(Form.REQUEST, (7, b""), (14, b""), (99, b"?")))
    assert payload.kind == Form.REPLY
    assert payload.attributes[0] == (Attribute.APPLICATION_VERSION, b"")
    kind, value = payload.attributes[1]
    assert kind == Attribute.SUPPORTED_ATTRIBUTES
    assert {int.from_bytes(value[at : at + 2]) for at in range(0, len(value), 2)} == set(Attribute)


def test_nothing_is_set_from_outside() -> None:
    assert informed(chain(Form.SET, (1, V4))) == (ConfigPayload(Form.ACK),)
    assert informed(chain(Form.ACK)) == informed(chain(Form.REPLY, (1, V4))) == ()
    assert informed(Chain(())) == ()


def test_what_a_peer_would_have() -> None:
    found = wishes(chain(Form.REQUEST, (1, bytes(4)), (1, V4), (8, V6 + b"\x80"), (8, b"\1")))
    assert found is not None
    assert (found.families, found.address(4), found.address(16)) == ((4, 16), V4, V6)
    assert wishes(chain(Form.SET, (1, V4))) is None


@drawn(st.lists(st.tuples(st.integers(0, 32), st.binary(max_size=20)), max_size=20))
@settings(deadline=None)
def test_whatever_a_peer_says_is_taken_or_passed_over(attributes: list[tuple[int, bytes]]) -> None:
    found = wishes(chain(Form.REQUEST, *attributes))
    assert found is not None
    encoded = reply(found, POOL, (V4,), NETS).encode()
    assert len(encoded) >= 4
    try:
        made = answer(*attributes)
    except Refused:
        return
    assert made.addresses
    assert all(ip_network((one.first, 8 * len(one.first))) for one in made.subnets)
