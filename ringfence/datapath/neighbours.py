# SPDX-License-Identifier: Apache-2.0
"""Several hosts behind one NAT that all talk to us in transport mode (RFC 3948 §5.2).

They have one address, and their contracts one selector; what tells them apart is the port that their NAT gave to each
one's ESP in UDP. So the way in teaches whose a flow is, by its ports or the id of an echo, and its answers go the same
way. Where two of them use the same ports, the later one's are changed on the way in and back on the way out, as a NAT
would, so that this host knows two flows. That needs a contract for any port; with another, whoever came first keeps
the flow, and the other's packets do not come in.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from ringfence.net.address import Endpoint
from ringfence.net.checksum import fix_transport
from ringfence.net.flow import ICMP, TCP, UDP
from ringfence.net.ip import View, view

FIRST_PORT, PORTS = 32768, 32768
"""Given instead of ports that are taken."""
ECHO, ECHO_REPLY = 8, 0
TRIES = 64


class Told(NamedTuple):
    """What tells flows of one pair of addresses apart, seen from us."""

    remote: bytes
    local: bytes
    protocol: int
    port: int
    """The peer's, or the id of its echoes."""
    local_port: int
    """0 for echoes."""


@dataclass(slots=True)
class _Flow:
    client: Endpoint
    """Where its packets come from in UDP."""
    port: int
    """The peer's own."""


class Leaving(NamedTuple):
    """A packet to one of them."""

    packet: bytes
    client: Endpoint
    changed: bool


class Neighbours:
    """Whose the flows are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._flows: OrderedDict[Told, _Flow] = OrderedDict()
        """By the ports that this host sees; what was used last stands last."""
        self._given: dict[tuple[Endpoint, Told], int] = {}
        """What stands for a port that somebody else had."""
        self._next = 0

    def __len__(self) -> int:
        return len(self._flows)

    def arrived(self, client: Endpoint, packet: bytes, *, may_change: bool) -> tuple[bytes | None, bool]:
        """The packet as this host may see it, or None, and whether its flow is new."""
        parts = view(packet)
        told = None if parts is None else _told(packet, parts, inward=True)
        if parts is None or told is None:
            return packet, False
        known = self._flows.get(told)
        if known is None or (known.client == client and known.port == told.port):
            self._keep(told, client, told.port)
            return packet, known is None
        if not may_change:
            return None, False
        given = self._given.get((client, told))
        new = given is None
        if given is None:
            given = self._free(told)
            if given is None:
                return None, False
            self._given[client, told] = given
        self._keep(told._replace(port=given), client, told.port)
        return _with_port(packet, parts, told, given, inward=True), new

    def leaving(self, packet: bytes, parts: View) -> Leaving | None:
        """To whom a packet goes, and as he has to see it; None where nobody is known to have its flow."""
        told = _told(packet, parts, inward=False)
        found = None if told is None else self._flows.get(told)
        if told is None or found is None:
            return None
        self._flows.move_to_end(told)
        if found.port == told.port:
            return Leaving(packet, found.client, changed=False)
        return Leaving(_with_port(packet, parts, told, found.port, inward=False), found.client, changed=True)

    def moved(self, old: Endpoint, new: Endpoint) -> None:
        """A client's NAT has given it another port, perhaps."""
        if old == new:
            return
        for flow in self._flows.values():
            if flow.client == old:
                flow.client = new
        self._given = {(new if who == old else who, told): port for (who, told), port in self._given.items()}

    def keep(self, clients: set[Endpoint]) -> None:
        """Forget all but these clients' flows."""
        for told in [told for told, flow in self._flows.items() if flow.client not in clients]:
            self._forget(told)

    def _keep(self, told: Told, client: Endpoint, port: int) -> None:
        self._flows[told] = _Flow(client, port)
        self._flows.move_to_end(told)
        if len(self._flows) > self._most:
            self._forget(next(iter(self._flows)))

    def _forget(self, told: Told) -> None:
        flow = self._flows.pop(told)
        self._given.pop((flow.client, told._replace(port=flow.port)), None)

    def _free(self, told: Told) -> int | None:
        """A port that nobody has."""
        for _ in range(TRIES):
            self._next = (self._next + 1) % PORTS
            port = FIRST_PORT + self._next
            if told._replace(port=port) not in self._flows:
                return port
        return None


def _told(packet: bytes, parts: View, *, inward: bool) -> Told | None:
    """None for a packet that nothing tells from others, or a fragment."""
    at, protocol = parts.at, parts.protocol
    if parts.is_fragment or len(packet) < at + 8:
        return None
    remote, local = (parts.source, parts.destination) if inward else (parts.destination, parts.source)
    if protocol == ICMP:
        if packet[at] not in (ECHO, ECHO_REPLY):
            return None
        return Told(remote, local, protocol, int.from_bytes(packet[at + 4 : at + 6]), 0)
    if protocol not in (TCP, UDP):
        return None
    source, destination = int.from_bytes(packet[at : at + 2]), int.from_bytes(packet[at + 2 : at + 4])
    return Told(remote, local, protocol, *((source, destination) if inward else (destination, source)))


def _with_port(packet: bytes, parts: View, told: Told, port: int, *, inward: bool) -> bytes:
    """The packet with another port, or id, of the peer."""
    at = parts.at + (4 if told.protocol == ICMP else 0 if inward else 2)
    changed = packet[:at] + port.to_bytes(2) + packet[at + 2 :]
    segment = fix_transport(parts.source, parts.destination, told.protocol, changed[parts.at : parts.whole])
    return changed[: parts.at] + segment + changed[parts.whole :]
