# SPDX-License-Identifier: Apache-2.0
"""A slow, obvious policy database for tests: it decides each packet straight from the document's words.

Nothing is compiled, sorted or remembered. Of every statement it is asked whether it is about the packet, and of those
that are the most specific decides, as docs/howto/policy.md has it ("Which statement decides"). Of the product it uses
the document's own values, and none of what ``compile`` is made of.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import NamedTuple

from protocol.claims import PERMITTED, Claim, Verdict, asks, decisive, protected_already, secured
from ringfence.databases.spd import Action, Direction
from ringfence.net.address import AddressRange, PortRange
from ringfence.net.flow import AH, ESP, ICMP, ICMPV6, TCP, UDP, FlowKey
from ringfence.policy.gateways import Gateways
from ringfence.policy.host import HostFacts
from ringfence.policy.lower import filter_actions, filter_lists
from ringfence.policy.model import Address, Filter, HostName, Keyword, Need, Policy, Reading, Rule, Verb
from ringfence.policy.networks import Interface, Known
from ringfence.policy.packetfilter import PacketFilter, Way
from ringfence.policy.scope import EVERYWHERE, Connection, Link, LinkKind, Profile, Scope
from ringfence.policy.terms import PROTECT, Exempt
from ringfence.policy.traffic import Traffic
from ringfence.policy.windows import DYNAMIC, FilterAction, IpFilter, PolicyRule, Response

EVERYBODY = tuple(map(AddressRange.parse, ("0.0.0.0/0", "::/0")))
MANY = tuple(map(AddressRange.parse, ("224.0.0.0/4", "255.255.255.255", "ff00::/8")))
LOOPBACK = tuple(map(AddressRange.parse, ("127.0.0.0/8", "::1")))
CONNECTIONS = {
    Connection.ALL: EVERYWHERE,
    Connection.LAN: Scope(interfaces=(LinkKind.LAN, LinkKind.WIRELESS)),
    Connection.REMOTE_ACCESS: Scope(interfaces=(LinkKind.REMOTE_ACCESS,)),
}


class Packet(NamedTuple):
    """One packet, seen from this computer outward whichever way it goes."""

    flow: FlowKey
    direction: Direction

    @property
    def version(self) -> int:
        return 4 if len(self.flow.source) == 4 else 6


@dataclass(frozen=True)
class Sentence:
    """Some words of a statement, from a sender to a receiver, and which of the two this computer is."""

    here: tuple[Address, ...]
    there: tuple[Address, ...]
    traffic: Traffic
    sends: bool
    mirrored: bool = True
    own: bool = True
    """Whether only this computer's own packets are meant, and not those that it forwards."""
    scope: Scope = EVERYWHERE

    def ports(self) -> Iterator[tuple[PortRange, PortRange]]:
        """Here and there."""
        sender, receiver = self.traffic.sender_ports, self.traffic.receiver_ports
        yield (sender, receiver) if self.sends else (receiver, sender)
        if self.traffic.either:
            yield (receiver, sender) if self.sends else (sender, receiver)


def fixed_bits(bits: int, values: int) -> int:
    """How many of so many bits are fixed where so many values are left."""
    left = 0
    while 2**left < values:
        left += 1
    return bits - left


