# SPDX-License-Identifier: Apache-2.0
"""Rules of a script as rules of a policy."""

import pytest

from ringfence.net.address import parse_address
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import ANY, ME, KeyModule, Kind, Need, Policy, Rule, Secure
from ringfence.policy.scope import LinkKind, Profile
from ringfence.policy.terms import Access
from ringfence.transfer.powershell.importing import read_script

BASE = "-InboundSecurity Require -OutboundSecurity Request"


def policy(text: str) -> Policy:
    found = read_script(text, "x.ps1")
    assert not found.left_out, found.left_out
    return found.policy


def rule(words: str) -> Rule:
    return policy(f"New-NetIPsecRule -DisplayName A {words}").rules[0]


def why(words: str) -> str:
    found = read_script(f"New-NetIPsecRule -DisplayName A {words}", "x.ps1")
    assert not found.policy.rules
    return "; ".join(one.why for one in found.left_out)


def test_requirements() -> None:
    assert rule(BASE).secure == Secure(Need.REQUIRE, Need.REQUEST)
    found = read_script("New-NetIPsecRule -DisplayName A", "x.ps1")
    assert found.policy.rules[0].kind is Kind.EXEMPTION
    assert "exemption" in found.notes[0].why


def test_ends() -> None:
    assert (rule(BASE).local, rule(BASE).remote) == (ME, ANY)
    found = rule(f"{BASE} -RemoteAddress 10.0.0.0/255.0.0.0, 10.1.0.1-10.1.0.9 -LocalAddress Any")
    assert (found.local, found.either_end, found.kind) == (ANY, True, Kind.SERVER_TO_SERVER)
    assert list(map(str, found.remote)) == ["10.0.0.0/8", "10.1.0.1-10.1.0.9"]


def test_ports_both_ways_where_nothing_else_tells_the_ends_apart() -> None:
    assert [str(one) for one in rule(f"{BASE} -Protocol TCP -RemotePort 3389, 21").traffic] == ["tcp 3389", "tcp 21"]
    found = rule(f"{BASE} -Protocol udp -LocalPort 53 -RemotePort 1024-65535 -RemoteAddress 10.0.0.1")
    assert [str(one) for one in found.traffic] == ["udp from 53 to 1024-65535"]
    assert [str(one) for one in rule(f"{BASE} -Protocol ICMPv4").traffic] == ["icmp"]


def test_tunnels() -> None:
    found = rule(
        "-Mode Tunnel -InboundSecurity Require -OutboundSecurity None -LocalAddress 10.1.0.0/16 "
        "-RemoteAddress 10.2.0.0/16 "
        "-LocalTunnelEndpoint Any -RemoteTunnelEndpoint 192.0.2.1 -EncryptedTunnelBypass $true "
        "-RequireAuthorization $true"
    )
    assert found.gateways == Gateways(parse_address("192.0.2.1"), None)
    assert (found.kind, found.exempt_protected, found.authorize, found.either_end) == (Kind.TUNNEL, True, True, False)
    assert found.secure == Secure(Need.REQUIRE, Need.NONE)


def test_where_and_by_whom() -> None:
    found = rule(
        f"{BASE} -Profile Private,Domain -InterfaceType Wired -KeyModule IKEv2 -Enabled False -Description 'd' "
        "-Machine 'O:LSD:(A;;CC;;;S-1-5-21-1)(D;;CC;;; S-1-5-21-2)' -User 'D:(A;;CC;;;BA)'"
    )
    assert found.scope.profiles == (Profile.DOMAIN, Profile.PRIVATE)
    assert found.scope.interfaces == (LinkKind.LAN,)
    assert (found.keying, found.enabled, found.description) == ((KeyModule.IKEV2,), False, "d")
    assert (found.allow, found.deny) == (Access(("S-1-5-21-1",), ("BA",)), Access(("S-1-5-21-2",)))
    assert rule(f"{BASE} -Profile Any -InterfaceType Any").scope.everywhere


def test_names_once_each() -> None:
    found = read_script(f"New-NetIPsecRule -DisplayName A {BASE}\nNew-NetIPsecRule -DisplayName a {BASE}", "x.ps1")
    assert [one.name for one in found.policy.rules] == ["A", "a (2)"]
    assert found.notes[0].words == '"a"'


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f"{BASE} -RemoteAddress Intranet", "Intranet says something which stands for networks"),
        (f"{BASE} -RemoteAddress 10.0.0.300", "neither an address nor a network"),
        (f"{BASE} -RemotePort 80", "ports go with tcp or udp only"),
        (f"{BASE} -Protocol TCP -LocalPort RPC", "ports that only Windows knows"),
        (f"{BASE} -Protocol Quic", "no protocol"),
        (f"{BASE} -InterfaceAlias Ethernet", "a name that Windows gave"),
        (f"{BASE} -Profile NotApplicable", "holds in no network"),
        (f"{BASE} -Machine nonsense", "no list of accounts"),
        (f"{BASE} -RemoteTunnelEndpoint 192.0.2.1", "-Mode is not Tunnel"),
        (f"{BASE} -Mode Tunnel -RemoteTunnelHostname gw.example", "no name"),
        (f"{BASE} -Mode Tunnel -RemoteTunnelEndpoint gw.example", "is no address"),
        ("-Mode Tunnel -RemoteTunnelEndpoint 192.0.2.1", "carries nothing"),
        ("-OutboundSecurity Require", "no rule that is in none, out require"),
        ("-InboundSecurity Require", "no rule that is in require, out none"),
        (f"{BASE} -LocalAddress 10.0.0.0/8 -RemoteAddress 2001:db8::/32", "of IPv4 and the other of IPv6"),
        (f"{BASE} -Phase1AuthSet $null", "-Phase1AuthSet is empty"),
        (f"{BASE} -Phase1AuthSet (New-NetIPsecAuthProposal -Anonymous).InstanceID", "a proposal has no .instanceid"),
        (f"{BASE}\nSet-NetIPsecRule -DisplayName A -User $env:X", "what line 2 makes of it is not known"),
        (f"{BASE} -Phase1AuthSet Nowhere", 'makes no Phase1AuthSet "Nowhere"'),
    ],
)
def test_what_is_left_out(words: str, reason: str) -> None:
    assert reason in why(words)


def test_a_name_that_main_mode_rules_do_not_need() -> None:
    found = read_script("New-NetIPsecMainModeRule -DisplayName M -Profile Domain", "x.ps1")
    assert not found.policy.main_modes
    assert ["changes nothing" in one.why for one in found.left_out] == [True]


def test_main_mode_rules() -> None:
    found = policy(
        "$s = New-NetIPsecPhase1AuthSet -DisplayName K -Proposal (New-NetIPsecAuthProposal -Machine -Kerberos)\n"
        "New-NetIPsecMainModeRule -DisplayName M -RemoteAddress 10.0.0.0/8 -Phase1AuthSet $s.Name -Enabled False "
        "-Profile Domain"
    ).main_modes[0]
    assert found.scope.profiles == (Profile.DOMAIN,)
    assert (found.name, found.auth_set, found.enabled, found.either_end) == ("M", "K", False, True)
