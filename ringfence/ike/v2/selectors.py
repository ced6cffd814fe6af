# SPDX-License-Identifier: Apache-2.0
"""Traffic selectors of IKEv2 and their narrowing (RFC 7296 §2.9, §3.13).

An initiator whose packet waits says that packet first, then all that the policy protects with it. The responder answers
with as much of it as its own policy protects so, and at least that packet. A child SA here has one selector from
addresses to addresses: of several that a peer answers with, the one with the packet counts.
"""

from collections.abc import Iterator, Sequence

from ringfence.databases.selector import Selector
from ringfence.ike.errors import Reason, Refused
from ringfence.ike.v2.payloads import TrafficSelector, TsInitiatorPayload, TsResponderPayload, TsType
from ringfence.net.address import AddressRange, PortRange
from ringfence.net.flow import FlowKey
from ringfence.wire import Reader

MOST_PAIRS = 256
"""Of selectors of both sides that are compared."""

Side = tuple[AddressRange, int | None, PortRange]


def side(addresses: AddressRange, protocol: int | None, ports: PortRange) -> TrafficSelector:
    """One side as IKEv2 says it."""
    kind = TsType.IPV4 if addresses.version == 4 else TsType.IPV6
    body = ports.first.to_bytes(2) + ports.last.to_bytes(2) + addresses.first + addresses.last
    return TrafficSelector(kind, protocol or 0, body)


def said(selectors: Sequence[Selector]) -> tuple[TsInitiatorPayload, TsResponderPayload]:
    """Selectors from the initiator outward, as both payloads."""
    ours = dict.fromkeys(side(each.source, each.protocol, each.source_ports) for each in selectors)
    theirs = dict.fromkeys(side(each.destination, each.protocol, each.destination_ports) for each in selectors)
    return TsInitiatorPayload(tuple(ours)), TsResponderPayload(tuple(theirs))


def with_packet(selector: Selector, flow: FlowKey | None) -> tuple[Selector, ...]:
    """What an initiator asks for: the packet that waits, where there is one in it, and then all."""
    if flow is None or flow not in selector:
        return (selector,)
    return packet(selector, flow), selector


def packet(selector: Selector, flow: FlowKey) -> Selector:
    """The least selector that holds a flow of ``selector``."""

    def one(ports: PortRange, port: int | None) -> PortRange:
        return ports if port is None else PortRange.one(port)

    return Selector(
        AddressRange.host(flow.source),
        AddressRange.host(flow.destination),
        selector.protocol if flow.protocol == 0 else flow.protocol,
        one(selector.source_ports, flow.source_port),
        one(selector.destination_ports, flow.destination_port),
    )


def sides(payload: TsInitiatorPayload | TsResponderPayload) -> Iterator[Side]:
    """Those of a payload that mean something here; what is opaque (first port behind the last) does not."""
    for each in payload.selectors:
        octets = TsType.OCTETS.get(each.kind)
        if octets is None:
            continue
        reader = Reader(each.body)
        first, last = reader.u16(), reader.u16()
        low, high = reader.take(octets), reader.take(octets)
        if first <= last and low <= high:
            yield AddressRange(low, high), each.protocol or None, PortRange(first, last)


def pairs(initiator: TsInitiatorPayload, responder: TsResponderPayload) -> list[Selector]:
    """All that two payloads say together, from the initiator outward, in order; raises Refused for nothing."""
    found: list[Selector] = []
    for source, protocol, source_ports in sides(initiator):
        for destination, other, destination_ports in sides(responder):
            fits = source.version == destination.version and (not protocol or not other or protocol == other)
            if fits and len(found) < MOST_PAIRS:
                found.append(Selector(source, destination, protocol or other, source_ports, destination_ports))
    if not found:
        raise Refused(Reason.WRONG_SELECTORS, "the peer's traffic selectors name nothing that goes together")
    return found


def narrowed(wanted: Sequence[Selector], policy: Selector) -> Selector | None:
    """As much of what is ``wanted`` as ``policy`` is about, with the first of it; None where that is not in it."""
    first = wanted[0].intersect(policy)
    if first is None:
        return None
    common = (each.intersect(policy) for each in wanted)
    return max((each for each in common if each is not None and each.covers(first)), key=size_of)


def size_of(selector: Selector) -> int:
    """How much a selector holds, to compare with others."""
    ports = selector.source_ports, selector.destination_ports
    size = selector.source.size * selector.destination.size * (256 if selector.protocol is None else 1)
    for each in ports:
        size *= each.last - each.first + 1
    return size


def answered(answer: Sequence[Selector], asked: Sequence[Selector]) -> Selector:
    """What a responder grants of what we asked for last, with the packet that we asked for first; raises Refused."""
    inside = [each for each in answer if asked[-1].covers(each)]
    for each in inside:
        if len(asked) == 1 or each.covers(asked[0]):
            return each
    raise Refused(
        Reason.WRONG_SELECTORS,
        f"the peer answers for {'; '.join(map(str, answer[:4]))} where we asked for {asked[0]} in {asked[-1]}",
    )
