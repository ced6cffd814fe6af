# SPDX-License-Identifier: Apache-2.0
"""IPsec policies, held against a slow, obvious reference that decides each packet straight from Windows' words."""

import random
from dataclasses import dataclass, replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.databases.spd import Action, Direction
from ringfence.net.address import AddressRange, PortRange, parse_address
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import Compiled, HostFacts, compile_policy
from ringfence.policy.ipfilter import parse_filter
from ringfence.policy.lower import filter_actions, filter_lists
from ringfence.policy.model import Keyword, Policy, PskFile
from ringfence.policy.traffic import parse_traffic
from ringfence.policy.windows import FilterAction, FilterList, IpFilter, IpsecPolicy, PolicyRule, Response
from ringfence.secret import Secret

KEYS = {"k": Secret(b"a key that only tests know")}

OWN = ("10.0.0.1", "10.0.1.1")
OTHERS = ("10.0.0.2", "10.0.1.2", "192.0.2.1", "239.1.1.1")
DNS = "10.0.0.2"
PLACES = ["me", "any", "dns-servers", "10.0.0.0/8", "10.0.0.0/24", "10.0.1.0/24", "10.0.0.2", "10.0.1.1", "192.0.2.1"]
PORTS = (80, 90, 4000)
ACTIONS = (
    "Permit", "Block", "Require Security", "Request Security (Optional)",
)  # fmt: skip


@dataclass(frozen=True)
class Specific:
    """A filter as the policy agent makes it: for one direction, with addresses for all words."""

    source: AddressRange
    destination: AddressRange
    protocol: int | None
    source_ports: PortRange
    destination_ports: PortRange
    action: FilterAction

    def matches(self, packet: FlowKey) -> bool:
        return (
            packet.source in self.source
            and packet.destination in self.destination
            and self.protocol in (None, packet.protocol)
            and packet.source_port in self.source_ports
            and packet.destination_port in self.destination_ports
        )

    def key(self, direction: Direction) -> tuple[int, ...]:
        """Specificity, from left to right; the port of this computer counts as the source's."""
        mine, theirs = self.source_ports, self.destination_ports
        if direction is Direction.IN:
            mine, theirs = theirs, mine
        bits = sum(32 - (one.size - 1).bit_length() for one in (self.source, self.destination))
        strict = {Response.BLOCK: 3, Response.NEGOTIATE: 1, Response.PERMIT: 0}[self.action.response]
        if self.action.response is Response.NEGOTIATE and not self.action.fallback_to_clear:
            strict = 2
        return (
            bits,
            int(self.protocol is not None),
            *(16 - (p.last - p.first).bit_length() for p in (mine, theirs)),
            strict,
        )


def ranges(address: object) -> list[AddressRange]:
    if isinstance(address, AddressRange):
        return [address]
    words = {Keyword.ME: OWN, Keyword.ANY: ("0.0.0.0/0",), Keyword.DNS_SERVERS: (DNS,)}
    return list(map(AddressRange.parse, words[address]))  # type: ignore[index]


def specific(policy: Policy) -> list[Specific]:
    found = []
    assert policy.ipsec is not None
    lists, actions = filter_lists(policy), filter_actions(policy)
    for one in policy.ipsec.rules:
        for item in lists[one.filter_list].filters if one.enabled else ():
            for source, destination in product(ranges(item.source), ranges(item.destination)):
                made = Specific(
                    source, destination, item.traffic.protocol, item.traffic.sender_ports, item.traffic.receiver_ports,
                    actions[one.filter_action],
                )  # fmt: skip
                found.append(made)
                if item.mirrored:
                    found.append(Specific(
                        destination, source, made.protocol, made.destination_ports, made.source_ports, made.action
                    ))  # fmt: skip
    return found


def reference(filters: list[Specific], packet: FlowKey, direction: Direction) -> FilterAction | None:
    many = packet.destination[0] == 239 or packet.source[0] == 239
    matching = [
        one for one in filters
        if one.matches(packet) and not (many and one.action.response is Response.NEGOTIATE)
    ]  # fmt: skip
    return max(matching, key=lambda one: one.key(direction)).action if matching else None


