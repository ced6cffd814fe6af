# SPDX-License-Identifier: Apache-2.0
"""What the words of a policy stand for on this host now: its addresses, name servers, DHCP and WINS servers, gateways.

The kernel says addresses and routes. The rest is in files that resolvers and DHCP clients write for everybody; a file
that is not there, or cannot be understood, says nothing. A lease counts while this host has the address that it is for.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from ringfence.backends import addresses as kernel
from ringfence.backends.base import DEVICE
from ringfence.backends.interfaces import LEASED, addresses_in, default_routes, interfaces, last_lease, read
from ringfence.backends.masquerading import masquerades
from ringfence.backends.names import NameBook
from ringfence.policy.host import HostFacts
from ringfence.policy.model import Policy

ROOT = Path("/")
LEASES = (
    "run/systemd/netif/leases/*",
    "var/lib/NetworkManager/*.lease",
    "var/lib/dhcp/*.lease*",
    "var/lib/dhclient/*.lease*",
)
"""Of systemd-networkd, NetworkManager and dhclient."""
RESOLVER, UPSTREAM, SAMBA = "etc/resolv.conf", "run/systemd/resolve/resolv.conf", "etc/samba/smb.conf"
FILES = (RESOLVER, UPSTREAM, SAMBA, *LEASES, "run/systemd/netif/links/*", "run/systemd/resolve/netif/*")
"""All that is read but for what the kernel says, which tells of its changes by other ways."""
LOOPBACK = (b"\x7f", bytes(15) + b"\x01")

NAME_SERVER = re.compile(r"^\s*nameserver\s+([0-9A-Fa-f:.]+)", re.MULTILINE)
DHCP_SERVER = re.compile(r"(?:^SERVER_ADDRESS=|dhcp-server-identifier\s+)([0-9.]+)", re.MULTILINE)
WINS_SERVERS = re.compile(r"(?:^\s*wins server\s*=|netbios-name-servers\s)([0-9., ]+)", re.MULTILINE)


def host_facts(root: Path = ROOT, device: str = DEVICE) -> HostFacts:
    """This host, now, with the addresses of our ``device``; raises BackendError if the kernel does not say them."""
    addresses, broadcasts, links, subnets = kernel.local_addresses()
    leases = [text for text in _leases(root) if set(addresses_in(LEASED.findall(text))) & set(addresses)]
    wins = [read(root / SAMBA), *leases]
    return HostFacts(
        addresses,
        assigned=tuple(address for link in links if link.name == device for address in link.addresses),
        broadcasts=broadcasts,
        dns_servers=name_servers(root),
        dhcp_servers=_sorted(addresses_in(one for text in leases for one in DHCP_SERVER.findall(text)[-1:])),
        wins_servers=_sorted(addresses_in(one for text in wins for one in _last_list(text))),
        default_gateways=default_gateways(root),
        local_subnets=subnets,
        interfaces=interfaces(links, root),
        masquerades=masquerades(root),
    )


def facts_of(policy: Policy) -> HostFacts:
    """What a policy needs to know of this host, for whoever asks just once; waits for its names."""
    return replace(host_facts(), names=NameBook().find(policy.host_names))


def name_servers(root: Path = ROOT) -> tuple[bytes, ...]:
    """Those that this host asks; where it asks a resolver of its own, those that this one asks."""
    found = addresses_in(NAME_SERVER.findall(read(root / RESOLVER)))
    if found and all(one.startswith(LOOPBACK) for one in found):
        found = addresses_in(NAME_SERVER.findall(read(root / UPSTREAM)))
    return _sorted(one for one in found if not one.startswith(LOOPBACK))


def default_gateways(root: Path = ROOT) -> tuple[bytes, ...]:
    """The next hops of all default routes."""
    return _sorted(hop for hops in default_routes(root).values() for hop in hops)


def _leases(root: Path) -> Iterator[str]:
    for pattern in LEASES:
        for path in sorted(root.glob(pattern)):
            yield last_lease(read(path))


def _last_list(text: str) -> list[str]:
    lists = WINS_SERVERS.findall(text)
    return re.split(r"[ ,]+", lists[-1].strip()) if lists else []


def _sorted(addresses: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(set(addresses)))
