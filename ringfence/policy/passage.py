# SPDX-License-Identifier: Apache-2.0
"""Whether packet filters let through what the rest of the policy lets through.

A packet filter sees a packet as it is on the wire. Of a flow that is protected that is ESP or AH between the ends of
the SA; of one that is clear, or may be, the flow itself. What a policy cannot know is the interface: an answer is sure
where every interface that the packet may be on gives the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.databases.packet_filter import PacketList
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.net.flow import FlowKey

ANY_OTHER = ""
"""An interface that no list names."""


@dataclass(frozen=True, slots=True)
class OnWire:
    """A packet of a flow as packet filters see it."""

    flow: FlowKey
    established: bool = False
    """TCP that is not the first packet of a connection."""
    protocol: str = ""
    """``ESP`` or ``AH``, where the flow is in one; empty for the flow itself."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A packet filter that drops a packet."""

    list: PacketList
    interface: str
    packet: OnWire

    def __str__(self) -> str:
        return f'packet filter "{self.list.name}" {self.list.origin.place.told}'.rstrip()


@dataclass(frozen=True, slots=True)
class Passage:
    """The answer for one flow."""

    stops: tuple[Stop, ...] = ()
    """By interface and by form of the packet, those that are dropped."""
    surely: bool = False
    """Whether it is dropped whatever its interface and form are."""

    def lines(self) -> Iterator[tuple[str, str]]:
        """For people: a word and a sentence, where not all passes."""
        told: dict[tuple[str, str], list[str]] = {}
        for one in self.stops:
            told.setdefault((str(one), one.packet.protocol), []).append(one.interface)
        for (who, protocol), interfaces in told.items():
            what = f"its {protocol} is" if protocol else "it is" if self.surely else "in clear it is"
            yield ("blocked" if self.surely else "but"), f"{what} dropped{_where(interfaces)} by {who}"


PASSES = Passage()


def _where(interfaces: list[str]) -> str:
    named = [f"on {one}" for one in interfaces if one != ANY_OTHER]
    if ANY_OTHER not in interfaces:
        return f" {' and '.join(named)}"
    return "" if not named else " on every interface"


def passage(
    lists: tuple[PacketList, ...], packets: tuple[OnWire, ...], direction: Direction, interfaces: tuple[str, ...] = ()
) -> Passage:
    """What ``lists`` do with a packet in any of these forms, on any of ``interfaces`` (empty: whatever it be)."""
    here = [one for one in lists if one.direction is direction]
    if not here or not packets:
        return PASSES
    places = interfaces or _places(here)
    stops: list[Stop] = []
    passes = False
    for place in places:
        for packet in packets:
            stop = _stop(here, packet, place)
            passes = passes or stop is None
            stops += [] if stop is None else [stop]
    return Passage(tuple(stops), not passes)


def _places(lists: list[PacketList]) -> tuple[str, ...]:
    """One interface of each kind that the lists tell apart."""
    return (*dict.fromkeys(name for one in lists for name in one.interfaces), ANY_OTHER)


def _stop(lists: list[PacketList], packet: OnWire, interface: str) -> Stop | None:
    for one in lists:
        if one.is_on(interface) and one.stops(packet.flow, established=packet.established):
            return Stop(one, interface, packet)
    return None


def on_wire(
    entry: SpdEntry | None, flow: FlowKey, direction: Direction, *, established: bool = False
) -> tuple[OnWire, ...]:
    """The forms that a packet of ``flow`` may have on the wire under ``entry``; none where it does not get there."""
    clear = OnWire(flow, established)
    if entry is None or entry.action is Action.BYPASS:
        return (clear,)
    processing = entry.processing
    if processing is None:
        return ()
    outward = flow if direction is Direction.OUT else flow.reversed()
    ends = processing.tunnel_local or outward.source, processing.tunnel_remote or outward.destination
    if direction is Direction.IN:
        ends = ends[1], ends[0]
    # The outermost protocol is the last of a method's transforms.
    protocols = dict.fromkeys(method.transforms[-1].protocol for method in processing.methods)
    sealed = tuple(
        OnWire(FlowKey(*ends, protocol.value, None, None), protocol=protocol.name.upper()) for protocol in protocols
    )
    may_be_clear = (
        processing.clear_out or processing.respond_only if direction is Direction.OUT else processing.clear_in
    )
    return (*sealed, clear) if may_be_clear else sealed
