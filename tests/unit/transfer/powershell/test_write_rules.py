# SPDX-License-Identifier: Apache-2.0
"""Rules as commands of a script."""

from dataclasses import replace

import pytest

from ringfence.net.address import parse_address
from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord
from ringfence.policy.gateways import Gateways
from ringfence.policy.model import Rule
from ringfence.transfer.powershell.write_rules import (
    access_words,
    ends_words,
    key_module,
    main_mode_words,
    rule_words,
    scope_words,
)
from ringfence.transfer.powershell.writing import command


def rule(settings: str) -> Rule:
    exempt = 'secure = "none"' in settings
    auth = "" if exempt else 'auth = "kerberos"\n'
    return parse(f'[[rule]]\nname = "R"\n{auth}{settings}\n', name="p.toml").rules[0]


def words(settings: str) -> list[str]:
    return [
        command("X", one).replace(" `\n   ", "").removeprefix("X -DisplayName ") for one in rule_words(rule(settings))
    ]


def test_ends() -> None:
    head = "'R' -Group $group -InboundSecurity Require -OutboundSecurity Require"
    assert words("") == [head]
    assert words('with = ["10.0.0.0/8", "2001:db8::1"]') == [f"{head} -RemoteAddress '10.0.0.0/8', '2001:db8::1'"]
    assert words('between = ["10.0.0.1-10.0.0.9", "any"]') == [f"{head} -LocalAddress '10.0.0.1-10.0.0.9'"]
    found = words('with = ["dns-servers", "default-gateway", "local-subnet"]\nsecure = "none"')
    assert found[0].endswith("-OutboundSecurity None -RemoteAddress DNS, DefaultGateway, LocalSubnet")


def test_ports() -> None:
    def tails(settings: str) -> list[str]:
        return [one.partition("Require -")[2].partition("OutboundSecurity Require ")[2] for one in words(settings)]

    assert tails('traffic = ["tcp to 80", "tcp to 443"]') == ["-Protocol TCP -RemotePort 80, 443"]
    assert tails('traffic = "tcp 3389"') == ["-Protocol TCP -RemotePort 3389"]
    assert tails('traffic = ["udp from 1", "udp from 2"]') == ["-Protocol UDP -LocalPort 1, 2"]
    assert tails('traffic = ["gre", "icmp"]') == ["-Protocol 47", "-Protocol ICMPv4"]
    assert tails('traffic = "tcp 80"\nwith = "10.0.0.1"') == [
        "-RemoteAddress '10.0.0.1' -Protocol TCP -RemotePort 80",
        "-RemoteAddress '10.0.0.1' -Protocol TCP -LocalPort 80",
    ]  # fmt: skip
    assert words('traffic = ["tcp to 80", "udp to 80"]')[1].startswith("'R (2)'")


def test_tunnels_networks_and_people() -> None:
    found = words(
        'local = { networks = "10.1.0.0/16", gateway = "192.0.2.1" }\n'
        'remote = { networks = "10.2.0.0/16", gateway = "192.0.2.2" }\nprofiles = ["domain", "private"]\n'
        'interfaces = "lan"\nexempt-protected = true\nauthorize = true\nallow = { computers = "S-1-5-21-9" }'
    )[0]
    for part in (
        "-Mode Tunnel", "-Profile Domain, Private", "-InterfaceType Wired", "-LocalTunnelEndpoint '192.0.2.1'",
        "-RemoteTunnelEndpoint '192.0.2.2'", "-EncryptedTunnelBypass $true", "-RequireAuthorization $true",
        "-Machine 'D:(A;;CC;;;S-1-5-21-9)'",
    ):  # fmt: skip
        assert part in found
    road = replace(rule("local = { gateway = '192.0.2.1' }\nremote = { gateway = '192.0.2.2' }"),
                   gateways=Gateways(None, parse_address("192.0.2.1")))  # fmt: skip
    assert "-RemoteTunnelEndpoint Any" in command("X", next(iter(rule_words(road)))).replace(" `\n   ", "")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('secure = { in = "none", out = "require" }', "no rule that is in none, out require"),
        ('traffic = "tcp to 80-90"', "ranges of ports in exemptions only"),
        ('traffic = "icmp echo-request"', "no types of ICMP"),
        ('traffic = "sctp to 5"', "ports of TCP and UDP only"),
        ('with = "files.lab.example"', "is a name"),
        ('interfaces = "dev eth0"', "other names"),
        ('allow = { computers = "LAB\\\\x" }', "by their SIDs"),
        ('local = ["me", "10.0.0.1"]', "no word for this computer"),
        ("local = { gateway = '192.0.2.1' }\nremote = { gateway = '192.0.2.2' }\ntraffic = 'tcp'", "for all protocols"),
    ],
)
def test_what_windows_cannot_have(settings: str, why: str) -> None:
    with pytest.raises(BadWord, match=why):
        words(settings)


def test_small_parts() -> None:
    assert key_module(rule('keying = "ikev2"')) == [("KeyModule", "IKEv2")]
    assert key_module(rule("")) == []
    assert scope_words(rule("").scope) == []
    assert ends_words(rule("")) == []
    assert access_words(rule("").allow, rule("").deny, ("A", "B")) == []
    main = parse(
        '[[main-mode]]\nname = "M"\nwith = "10.0.0.1"\nenabled = false\nauth = "kerberos"', name="p"
    ).main_modes[0]
    assert [name for name, _ in main_mode_words(main)] == ["DisplayName", "Group", "Enabled", "RemoteAddress"]