traffic = st.sampled_from(list(map(parse_traffic, ("any", "tcp", "udp", "tcp to 80", "tcp from 80", "tcp to 80-99"))))


def ip_filters(sources: list[str], destinations: list[str]) -> st.SearchStrategy[IpFilter]:
    return st.builds(
        lambda a, b, kind, mirrored: replace(parse_filter(f"{a} <-> {b}"), traffic=kind, mirrored=mirrored),
        st.sampled_from(sources), st.sampled_from(destinations), traffic, st.booleans(),
    )  # fmt: skip


rivals = ip_filters(["me"], ["any", "10.0.0.0/24"])
"""So alike that many packets are about several of them."""
anything = ip_filters(PLACES, PLACES[1:])


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    kind = draw(st.sampled_from([rivals, anything]))
    lists = tuple(
        FilterList(f"list {n}", tuple(draw(st.lists(kind, min_size=1, max_size=2)))) for n in range(4)
    )  # fmt: skip
    rules = tuple(
        PolicyRule(one.name, draw(st.sampled_from(ACTIONS)), f"r{n}", enabled=draw(st.integers(0, 9)) > 0)
        for n, one in enumerate(lists)
    )
    return Policy(ipsec=IpsecPolicy(auth=(PskFile("k"),), own_rules=rules), filter_lists=lists)


HOST = HostFacts(tuple(map(parse_address, OWN)), dns_servers=(parse_address(DNS),))


def verdict(found: Compiled, packet: FlowKey, direction: Direction) -> tuple[Action, bool]:
    entry = found.spd.outbound(packet) if direction is Direction.OUT else found.spd.inbound(packet)
    if entry is None:
        return Action.BYPASS, False
    return entry.action, entry.processing is not None and entry.processing.clear_out


RESPONSES = {Response.PERMIT: Action.BYPASS, Response.BLOCK: Action.DISCARD, Response.NEGOTIATE: Action.PROTECT}


def packets() -> list[tuple[FlowKey, Direction]]:
    found = []
    for mine, theirs, protocol, one, two in product(OWN, OTHERS, (6, 17, 47), PORTS, PORTS):
        if protocol == 47 and (one, two) != (80, 80):
            continue
        ports = (None, None) if protocol == 47 else (one, two)
        out = FlowKey(parse_address(mine), parse_address(theirs), protocol, *ports)
        found.append((out, Direction.OUT))
        if not theirs.startswith("239"):
            found.append((out.reversed(), Direction.IN))
    return found


PACKETS = packets()


@settings(deadline=None, max_examples=300)
@given(policies(), st.randoms(use_true_random=False))
def test_the_most_specific_filter_decides_in_any_order(policy: Policy, shuffler: random.Random) -> None:
    found = compile_policy(policy, HOST, KEYS)
    filters = specific(policy)
    shuffled = compile_policy(shuffle(policy, shuffler), HOST, KEYS)
    for packet, direction in PACKETS:
        action = reference(filters, packet, direction)
        expected = (Action.BYPASS, False)
        if action is not None:
            expected = RESPONSES[action.response], action.fallback_to_clear
        assert verdict(found, packet, direction) == expected, (packet, direction)
        assert verdict(shuffled, packet, direction) == expected
    assert [entry.name for entry in found.spd] == [entry.name for entry in shuffled.spd]


def shuffle(policy: Policy, shuffler: random.Random) -> Policy:
    assert policy.ipsec is not None
    rules, lists = list(policy.ipsec.own_rules), list(policy.filter_lists)
    shuffler.shuffle(rules)
    shuffler.shuffle(lists)
    mixed = tuple(replace(one, filters=tuple(shuffler.sample(one.filters, len(one.filters)))) for one in lists)
    return replace(policy, ipsec=replace(policy.ipsec, own_rules=tuple(rules)), filter_lists=mixed)