class Reference:
    """One document on one computer."""

    def __init__(self, policy: Policy, host: HostFacts) -> None:
        self.policy = policy
        self.host = host
        self.own = [one for one in host.addresses if not any(one in loop for loop in LOOPBACK)]
        placed = {address for one in host.interfaces for address in one.addresses}
        loose = Interface("", addresses=tuple(one for one in self.own if one not in placed))
        self.interfaces = [*host.interfaces, *([loose] if loose.addresses else [])]

    # Which network is which, and where a statement holds

    def profile(self, interface: Interface) -> Profile:
        if self.host.profile is not None:
            return self.host.profile
        for profile in (Profile.DOMAIN, Profile.PRIVATE, Profile.PUBLIC):
            if any(one.profile is profile and is_known(one, interface) for one in self.policy.profiles.known):
                return profile
        return self.policy.profiles.default

    def holds(self, scope: Scope, interface: Interface) -> bool:
        return (not scope.profiles or self.profile(interface) in scope.profiles) and (
            not scope.interfaces or any(is_link(one, interface) for one in scope.interfaces)
        )

    def own_in(self, scope: Scope) -> list[bytes]:
        return [
            one for one in self.own
            if any(one in here.addresses and self.holds(scope, here) for here in self.interfaces)
        ]  # fmt: skip

    def homes(self, address: bytes) -> set[str] | None:
        """The interfaces by which clear packets with this address of ours may come and go; None for all."""
        scopes = [item.scope for item in self.policy if item.enabled]
        scopes += [CONNECTIONS[one.connection] for one in self.policy_rules()]

        def what_holds(interface: Interface) -> list[bool]:
            return [self.holds(one, interface) for one in scopes]

        named = [one for one in self.interfaces if one.name]
        at = [what_holds(one) for one in named if address in one.addresses]
        if not at or all(what_holds(one) == what_holds(named[0]) for one in named):
            return None
        return {one.name for one in named if what_holds(one) in at}

    def meant(self, addresses: Iterable[Address]) -> Iterator[AddressRange]:
        servers = {
            Keyword.ME: self.own, Keyword.DNS_SERVERS: self.host.dns_servers,
            Keyword.DHCP_SERVERS: self.host.dhcp_servers, Keyword.WINS_SERVERS: self.host.wins_servers,
            Keyword.DEFAULT_GATEWAY: self.host.default_gateways,
        }  # fmt: skip
        for one in addresses:
            if isinstance(one, AddressRange):
                yield one
            elif one is Keyword.ANY:
                yield from EVERYBODY
            else:
                found = self.host.names.get(one.name, ()) if isinstance(one, HostName) else servers[one]
                yield from (AddressRange(address, address) for address in found)

    def fits(self, one: Sentence, packet: Packet) -> Iterator[tuple[tuple[int, ...], bool]]:
        """How specific it is, and whether it names exempt traffic only; nothing if it is not about the packet."""
        flow, kind = packet.flow, one.traffic.protocol
        if not one.mirrored and one.sends is not (packet.direction is Direction.OUT):
            return
        limited = one.own or one.scope.profiles or one.scope.interfaces
        if kind not in (None, flow.protocol) or (limited and flow.source not in self.own_in(one.scope)):
            return
        for here, there in product(self.meant(one.here), self.meant(one.there)):
            if flow.source not in here or flow.destination not in there:
                continue
            for mine, theirs in one.ports():
                if flow.source_port in mine and flow.destination_port in theirs:
                    size = 8 * len(flow.source)
                    bits = fixed_bits(size, here.size) + fixed_bits(size, there.size)
                    ports = [fixed_bits(16, one.last - one.first + 1) for one in (mine, theirs)]
                    yield (bits, int(kind is not None), *ports), self.names_exempt(packet.version, kind, mine, theirs)

    def claims(self, packet: Packet) -> Iterator[Claim]:
        for item in self.policy:
            if item.enabled:
                yield from self.of_rule(item, packet) if isinstance(item, Rule) else self.of_filter(item, packet)
        for one in self.policy_rules():
            yield from self.of_policy_rule(one, packet)

    def policy_rules(self) -> list[PolicyRule]:
        return [] if self.policy.ipsec is None else [one for one in self.policy.ipsec.rules if one.enabled]

    def of_filter(self, item: Filter, packet: Packet) -> Iterator[Claim]:
        blocks = item.verb is Verb.BLOCK or item.secure is not None
        verdict = Verdict(Action.DISCARD, by=item.name) if blocks else PERMITTED
        for reading, traffic in product((Reading.OUT, Reading.IN), item.traffic):
            if item.direction in (reading, Reading.BOTH):
                sends = reading is Reading.OUT
                ends = [(item.local, item.remote, sends)]
                if item.either_end:
                    ends.append((item.remote, item.local, not sends))
                for here, there, way in ends:
                    one = Sentence(here, there, traffic, way, item.mirrored, item.either_end, item.scope)
                    for specific, exempt in self.fits(one, packet):
                        yield Claim(
                            verdict, (0, *specific), names_exempt=exempt, mirrored=item.mirrored, security=item.secure,
                            override=item.override_block,
                        )  # fmt: skip

    def of_rule(self, item: Rule, packet: Packet) -> Iterator[Claim]:
        gateways = item.gateways
        if gateways is not None and not self.begins(gateways.local, item.scope):
            return
        scope = EVERYWHERE if gateways is not None else item.scope
        ends = [(item.local, item.remote, True)]
        if item.either_end:
            ends.append((item.remote, item.local, False))
        for (here, there, way), traffic in product(ends, item.traffic):
            one = Sentence(here, there, traffic, way, own=gateways is None, scope=scope)
            for specific, exempt in self.fits(one, packet):
                if item.exempt_protected and protected_already(traffic, packet.flow):
                    yield Claim(PERMITTED, (1, specific[0], 1, *specific[2:]), rule=True)
                    continue
                claim = self.protects(item.name, item.secure.inward, item.secure.outward, gateways, specific, packet,
                                      exempt=exempt)  # fmt: skip
                mirrored = item.secure.outward is not Need.NONE
                yield replace(
                    claim, yields=item.exempt_protected, methods=item.protect or PROTECT, mirrored=mirrored
                )  # fmt: skip

    def protects(
        self, name: str, inward: Need, outward: Need, gateways: Gateways | None, specific: tuple[int, ...],
        packet: Packet, *, exempt: bool = False,
    ) -> Claim:  # fmt: skip
        tunnel = gateways is not None
        need = inward if packet.direction is Direction.IN else outward
        if inward is outward is Need.NONE or (packet.direction is Direction.OUT and outward is Need.NONE):
            return Claim(PERMITTED, (int(tunnel), *specific), names_exempt=exempt and not tunnel, rule=True)
        verdict = Verdict(Action.PROTECT, need is not Need.REQUIRE, tunnel, name)
        requires = (inward is Need.REQUIRE) + (outward is Need.REQUIRE)
        return Claim(verdict, (int(tunnel), *specific), requires, rule=True)

    def begins(self, end: bytes | None, scope: Scope) -> bool:
        """Whether a tunnel of this scope begins at ``end``."""
        if not scope.profiles and not scope.interfaces:
            return True
        return bool(self.own_in(scope)) if end is None else end in self.own_in(scope)

    def of_policy_rule(self, rule: PolicyRule, packet: Packet) -> Iterator[Claim]:
        action = filter_actions(self.policy)[rule.filter_action]
        if rule.filter_list == DYNAMIC:
            one = Sentence((Keyword.ME,), (Keyword.ANY,), Traffic(), sends=True, scope=CONNECTIONS[rule.connection])
            for _ in self.fits(one, packet):
                verdict = Verdict(Action.PROTECT, clear=True, by=rule.title)
                yield Claim(verdict, (0,), last=True, rule=True, methods=action.methods)
            return
        for item in filter_lists(self.policy)[rule.filter_list].filters:
            for one in self.sentences(rule, item, action):
                for specific, exempt in self.fits(one, packet):
                    if action.response is Response.NEGOTIATE:
                        inward, outward = (
                            Need.REQUEST if clear else Need.REQUIRE
                            for clear in (action.accept_unsecured, action.fallback_to_clear)
                        )
                        gateways = rule.tunnel if isinstance(rule.tunnel, Gateways) else None
                        claim = self.protects(rule.title, inward, outward, gateways, specific, packet)
                        yield replace(claim, mirrored=one.mirrored, methods=action.methods)
                    else:
                        blocked = Verdict(Action.DISCARD, by=rule.title)
                        verdict = blocked if action.response is Response.BLOCK else PERMITTED
                        yield Claim(verdict, (0, *specific), names_exempt=exempt, rule=True)

    def sentences(self, rule: PolicyRule, item: IpFilter, action: FilterAction) -> Iterator[Sentence]:
        """A filter, with this computer at each end where it may be."""
        negotiates = action.response is Response.NEGOTIATE
        scope = CONNECTIONS[rule.connection]
        roles = [sends for sends, end in ((True, item.source), (False, item.destination)) if end is Keyword.ME]
        roles = roles or [True, False]
        if isinstance(rule.tunnel, Gateways) and negotiates:
            far = rule.tunnel.local is not None and rule.tunnel.remote in self.own
            if not self.begins(rule.tunnel.remote if far else rule.tunnel.local, scope):
                return
            roles, scope = (roles if len(roles) == 1 else [not far]), EVERYWHERE
        for sends in roles:
            ends = (item.source, item.destination) if sends else (item.destination, item.source)
            yield Sentence(
                (ends[0],), (ends[1],), item.traffic, sends, item.mirrored or rule.tunnel is not None,
                negotiates and rule.tunnel is None, scope,
            )  # fmt: skip

    # What is in clear whatever rules say

    def exempt_kinds(self, version: int) -> Iterator[tuple[int, PortRange, PortRange, bool]]:
        """Protocol, ports here and there, and whether it is exempt only as this computer's own."""
        every = PortRange()
        for port in (500, 4500):
            yield UDP, PortRange(port, port), every, True
        yield from ((one, every, every, True) for one in (ESP, AH))
        if version == 6 and Exempt.NEIGHBOR_DISCOVERY in self.policy.settings.exempt:
            types = PortRange(133 << 8, (138 << 8) - 1)
            yield ICMPV6, types, types, False
        if Exempt.DHCP in self.policy.settings.exempt:
            ports = (68, 67) if version == 4 else (546, 547)
            yield UDP, PortRange(ports[0], ports[0]), PortRange(ports[1], ports[1]), False
        if self.policy.ipsec is not None and self.policy.ipsec.exempt.kerberos:
            yield 46, every, every, False
            for protocol, ports in product((TCP, UDP), permutations((PortRange(88, 88), every))):
                yield protocol, *ports, False

    def needed(self, packet: Packet) -> bool:
        """Whether it is of a kind that IPsec or the network below it needs in clear."""
        flow = packet.flow
        ends = [*self.own, *(one.gateways.local for one in self.policy.rules if one.enabled and one.gateways)]
        tunnels = [one.tunnel for one in self.policy_rules() if isinstance(one.tunnel, Gateways)]
        ends += [one.remote if one.remote in self.own else one.local for one in tunnels]
        return any(
            flow.protocol == protocol and flow.source_port in mine and flow.destination_port in theirs
            and (not own or flow.source in ends)
            for protocol, mine, theirs, own in self.exempt_kinds(packet.version)
        )  # fmt: skip

    def names_exempt(self, version: int, protocol: int | None, mine: PortRange, theirs: PortRange) -> bool:
        """Whether these words name exempt traffic only; of IKE they may as well name the other end's port."""
        kinds = [one[:3] for one in self.exempt_kinds(version)]
        kinds += [(UDP, PortRange(), PortRange(port, port)) for port in (500, 4500)]
        return any(protocol == one and here.covers(mine) and there.covers(theirs) for one, here, there in kinds)

    def many(self, address: bytes) -> bool:
        return address in self.host.broadcasts or any(address in one for one in MANY)

    def left_alone(self, claim: Claim, packet: Packet) -> bool:
        """Whether a rule does not protect this packet, being of a kind that never is."""
        if claim.verdict.action is not Action.PROTECT:
            return False
        if self.many(packet.flow.destination if packet.direction is Direction.OUT else packet.flow.source):
            return True
        exempt, kind = self.policy.settings.exempt, (packet.flow.source_port or 0) >> 8
        icmp = packet.flow.protocol == (ICMP if packet.version == 4 else ICMPV6)
        routers = kind in ((9, 10) if packet.version == 4 else (133, 134))
        return not claim.verdict.tunnel and icmp and (
            Exempt.ICMP in exempt or (Exempt.ROUTER_DISCOVERY in exempt and routers)
        )  # fmt: skip

    def decide(self, packet: Packet) -> Verdict:
        found = [one for one in self.claims(packet) if not self.left_alone(one, packet)]
        if self.needed(packet):
            found = [one for one in found if one.names_exempt and one.verdict.action is not Action.PROTECT]
        elif (ipsec := self.policy.ipsec) and ipsec.exempt.multicast and any(map(self.many, packet.flow[:2])):
            return PERMITTED
        first = weighed(found)
        if first is not None and first.yields and first.verdict.action is Action.PROTECT:
            other = weighed([one for one in found if not (one.yields and one.verdict.action is Action.PROTECT)])
            if other is not None and other.surely:
                first = other
        return PERMITTED if first is None else first.verdict

    def passes(self, flow: FlowKey, direction: Direction, interface: Interface, *, established: bool) -> bool:
        """Whether every packet filter lets through a packet on the wire, from its sender to its receiver."""
        way = Way.IN if direction is Direction.IN else Way.OUT
        version = 4 if len(flow.source) == 4 else 6
        return all(
            self.matches(one, flow, established=established) is (one.default is Verb.BLOCK)
            for one in self.policy.packet_filters
            if one.enabled and one.direction is way and one.version in (None, version)
            and (not one.interfaces or any(is_link(link, interface) for link in one.interfaces))
        )  # fmt: skip

    def matches(self, item: PacketFilter, flow: FlowKey, *, established: bool) -> bool:
        for one in item.filters:
            traffic, source, destination = one.packets.traffic, one.packets.source, one.packets.destination
            ports = [(traffic.sender_ports, traffic.receiver_ports)]
            if traffic.either:
                ports.append((traffic.receiver_ports, traffic.sender_ports))
            if (
                any(flow.source in each for each in self.meant([source]))
                and any(flow.destination in each for each in self.meant([destination]))
                and traffic.protocol in (None, flow.protocol)
                and any(flow.source_port in a and flow.destination_port in b for a, b in ports)
                and (established or not one.established)
            ):
                return True
        return False


