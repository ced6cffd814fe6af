# SPDX-License-Identifier: Apache-2.0
"""Which destinations go through our device: a policy and the host's own routes in, the routes of our tables out. Pure.

Each destination that some entry protects gets a route to the device. The packet path decides there by the whole
selector and sends on in clear what it must not protect; so a route too many costs time, never safety. Three things
are kept as the host had them:

- **The source address.** Each of our routes names the source that the host's own route would have led to. Where that
  route is more specific than the protected prefix, ours is made as specific. Only where no entry would protect that
  address, another of this host is preferred which one does: for a tunnel any (a gateway's inner address), else one of
  the same link, for the answers come back to where the address is.
- **The packet size.** Each route carries the largest packet that still fits the link once it is protected. So TCP
  announces the right segment size and UDP fragments before it is sealed, with no packet lost to find this out.
- **What is exempt.** A destination whose traffic is wholly permitted by an earlier entry is thrown back to the host's
  own routes and never meets the device.

The longest prefix wins in a routing table, the first entry in a policy: therefore a prefix that lies within one
already decided is left out.

What this host forwards has a table of its own, with only the destinations of entries that protect somebody behind it.
An entry for this host's own addresses says nothing of packets that pass through; these keep to the host's own routes,
its rules for forwarding and its address translation, and never leave the kernel.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from ringfence.databases.pool import Assigned
from ringfence.databases.proposal import Protocol, SecurityMethod, Transform
from ringfence.databases.sa import Mode
from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Processing, Spd, SpdEntry
from ringfence.databases.spd_index import SelectorIndex
from ringfence.net.address import AddressRange, format_address

Network = IPv4Network | IPv6Network

HEADER_OCTETS = {4: 20, 6: 40}
LEAST_MTU = {4: 576, 6: 1280}
UDP_OCTETS = 8
ESP_OCTETS, ESP_TRAILER_OCTETS, ESP_ALIGN = 8, 2, 4
AH_OCTETS = 12
DEFAULT_LINK_MTU = 1500

SOMEBODY = {4: "198.41.0.4", 6: "2001:503:ba3e::2:30"}
"""Out in the Internet (a root name server), to see where the default route leads; nothing is sent there."""

NEVER_PROTECTED = tuple(map(ip_network, ("224.0.0.0/4", "255.255.255.255/32", "ff00::/8", "fe80::/10")))
"""Nobody negotiates with many, and a link-local address needs its link."""


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface that is up."""

    index: int
    name: str
    mtu: int
    addresses: tuple[bytes, ...] = ()
    """Those that new traffic may come from."""
    broadcasts: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class HostRoute:
    """A route of the host's own."""

    destination: Network
    link: int
    """Index of the interface."""
    source: bytes | None = None
    """What packets are sent from by it; None when the kernel did not say."""
    mtu: int = DEFAULT_LINK_MTU


@dataclass(frozen=True, slots=True)
class Host:
    """What this host has without us."""

    links: tuple[Link, ...] = ()
    routes: tuple[HostRoute, ...] = ()
    local: frozenset[bytes] = frozenset()
    """Every address that packets to this host may bear."""
    assigned: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Addresses that peers have given it, by the peer's name in the policy."""

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """All addresses of all links."""
        return tuple(address for link in self.links for address in link.addresses)

    def route_to(self, network: Network) -> HostRoute | None:
        """The most specific route that leads to all of ``network``."""
        fits = [one for one in self.routes if _within(network, one.destination)]
        return max(fits, key=lambda one: one.destination.prefixlen, default=None)


@dataclass(frozen=True, slots=True, order=True)
class OwnRoute:
    """A route of ours."""

    destination: str
    """Such as ``10.0.0.0/8``."""
    throw: bool = False
    """Ask the next table instead."""
    source: str = ""
    """Preferred source address; empty to leave it to the kernel."""
    mtu: int = 0
    """0 for the device's."""
    forwarded: bool = False
    """In the table for what this host forwards, not in that for what it sends."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What turns one set of routes into another, in the order to do it."""

    put: tuple[OwnRoute, ...] = ()
    remove: tuple[OwnRoute, ...] = ()


