# SPDX-License-Identifier: Apache-2.0
"""Packet filters as chains of nftables. Pure: lists in, text out.

They stand where a packet is as it is on the wire: what arrives is seen first of all, before fragments are put together
and addresses translated; what leaves is seen last of all, sealed and translated. So they see ESP, not what is in it.
Our own device is no wire, and the loopback interface is nobody's.

A list is a chain that drops or lets return; who returns goes on to the next list. A fragment that is not the first has
no ports to look at, and its connection was judged by the first: filters with ports neither drop it nor keep it out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ringfence.backends.grouping import WITH_PORTS, Line, grouped
from ringfence.backends.matches import comment, ports_of, some_match
from ringfence.databases.packet_filter import PacketFit, PacketList
from ringfence.databases.spd import Action, Direction
from ringfence.datapath.verdict import Drop
from ringfence.net.address import ANY_PORT
from ringfence.net.flow import ICMP, ICMPV6

HOOKS = {
    Direction.IN: ("packets-in", "prerouting priority -450", "iifname"),
    Direction.OUT: ("packets-out", "postrouting priority 300", "oifname"),
}
"""Before connection tracking puts fragments together (-400); behind the translation of addresses (100)."""
DROP = f"counter name {Drop.PACKET_FILTER.value} drop"
FRAGMENTS = ("ip frag-off & 0x3fff != 0", "exthdr frag exists")
LATER_FRAGMENTS = {4: "ip frag-off & 0x1fff != 0", 6: "frag frag-off != 0"}
ESTABLISHED = "tcp flags & (ack | rst) != 0x0"


def packet_chains(lists: Sequence[PacketList], device: str) -> Iterator[tuple[str, list[str]]]:
    """The chains of all lists, each before one that jumps to it."""
    for direction, (name, hook, field_name) in HOOKS.items():
        here = [one for one in lists if one.direction is direction]
        if not here:
            continue
        for number, one in enumerate(here):
            yield f"{name}-{number}", [*_list(one)]
        jumps = [f"{field_name} {{ lo, {device} }} accept"]
        for number, one in enumerate(here):
            where = [f'{field_name} "{word}" ' for word in one.interfaces] or [""]
            jumps += [f"{each}jump {name}-{number}" for each in where]
        yield name, [f"type filter hook {hook}; policy accept;", *jumps]


def _list(one: PacketList) -> Iterator[str]:
    if len(one.versions) == 1:
        yield f"meta nfproto ipv{6 if 4 in one.versions else 4} return"
    told = f'comment "{comment(one.name)}"'
    if one.drop_fragments:
        yield from (f"{each} {DROP} {told}" for each in FRAGMENTS)
    permits = one.default is Action.BYPASS
    verdict = DROP if permits else "return"
    fits = [fit for fit in one.fits if ports_of(fit.selector) is not None]
    lines = (Line(fit.selector, (verdict,), one.name) for fit in fits if not fit.established)
    yield from grouped(lines, some_match, comment)
    for fit in fits:
        if fit.established:
            yield f"{some_match(fit.selector)} {ESTABLISHED} {verdict} {told}"
    if not permits:
        yield from dict.fromkeys(f"{each} return {told}" for fit in fits for each in _later(fit))
        yield f"{DROP} {told}"


def _later(fit: PacketFit) -> Iterator[str]:
    """The later fragments of what a filter with ports lets pass."""
    selector = fit.selector
    if selector.protocol not in (None, ICMP, ICMPV6, *WITH_PORTS):
        return
    if fit.established or not (selector.source_ports.is_any and selector.destination_ports.is_any):
        anywhere = replace(selector, source_ports=ANY_PORT, destination_ports=ANY_PORT)
        yield f"{some_match(anywhere)} {LATER_FRAGMENTS[selector.source.version]}"
