# SPDX-License-Identifier: Apache-2.0
"""The static half of a policy as an nftables table: what needs no SA to be decided. Pure: a policy in, text out.

The entries become rules in their order, in three chains. ``output`` and ``input`` see what this host sends and
receives, ``forward`` what it routes; an entry is written from this host outward, so what comes in is matched reversed.
Where many entries of one kind follow each other, they become one rule with a set (``grouping``).

- permit: accepted here (other tables may still drop it);
- block: dropped, counted as ``blocked``;
- protect: only by our device. What is sealed leaves with our mark, what was opened comes in from the device; the rest
  would be clear, and is dropped unless the entry allows clear traffic in that direction.

An address may have a home: where a policy has statements for some networks or interfaces only, packets with it come and
go by interfaces where the same statements hold, or are dropped as ``blocked``; sealed ones may take any way.

An address that this host gets later is in no entry yet. Until the policy is compiled anew, what a rule about this host
would require or block for it is dropped: by the policy's guards, the last rules of ``output`` and ``input``.

What others send and somebody translates to an address of this host has chains of its own (``translated``); so have
packet filters, on either side of all these (``packetlists``).

The table stays when the process dies, and the device goes with it: what must be protected is then dropped, what may
be clear flows. That is all there is to failing closed, and it needs nobody alive.

Not subject to an entry, unless it names just that: IKE, ESP and AH themselves and ICMP errors about them, IPv6
neighbour discovery. Not subject to any: the loopback interface. Never required to be protected: multicast and
broadcast, with which nobody negotiates, and DHCP. No connection tracking is used, nor loaded.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from ringfence.backends import answers, connected, translated
from ringfence.backends.base import DEVICE, MARK, TABLE_NAME
from ringfence.backends.grouping import Line, grouped, grouped_pairs
from ringfence.backends.matches import comment, ports_of, some_match
from ringfence.backends.packetlists import packet_chains
from ringfence.databases.spd import Action, Direction, Home, Spd, SpdEntry
from ringfence.datapath.verdict import Drop
from ringfence.net.address import PortRange, format_address
from ringfence.net.flow import AH, ESP, ICMPV6, UDP

REASONS = (Drop.BLOCKED, Drop.CLEAR_BUT_PROTECTION_REQUIRED, Drop.NO_SA, Drop.PACKET_FILTER, Drop.MASQUERADED)
"""Each is a named counter: blocked; clear inward; clear outward past the device; by a packet filter; translated."""

DISCOVERY = (
    "ip6 hoplimit 255 icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }"
)
DISCOVERY_KINDS = PortRange(133 * 256, 137 * 256 + 255)
OWN_PORTS = (PortRange.one(500), PortRange.one(4500))
OWN_IN = (
    "meta l4proto { esp, ah }",
    "frag nexthdr { esp, ah }",
    "udp dport { 500, 4500 }",
    DISCOVERY,
    # ICMP errors that quote a packet of ours: behind 8 octets its protocol, and for UDP its source port
    "icmp type destination-unreachable @th,136,8 { 50, 51 }",
    "icmp type destination-unreachable @th,136,8 17 @th,224,16 { 500, 4500 }",
    "icmpv6 type { destination-unreachable, packet-too-big } @th,112,8 { 50, 51 }",
    "icmpv6 type { destination-unreachable, packet-too-big } @th,112,8 17 @th,384,16 { 500, 4500 }",
)
UNPROTECTED = ("meta l4proto != { esp, ah, udp }", "udp sport != { 500, 4500 }")
"""Packets that are neither sealed nor IKE."""
DHCP_OUT = ("udp sport 68 udp dport 67", "udp sport 546 udp dport 547")
DHCP_IN = ("udp sport 67 udp dport 68", "udp sport 547 udp dport 546")


@dataclass(frozen=True, slots=True)
class Count:
    """What a named counter has counted."""

    packets: int = 0
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the table needs to know besides the policy."""

    device: str = DEVICE
    mark: int = MARK
    broadcasts: tuple[bytes, ...] = ()
    """Directed broadcast addresses of our links."""
    counts: Mapping[str, Count] = field(default_factory=dict)
    """Where the counters go on from."""
    settings: tuple[str, ...] = ()
    """Settings of the host that we changed, ``name=value`` as they were: kept here, for they must outlive us."""
    fresh: bool = True
    """Whether to make the table anew, and not only its rules: what its sets hold, which flows may be answered in
    clear, is lost then."""


