# SPDX-License-Identifier: Apache-2.0
"""The selectors of a statement on one computer: every combination of its addresses and traffic.

Words such as ``me`` become the addresses that they stand for now.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Direction
from ringfence.net.address import AddressRange, PortRange
from ringfence.net.flow import ESP, UDP
from ringfence.policy.exempt import V4, V6
from ringfence.policy.host import HostFacts
from ringfence.policy.model import Address, Filter, HostName, Keyword, Reading, Rule
from ringfence.policy.networks import NO_PROFILES, Profiles, Situation
from ringfence.policy.scope import EVERYWHERE, Scope
from ringfence.policy.traffic import Traffic
from ringfence.policy.weight import PROTOCOL, weight

OTHER_WAY = {Reading.OUT: Reading.IN, Reading.IN: Reading.OUT}
OWN_WORDS = (Keyword.ME, Keyword.LOCAL_SUBNET)
"""What an address that this computer gets changes at once."""
DIRECTION = {Reading.OUT: Direction.OUT, Reading.IN: Direction.IN}


UNICAST = tuple(
    map(
        AddressRange.parse,
        ("0.0.0.0-223.255.255.255", "240.0.0.0-255.255.255.254", "::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    )
)
"""What may be the address of one computer."""


class Cube(NamedTuple):
    """A selector, and the packets of it that are meant."""

    selector: Selector
    directions: Direction
    weight: int
    """That of the words, which may be about more than this computer."""

    def to(self, remote: AddressRange) -> "Cube":
        """The part of it about these others."""
        return self._replace(selector=replace(self.selector, destination=remote))

    def only(self, protocol: int) -> "Cube":
        """The part of it that is of this protocol, which is more specific."""
        more = PROTOCOL if self.selector.protocol is None else 0
        return self._replace(selector=replace(self.selector, protocol=protocol), weight=self.weight + more)

    def protected(self) -> "Iterator[Cube]":
        """The parts of it that others have protected with ESP, and how they agree on that: between ports of IKE."""
        if self.selector.protocol in (None, ESP):
            yield self.only(ESP)
        if self.selector.protocol is None:
            udp = self.only(UDP)
            for port in (500, 4500):
                if port in udp.selector.source_ports and port in udp.selector.destination_ports:
                    ports = PortRange.one(port)
                    yield udp._replace(selector=replace(udp.selector, source_ports=ports, destination_ports=ports))

    def into(self) -> "Cube":
        """What comes in of it."""
        return self._replace(directions=Direction.IN)


class Cubes:
    """Makes them, for one computer."""

    def __init__(
        self, host: HostFacts, profiles: Profiles = NO_PROFILES, *, any_is_own: bool = False, unknown: bool = False
    ) -> None:
        """``any_is_own``: any address counts as this computer's.

        ``unknown``: a word that stands for no address stands for any, and weighs as one.
        """
        self.situations: tuple[Situation, ...] = host.situations(profiles)
        self._host = host
        self._any_is_own = any_is_own
        self._unknown = unknown
        self._own: dict[Scope, tuple[bytes, ...]] = {EVERYWHERE: host.own}
        self._words: dict[Keyword | HostName, list[tuple[AddressRange, AddressRange]]] = {}

    def own(self, scope: Scope) -> tuple[bytes, ...]:
        """The addresses of this computer in ``scope``."""
        found = self._own.get(scope)
        if found is None:
            there = {one for here in self.situations if here.within(scope) for one in here.addresses}
            found = self._own[scope] = tuple(one for one in self._host.own if one in there)
        return found

    def of(self, item: Rule | Filter) -> Iterator[Cube]:
        """Those of a statement."""
        if isinstance(item, Rule):
            yield from self._read(item, Reading.OUT, own=item.gateways is None or item.either_end)
            return
        for reading in (Reading.OUT, Reading.IN):
            if item.direction in (reading, Reading.BOTH):
                yield from self._read(item, reading, own=item.either_end)

    def _read(self, item: Rule | Filter, reading: Reading, *, own: bool) -> Iterator[Cube]:
        ends = [(item.local, item.remote)]
        if item.either_end:
            ends.append((item.remote, item.local))
        for number, (local, remote) in enumerate(ends):
            # At the far end of a rule that is read from its first end, this computer receives what was sent there.
            way = reading if number == 0 else OTHER_WAY[reading]
            directions = _directions(item, way, swapped=number == 1)
            tunnel = isinstance(item, Rule) and item.gateways is not None
            scope = EVERYWHERE if tunnel else item.scope  # of a tunnel, where its end is counts
            here = self._ends(local, own=own, scope=scope)
            for ((mine, said), (theirs, word)), traffic in product(product(here, self._ends(remote)), item.traffic):
                if mine.version == theirs.version and traffic.fits(mine.version):
                    for local_ports, remote_ports in _ports(traffic, way):
                        selector = Selector(mine, theirs, traffic.protocol, local_ports, remote_ports)
                        same = said is mine and word is theirs
                        whole = selector if same else replace(selector, source=said, destination=word)
                        yield Cube(selector, directions, weight(whole, tunnel=tunnel))

    def ranges(self, addresses: Iterable[Address], scope: Scope = EVERYWHERE) -> list[AddressRange]:
        """What the addresses stand for; in a ``scope`` only this computer's own there."""
        return [found for found, _ in self._ends(addresses, scope=scope)]

    def _ends(
        self, addresses: Iterable[Address], *, own: bool = False, scope: Scope = EVERYWHERE
    ) -> list[tuple[AddressRange, AddressRange]]:
        """What the addresses stand for, and the narrowest that was said of each.

        ``own``: only those parts that are this computer's own.
        """
        own = (own or not scope.everywhere) and not self._any_is_own
        found: dict[AddressRange, AddressRange] = {}
        for one in addresses:
            for meant, said in self._meant(one):
                for mine in self._ours(meant, scope) if own else (meant,):
                    before = found.setdefault(mine, said)
                    if said is not before and said.size < before.size:
                        found[mine] = said
        return list(found.items())

    def _ours(self, said: AddressRange, scope: Scope) -> list[AddressRange]:
        addresses = [one for one in self.own(scope) if one in said]
        return [said] if said.is_host and addresses else list(map(AddressRange.host, addresses))

    def unknown(self, item: Rule | Filter) -> list[Address]:
        """The words that stand for no address now."""
        words = [one for one in (*item.local, *item.remote) if isinstance(one, Keyword | HostName)]
        return [one for one in words if one is not Keyword.ME and not self._meant(one)]

    def _meant(self, address: Address) -> list[tuple[AddressRange, AddressRange]]:
        """What an address stands for, and what each of it weighs as."""
        if isinstance(address, AddressRange):
            return [(address, address)]
        found = self._words.get(address)
        if found is None:
            ranges = self._host.meant_by(address)
            if address is Keyword.ANY or (address in OWN_WORDS and self._any_is_own and not self._unknown):
                found = [(V4, V4), (V6, V6)]
            elif self._unknown and not ranges:
                found = [(one, AddressRange.host(one.first)) for one in UNICAST]
            else:
                found = [(one, one) for one in ranges]
            self._words[address] = found
        return found


def _directions(item: Rule | Filter, way: Reading, *, swapped: bool) -> Direction:
    one_way = item.part.one_way
    if one_way is not None:
        return DIRECTION[OTHER_WAY[one_way] if swapped else one_way]
    mirrored = item.mirrored if isinstance(item, Filter) else True
    return Direction.BOTH if mirrored else DIRECTION[way]


def _ports(traffic: Traffic, way: Reading) -> Iterator[tuple[PortRange, PortRange]]:
    """Ports at this end and at the other."""
    return traffic.outward() if way is Reading.OUT else traffic.inward()
