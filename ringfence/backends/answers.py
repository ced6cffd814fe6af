# SPDX-License-Identifier: Apache-2.0
"""Clear answers where a rule requires protection inward and only requests it outward. Pure: parts of the table's text.

Whoever falls back to clear wants to be answered, and nothing else: a connection that the peer begins in clear stays
shut out. So each clear packet that leaves by such an entry is noted in sets of nftables, by its addresses, protocol and
ports, and only what answers a noted one may come in. No connection tracking is used: the kernel forgets each note an
hour after the last packet, and we forget all about a peer soon after SAs with it are there.
"""

from collections.abc import Iterable, Iterator

from ringfence.backends.base import TABLE_NAME
from ringfence.backends.grouping import WITH_PORTS
from ringfence.databases.selector import Selector
from ringfence.databases.spd import SpdEntry
from ringfence.net.address import parse_address
from ringfence.net.flow import AH, ESP, ICMP, ICMPV6

SECONDS = 3600
MOST = 65536
FLOWS, PROTOCOLS, PEERS = "clear-flows", "clear-protocols", "clear-peers"
KINDS = {
    FLOWS: " . inet_proto . inet_service . inet_service",
    PROTOCOLS: " . inet_proto",
    PEERS: "",
}
"""The sets, and what they hold besides the addresses of the peer and of this side."""
ANSWERS = {
    4: (
        ICMP,
        "icmp type { echo-reply, destination-unreachable, source-quench, time-exceeded, parameter-problem, "
        "timestamp-reply, info-reply, address-mask-reply }",
    ),
    6: (
        ICMPV6,
        "icmpv6 type { echo-reply, destination-unreachable, packet-too-big, time-exceeded, parameter-problem }",
    ),
}
"""ICMP that begins nothing, by IP version."""

Note = tuple[str, tuple[str | int, ...]]
"""One element of a set of ours: the set's name, and what it holds."""


def needed(entry: SpdEntry) -> bool:
    """Whether an entry allows clear traffic only outward, so that answers need a word of their own."""
    return entry.processing is not None and entry.processing.clear_out and not entry.processing.clear_in


def set_names() -> tuple[str, ...]:
    """All sets."""
    return tuple(f"{kind}-{version}" for kind in KINDS for version in ANSWERS)


def sets() -> Iterator[str]:
    """Their declarations."""
    for kind, more in KINDS.items():
        for version in ANSWERS:
            what = f"ipv{version}_addr . ipv{version}_addr{more}"
            yield f"set {kind}-{version} {{ type {what}; flags dynamic,timeout; timeout {SECONDS}s; size {MOST}; }}"


def notes(entry: SpdEntry, device: str) -> Iterator[str]:
    """What to do, outward, with packets of ``entry``."""
    version = entry.selector.source.version
    ip = _ip(version)
    there = f"{ip} daddr . {ip} saddr"
    ports, clear = ", ".join(map(str, WITH_PORTS)), f'oifname != "{device}" '
    protocol = entry.selector.protocol
    if protocol is None or protocol in WITH_PORTS:
        flow = f"{there} . meta l4proto . th dport . th sport"
        yield f"{clear}meta l4proto {{ {ports} }} update @{FLOWS}-{version} {{ {flow} }}"
    if protocol is None or protocol not in WITH_PORTS:
        other = f"meta l4proto != {{ {ports}, {ESP}, {AH} }}"
        yield f"{clear}{other} update @{PROTOCOLS}-{version} {{ {there} . meta l4proto }}"
    yield f"{clear}meta l4proto != {{ {ESP}, {AH} }} update @{PEERS}-{version} {{ {there} }}"


def accepts(entry: SpdEntry) -> Iterator[str]:
    """What, inward, answers a packet of ``entry``."""
    version = entry.selector.source.version
    number, types = ANSWERS[version]
    ip, ports = _ip(version), ", ".join(map(str, WITH_PORTS))
    here = f"{ip} saddr . {ip} daddr"
    flow = f"{here} . meta l4proto . th sport . th dport @{FLOWS}-{version}"
    yield f"meta l4proto {{ {ports} }} {flow} accept"
    yield f"meta l4proto {number} {here} @{PEERS}-{version} {types} accept"
    others = f"meta l4proto != {{ {ports}, {number} }}"
    yield f"{others} {here} . meta l4proto @{PROTOCOLS}-{version} accept"


def forgetting(found: Iterable[Note], selector: Selector) -> str:
    """The input of ``nft -f -`` that forgets, of the notes found, those of hosts in ``selector`` (from us outward)."""
    return "".join(
        f"delete element inet {TABLE_NAME} {name} {{ {' . '.join(map(str, parts))} }}\n"
        for name, parts in found
        if parse_address(str(parts[0])) in selector.destination and parse_address(str(parts[1])) in selector.source
    )


def _ip(version: int) -> str:
    return "ip" if version == 4 else "ip6"
