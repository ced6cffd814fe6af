# SPDX-License-Identifier: Apache-2.0
"""A compiled policy in the API's words; the service and ``policy check`` show the same."""

from collections.abc import Iterable

from ringfence.control.messages import Entry
from ringfence.crypto.suites import GROUPS
from ringfence.databases.pad import Auth, Pad
from ringfence.databases.spd import Direction, Spd, SpdEntry
from ringfence.net.address import AddressRange, PortRange, format_address
from ringfence.net.flow import ICMP, ICMPV6, PROTOCOL_NAMES
from ringfence.policy.compile import BUILT_IN
from ringfence.policy.words import asked

DIRECTIONS = {Direction.BOTH: "both", Direction.IN: "in", Direction.OUT: "out"}


def entries(spd: Spd, pad: Pad) -> list[Entry]:
    """Every entry, in the order in which they are asked."""
    return [_entry(entry, pad) for entry in spd]


def _entry(entry: SpdEntry, pad: Pad) -> Entry:
    selector, processing = entry.selector, entry.processing
    peer = pad.named(entry.peer)
    shown = Entry(
        name=entry.name,
        action=entry.action.value,
        direction=DIRECTIONS[entry.directions],
        local=end(selector.source, selector.source_ports, selector.protocol),
        remote=end(selector.destination, selector.destination_ports, selector.protocol),
        protocol=protocol_name(selector.protocol),
        rule=entry.origin.rule,
        origin=str(entry.origin),
        built_in=entry.origin.rule.startswith(BUILT_IN),
        secure="" if entry.demand is None else asked(entry.demand.grants),
    )
    if processing is None:
        return shown
    protection = {
        "mode": processing.mode.value,
        "methods": [str(method) for method in processing.methods],
        "main_mode": [str(proposal) for proposal in peer.proposals] if peer else [],
        "pfs": GROUPS[processing.pfs].word if processing.pfs else "",
        "clear_in": processing.clear_in,
        "clear_out": processing.clear_out,
        "tunnel": _tunnel(processing.tunnel_local, processing.tunnel_remote),
        "auth": _auth(peer.auth if peer else ()),
    }
    return shown.model_copy(update=protection)


def protocol_name(protocol: int | None) -> str:
    """``tcp``; ``any`` for all."""
    return "any" if protocol is None else PROTOCOL_NAMES.get(protocol, str(protocol))


def end(addresses: AddressRange, ports: PortRange, protocol: int | None) -> str:
    """``10.0.0.0/8:80``; all addresses of a family read ``any IPv4`` and ``any IPv6``."""
    everything = addresses == AddressRange.everything(len(addresses.first))
    text = f"any IPv{addresses.version}" if everything else str(addresses)
    if ports.is_any:
        return text
    if protocol in (ICMP, ICMPV6):
        return f"{text} type {ports.first >> 8}"
    if everything:
        return f"{text}, port {ports}"
    return f"[{text}]:{ports}" if addresses.version == 6 else f"{text}:{ports}"


def _tunnel(local: bytes | None, remote: bytes | None) -> str:
    if local is None and remote is None:
        return ""
    return (
        f"{'any' if local is None else format_address(local)} <-> {'any' if remote is None else format_address(remote)}"
    )


def _auth(ways: Iterable[Auth]) -> list[str]:
    return list(map(str, ways))
