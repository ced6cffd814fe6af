# SPDX-License-Identifier: Apache-2.0
"""Links, routes and rules over netlink: reads what the host has, puts and removes what is ours.

Ours are two routing tables (what is in them: ``backends.routes``), TABLE for what this host sends and the next one for
what it forwards, and for each family three rules::

    4300: not from all iif lo goto 4302
    4301: not from all fwmark MARK lookup TABLE
    4302: not from all iif lo lookup TABLE + 1

To the kernel, what the host itself sends comes in from ``lo``. What we send bears the mark besides, and asks neither
table. Without the first or the last rule, forwarded packets ask the first table, which leads to our device for all that
the second does: so whatever comes first when rules are added, and whichever somebody removes, no forwarded packet that
must be protected misses the device.
"""

import errno
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import ip_network
from socket import AF_INET, AF_INET6
from typing import Protocol, Self

from pyroute2 import AsyncIPRoute, NetlinkError

from ringfence.backends.base import MARK, PRIORITY, TABLE, BackendError
from ringfence.backends.routes import (
    DEFAULT_LINK_MTU,
    Difference,
    Host,
    HostRoute,
    Link,
    Network,
    OwnRoute,
    by_link,
    host_address,
)
from ringfence.net.address import IPV4_OCTETS, format_address, parse_address

FAMILIES = {4: AF_INET, 6: AF_INET6}
MAIN = 254
INVERT = 2
UNICAST, THROW = 1, 9
UP, LOOPBACK, MULTICAST = 0x1, 0x8, 0x1000
QUEUE_PACKETS = 1000
SCOPE_LINK = 253
NOT_FOR_NEW = 0x20 | 0x40
"""Deprecated or tentative addresses."""
NO_DUPLICATES_LOOKED_FOR = 0x02
"""An address of IPv6 can be used at once: nobody else is on our device."""
MOST_ASKED = 256
GONE = (errno.ENOENT, errno.ESRCH, errno.ENODEV)
NOT_SERVED = (errno.EAFNOSUPPORT, errno.EOPNOTSUPP)


class Message(Protocol):
    """What pyroute2 gives for each thing it lists."""

    def get(self, key: str, default: object = None) -> object:
        """A field of the header, or an attribute by its short name."""

    def get_attr(self, key: str) -> object:
        """An attribute, or None."""


