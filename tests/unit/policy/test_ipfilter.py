# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.policy.errors import BadWord
from ringfence.policy.ipfilter import format_filter, mirror, parse_filter, reverse
from ringfence.policy.model import Address, HostName, Keyword
from ringfence.policy.traffic import Traffic, parse_traffic
from ringfence.policy.windows import IpFilter

TEN = AddressRange.parse("10.0.0.0/8")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("me <-> any", IpFilter(Keyword.ME, Keyword.ANY)),
        ("me -> any", IpFilter(Keyword.ME, Keyword.ANY, mirrored=False)),
        ("ME<->10.0.0.0/8", IpFilter(Keyword.ME, TEN)),
        ("me tcp -> dns-servers:53", IpFilter(Keyword.ME, Keyword.DNS_SERVERS, parse_traffic("tcp to 53"), False)),
        ("10.0.0.0/8:80-89 tcp <-> me", IpFilter(TEN, Keyword.ME, parse_traffic("tcp from 80-89"))),
        ("me udp <-> [fd00::1]:53", IpFilter(Keyword.ME, AddressRange.parse("fd00::1"), parse_traffic("udp to 53"))),
        ("[fd00::1] <-> me", IpFilter(AddressRange.parse("fd00::1"), Keyword.ME)),
        ("fd00::/8 <-> me", IpFilter(AddressRange.parse("fd00::/8"), Keyword.ME)),
        ("me icmp echo-request <-> any", IpFilter(Keyword.ME, Keyword.ANY, parse_traffic("icmp echo-request"))),
        ("me protocol 47 <-> 10.0.0.1-10.0.0.9",
         IpFilter(Keyword.ME, AddressRange.parse("10.0.0.1-10.0.0.9"), parse_traffic("gre"))),
        ("me tcp to 445 -> files.corp:any", None),
        ("me tcp to 45 -> files.corp", IpFilter(Keyword.ME, HostName("files.corp"), parse_traffic("tcp to 45"), False)),
    ],
)  # fmt: skip
def test_filters(text: str, found: IpFilter | None) -> None:
    if found is None:
        with pytest.raises(BadWord, match="stand at its ends"):
            parse_filter(text)
    else:
        assert parse_filter(text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not understood"),
        ("me", "not understood"),
        ("me <- any", "not understood"),
        ("me <-> <-> any", "not understood"),
        ("-> any", "not understood"),
        ("me -> any tcp", "not understood"),
        ("me <-> me", "sends to itself"),
        ("10.0.0.1 <-> fd00::1", "IPv4 at one end"),
        ("me -> any:80", "have ports"),
        ("me gre -> any:80", "have ports"),
        ("me tcp -> any:", "no port behind"),
        ("me tcp -> any:x", "neither a port"),
        ("me udp 53 -> any", "stand at its ends"),
        ("me -> 10.0.0.300", "not an IP address"),
        ("me quic -> any", "no protocol"),
    ],
)
def test_what_is_no_filter(text: str, why: str) -> None:
    with pytest.raises(BadWord, match=why):
        parse_filter(text)


ports = st.just(ANY_PORT) | st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda p: PortRange(*sorted(p)))
traffic = st.builds(Traffic, st.sampled_from([6, 17, 132]), ports, ports) | st.sampled_from(
    [Traffic(), Traffic(47), parse_traffic("icmp"), parse_traffic("icmp 3/4"), parse_traffic("icmpv6 echo-request")]
)
places: st.SearchStrategy[Address] = st.sampled_from([
    *Keyword, TEN, AddressRange.parse("10.0.0.1"), AddressRange.parse("10.0.0.1-10.0.0.9"), HostName("fileserver"),
    HostName("a.corp.example"),
])  # fmt: skip
six: st.SearchStrategy[Address] = st.sampled_from(
    [Keyword.ANY, AddressRange.parse("fd00::1"), AddressRange.parse("fd00::/8"), AddressRange.parse("fd00::1-fd00::3")]
)


@settings(deadline=None)
@given(st.builds(IpFilter, places, places, traffic, st.booleans()) | st.builds(IpFilter, six, six, traffic))
def test_what_is_written_is_read_again(item: IpFilter) -> None:
    if item.source is Keyword.ME and item.destination is Keyword.ME:
        return
    assert parse_filter(format_filter(item)) == item


@settings(deadline=None)
@given(st.builds(IpFilter, places, places, traffic, st.booleans()))
def test_a_mirror_mirrored_is_the_same(item: IpFilter) -> None:
    assert mirror(mirror(item)) == item
    assert reverse(item.traffic).sender_ports == item.traffic.receiver_ports
