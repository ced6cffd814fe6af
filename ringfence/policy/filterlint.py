# SPDX-License-Identifier: Apache-2.0
"""What packet filters take away from the rest of the policy, or from the network below it: for ``lint``."""

from collections.abc import Iterator

from ringfence.databases.spd import Direction, Origin
from ringfence.net.address import parse_address
from ringfence.net.flow import ICMPV6, UDP, FlowKey
from ringfence.policy.compile import Compiled
from ringfence.policy.errors import Finding, Severity
from ringfence.policy.host import HostFacts
from ringfence.policy.passage import OnWire, Passage, on_wire, passage

IKE = 500
NEIGHBOUR_SOLICITATION = 135 * 256
SOMEBODY, SOLICITED = parse_address("fe80::1"), parse_address("ff02::1:ff00:1")


def packet_filter_findings(compiled: Compiled, host: HostFacts) -> Iterator[Finding]:
    """Packet filters that drop what IPsec or IPv6 cannot do without."""
    if not compiled.spd.packet_lists:
        return
    told: dict[tuple[Origin, str], list[str]] = {}
    for entry in compiled.spd:
        processing = entry.processing
        if processing is None:
            continue
        peer = processing.tunnel_remote or entry.selector.destination.first
        own = processing.tunnel_local or next((one for one in host.own if len(one) == len(peer)), None)
        if own is None:
            continue
        flow = FlowKey(own, peer, UDP, IKE, IKE)
        for way in (Direction.OUT, Direction.IN):
            seen = flow if way is Direction.OUT else flow.reversed()
            needed = [("IKE (udp 500)", OnWire(seen))]
            needed += [(one.protocol, one) for one in on_wire(entry, seen, way) if one.protocol]
            for word, packet in needed:
                for stop in _asked(compiled, packet, way, own).stops:
                    words = told.setdefault((stop.list.origin, entry.origin.rule), [])
                    words += [] if word in words else [word]
    for (origin, rule), words in told.items():
        yield _finding(origin, f'drops {" and ".join(words)}, without which "{rule}" can protect nothing',
                       'Let them pass: filters = ["any udp -> any:500", "any udp -> any:4500", "any esp -> any"] in a '
                       'list with default = "block"; packet filters see ESP, not what is in it.')  # fmt: skip
    yield from _without_neighbours(compiled, host)


def _without_neighbours(compiled: Compiled, host: HostFacts) -> Iterator[Finding]:
    flow = FlowKey(SOMEBODY, SOLICITED, ICMPV6, NEIGHBOUR_SOLICITATION, NEIGHBOUR_SOLICITATION)
    six = [one for one in host.own if len(one) == len(SOMEBODY)]
    for way in (Direction.OUT, Direction.IN) if six else ():
        for stop in _asked(compiled, OnWire(flow), way, six[0]).stops[:1]:
            yield _finding(stop.list.origin, "drops neighbour discovery, without which IPv6 finds nobody",
                           'Add "any icmpv6 neighbour-solicitation -> any" and "any icmpv6 neighbour-advertisement '
                           '-> any", or say version = 4.')  # fmt: skip


def _asked(compiled: Compiled, packet: OnWire, way: Direction, own: bytes) -> Passage:
    link = compiled.links.get(own, "")
    return passage(compiled.spd.packet_lists, (packet,), way, (link,) if link else ())


def _finding(origin: Origin, what: str, cure: str) -> Finding:
    subject = f'packet filter "{origin.rule}"'
    return Finding(f"{subject} {what}.", origin.place, subject, cure=cure, severity=Severity.WARNING)
