# SPDX-License-Identifier: Apache-2.0
"""Traffic that no rule protects, because IPsec itself and the network below it need it in clear.

IKE and what it agreed on (UDP 500 and 4500, ESP, AH) can never be protected by the SAs that they make; IPv6 finds its
neighbours and an address comes by DHCP before anything can be negotiated, unless ``[global]`` says otherwise. A filter
that names just this traffic still blocks it. Only this computer's own IKE and ESP are meant: what it forwards for
others goes through tunnels as all does.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringfence.databases.selector import Selector
from ringfence.net.address import ANY_PORT, AddressRange, PortRange
from ringfence.net.flow import AH, ESP, ICMP, ICMPV6, TCP, UDP
from ringfence.policy.terms import Exempt
from ringfence.policy.windows import DefaultExempt

BUILT_IN = "always in clear"
"""The rule that entries for such traffic name as their origin."""

V4, V6 = AddressRange.everything(4), AddressRange.everything(16)


@dataclass(frozen=True, slots=True)
class Exemption:
    """One kind of traffic that stays in clear."""

    word: str
    protocol: int
    local_ports: PortRange = ANY_PORT
    remote_ports: PortRange = ANY_PORT
    versions: tuple[int, ...] = (4, 6)
    own: bool = False
    """Whether only this computer's own is meant, and not what it forwards."""

    def selectors(self, own: Iterable[bytes] = ()) -> list[Selector]:
        """For each family; with ``own`` addresses, limited to these where that is meant."""
        ends = [AddressRange.host(one) for one in own] if self.own else []
        return [
            Selector(end, V4 if end.version == 4 else V6, self.protocol, self.local_ports, self.remote_ports)
            for end in ends or (V4, V6)
            if end.version in self.versions
        ]

    def names(self, selector: Selector) -> bool:
        """Whether ``selector`` is about nothing but this traffic."""
        return (
            selector.protocol == self.protocol
            and selector.source.version in self.versions
            and self.local_ports.covers(selector.source_ports)
            and self.remote_ports.covers(selector.destination_ports)
        )


NEIGHBOUR_DISCOVERY = PortRange(133 * 256, 137 * 256 + 255)

ROUTER_SEARCH, ROUTER_SEARCH_V4 = PortRange(133 * 256, 134 * 256 + 255), PortRange(9 * 256, 10 * 256 + 255)

OWN = (
    Exemption("IKE", UDP, local_ports=PortRange.one(500), own=True),
    Exemption("IKE and ESP in UDP", UDP, local_ports=PortRange.one(4500), own=True),
    Exemption("ESP", ESP, own=True),
    Exemption("AH", AH, own=True),
)
"""What protects everything else."""

BEFORE_ALL: Mapping[Exempt, tuple[Exemption, ...]] = {
    Exempt.NEIGHBOR_DISCOVERY: (
        Exemption("IPv6 neighbour discovery", ICMPV6, NEIGHBOUR_DISCOVERY, NEIGHBOUR_DISCOVERY, (6,)),
    ),
    Exempt.DHCP: (
        Exemption("DHCP", UDP, PortRange.one(68), PortRange.one(67), (4,)),
        Exemption("DHCP", UDP, PortRange.one(546), PortRange.one(547), (6,)),
    ),
}
"""What ``[global]`` may have pass before anything is asked, because nothing could be negotiated without it."""

UNPROTECTED: Mapping[Exempt, tuple[Exemption, ...]] = {
    Exempt.ICMP: (Exemption("ICMP", ICMP, versions=(4,)), Exemption("ICMP", ICMPV6, versions=(6,))),
    Exempt.ROUTER_DISCOVERY: (
        Exemption("router discovery", ICMP, ROUTER_SEARCH_V4, ROUTER_SEARCH_V4, (4,)),
        Exemption("router discovery", ICMPV6, ROUTER_SEARCH, ROUTER_SEARCH, (6,)),
    ),
}
"""What it may only take out of rules: filters decide on it as if nothing protected it."""

OTHERS = (
    Exemption("IKE", UDP, remote_ports=PortRange.one(500), own=True),
    Exemption("IKE and ESP in UDP", UDP, remote_ports=PortRange.one(4500), own=True),
)
"""What a filter may say besides when it means just this traffic. IKE is known by this computer's port alone: the other
end's is whatever a stranger chooses, and would open every port here to who sends from 500."""

PORT_88 = PortRange.one(88)
KERBEROS = (
    Exemption("RSVP", 46),
    Exemption("Kerberos", TCP, local_ports=PORT_88),
    Exemption("Kerberos", TCP, remote_ports=PORT_88),
    Exemption("Kerberos", UDP, local_ports=PORT_88),
    Exemption("Kerberos", UDP, remote_ports=PORT_88),
)
"""What Windows 2000 exempts besides; whoever sends from port 88 passes every filter then."""

MANY_AT_ONCE = (
    AddressRange.parse("224.0.0.0/4"),
    AddressRange.parse("255.255.255.255"),
    AddressRange.parse("ff00::/8"),
)
"""Multicast and broadcast: negotiation is between two computers, so these are never protected by it."""


def exemptions(exempt: DefaultExempt, chosen: Iterable[Exempt]) -> tuple[Exemption, ...]:
    """What passes before anything is asked, but for multicast and broadcast."""
    more = tuple(one for each in chosen for one in BEFORE_ALL.get(each, ()))
    return (*OWN, *more, *(KERBEROS if exempt.kerberos else ()))


def unprotected(chosen: Iterable[Exempt]) -> tuple[Exemption, ...]:
    """What no rule protects."""
    return tuple(one for each in chosen for one in UNPROTECTED.get(each, ()))


def many_at_once(broadcasts: Iterable[bytes]) -> Iterator[Selector]:
    """Multicast and broadcast, sent and received."""
    for addresses in (*MANY_AT_ONCE, *map(AddressRange.host, broadcasts)):
        everything = V4 if addresses.version == 4 else V6
        yield Selector(everything, addresses)
        yield Selector(addresses, everything)