class Netlink:
    """A channel to the kernel's networking; use it with ``async with``."""

    def __init__(self, *, mark: int = MARK, table: int = TABLE, priority: int = PRIORITY) -> None:
        self._mark, self._tables = mark, {False: table, True: table + 1}
        """The tables, by whether they are for what is forwarded."""
        self._rules = _rules(mark, table, priority)

    async def __aenter__(self) -> Self:
        self._channel = AsyncIPRoute()
        await self._channel.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.__aexit__(None, None, None)

    async def index(self, device: str) -> int:
        """The number of an interface; raises BackendError."""
        found = await self._channel.link_lookup(ifname=device)
        if not found:
            raise BackendError(f"the device {device} is gone", cure="Did somebody delete it? Start Ringfence again.")
        return int(found[0])

    async def set_up(self, index: int, mtu: int) -> None:
        """Bring our device up; it takes no part in multicast and makes itself no address."""
        with _refusals("cannot set our device up"):
            await self._channel.link("set", index=index, mtu=mtu, txqlen=QUEUE_PACKETS, flags=0, change=MULTICAST)
            await self._channel.link("set", index=index, state="up")

    async def addresses(self, device: int) -> frozenset[bytes]:
        """The addresses of our device, but those that the kernel makes for a link."""
        found: set[bytes] = set()
        with _refusals("the addresses of our device cannot be read", besides=GONE):
            async for message in await self._channel.get_addr(index=device):
                text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
                if isinstance(text, str) and _number(message.get("scope")) < SCOPE_LINK:
                    found.add(parse_address(text))
        return frozenset(found)

    async def add_addresses(self, addresses: Iterable[bytes], device: int) -> None:
        """Give our device these, each alone in its network."""
        for address in addresses:
            with _refusals(f"cannot add the address {format_address(address)}", besides=(errno.EEXIST,)):
                await self._channel.addr("add", **_address(address, device), flags=NO_DUPLICATES_LOOKED_FOR)

    async def remove_addresses(self, addresses: Iterable[bytes], device: int) -> None:
        """Take these from our device, as far as they are there."""
        for address in addresses:
            besides = (*GONE, errno.EADDRNOTAVAIL)
            with _refusals(f"cannot remove the address {format_address(address)}", besides=besides):
                await self._channel.addr("del", **_address(address, device))

    async def host(self, except_for: int = 0) -> Host:
        """What this host has, without the interface of index ``except_for``."""
        with _refusals("links and routes cannot be read"):
            links, local = await self._links(except_for)
        table = by_link(links)
        routes: list[HostRoute | None] = []
        asked: dict[tuple[object, ...], bytes | None] = {}
        for version, family in FAMILIES.items():
            with _refusals("the routes cannot be read", besides=(*GONE, *NOT_SERVED)):
                found = await self._channel.get_routes(table=MAIN, family=family)
                routes += [await self._host_route(one, version, table, asked) async for one in found]
        return Host(links, tuple(route for route in routes if route is not None), local)

    async def add_rules(self) -> None:
        """Have all but marked packets ask our tables first; a predecessor's rules are taken over."""
        await self._change_rules("add", self._rules, errno.EEXIST)

    async def remove_rules(self) -> None:
        """Have nobody ask our tables."""
        await self._change_rules("del", self._rules[::-1], *GONE)

    async def own_routes(self, device: int) -> list[OwnRoute]:
        """What our tables hold; one that leads to another device than ours is unlike any that we want."""
        found: list[OwnRoute] = []
        for version, family in FAMILIES.items():
            with _refusals("the routes cannot be read", besides=(*GONE, *NOT_SERVED)):
                for forwarded, table in self._tables.items():
                    routes = await self._channel.get_routes(table=table, family=family)
                    found += [_own_route(message, version, device, forwarded) async for message in routes]
        return found

    async def put(self, routes: Iterable[OwnRoute], device: int) -> None:
        """Add or replace routes of our tables; raises BackendError."""
        for route in routes:
            with _refusals(f"cannot add a route to {route.destination}"):
                await self._channel.route("replace", **self._spec(route, device))

    async def remove(self, routes: Iterable[OwnRoute]) -> None:
        """Remove routes of our tables, as far as they are still there."""
        for route in routes:
            family = FAMILIES[ip_network(route.destination).version]
            kind = {"type": "throw"} if route.throw else {}
            with _refusals(f"cannot remove the route to {route.destination}", besides=GONE):
                await self._channel.route(
                    "del", dst=route.destination, table=self._tables[route.forwarded], family=family, **kind
                )

    async def change(self, what: Difference, device: int) -> None:
        """First what is new, then what goes."""
        await self.put(what.put, device)
        await self.remove(what.remove)

    async def clear_tables(self) -> None:
        """Remove all routes of our tables."""
        await self.remove(await self.own_routes(0))

    async def _change_rules(self, command: str, rules: Iterable[Mapping[str, object]], *besides: int) -> None:
        for rule in rules:
            for family in FAMILIES.values():
                with _refusals("cannot change the routing rules", besides=(*besides, *NOT_SERVED)):
                    await self._channel.rule(command, family=family, **rule)

    async def _links(self, except_for: int) -> tuple[tuple[Link, ...], frozenset[bytes]]:
        usable: defaultdict[int, list[bytes]] = defaultdict(list)
        broadcasts: defaultdict[int, list[bytes]] = defaultdict(list)
        local: set[bytes] = set()
        async for message in await self._channel.get_addr():
            index = _number(message.get("index"))
            text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            address = parse_address(text) if isinstance(text, str) else b""
            local.add(address)
            if _number(message.get("scope")) < SCOPE_LINK and not _number(message.get("flags")) & NOT_FOR_NEW:
                usable[index].append(address)
            if isinstance(broadcast := message.get_attr("IFA_BROADCAST"), str):
                broadcasts[index].append(parse_address(broadcast))
        links = []
        async for message in await self._channel.get_links():
            index, flags = _number(message.get("index")), _number(message.get("flags"))
            if index != except_for and flags & (UP | LOOPBACK) == UP:
                mtu = _number(message.get_attr("IFLA_MTU")) or DEFAULT_LINK_MTU
                name = str(message.get_attr("IFLA_IFNAME"))
                links.append(Link(index, name, mtu, tuple(usable[index]), tuple(broadcasts[index])))
        return tuple(links), frozenset(local)

    async def _host_route(
        self, message: Message, version: int, links: Mapping[int, Link], asked: dict[tuple[object, ...], bytes | None]
    ) -> HostRoute | None:
        network, link = _destination(message, version), links.get(_number(_oif(message)))
        if message.get("type") != UNICAST or link is None:
            return None
        text = message.get_attr("RTA_PREFSRC")
        if isinstance(text, str):
            return HostRoute(network, link.index, parse_address(text), link.mtu)
        gateway = message.get_attr("RTA_GATEWAY")
        key = (link.index, gateway) if version == 4 and gateway else (network,)
        if key not in asked:
            asked[key] = await self._source(network, link.index) if len(asked) < MOST_ASKED else None
        return HostRoute(network, link.index, asked[key], link.mtu)

    async def _source(self, network: Network, link: int) -> bytes | None:
        """The source that the kernel would take for a packet of ours to ``network``, if it leaves by ``link``."""
        try:
            answers = await self._channel.route(
                "get", dst=host_address(network), mark=self._mark, family=FAMILIES[network.version]
            )
        except NetlinkError:
            return None
        text = answers[0].get_attr("RTA_PREFSRC")
        same_way = answers[0].get_attr("RTA_OIF") == link
        return parse_address(text) if isinstance(text, str) and same_way else None

    def _spec(self, route: OwnRoute, device: int) -> dict[str, object]:
        family = FAMILIES[ip_network(route.destination).version]
        spec: dict[str, object] = {"dst": route.destination, "table": self._tables[route.forwarded], "family": family}
        if route.throw:
            return {**spec, "type": "throw"}
        spec["oif"] = device
        if route.source:
            spec["prefsrc"] = route.source
        if route.mtu:
            spec["metrics"] = {"mtu": route.mtu}
        return spec


