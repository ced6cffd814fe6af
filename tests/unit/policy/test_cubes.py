# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

from ringfence.databases.spd import Direction
from ringfence.net.address import AddressRange, parse_address
from ringfence.policy.cubes import Cubes
from ringfence.policy.host import HostFacts
from ringfence.policy.model import ANY, ME, Filter, HostName, Keyword, Kind, Part, Reading, Rule, Verb
from ringfence.policy.networks import Interface
from ringfence.policy.scope import Device, LinkKind, Profile, Scope
from ringfence.policy.traffic import parse_traffic

LAN, VPN, DNS = map(parse_address, ("10.0.0.1", "10.9.0.1", "10.0.0.53"))
ETHERNET = Interface("eth0", LinkKind.LAN, (LAN,))
TUNNEL = Interface("tun0", LinkKind.REMOTE_ACCESS, (VPN,))
CUBES = Cubes(HostFacts((LAN, VPN), dns_servers=(DNS,), interfaces=(ETHERNET, TUNNEL)))
RULE = Rule("r", Kind.CUSTOM, remote=(Keyword.DNS_SERVERS,), traffic=(parse_traffic("udp to 53"),))


def words(item: Rule | Filter, cubes: Cubes = CUBES) -> list[str]:
    arrows = {Direction.BOTH: "<->", Direction.OUT: "->", Direction.IN: "<-"}
    return [str(one.selector).replace("->", arrows[one.directions], 1) for one in cubes.of(item)]


def test_keywords_become_addresses() -> None:
    assert words(RULE) == ["10.0.0.1 <-> 10.0.0.53:53 udp", "10.9.0.1 <-> 10.0.0.53:53 udp"]
    assert CUBES.unknown(RULE) == []
    unknown = replace(RULE, remote=(Keyword.WINS_SERVERS, HostName("a.b"), AddressRange.host(DNS)))
    assert CUBES.unknown(unknown) == [Keyword.WINS_SERVERS, HostName("a.b")]
    assert words(unknown) == words(RULE)


def test_where_a_statement_holds_limits_me() -> None:
    for link, address in (
        (LinkKind.LAN, "10.0.0.1"),
        (LinkKind.REMOTE_ACCESS, "10.9.0.1"),
        (Device("tun0"), "10.9.0.1"),
    ):
        scope = Scope(interfaces=(link,))
        assert words(replace(RULE, scope=scope)) == [f"{address} <-> 10.0.0.53:53 udp"]
        block = Filter("f", Verb.BLOCK, local=ANY, scope=scope)
        assert words(block) == [f"{address} <-> 0.0.0.0/0"], "and what is forwarded is not judged by where it came in"
    assert words(replace(RULE, scope=Scope(profiles=(Profile.PUBLIC,)))) == words(RULE)
    assert words(replace(RULE, scope=Scope(profiles=(Profile.DOMAIN,)))) == []


def test_one_way_turns_round_at_the_other_end() -> None:
    here, there = (AddressRange.host(LAN),), (AddressRange.parse("10.1.0.0/16"),)
    rule = Rule("r", Kind.CUSTOM, here, there, True, (parse_traffic("tcp to 80"),), part=Part(one_way=Reading.OUT))
    assert words(rule) == ["10.0.0.1 -> 10.1.0.0/16:80 tcp"]
    assert words(replace(rule, local=there, remote=here)) == ["10.0.0.1:80 <- 10.1.0.0/16 tcp"]
    block = Filter("f", Verb.BLOCK, rule.traffic, there, here, either_end=True, mirrored=False)
    assert words(block) == ["10.0.0.1:80 <- 10.1.0.0/16 tcp"]


def test_any_address_may_be_ours_tomorrow() -> None:
    tomorrow = Cubes(HostFacts((LAN,)), any_is_own=True)
    item = Rule("r", Kind.CUSTOM, ME, (AddressRange.host(DNS),))
    assert words(item, tomorrow) == ["0.0.0.0/0 <-> 10.0.0.53"]


def test_weight_is_that_of_the_words() -> None:
    """A network at this end does not become more specific because this computer is one address of it."""
    net = Rule("r", Kind.CUSTOM, (AddressRange.parse("10.0.0.0/8"),), (AddressRange.host(DNS),))
    assert [one.weight for one in CUBES.of(net)] == [40_000, 40_000]
    both = replace(net, local=(*net.local, Keyword.ME))
    assert [one.weight for one in CUBES.of(both)] == [64_000, 64_000], "the narrowest that was said"


def test_a_part_of_one_protocol_is_more_specific() -> None:
    any_of, _ = CUBES.of(replace(RULE, traffic=(parse_traffic("any"),)))
    part = any_of.only(50)
    assert (str(part.selector), part.weight - any_of.weight) == (f"{any_of.selector} esp", 500)
    assert part.only(50) == part


def test_the_local_subnet_is_a_network_at_either_end() -> None:
    here = Cubes(HostFacts((LAN, VPN), local_subnets=(AddressRange.parse("10.0.0.0/24"),)))
    rule = replace(RULE, remote=(Keyword.LOCAL_SUBNET,))
    assert words(rule, here) == ["10.0.0.1 <-> 10.0.0.0/24:53 udp", "10.9.0.1 <-> 10.0.0.0/24:53 udp"]
    (cube, _) = here.of(rule)
    assert cube.weight == next(iter(here.of(replace(rule, remote=(AddressRange.parse("10.0.0.0/24"),))))).weight
    assert words(replace(rule, local=(Keyword.LOCAL_SUBNET,), remote=ANY), here) == ["10.0.0.1 <-> 0.0.0.0/0:53 udp"]
    assert CUBES.unknown(rule) == [Keyword.LOCAL_SUBNET], "nothing is known of it"
    tomorrow = Cubes(HostFacts((LAN,)), any_is_own=True)
    assert words(rule, tomorrow) == ["0.0.0.0/0 <-> 0.0.0.0/0:53 udp", "::/0 <-> [::/0]:53 udp"]


def test_what_others_protect_is_esp_and_how_they_agree_on_it() -> None:
    (cube, *_) = CUBES.of(replace(RULE, remote=(AddressRange.host(DNS),), traffic=(parse_traffic("any"),)))
    found = [*cube.protected()]
    ends = "10.0.0.1{0} -> 10.0.0.53{0}"
    assert [str(one.selector) for one in found] == [
        f"{ends.format('')} esp", f"{ends.format(':500')} udp", f"{ends.format(':4500')} udp",
    ]  # fmt: skip
    assert all(one.weight > cube.weight for one in found)
    assert [*found[1].protected()] == []