def ruleset(spd: Spd, around: Surroundings = Surroundings()) -> str:
    """The input of ``nft -f -`` that replaces our table by the one of this policy, in one transaction."""
    away = "delete" if around.fresh else "flush"
    lines = [f"table inet {TABLE_NAME}", f"{away} table inet {TABLE_NAME}", f"table inet {TABLE_NAME} {{"]
    for reason in REASONS:
        count = around.counts.get(reason.value, Count())
        lines.append(f"\tcounter {reason.value} {{ packets {count.packets} bytes {count.octets} }}")
    lines += [f"\t{one}" for one in (*answers.sets(), *connected.sets(spd.tcp_ports))]
    for name, rules in _chains(spd, around):
        lines += [f"\tchain {name} {{", *(f"\t\t{rule}" for rule in rules), "\t}"]
    return "\n".join([*lines, "}", ""])


def removal() -> str:
    """The input of ``nft -f -`` that leaves no table of ours, whether there was one or not."""
    return f"table inet {TABLE_NAME}\ndelete table inet {TABLE_NAME}\n"


def _chains(spd: Spd, around: Surroundings) -> Iterator[tuple[str, list[str]]]:
    blocked, clear_in, clear_out = (f"counter name {reason.value} drop" for reason in REASONS[:3])
    many = _many(around.broadcasts)
    first = [entry for entry in spd if _is_about_own(entry)]
    rest = [entry for entry in spd if not _is_about_own(entry)]

    def rules(entries: Iterable[SpdEntry], *directions: Direction) -> Iterator[str]:
        lines = _lines(entries, directions, f'"{around.device}"', blocked)
        return (grouped if len(directions) == 1 else grouped_pairs)(lines, some_match, comment)

    yield "settings", [f'counter comment "{setting}"' for setting in around.settings]
    yield "needed-in", [f"{one} accept" for one in (*DHCP_IN, *many)] + [clear_in]
    yield "needed-out", [f"{one} accept" for one in (*DHCP_OUT, *many)] + [clear_out]
    own_in = *OWN_IN, *connected.matches_in(spd.tcp_ports)
    into = ['iifname "lo" accept', *rules(first, Direction.IN), *(f"{one} accept" for one in own_in)]
    into += [f"{one} {blocked}" for one in _strangers(spd.homes, around.device, "iifname", "daddr")]
    yield "input", [_hook("input"), *into, *rules(rest, Direction.IN), *_guards(spd, Direction.IN)]
    out = ['oifname "lo" accept', *rules(first, Direction.OUT), *_notes(rest, around.device)]
    out += connected.out(spd.tcp_ports, around.mark)
    strangers = product(_strangers(spd.homes, around.device, "oifname", "saddr"), UNPROTECTED)
    out += [f"{DISCOVERY} accept"] if spd.homes else []
    out += [f"{one} {which} {blocked}" for one, which in strangers]
    out.append(f"meta mark {around.mark:#x} accept")
    rules_out = (*rules(rest, Direction.OUT), *_guards(spd, Direction.OUT))
    yield "output", [_hook("output"), *out, f"{DISCOVERY} accept", *rules_out]
    yield "forward", [_hook("forward"), *rules(spd, Direction.OUT, Direction.IN)]
    yield from translated.chains(spd, around.device, around.mark, own_in=own_in, open_out=(DISCOVERY,), many=many)
    yield from packet_chains(spd.packet_lists, around.device)