def _address(address: bytes, device: int) -> dict[str, object]:
    version = 4 if len(address) == IPV4_OCTETS else 6
    return {
        "index": device,
        "address": format_address(address),
        "prefixlen": 8 * len(address),
        "family": FAMILIES[version],
    }


def _rules(mark: int, table: int, priority: int) -> Sequence[Mapping[str, object]]:
    """In the order to add them: the last one diverts forwarded packets past the first, to the second."""
    from_elsewhere = {"iifname": "lo", "flags": INVERT}
    return (
        {"priority": priority, "table": table, "fwmark": mark, "fwmask": 0xFFFFFFFF, "flags": INVERT},
        {"priority": priority + 1, "table": table + 1, **from_elsewhere},
        {"priority": priority - 1, "action": "goto", "goto": priority + 1, **from_elsewhere},
    )


@contextmanager
def _refusals(what: str, besides: tuple[int, ...] = ()) -> Iterator[None]:
    """Turn what the kernel refuses into BackendError, except for errors that do not matter here."""
    try:
        yield
    except NetlinkError as error:
        if error.code not in besides:
            raise BackendError(
                f"{what}: {os.strerror(error.code)}",
                cure="It needs the right to administer the network (root, or CAP_NET_ADMIN).",
            ) from error


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _oif(message: Message) -> object:
    several = message.get_attr("RTA_MULTIPATH")
    if isinstance(several, list) and several:
        return several[0]["oif"]
    return message.get_attr("RTA_OIF")


def _destination(message: Message, version: int) -> Network:
    text = message.get_attr("RTA_DST") or ("0.0.0.0" if version == 4 else "::")  # noqa: S104  (a network, no listener)
    return ip_network(f"{text}/{message.get('dst_len')}")


def _own_route(message: Message, version: int, device: int, forwarded: bool) -> OwnRoute:
    destination = str(_destination(message, version))
    if message.get("type") == THROW:
        return OwnRoute(destination, throw=True, forwarded=forwarded)
    metrics = message.get_attr("RTA_METRICS")
    mtu = metrics.get_attr("RTAX_MTU") if metrics is not None and hasattr(metrics, "get_attr") else 0
    source = message.get_attr("RTA_PREFSRC")
    ours = message.get_attr("RTA_OIF") == device
    return OwnRoute(destination, False, str(source or ""), _number(mtu) if ours else -1, forwarded)