class _Plan:
    """The routes made so far."""

    def __init__(
        self, spd: Spd, host: Host, protect: Sequence[tuple[int, SpdEntry]], *, forwarded: bool = False
    ) -> None:
        self.host = host
        self.forwarded = forwarded
        self.protect = protect
        """Entries that protect what is sent, and their positions, in order."""
        self.exempt = _exemptions(spd)
        self._protecting = SelectorIndex((position, one.selector) for position, one in self.protect)
        self._exempting = SelectorIndex((position, one.selector) for position, one in self.exempt)
        self._entries = spd.entries
        self.made: dict[Network, OwnRoute] = {}
        self._lengths: set[int] = set()
        """Prefix lengths of these."""

    def put(self, network: Network, route: OwnRoute) -> None:
        """Make a route."""
        self.made[network] = replace(route, forwarded=self.forwarded)
        self._lengths.add(network.prefixlen)

    def around(self, network: Network) -> Network | None:
        """The most specific network with a route that holds all of ``network``."""
        for length in sorted(self._lengths, reverse=True):
            if length <= network.prefixlen and (wider := network.supernet(new_prefix=length)) in self.made:
                return wider
        return None

    def serving(self, network: Network) -> list[tuple[int, SpdEntry]]:
        """Entries that protect some of ``network``, and their positions, in order."""
        addresses = _range(network)
        everybody = AddressRange.everything(len(addresses.first))
        found = sorted(self._protecting.overlapping(Selector(everybody, addresses)))
        return [(position, self._entries[position]) for position in found]

    def permitted(self, network: Network, source: AddressRange, position: int) -> bool:
        """Whether an entry before ``position`` permits all from ``source`` to ``network``."""
        addresses = _range(network)
        if source.version != addresses.version:
            return False
        found = self._exempting.covering(Selector(source, addresses))
        return found is not None and found < position


def wanted(spd: Spd, host: Host) -> tuple[OwnRoute, ...]:
    """The routes of our tables for this policy on this host."""
    protect = [
        (position, one)
        for position, one in enumerate(spd)
        if one.action is Action.PROTECT and Direction.OUT in one.directions
    ]
    behind = [(position, one) for position, one in protect if not _only_own(one, host)]
    sent = _table(_Plan(spd, host, protect))
    forwarded = _table(_Plan(spd, host, behind, forwarded=True)) if behind else ()
    return (*sorted(sent), *sorted(forwarded))


def _only_own(entry: SpdEntry, host: Host) -> bool:
    """Whether an entry is about addresses of this host itself, one that it will be given among them."""
    addresses = entry.selector.source
    if entry.processing is not None and entry.processing.assigned is Assigned.OURS:
        return True
    if addresses.is_host:
        return addresses.first in host.local
    first, last = int.from_bytes(addresses.first), int.from_bytes(addresses.last)
    return sum(1 for one in host.local if one in addresses) > last - first


def _table(plan: _Plan) -> Iterable[OwnRoute]:
    """The routes of one table."""
    for network in NEVER_PROTECTED:
        if any(one.selector.destination.covers(_range(network)) for _, one in plan.protect):
            plan.put(network, OwnRoute(str(network), throw=True))
    for position, entry in sorted([*plan.protect, *plan.exempt], key=lambda one: one[0]):
        if entry.action is Action.PROTECT:
            _protect(plan, entry, position)
        else:
            _exempt(plan, entry)
    return plan.made.values()


def difference(have: Iterable[OwnRoute], want: Iterable[OwnRoute]) -> Difference:
    """What to put first and what to remove then; a route that changes is replaced in one step."""
    before = {(one.destination, one.forwarded): one for one in have}
    after = {(one.destination, one.forwarded): one for one in want}
    return Difference(
        put=tuple(one for key, one in after.items() if before.get(key) != one),
        remove=tuple(one for key, one in before.items() if key not in after),
    )


def largest_inner(link_mtu: int, version: int, processing: Processing) -> int:
    """Octets of the largest packet that, protected in any of the ways of ``processing``, fits ``link_mtu``.

    ``version`` is that of the packet itself; a tunnel's outer header may be another's.
    """
    tunnel = processing.mode is Mode.TUNNEL
    outer = version if processing.tunnel_remote is None else (4 if len(processing.tunnel_remote) == 4 else 6)
    room = link_mtu - HEADER_OCTETS[outer] - (UDP_OCTETS if processing.udp else 0)
    least = min((_room(room, method, outer) for method in processing.methods), default=room)
    inner = least if tunnel else least + HEADER_OCTETS[version]
    return max(inner, LEAST_MTU[version])


def _room(room: int, method: SecurityMethod, version: int) -> int:
    for transform in reversed(method.transforms):
        room = (
            _inside_ah(room, transform, version) if transform.protocol is Protocol.AH else _inside_esp(room, transform)
        )
    return room


def _inside_ah(room: int, transform: Transform, version: int) -> int:
    icv = 0 if transform.authenticator is None else transform.authenticator.row.icv_octets
    header = AH_OCTETS + icv
    return room - header - (-header % (8 if version == 6 else 4))


def _inside_esp(room: int, transform: Transform) -> int:
    cipher, authenticator = transform.cipher, transform.authenticator
    if cipher is None:
        return room
    icv = cipher.row.icv_octets if authenticator is None else authenticator.row.icv_octets
    room -= ESP_OCTETS + cipher.row.iv_octets + icv
    return room - room % max(ESP_ALIGN, cipher.row.block_octets) - ESP_TRAILER_OCTETS


