# SPDX-License-Identifier: Apache-2.0
"""What a policy needs to know about this computer; its words "me" and "dns-servers" follow it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence.net.address import AddressRange
from ringfence.policy.model import Connection, HostName, Keyword

LOOPBACK = (AddressRange.parse("127.0.0.0/8"), AddressRange.parse("::1"))


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
    remote_access: tuple[bytes, ...] = ()
    """Those of its addresses that belong to dial-up and VPN connections."""
    names: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """The addresses of each DNS name that is known."""

    @property
    def own(self) -> tuple[bytes, ...]:
        """Addresses that traffic with others may have, each once."""
        return tuple(dict.fromkeys(one for one in self.addresses if not any(one in loop for loop in LOOPBACK)))

    def own_of(self, connection: Connection) -> tuple[bytes, ...]:
        """Those of one kind of connection."""
        match connection:
            case Connection.ALL:
                return self.own
            case Connection.LAN:
                return tuple(one for one in self.own if one not in self.remote_access)
            case Connection.REMOTE_ACCESS:
                return tuple(one for one in self.own if one in self.remote_access)

    def meant_by(self, address: Keyword | HostName) -> tuple[bytes, ...]:
        """The addresses that a word stands for, but for ``any``."""
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
