# SPDX-License-Identifier: Apache-2.0
"""What netsh and PowerShell say alike of connection security rules."""

from dataclasses import replace

import pytest

from ringfence.databases.pool import Asks
from ringfence.net.address import ANY_PORT, PortRange
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.lower import statements
from ringfence.policy.model import ANY, ME, HostName, Keyword, Kind, Policy, Rule
from ringfence.policy.terms import Access
from ringfence.transfer.consec import (
    Ends,
    access,
    accounts,
    check_assigned,
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
from ringfence.transfer.netsh.importing import read_script as read_netsh
from ringfence.transfer.powershell.importing import read_script as read_powershell


def addresses(*texts: str) -> list[str]:
    return [one.value if isinstance(one, Keyword) else str(one) for one in parse_addresses(texts)]


def test_addresses() -> None:
    assert addresses("10.0.0.0/255.0.0.0", "10.0.0.1", "10.0.0.1 - 10.0.0.9", "fe80::1/48") == [
        "10.0.0.0/8", "10.0.0.1", "10.0.0.1-10.0.0.9", "fe80::/48"
    ]  # fmt: skip
    assert addresses("DNS", "dhcp", "WINS", "DefaultGateway") == [
        "dns-servers", "dhcp-servers", "wins-servers", "default-gateway"
    ]  # fmt: skip
    assert addresses("LocalSubnet") == ["local-subnet"]
    assert addresses("10.0.0.1", "Any") == ["any"]
    assert addresses() == ["any"]
    assert parse_addresses(["Files.Lab.Example"]) == (HostName("files.lab.example"),)


@pytest.mark.parametrize("text", ["LocalSubnet6", "me", "10.0.0.0/40", "10.0.0.9-10.0.0.1", "x", "Intranet"])
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


KERBEROS = """$p = New-NetIPsecAuthProposal -Machine -Kerberos
$s = New-NetIPsecPhase1AuthSet -DisplayName K -Proposal $p
"""
ALIKE = {
    "isolation": (
        "endpoint1=any endpoint2=any profile=domain action=requireinrequestout auth1=computerkerb",
        KERBEROS,
        "-Profile Domain -InboundSecurity Require -OutboundSecurity Request -Phase1AuthSet $s.Name",
    ),
    "tunnel": (
        "mode=tunnel endpoint1=192.168.0.0/16 endpoint2=192.157.0.0/16 localtunnelendpoint=192.0.2.1 "
        "remotetunnelendpoint=198.51.100.2 action=requireinrequireout qmsecmethods=esp:sha1-3des auth1=computerkerb",
        KERBEROS + "$q = New-NetIPsecQuickModeCryptoProposal -Encapsulation ESP -ESPHash SHA1 -Encryption DES3\n"
        "$t = New-NetIPsecQuickModeCryptoSet -DisplayName Q -Proposal $q\n",
        "-Mode Tunnel -LocalAddress 192.168.0.0/16 -RemoteAddress 192.157.0.0/16 -LocalTunnelEndpoint 192.0.2.1 "
        "-RemoteTunnelEndpoint 198.51.100.2 -InboundSecurity Require -OutboundSecurity Require "
        "-QuickModeCryptoSet $t.Name -Phase1AuthSet $s.Name",
    ),
    "computer and user": (
        "endpoint1=any endpoint2=any action=requireinrequireout auth1=computerkerb auth2=userkerb,anonymous",
        KERBEROS + "$u = New-NetIPsecAuthProposal -User -Kerberos; $a = New-NetIPsecAuthProposal -Anonymous\n"
        "$t = New-NetIPsecPhase2AuthSet -DisplayName U -Proposal $u, $a\n",
        "-InboundSecurity Require -OutboundSecurity Require -Phase1AuthSet $s.Name -Phase2AuthSet $t.Name",
    ),
    "ports": (
        "endpoint1=any endpoint2=10.0.0.0/8 port1=any port2=3389,445 protocol=tcp action=requestinrequestout "
        "auth1=computerkerb",
        KERBEROS,
        "-RemoteAddress 10.0.0.0/8 -Protocol TCP -RemotePort 3389, 445 -InboundSecurity Request "
        "-OutboundSecurity Request -Phase1AuthSet $s.Name",
    ),
    "ports of anybody": (
        "endpoint1=any endpoint2=any port1=any port2=3389 protocol=tcp action=requestinrequestout auth1=computerkerb",
        KERBEROS,
        "-Protocol TCP -RemotePort 3389 -InboundSecurity Request -OutboundSecurity Request -Phase1AuthSet $s.Name",
    ),
    "exemption": (
        "endpoint1=any endpoint2=dhcp action=noauthentication",
        "",
        "-RemoteAddress DHCP -InboundSecurity None -OutboundSecurity None",
    ),
}


@pytest.mark.parametrize("which", ALIKE)
def test_netsh_and_powershell_are_read_alike(which: str) -> None:
    netsh, before, powershell = ALIKE[which]
    first = read_netsh(f"netsh advfirewall consec add rule name=R {netsh}", "x.cmd")
    second = read_powershell(f"{before}New-NetIPsecRule -DisplayName R {powershell}", "x.ps1")
    assert not first.left_out + second.left_out
    assert settled(first.policy) == settled(second.policy)


def settled(policy: Policy) -> list[Rule]:
    rules = [one for one in statements(policy) if isinstance(one, Rule)]
    return [replace(one, auth_set="", quick_mode_crypto="", legacy=False) for one in rules]


def test_what_is_assigned_is_not_sayable_in_windows_words() -> None:
    for gateways in (Gateways(None, pool="people"), Gateways(bytes(4), asks=Asks((4,)))):
        with pytest.raises(BadWord, match="give nobody an address"):
            check_assigned(Rule("t", Kind.TUNNEL, gateways=gateways))
    check_assigned(Rule("t", Kind.TUNNEL, gateways=Gateways(None)))
