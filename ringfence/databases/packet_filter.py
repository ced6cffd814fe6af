# SPDX-License-Identifier: Apache-2.0
"""Stateless packet filters: lists that every packet on an interface has to pass, ESP and IKE as well as what is clear.

They are not part of the security policy database and know nothing of it: they see the packets that are on the wire,
before anything in them is opened and after everything is sealed. A list has one treatment for all that its filters
match and the other for the rest; a packet has to pass every list of its interface and direction.
"""

from dataclasses import dataclass

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, Origin
from ringfence.net.flow import FlowKey


@dataclass(frozen=True, slots=True)
class PacketFit:
    """One filter of a list: from the packet's source to its destination."""

    selector: Selector
    established: bool = False
    """Only TCP that is part of a connection: ACK or RST is set."""


@dataclass(frozen=True, slots=True)
class PacketList:
    """A list as it is on this computer."""

    name: str
    direction: Direction
    origin: Origin
    default: Action = Action.BYPASS
    """What happens to packets that no filter matches: BYPASS or DISCARD; to the others the other thing."""
    fits: tuple[PacketFit, ...] = ()
    interfaces: tuple[str, ...] = ()
    """By name, with a star at the end for all that begin so; empty for all."""
    versions: tuple[int, ...] = (4, 6)
    """The IP versions that it is about."""
    drop_fragments: bool = False

    def is_on(self, interface: str) -> bool:
        """Whether it is about the packets of this interface."""
        return not self.interfaces or any(_means(one, interface) for one in self.interfaces)

    def stops(self, flow: FlowKey, *, established: bool = False) -> bool:
        """Whether it drops a whole packet of ``flow``, from its sender to its receiver."""
        if (4 if len(flow.source) == 4 else 6) not in self.versions:
            return False
        fits = any(flow in one.selector and (established or not one.established) for one in self.fits)
        return fits is (self.default is Action.BYPASS)


def _means(word: str, interface: str) -> bool:
    return interface.startswith(word[:-1]) if word.endswith("*") else interface == word
