# SPDX-License-Identifier: Apache-2.0
"""What netsh and PowerShell say alike of connection security rules."""

import pytest

from ringfence.net.address import ANY_PORT, PortRange
from ringfence.policy.errors import BadWord
from ringfence.policy.model import ANY, ME, HostName, Keyword, Kind, Rule
from ringfence.policy.terms import Access
from ringfence.transfer.consec import (
    Ends,
    access,
    accounts,
    descriptor,
    ends_of,
    is_sid,
    kind_of,
    parse_addresses,
    parse_ports,
    parse_protocol,
    traffic_of,
    weighed,
)


def addresses(*texts: str) -> list[str]:
    return [one.value if isinstance(one, Keyword) else str(one) for one in parse_addresses(texts)]


def test_addresses() -> None:
    assert addresses("10.0.0.0/255.0.0.0", "10.0.0.1", "10.0.0.1 - 10.0.0.9", "fe80::1/48") == [
        "10.0.0.0/8", "10.0.0.1", "10.0.0.1-10.0.0.9", "fe80::/48"
    ]  # fmt: skip
    assert addresses("DNS", "dhcp", "WINS", "DefaultGateway") == [
        "dns-servers", "dhcp-servers", "wins-servers", "default-gateway"
    ]  # fmt: skip
    assert addresses("10.0.0.1", "Any") == ["any"]
    assert addresses() == ["any"]
    assert parse_addresses(["Files.Lab.Example"]) == (HostName("files.lab.example"),)


@pytest.mark.parametrize("text", ["LocalSubnet", "me", "10.0.0.0/40", "10.0.0.9-10.0.0.1", "x", "Intranet"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(BadWord):
        parse_addresses([text])


def test_ends() -> None:
    some, others = parse_addresses(["10.0.0.0/8"]), parse_addresses(["10.1.0.0/16"])
    assert ends_of(ANY, ANY) == Ends(ME, ANY)
    assert ends_of(ANY, some) == Ends(ANY, some, either_end=True)
    assert ends_of(some, others) == Ends(some, others, either_end=True)
    servers = (Keyword.DNS_SERVERS,)
    assert ends_of(ANY, servers) == ends_of(servers, ANY) == Ends(ME, servers)


def test_traffic() -> None:
    def words(protocol: str, first: str, second: str, both_any: bool = False) -> list[str]:
        ports = parse_ports(first.split(",")), parse_ports(second.split(","))
        return [str(one) for one in traffic_of(parse_protocol(protocol), *ports, both_any=both_any)]

    assert words("", "", "") == ["any"]
    assert words("47", "any", "") == ["gre"]
    assert words("tcp", "80,90", "Any") == ["tcp from 80", "tcp from 90"]
    assert words("tcp", "any", "80", both_any=True) == ["tcp 80"]
    assert words("udp", "1", "2-3", both_any=True) == ["udp from 1 to 2-3", "udp from 2-3 to 1"]
    assert words("ICMPv6", "", "") == ["icmpv6"]
    assert parse_ports(["any", "5"]) == (ANY_PORT,)
    assert parse_ports(["5-6"]) == (PortRange(5, 6),)


@pytest.mark.parametrize(
    ("protocol", "port"),
    [("", "80"), ("47", "80"), ("tcp", "RPC"), ("tcp", "x"), ("tcp", "9-1"), ("tcp", "99999"), ("300", ""), ("x", "")],
)
def test_what_is_no_traffic(protocol: str, port: str) -> None:
    with pytest.raises(BadWord):
        traffic_of(parse_protocol(protocol), parse_ports([port]), (ANY_PORT,), both_any=False)


def test_accounts() -> None:
    text = descriptor(["S-1-5-21-1", "BA"], ["S-1-5-21-2"])
    assert accounts(text) == (("S-1-5-21-1", "BA"), ("S-1-5-21-2",))
    assert accounts("O:LSD:P(A;;CC;;; LAB\\The Servers )") == (("LAB\\The Servers",), ())
    assert descriptor([], []) == ""
    assert access(text, "") == (Access(("S-1-5-21-1", "BA")), Access(("S-1-5-21-2",)))
    assert [is_sid(one) for one in ("S-1-5-21-1", "BA", "LAB\\x", "a.example")] == [True, True, False, False]
    for bad in ("", "nonsense", "D:(A;;CC)", "D:(X;;CC;;;S-1-1)"):
        with pytest.raises(BadWord):
            accounts(bad)


def test_kinds_and_weights() -> None:
    everybody = Rule("a", Kind.ISOLATION)
    assert weighed((everybody,)) == (everybody,)
    between = Rule("b", Kind.SERVER_TO_SERVER, local=ANY, remote=parse_addresses(["10.0.0.0/8"]), either_end=True)
    first, second = weighed((everybody, between))
    assert (first.local, first.either_end, first.kind) == (ANY, True, Kind.ISOLATION)
    assert second == between
    assert kind_of(between) is Kind.SERVER_TO_SERVER
    assert kind_of(everybody) is Kind.ISOLATION