def weighed(claims: list[Claim]) -> Claim | None:
    """What decides, with what filters ask of it that permit what is secure."""
    rest = [one for one in claims if not one.override]
    first, asking = decisive(rest), asks(claims)
    if first is None or first.verdict.action is Action.BYPASS:
        return first
    override = [one for one in asking if one.override]
    if first.security is None and first.verdict.action is Action.DISCARD:
        past = secured(rule_of(rest), override) if override and not first.rule else first
        return past if past.verdict.action is Action.PROTECT else first
    return first if len(asking) == len(override) else secured(rule_of(rest), asking)


def rule_of(claims: list[Claim]) -> Claim | None:
    return decisive([one for one in claims if one.rule])


def is_link(link: Link, interface: Interface) -> bool:
    if isinstance(link, LinkKind):
        return link is interface.kind
    if link.name.endswith("*"):
        return interface.name.startswith(link.name.rstrip("*"))
    return link.name == interface.name


def is_known(table: Known, interface: Interface) -> bool:
    """Whether all settings of the table fit, each by one of its values."""
    said: list[bool] = []
    if table.networks:
        said.append(any(address in one for one in table.networks for address in interface.addresses))
    if table.gateways:
        said.append(any(address in one for one in table.gateways for address in interface.gateways))
    if table.interfaces:
        said.append(any(is_link(one, interface) for one in table.interfaces))
    if table.suffixes:
        said.append(any(f".{known}".endswith(f".{one}") for one in table.suffixes for known in interface.suffixes))
    return all(said)
