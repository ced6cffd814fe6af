# SPDX-License-Identifier: Apache-2.0
"""Any policy that may be said, and packets that several of its statements are about: few addresses, few ports."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from hypothesis import strategies as st

from protocol.reference import Packet
from ringfence.databases.spd import Direction
from ringfence.net.address import AddressRange, parse_address
from ringfence.net.flow import FlowKey
from ringfence.policy.document import parse
from ringfence.policy.gateways import Gateways
from ringfence.policy.host import HostFacts
from ringfence.policy.ipfilter import parse_filter
from ringfence.policy.methods import parse_method
from ringfence.policy.model import (
    ME,
    Address,
    Filter,
    Keyword,
    Kind,
    Need,
    Policy,
    PskFile,
    Reading,
    Rule,
    Secure,
    Verb,
)
from ringfence.policy.networks import Interface, Known, Profiles
from ringfence.policy.packetfilter import Match, PacketFilter, Way
from ringfence.policy.scope import EVERYWHERE, Connection, Device, LinkKind, Profile, Scope
from ringfence.policy.terms import NOBODY, Access, Exempt, GlobalSettings, Security
from ringfence.policy.traffic import Traffic, parse_traffic
from ringfence.policy.windows import (
    DYNAMIC,
    DefaultExempt,
    FilterAction,
    FilterList,
    IpsecPolicy,
    PolicyRule,
)
from ringfence.secret import Secret

T = TypeVar("T")


def addresses(*texts: str) -> tuple[bytes, ...]:
    return tuple(map(parse_address, texts))


KEYS = {"k": Secret(b"a key that only tests know")}
OWN, OWN_V6 = ("10.0.0.1", "10.0.1.1", "10.9.0.1", "10.5.0.1"), ("fd00::1", "fd00:1::1")
HOST = HostFacts(
    addresses(*OWN, *OWN_V6, "127.0.0.1"),
    broadcasts=addresses("10.0.0.255"),
    dns_servers=addresses("10.0.0.2", "fd00::2"),
    default_gateways=addresses("10.0.1.9"),
    interfaces=(
        Interface("eth0", LinkKind.LAN, addresses("10.0.0.1", "fd00::1"), addresses("10.0.0.9"), ("hq.corp",)),
        Interface("wlan0", LinkKind.WIRELESS, addresses("10.0.1.1", "fd00::1"), addresses("10.0.1.9"), ("cafe",)),
        Interface("tun0", LinkKind.REMOTE_ACCESS, addresses("10.9.0.1", "fd00:1::1"), (), ("corp",)),
    ),
)
"""One address is on two interfaces, another on none that is known."""
PEERS, MANY = ("10.0.0.2", "10.0.1.2", "192.0.2.1"), ("10.0.0.255", "224.0.0.5")
PEERS_V6, MANY_V6 = ("fd00::2", "fd00:1::2", "2001:db8::1"), ("ff02::1",)
WORDS: list[Address] = [Keyword.ANY, Keyword.DNS_SERVERS, Keyword.DEFAULT_GATEWAY]
RANGES: list[Address] = list(map(AddressRange.parse, (
    "10.0.0.0/8", "10.0.0.0/24", "10.0.1.0/24", "10.0.0.2", "10.0.1.1", "10.0.0.1-10.0.1.1", "192.0.2.0/24",
    "224.0.0.0/4",
)))  # fmt: skip
RANGES_V6: list[Address] = list(map(AddressRange.parse, ("fd00::/16", "fd00::/64", "fd00::2", "2001:db8::/32")))
TRAFFIC = list(map(parse_traffic, (
    "any", "any", "tcp", "udp", "tcp to 80", "tcp from 80", "tcp 80", "tcp to 80-99", "udp to 500", "udp from 500",
    "udp from 500 to 500", "udp from 68 to 67", "esp", "gre", "tcp from 88",
)))  # fmt: skip
TRAFFIC_V4 = [*TRAFFIC, parse_traffic("icmp"), parse_traffic("icmp router-solicitation")]
TRAFFIC_V6 = [*TRAFFIC, *map(parse_traffic, ("icmpv6", "icmpv6 router-solicitation", "icmpv6 redirect"))]
PORTS = (67, 68, 80, 88, 90, 500, 4500, 40000)

METHODS = ((), ("esp null-sha256",), ("esp null-sha256", "esp aes128-sha256"), ("ah sha256", "esp aes256-gcm"))
EXEMPTION = Need.NONE, Need.NONE

links = st.sampled_from([*LinkKind, Device("eth0"), Device("wlan*"), Device("ppp0")])
scopes = st.just(EVERYWHERE) | st.builds(
    Scope,
    st.sets(st.sampled_from(Profile), max_size=2).map(lambda some: tuple(one for one in Profile if one in some)),
    st.lists(links, max_size=2, unique=True).map(tuple),
)
known = st.builds(
    Known,
    st.sampled_from(Profile),
    st.lists(st.sampled_from([one for one in RANGES if isinstance(one, AddressRange)]), min_size=1, max_size=2).map(
        tuple
    ),
    st.lists(st.just(AddressRange.parse("10.0.0.9")), max_size=1).map(tuple),
    st.lists(links, max_size=2).map(tuple),
    st.lists(st.sampled_from(["corp", "cafe"]), max_size=2).map(tuple),
)
profiles = st.builds(
    Profiles,
    st.lists(known, max_size=3).map(lambda some: tuple(one for each in Profile for one in some if one.profile is each)),
    st.sampled_from(Profile),
)


def some(kinds: Sequence[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(st.sampled_from(kinds), min_size=1, max_size=2, unique=True).map(tuple)


@st.composite
def ends(draw: st.DrawFn) -> tuple[tuple[Address, ...], tuple[Address, ...], bool, tuple[Traffic, ...]]:
    v6 = draw(st.integers(0, 3)) == 0
    ranges = [*WORDS, *(RANGES_V6 if v6 else RANGES)]
    local, remote = draw(st.just(ME) | some(ranges)), draw(some([Keyword.ANY, *ranges]))
    traffic = draw(some(TRAFFIC_V6 if v6 else TRAFFIC_V4))
    return local, remote, Keyword.ME not in local and draw(st.booleans()), traffic


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    local, remote, either, traffic = draw(ends())
    exempt = draw(st.integers(0, 4)) == 0
    needs = draw(st.tuples(st.sampled_from(Need), st.sampled_from(Need)).filter(lambda pair: pair != EXEMPTION))
    gateways = None
    if not exempt and not either and draw(st.integers(0, 2)) == 0:
        gateways = Gateways(parse_address("192.0.2.1"), parse_address(draw(st.sampled_from([*OWN, "192.0.2.7"]))))
    return Rule(
        "",
        Kind.TUNNEL if gateways else Kind.EXEMPTION if exempt else Kind.CUSTOM,
        local, remote, either, traffic,
        Secure(Need.NONE, Need.NONE) if exempt else Secure(*needs),
        () if exempt else (PskFile("k"),),
        gateways=gateways,
        protect=() if exempt else tuple(map(parse_method, draw(st.sampled_from(METHODS)))),
        exempt_protected=gateways is not None and draw(st.booleans()),
        enabled=draw(st.integers(0, 9)) > 0,
        scope=draw(scopes),
    )  # fmt: skip


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    local, remote, either, traffic = draw(ends())
    secure = draw(st.none() | st.sampled_from(Security))
    override = secure is not None and draw(st.integers(0, 2)) == 0
    whom = draw(st.sampled_from([NOBODY, Access(("a.corp",)), Access(("b.corp", "*.lab"))])) if secure else NOBODY
    return Filter(
        "", Verb.PERMIT if secure else draw(st.sampled_from(Verb)), traffic, local, remote, either,
        draw(st.sampled_from(Reading)), mirrored=draw(st.booleans()), enabled=draw(st.integers(0, 9)) > 0,
        scope=draw(scopes), secure=secure, override_block=override,
        allow=Access(("admin.corp",)) if override else whom,
    )  # fmt: skip


@st.composite
def packet_filters(draw: st.DrawFn) -> PacketFilter:
    ranges = [Keyword.ME, *WORDS, *RANGES]
    matches = [
        Match(
            replace(parse_filter("any -> any"), source=draw(st.sampled_from(ranges)),
                    destination=draw(st.sampled_from(ranges[1:])), traffic=kind),
            established=kind.protocol == 6 and draw(st.booleans()),
        )
        for kind in draw(some([one for one in TRAFFIC_V4 if not one.either]))
    ]  # fmt: skip
    return PacketFilter(
        "", draw(st.sampled_from(Way)), draw(st.sampled_from(Verb)), tuple(matches),
        draw(st.lists(links, max_size=2, unique=True).map(tuple)), draw(st.sampled_from([None, None, 4])),
        enabled=draw(st.integers(0, 9)) > 0,
    )  # fmt: skip


ACTIONS = ("Permit", "Block", "Require Security", "Request Security (Optional)", "strict")


@st.composite
def ipsec_policies(draw: st.DrawFn) -> tuple[IpsecPolicy, tuple[FilterList, ...]]:
    lists, own_rules = [], []
    for number in range(draw(st.integers(1, 3))):
        items = []
        for _ in range(draw(st.integers(1, 2))):
            v6 = draw(st.integers(0, 3)) == 0
            ranges = [*WORDS, *(RANGES_V6 if v6 else RANGES)]
            one = replace(
                parse_filter("any <-> any"),
                source=draw(st.sampled_from([Keyword.ME, *ranges])), destination=draw(st.sampled_from(ranges)),
                traffic=draw(st.sampled_from([one for one in TRAFFIC if not one.either])),
                mirrored=draw(st.integers(0, 2)) > 0,
            )  # fmt: skip
            if draw(st.booleans()):
                one = replace(one, source=one.destination, destination=one.source)
            items.append(one)
        lists.append(FilterList(f"l{number}", tuple(items)))
        action = draw(st.sampled_from(ACTIONS))
        tunnel = None
        if action not in ("Permit", "Block") and draw(st.integers(0, 2)) == 0:
            pair = [parse_address(draw(st.sampled_from(OWN))), parse_address("192.0.2.1")]
            tunnel = Gateways(*(pair if draw(st.booleans()) else reversed(pair)))
        own_rules.append(PolicyRule(
            f"l{number}", action, f"p{number}", tunnel=tunnel, connection=draw(st.sampled_from(Connection)),
            enabled=draw(st.integers(0, 9)) > 0,
        ))  # fmt: skip
    if draw(st.booleans()):
        own_rules.append(PolicyRule(DYNAMIC, "Default Response", "p9"))
    return IpsecPolicy(
        "policy", auth=(PskFile("k"),), own_rules=tuple(own_rules), exempt=draw(st.sampled_from(DefaultExempt))
    ), tuple(lists)


def named(items: Sequence[T], letter: str) -> tuple[T, ...]:
    return tuple(replace(one, name=f"{letter}{number}") for number, one in enumerate(items))  # type: ignore[type-var]


@st.composite
def policies(draw: st.DrawFn, least: int = 1) -> Policy:
    """With so many rules, and so many filters, at least."""
    chosen = draw(st.just(None) | ipsec_policies())
    ipsec, lists = (None, ()) if chosen is None else chosen
    exempt = draw(st.sets(st.sampled_from(Exempt)))
    return Policy(
        named(draw(st.lists(rules(), min_size=least, max_size=least + 4)), "r"),
        named(draw(st.lists(filters(), min_size=least, max_size=least + 4)), "f"),
        ipsec=ipsec,
        filter_lists=lists,
        filter_actions=() if chosen is None else (parse_strict(),),
        packet_filters=named(draw(st.lists(packet_filters(), max_size=3)), "w"),
        profiles=draw(profiles),
        settings=GlobalSettings(tuple(one for one in Exempt if one in exempt)),
    )


def parse_strict() -> FilterAction:
    (found,) = parse('[filter-action.strict]\nnegotiate = "esp aes256-gcm"\n', name="p").filter_actions
    return found


def some_packet(chance: random.Random) -> Packet:
    """Of this computer, forwarded, or to many at once; never from it to itself."""
    v6, direction = chance.random() < 0.3, chance.choice([Direction.OUT, Direction.IN])
    own, peers, many = (OWN_V6, PEERS_V6, MANY_V6) if v6 else (OWN, PEERS, MANY)
    here = chance.choice(own if chance.random() < 0.85 else peers)
    there = chance.choice(peers)
    if chance.random() < 0.15:
        here, there = (here, chance.choice(many)) if direction is Direction.OUT else (chance.choice(many), there)
    protocol = chance.choice([6, 6, 17, 17, 58 if v6 else 1, 47, 50, 46])
    ports: tuple[int | None, int | None] = None, None
    if protocol in (6, 17):
        ports = chance.choice(PORTS), chance.choice(PORTS)
    elif protocol in (1, 58):
        ports = (chance.choice([128, 133, 134, 137] if v6 else [0, 8, 9, 10]) << 8,) * 2
    return Packet(FlowKey(parse_address(here), parse_address(there), protocol, *ports), direction)
