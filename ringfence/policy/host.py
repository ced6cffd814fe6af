# SPDX-License-Identifier: Apache-2.0
"""What a policy needs to know about this computer; its words "me" and "dns-servers" follow it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence.net.address import AddressRange
from ringfence.policy.model import HostName, Keyword
from ringfence.policy.networks import Interface, Profiles, Situation
from ringfence.policy.scope import Profile

LOOPBACK = (AddressRange.parse("127.0.0.0/8"), AddressRange.parse("::1"))
LINK_LOCAL = (AddressRange.parse("169.254.0.0/16"), AddressRange.parse("fe80::/10"))


@dataclass(frozen=True, slots=True)
class HostFacts:
    """One computer, now."""

    addresses: tuple[bytes, ...] = ()
    """Its own addresses; loopback does not count."""
    broadcasts: tuple[bytes, ...] = ()
    """The broadcast addresses of its networks."""
    dns_servers: tuple[bytes, ...] = ()
    dhcp_servers: tuple[bytes, ...] = ()
    wins_servers: tuple[bytes, ...] = ()
    default_gateways: tuple[bytes, ...] = ()
    local_subnets: tuple[AddressRange, ...] = ()
    """The networks that its interfaces are in."""
    interfaces: tuple[Interface, ...] = ()
    """Those that have addresses; loopback does not count."""
    masquerades: bool = False
    """Whether it forwards for others by addresses of its own, as far as that is known."""
    names: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """The addresses of each DNS name that is known."""
    profile: Profile | None = None
    """Said by whoever asks of another situation: every network counts as this."""
    assigned: tuple[bytes, ...] = ()
    """Those that peers have given it, which no tunnel begins at."""

    @property
    def own(self) -> tuple[bytes, ...]:
        """Addresses that traffic with others may have, each once."""
        return tuple(dict.fromkeys(one for one in self.addresses if not any(one in loop for loop in LOOPBACK)))

    @property
    def outer(self) -> tuple[bytes, ...]:
        """Addresses that tunnels may begin at, those with a way to everywhere first."""
        led = {
            one
            for link in self.interfaces
            for one in link.addresses
            if any(len(hop) == len(one) for hop in link.gateways)
        }
        found = (one for one in self.own if one not in self.assigned and not any(one in near for near in LINK_LOCAL))
        return tuple(sorted(found, key=lambda one: one not in led))

    def situations(self, profiles: Profiles) -> tuple[Situation, ...]:
        """Its interfaces as ``profiles`` has them, and its addresses that are at none of them."""
        found = [self._situation(one, profiles) for one in self.interfaces]
        placed = {address for one in found for address in one.addresses}
        loose = tuple(one for one in self.own if one not in placed)
        return (*found, *([self._situation(Interface("", addresses=loose), profiles)] if loose else []))

    def _situation(self, one: Interface, profiles: Profiles) -> Situation:
        profile, why = profiles.of(one) if self.profile is None else (self.profile, "said")
        return Situation(one.name, one.kind, profile, why, one.addresses)

    def meant_by(self, address: Keyword | HostName) -> tuple[AddressRange, ...]:
        """The addresses that a word stands for, but for ``any``."""
        if address is Keyword.LOCAL_SUBNET:
            return self.local_subnets
        return tuple(map(AddressRange.host, self._hosts(address)))

    def _hosts(self, address: Keyword | HostName) -> tuple[bytes, ...]:
        if isinstance(address, HostName):
            return self.names.get(address.name, ())
        servers = {
            Keyword.ME: self.own,
            Keyword.DNS_SERVERS: self.dns_servers,
            Keyword.DHCP_SERVERS: self.dhcp_servers,
            Keyword.WINS_SERVERS: self.wins_servers,
            Keyword.DEFAULT_GATEWAY: self.default_gateways,
        }
        return servers.get(address, ())
