# SPDX-License-Identifier: Apache-2.0
"""Rules and filters as strings."""

import pytest

from ringfence.policy.document import parse
from ringfence.policy.errors import BadWord
from ringfence.transfer.grouppolicy.values import Version
from ringfence.transfer.grouppolicy.write_rules import filter_strings, main_mode_string, rule_strings


def rules(text: str) -> list[str]:
    auth = "" if '"none"\n' in f"{text}\n" else 'auth = "kerberos"\n'
    found = parse(f'[[rule]]\nname = "n"\n{auth}{text}', name="x")
    return [str(said) for _, said in rule_strings(found.rules[0], [])]


def filters(text: str) -> list[str]:
    found = parse(f'[[filter]]\nname = "n"\n{text}', name="x")
    return [str(said) for _, said in filter_strings(found.filters[0])]


HEAD = "v2.10|Action=Secure|Active=TRUE|Name=n|EmbedCtxt=Ringfence|"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('with = "10.0.0.1"', HEAD + "EP2_4=10.0.0.1|"),
        ('between = ["10.0.0.0-10.0.0.9", ["10.9.0.0/16", "fd00::/8"]]',
         HEAD + "EP1_4=10.0.0.0-10.0.0.9|EP2_4=10.9.0.0/16|EP2_6=fd00::/8|"),
        ('with = "dns-servers"', HEAD + "EP2_4=DNS|EP2_6=DNS|"),
        ('with = "any"\ntraffic = "protocol 47"', HEAD + "Protocol=47|"),
        ('with = "10.0.0.1"\ntraffic = ["tcp to 80", "tcp to 443"]',
         HEAD + "EP2_4=10.0.0.1|Protocol=6|EP2Port=80|EP2Port=443|"),
        ('with = "any"\nenabled = false\ndescription = "a|b"\nprofiles = ["domain", "public"]\ninterfaces = "lan"',
         "v2.10|Action=Secure|Active=FALSE|Profile=Domain|Profile=Public|IFType=Lan|Name=n|Desc=a/b|"
         "EmbedCtxt=Ringfence|"),
        ('with = "any"\nkeying = ["ikev1", "ikev2"]', HEAD.replace("v2.10", "v2.20") + "KeyMod=IkeV1|KeyMod=IkeV2|"),
        ('with = "any"\nallow = { computers = "S-1-5-21-1" }', HEAD.replace("v2.10", "v2.20")
         + "TransportMachineAuthzSDDL=D:(A;;CC;;;S-1-5-21-1)|SkipVer=2.10|"),
    ],
)  # fmt: skip
def test_a_rule(text: str, said: str) -> None:
    assert rules(text) == [said]


def test_a_rule_whose_traffic_needs_several() -> None:
    assert len(rules('with = "10.0.0.1"\ntraffic = ["tcp to 80", "udp to 53"]')) == 2


def test_ranges_of_ports_are_for_exemptions() -> None:
    (said,) = rules('with = "10.0.0.1"\ntraffic = "tcp to 1-9"\nsecure = "none"')
    assert "Action=DoNotSecure" in said
    assert "EP2Port2_10=1-9|" in said
    with pytest.raises(BadWord, match="ranges of ports in exemptions only"):
        rules('with = "10.0.0.1"\ntraffic = "tcp to 1-9"')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('with = "any"\nsecure = { in = "request", out = "none" }', "no rule that is in request, out none"),
        ('between = [["me", "10.0.0.1"], "any"]', "own addresses"),
    ],
)
def test_a_rule_that_windows_does_not_have(text: str, why: str) -> None:
    with pytest.raises(BadWord, match=why):
        rules(text)


def test_main_mode() -> None:
    text = '[[main-mode]]\nname = "m"\nwith = "192.0.2.9"\nauth = "kerberos"\nprofiles = "private"\n'
    (rule,) = parse(text, name="x").main_modes
    said = main_mode_string(rule, [("Auth1Set", "{1}")])
    assert str(said) == "v2.10|Active=TRUE|Profile=Private|Name=m|EmbedCtxt=Ringfence|EP2_4=192.0.2.9|Auth1Set={1}|"
    assert said.version == Version(2, 10)


FILTER = "Active=TRUE|Name=n|EmbedCtxt=Ringfence|"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('block = "tcp to 23"\nmirrored = false', [f"v2.10|Action=Block|Dir=Out|{FILTER}Protocol=6|RPort=23|"]),
        ('block = ["udp to 53", "udp to 60-70"]\ndirection = "in"\nmirrored = false',
         [f"v2.10|Action=Block|Dir=In|{FILTER}Protocol=17|LPort=53|LPort2_10=60-70|"]),
        ('block = "icmp echo-request"\nwith = "10.0.0.0/8"\ndirection = "both"', [
            f"v2.10|Action=Block|Dir=In|{FILTER}RA4=10.0.0.0/8|Protocol=1|ICMP4=8:*|",
            f"v2.10|Action=Block|Dir=Out|{FILTER.replace('n|', 'n (2)|')}RA4=10.0.0.0/8|Protocol=1|ICMP4=8:*|",
        ]),
        ('permit = "tcp to 1"\ndirection = "in"\nsecure = "negotiated"\nallow = { users = "S-1-5-21-3" }', [
            f"v2.10|Action=Allow|Security=AuthenticateEncrypt|Security2=AnE-Nego|RUAuth=D:(A;;CC;;;S-1-5-21-3)|Dir=In|"
            f"{FILTER}Protocol=6|LPort=1|",
        ]),
        ('permit = "any"\nsecure = "authenticated"\noverride-block = true\nmirrored = false', [
            f"v2.10|Action=Allow|Security=Authenticate|AuthByPassOut=TRUE|Dir=Out|{FILTER}",
        ]),
    ],
)  # fmt: skip
def test_a_filter(text: str, said: list[str]) -> None:
    assert filters(text) == said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('block = "tcp 23"', "the port of one end"),
        ('block = "sctp to 23"', "TCP and UDP only"),
        ('between = ["10.0.0.1", "10.0.0.2"]\nblock = "any"', "which end this computer is at"),
        ('permit = "tcp to 1"\nsecure = "authenticated"\nmirrored = false', "lets answers through"),
        ('permit = "tcp to 1"\nsecure = "negotiated"', "comes in only"),
    ],
)
def test_a_filter_that_windows_does_not_have(text: str, why: str) -> None:
    with pytest.raises(BadWord, match=why):
        filters(text)
