# SPDX-License-Identifier: Apache-2.0
import pytest

from ringfence.databases.identity import Identity
from ringfence.net.address import AddressRange, PortRange
from ringfence.net.flow import TCP
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import ANY, ME, HostName, Keyword, Kind, Rule
from ringfence.policy.traffic import Traffic
from ringfence.transfer.swanctl.shapes import (
    address_word,
    block,
    hosts,
    inner,
    key_octets,
    merged,
    one_way,
    pooled,
    quoted,
    selectors,
)

HOST, NET = AddressRange.parse("192.0.2.1"), AddressRange.parse("10.0.0.0/8")


def test_sections_and_texts() -> None:
    assert block("a", ["b = c"]) == ["a {", "    b = c", "}"]
    assert quoted('a "b" \\') == '"a \\"b\\" \\\\"'
    assert key_octets(" hex:0a0b\n") == b"\x0a\x0b"


def test_addresses() -> None:
    assert [address_word(one) for one in (Keyword.ME, NET, HostName("a.example"))] == [
        "%any",
        "10.0.0.0/8",
        "a.example",
    ]
    with pytest.raises(BadWord, match="dns-servers"):
        address_word(Keyword.DNS_SERVERS)
    assert inner((HOST,)) == inner(ME) == inner(ANY) == (None,)
    assert inner((NET,)) == (NET,)


def test_selectors_multiply_so_kinds_of_traffic_are_apart() -> None:
    both = Traffic(TCP, PortRange(), PortRange.one(80), either=True)
    kinds = [selectors((None,), (NET,), one) for one in one_way(both)]
    assert kinds == [(("dynamic[tcp]",), ("10.0.0.0/8[tcp/80]",)), (("dynamic[tcp/80]",), ("10.0.0.0/8[tcp]",))]
    assert merged([kinds[0], kinds[0], kinds[1]]) == kinds


def test_who_the_other_end_is() -> None:
    tunnel = Rule("t", Kind.TUNNEL, gateways=Gateways(HOST.first, None, "people"))
    assert pooled(tunnel)
    assert list(hosts(tunnel)) == [Identity.of_address(HOST.first)]
    plain = Rule("r", Kind.ISOLATION, remote=(HOST, NET))
    assert not pooled(plain)
    assert list(hosts(plain)) == [Identity.of_address(HOST.first)]
    assert list(hosts(Rule("t", Kind.TUNNEL, gateways=Gateways(None)))) == []
