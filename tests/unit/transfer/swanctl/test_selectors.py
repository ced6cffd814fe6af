# SPDX-License-Identifier: Apache-2.0
"""Traffic selectors, and what two of them mean together."""

import pytest

from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import ICMP, TCP
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, ME, HostName, Keyword
from ringfence.policy.traffic import parse_traffic
from ringfence.transfer.swanctl.selectors import (
    ALL_IPV4,
    ALL_IPV6,
    Selector,
    flows,
    parse_address,
    parse_addresses,
    parse_selector,
    parse_selectors,
    selector_words,
    whole,
)

NET = AddressRange.parse("10.1.0.0/16")


def test_addresses() -> None:
    assert parse_addresses("192.0.2.1, gate.example.org,router") == (
        AddressRange.parse("192.0.2.1"), HostName("gate.example.org"), HostName("router")
    )  # fmt: skip
    assert parse_addresses("%any") == parse_addresses("") == parse_addresses("192.0.2.1,0.0.0.0/0") == ()
    assert parse_address("10.0.0.1-10.0.0.9") == AddressRange.parse("10.0.0.1-10.0.0.9")
    with pytest.raises(BadWord):
        parse_address("10.0.0.1/99")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("dynamic", Selector(None)),
        ("10.1.0.0/16", Selector(NET)),
        ("dynamic[tcp/http]", Selector(None, TCP, PortRange.one(80))),
        ("[6/0x50-90]", Selector(None, TCP, PortRange(80, 90))),
        ("10.1.0.0/16[icmp/2048-2303]", Selector(NET, ICMP, PortRange(2048, 2303))),
        ("10.1.0.0/16[gre]", Selector(NET, 47)),
        ("dynamic[/]", Selector(None)),
    ],
)
def test_one(text: str, meant: Selector) -> None:
    assert parse_selector(text) == meant


@pytest.mark.parametrize(
    "text", ["net", "10.1.0.0/16[tcp/opaque]", "[tcp/90-80]", "[gre/80]", "[/80]", "[icmp/1-5]", "[nonsense]",
             "[tcp/x]", "[300]", "[tcp", "[tcp/70000]"],
)  # fmt: skip
def test_none(text: str) -> None:
    with pytest.raises(BadWord):
        parse_selector(text)


def test_flows() -> None:
    found = flows(
        parse_selectors("10.1.0.0/16, 10.5.0.0/16"), parse_selectors("10.2.0.0/16[tcp/80] 10.3.0.0/16[tcp/80]")
    )
    assert len(found) == 1
    assert [str(one) for one in found[0].local] == ["10.1.0.0/16", "10.5.0.0/16"]
    assert [str(one) for one in found[0].remote] == ["10.2.0.0/16", "10.3.0.0/16"]
    assert found[0].traffic == (parse_traffic("tcp to 80"),)
    two = flows(parse_selectors("dynamic[tcp/22] dynamic[udp]"), parse_selectors("dynamic"))
    assert [(one.local, one.traffic) for one in two] == [
        ((None,), (parse_traffic("tcp from 22"), parse_traffic("udp"))),
    ]
    assert flows(parse_selectors("[tcp]"), parse_selectors("[udp]")) == []
    assert flows(parse_selectors("[icmp]"), parse_selectors("[icmp/2048-2303]"))[0].traffic == (
        parse_traffic("icmp echo-request"),
    )
    assert flows(parse_selectors("[icmp/0]"), parse_selectors("[icmp]"))[0].traffic == (parse_traffic("icmp"),)


def test_words() -> None:
    assert selector_words([*ME, NET], TCP, PortRange.one(80)) == ["dynamic[tcp/80]", "10.1.0.0/16[tcp/80]"]
    assert selector_words(ANY, None, ANY_PORT) == ["0.0.0.0/0", "::/0"]
    assert selector_words([None], 47, ANY_PORT) == ["dynamic[gre]"]
    assert whole([ALL_IPV6, ALL_IPV4]) == ANY
    assert whole([ALL_IPV4]) == (ALL_IPV4,)
    with pytest.raises(BadWord, match="dns-servers"):
        selector_words([Keyword.DNS_SERVERS], None, ANY_PORT)
