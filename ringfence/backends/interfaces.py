# SPDX-License-Identifier: Apache-2.0
"""This host's interfaces, with what tells their networks apart: kind, addresses, gateways, DNS suffixes.

The kernel says kinds, addresses and routes. DNS suffixes stand in the files that network managers and DHCP clients
write; a lease counts while its interface has the address that it is for. Those of ``/etc/resolv.conf`` are the whole
host's, and so count where no file speaks of an interface alone and it has a default route. Whoever answers DHCP says
what suffix he likes, so by a suffix alone no network is known for sure.
"""

import re
from collections.abc import Iterable, Mapping
from glob import escape
from pathlib import Path

from ringfence.backends.addresses import LinkAddresses
from ringfence.net.address import parse_address
from ringfence.policy.networks import Interface
from ringfence.policy.scope import LinkKind

REMOTE_ACCESS = frozenset([256, 257, 258, 259, 512, 519, 768, 769, 776, 778, 823, 65534])
"""Kinds of link (ARPHRD_*) of dial-up and VPN: SLIP, PPP, IP over a modem, tunnels, GRE, TUN and WireGuard."""
WIRELESS = frozenset([801, 802, 803])
WIRELESS_FILES = ("wireless", "phy80211")
NOWHERE = "00000000"
UP, GATEWAY = 0x1, 0x2
FILE_OCTETS = 1 << 20

STATES = ("run/systemd/netif/links/{number}", "run/systemd/resolve/netif/{number}", "run/systemd/netif/leases/{number}")
LEASED = re.compile(r"(?:^ADDRESS=|^\s*fixed-address\s+)([0-9.]+)", re.MULTILINE)
LEASES = ("var/lib/NetworkManager/*-{name}.lease", "var/lib/dhcp/*{name}.lease*", "var/lib/dhclient/*{name}.lease*")
SUFFIXES = re.compile(
    r"^(?:DOMAINS|DOMAINNAME|DOMAINSEARCH_LIST)=\"?([^\"\n]*)|^\s*option domain-(?:name|search) ([^;]*);", re.MULTILINE
)
SEARCH = re.compile(r"^\s*(?:search|domain)\s+(.*)$", re.MULTILINE)


def interfaces(links: Iterable[LinkAddresses], root: Path) -> tuple[Interface, ...]:
    """The interfaces of ``links``, as they are now."""
    gateways = default_routes(root)
    everywhere = _suffixes(SEARCH.findall(read(root / "etc/resolv.conf")))
    found = []
    for link in links:
        own_gateways = gateways.get(link.name, ())
        suffixes = _of_link(link, root) or (everywhere if own_gateways else ())
        found.append(Interface(link.name, _kind(link, root), link.addresses, own_gateways, suffixes))
    return tuple(found)


def default_routes(root: Path) -> Mapping[str, tuple[bytes, ...]]:
    """For each interface with default routes their next hops, sorted."""
    found: dict[str, set[bytes]] = {}
    for line in read(root / "proc/self/net/route").splitlines()[1:]:
        name, destination, gateway, flags, _, _, _, mask, *_ = line.split()
        if destination == mask == NOWHERE and _usable(flags):
            found.setdefault(name, set()).add(bytes.fromhex(gateway)[::-1])
    for line in read(root / "proc/self/net/ipv6_route").splitlines():
        destination, length, _, _, gateway, _, _, _, flags, name, *_ = line.split()
        if length == "00" and int(destination, 16) == 0 and _usable(flags):
            found.setdefault(name, set()).add(bytes.fromhex(gateway))
    return {name: tuple(sorted(hops)) for name, hops in found.items()}


def read(path: Path) -> str:
    """A file's text, or what there is of it; empty where it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(FILE_OCTETS)
    except OSError:
        return ""


def addresses_in(texts: Iterable[str]) -> list[bytes]:
    """Those texts that are addresses."""
    found = []
    for text in texts:
        try:
            found.append(parse_address(text))
        except ValueError:
            continue
    return found


def _usable(flags: str) -> bool:
    return int(flags, 16) & (UP | GATEWAY) == UP | GATEWAY


def _kind(link: LinkAddresses, root: Path) -> LinkKind:
    if link.hardware in REMOTE_ACCESS:
        return LinkKind.REMOTE_ACCESS
    files = (root / "sys/class/net" / link.name / one for one in WIRELESS_FILES)
    return LinkKind.WIRELESS if link.hardware in WIRELESS or any(map(Path.exists, files)) else LinkKind.LAN


def _of_link(link: LinkAddresses, root: Path) -> tuple[str, ...]:
    """What the files about this interface say."""
    texts = [read(root / one.format(number=link.number)) for one in STATES]
    for pattern in LEASES:
        leases = [last_lease(read(path)) for path in sorted(root.glob(pattern.format(name=escape(link.name))))]
        texts += [text for text in leases if set(addresses_in(LEASED.findall(text))) & set(link.addresses)]
    return _suffixes(" ".join(groups) for text in texts for groups in SUFFIXES.findall(text))


def last_lease(text: str) -> str:
    """The part of a lease file that counts: dhclient appends."""
    return text[text.rfind("\nlease {") + 1 :]


def _suffixes(texts: Iterable[str]) -> tuple[str, ...]:
    """The suffixes in lists of them, sorted, each once; a routing domain (``~corp.example``) is no suffix."""
    found = (word.strip('".,').lower() for text in texts for word in re.split(r"[\s,]+", text))
    return tuple(sorted({word for word in found if word and not word.startswith("~")}))
