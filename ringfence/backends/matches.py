# SPDX-License-Identifier: Apache-2.0
"""What a rule of nftables says of the packets that it is about. Pure: selectors in, text out."""

from collections.abc import Iterator

from ringfence.backends.grouping import WITH_PORTS
from ringfence.databases.selector import Selector
from ringfence.net.address import AddressRange, PortRange, format_address
from ringfence.net.flow import ICMP, ICMPV6

COMMENT_OCTETS = 120


def match(selector: Selector) -> str | None:
    """The match of one rule; None when no packet can match."""
    return None if ports_of(selector) is None else some_match(selector)


def some_match(selector: Selector) -> str:
    """The match of one rule for a selector that some packet can have."""
    family = "ip" if selector.source.version == 4 else "ip6"
    parts = [f"meta nfproto {'ipv4' if family == 'ip' else 'ipv6'}"]
    parts += _addresses(f"{family} saddr", selector.source)
    parts += _addresses(f"{family} daddr", selector.destination)
    return " ".join([*parts, *(ports_of(selector) or ())])


def _addresses(field_name: str, addresses: AddressRange) -> Iterator[str]:
    if addresses == AddressRange.everything(len(addresses.first)):
        return
    first, last = format_address(addresses.first), format_address(addresses.last)
    yield f"{field_name} {first}" if addresses.is_host else f"{field_name} {first}-{last}"


def ports_of(selector: Selector) -> list[str] | None:
    """What a rule says of protocol and ports; None when no packet can match."""
    protocol, source, destination = selector.protocol, selector.source_ports, selector.destination_ports
    if protocol in (ICMP, ICMPV6):
        both = source.intersect(destination)
        if both is None:
            return None
        kinds = [] if both.is_any else [f"@th,0,16 {_numbers(both)}"]
        return [f"meta l4proto {protocol}", *kinds]
    wanted = [
        f"th {side} {_numbers(ports)}"
        for side, ports in (("sport", source), ("dport", destination))
        if not ports.is_any
    ]
    if protocol is not None and protocol not in WITH_PORTS and wanted:
        return None
    if protocol is None:
        return [f"meta l4proto {{ {', '.join(map(str, WITH_PORTS))} }}", *wanted] if wanted else []
    return [f"meta l4proto {protocol}", *wanted]


def _numbers(ports: PortRange) -> str:
    return str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"


def comment(name: str) -> str:
    """A name in what a comment of nftables may hold."""
    return "".join(one if one.isprintable() and one not in '"\\' else "_" for one in name)[:COMMENT_OCTETS]