def _strangers(homes: Iterable[Home], device: str, side: str, end: str) -> Iterator[str]:
    """Packets with addresses that are not at home on their interface."""
    for home in homes:
        at = ", ".join(f'"{one}"' for one in ("lo", device, *home.devices))
        for family, octets in (("ip", 4), ("ip6", 16)):
            some = ", ".join(format_address(one) for one in home.addresses if len(one) == octets)
            if some:
                yield f"{side} != {{ {at} }} {family} {end} {{ {some} }}"


def _guards(spd: Spd, direction: Direction) -> Iterator[str]:
    """Behind all entries: what rules about this host mean for its addresses of tomorrow; even our device is closed."""
    where = "needed-out" if direction is Direction.OUT else "needed-in"
    guards = (guard for guard in spd.guards if direction in guard.directions)
    verdicts = {Action.BYPASS: ("accept",)}
    lines = (
        line for guard in guards for line in _line(guard, direction, verdicts.get(guard.action, (f"goto {where}",)))
    )
    return grouped(lines, some_match, comment)


def _hook(name: str) -> str:
    return f"type filter hook {name} priority filter - 10; policy accept;"


def _is_about_own(entry: SpdEntry) -> bool:
    """Whether an entry names nothing but what IPsec itself needs: then it means it, and comes before what is open."""
    selector = entry.selector
    if entry.action is Action.PROTECT:
        return False
    if selector.protocol in (ESP, AH):
        return True
    if selector.protocol == UDP:
        return any(ports in OWN_PORTS for ports in (selector.source_ports, selector.destination_ports))
    return selector.protocol == ICMPV6 and DISCOVERY_KINDS.covers(selector.source_ports)


def _lines(entries: Iterable[SpdEntry], directions: Iterable[Direction], device: str, blocked: str) -> Iterator[Line]:
    for entry in entries:
        for direction in directions:
            if direction in entry.directions:
                yield from _line(entry, direction, tuple(_verdicts(entry, direction, device, blocked)))


def _line(entry: SpdEntry, direction: Direction, verdicts: tuple[str, ...]) -> Iterator[Line]:
    selector = entry.selector if direction is Direction.OUT else entry.selector.reversed()
    if ports_of(selector) is not None:
        yield Line(selector, verdicts, entry.name)


def _verdicts(entry: SpdEntry, direction: Direction, device: str, blocked: str) -> Iterator[str]:
    processing = entry.processing
    past_block = entry.demand is not None and entry.demand.overrides is not None
    if entry.action is Action.DISCARD:
        yield blocked
    elif processing is None:
        yield "accept"
    elif past_block:
        yield from (f"{'oifname' if direction is Direction.OUT else 'iifname'} {device} accept", blocked)
    elif direction is Direction.OUT:
        yield from ("accept",) if processing.clear_out else (f"oifname {device} accept", "goto needed-out")
    elif processing.clear_in:
        yield "accept"
    else:
        yield f"iifname {device} accept"
        if answers.needed(entry):
            yield from answers.accepts(entry)
        yield "goto needed-in"


def _notes(entries: Iterable[SpdEntry], device: str) -> Iterator[str]:
    """What is noted of packets that leave in clear, so that only what answers them comes in."""
    lines = (
        line
        for entry in entries
        if answers.needed(entry) and Direction.OUT in entry.directions
        for line in _line(entry, Direction.OUT, tuple(answers.notes(entry, device)))
    )
    return grouped(lines, some_match, comment)


def _many(broadcasts: Iterable[bytes]) -> tuple[str, ...]:
    directed = ", ".join(["224.0.0.0/4", "255.255.255.255", *sorted(map(format_address, set(broadcasts)))])
    return f"ip daddr {{ {directed} }}", "ip6 daddr ff00::/8"