def _protect(plan: _Plan, entry: SpdEntry, position: int) -> None:
    for network in _networks(entry.selector.destination):
        if any(_within(network, never) for never in NEVER_PROTECTED):
            continue
        if plan.around(network) is not None or plan.permitted(network, entry.selector.source, position):
            continue
        pieces = {one.destination for one in plan.host.routes if _within(one.destination, network)}
        decided = {piece for piece in pieces if plan.around(piece) is not None}
        for piece in sorted({network, *(pieces - decided)}, key=lambda one: one.prefixlen):
            _put_piece(plan, piece, entry)


def _put_piece(plan: _Plan, piece: Network, entry: SpdEntry) -> None:
    """Add a route unless the one around it says the same."""
    route, around = _device_route(plan, piece, entry), plan.around(piece)
    if around is None or _effect(plan.made[around]) != _effect(route):
        plan.put(piece, route)


def _effect(route: OwnRoute) -> tuple[bool, str, int]:
    return route.throw, route.source, route.mtu


def _device_route(plan: _Plan, piece: Network, entry: SpdEntry) -> OwnRoute:
    own = plan.host.route_to(piece)
    serving = [one for _, one in plan.serving(piece)] or [entry]
    mtu = min(_entry_mtu(plan.host, one, piece.version, own) for one in serving)
    source = "" if plan.forwarded else _source(plan.host, serving, own)  # what is forwarded has one
    return OwnRoute(str(piece), source=source, mtu=mtu)


def _entry_mtu(host: Host, entry: SpdEntry, version: int, own: HostRoute | None) -> int:
    processing = entry.processing
    if processing is None:
        return DEFAULT_LINK_MTU
    if processing.tunnel_remote is not None:
        own = host.route_to(ip_network(processing.tunnel_remote)) or own
    return largest_inner(DEFAULT_LINK_MTU if own is None else own.mtu, version, processing)


def _source(host: Host, serving: Sequence[SpdEntry], own: HostRoute | None) -> str:
    usual = None if own is None else own.source
    if (given := _assigned(host, serving[0])) is not None:
        return format_address(given)
    if usual is not None and any(usual in one.selector.source for one in serving):
        return format_address(usual)
    near = {address for link in host.links if own is None or link.index == own.link for address in link.addresses}
    mine = [
        address
        for address in host.addresses
        if any(address in one.selector.source and (address in near or _is_tunnel(one)) for one in serving)
    ]
    if mine:
        return format_address(mine[0])
    return "" if usual is None else format_address(usual)


def _assigned(host: Host, entry: SpdEntry) -> bytes | None:
    """The address that the peer of an entry has given us for it."""
    if entry.processing is None or entry.processing.assigned is not Assigned.OURS:
        return None
    return next((one for one in host.assigned.get(entry.peer, ()) if one in entry.selector.source), None)


def _is_tunnel(entry: SpdEntry) -> bool:
    return entry.processing is not None and entry.processing.mode is Mode.TUNNEL


def _exemptions(spd: Spd) -> list[tuple[int, SpdEntry]]:
    """Entries that permit everything to a destination, by their position."""
    return [
        (position, one)
        for position, one in enumerate(spd)
        if one.action is Action.BYPASS
        and Direction.OUT in one.directions
        and one.selector.protocol is None
        and one.selector.source_ports.is_any
        and one.selector.destination_ports.is_any
    ]


def _exempt(plan: _Plan, entry: SpdEntry) -> None:
    """Throw back what is permitted to everybody whom an entry would protect there."""
    for network in _networks(entry.selector.destination):
        if plan.around(network) is None and _nobody_protects(plan, network):
            plan.put(network, OwnRoute(str(network), throw=True))


def _nobody_protects(plan: _Plan, network: Network) -> bool:
    """Whether each entry that protects some of ``network`` comes too late to have a say there; and there is one."""
    concerned = plan.serving(network)
    return bool(concerned) and all(plan.permitted(network, one.selector.source, at) for at, one in concerned)


def _networks(addresses: AddressRange) -> Iterator[Network]:
    return map(ip_network, addresses.prefixes())


@lru_cache(maxsize=65536)
def _range(network: Network) -> AddressRange:
    return AddressRange(network.network_address.packed, network.broadcast_address.packed)


def _within(inner: Network, outer: Network) -> bool:
    return _range(outer).covers(_range(inner))


def by_link(links: Iterable[Link]) -> Mapping[int, Link]:
    """The links by their index."""
    return {link.index: link for link in links}


def host_address(network: Network) -> str:
    """An address of ``network`` to ask the kernel's way to."""
    if not network.prefixlen:
        return SOMEBODY[network.version]
    return str(network[min(1, network.num_addresses - 1)])
