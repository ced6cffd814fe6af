# SPDX-License-Identifier: Apache-2.0
"""Would a policy end a connection that is open now? To be asked before it is applied, by whoever applies it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ringfence.databases.spd import Action, Direction, Origin, SpdEntry
from ringfence.net.address import format_address
from ringfence.net.flow import FlowKey
from ringfence.policy.compile import Compiled
from ringfence.policy.explain import Question, deciding, filtered
from ringfence.policy.passage import Stop

SSH = 22


@dataclass(frozen=True, slots=True)
class Ended:
    """An open connection that a policy would end."""

    session: FlowKey
    """From this computer outward."""
    entry: SpdEntry | None
    """That ends it; None when a packet filter does."""
    stop: Stop | None = None
    """The packet filter."""

    @property
    def origin(self) -> Origin:
        """What ends it."""
        if self.stop is not None:
            return self.stop.list.origin
        return Origin("") if self.entry is None else self.entry.origin

    @property
    def blocked(self) -> bool:
        """Whether IPsec would not help."""
        return self.stop is not None or (self.entry is not None and self.entry.action is Action.DISCARD)

    def __str__(self) -> str:
        """``ssh from 10.1.1.7 matches "lab is isolated" (require), and 10.1.1.7 has no security with us``."""
        peer = format_address(self.session.destination)
        what = f"{'ssh' if self.session.source_port == SSH else 'the connection'} from {peer}"
        if self.session.destination_port == SSH:
            what = f"ssh to {peer}"
        matches = f'{what} matches "{self.origin.rule}"'
        if self.blocked:
            return f"{matches} (block)"
        return f"{matches} (require), and {peer} has no security with us"


def ended(compiled: Compiled, sessions: Iterable[FlowKey], secured: Callable[[FlowKey], bool]) -> Iterator[Ended]:
    """Those of ``sessions`` (from this computer outward) that ``compiled`` would end.

    ``secured`` tells whether there is an SA for a flow now: with a peer that has one, there can be one again.
    """
    for session in sessions:
        for entry, way, flow in (
            (deciding(compiled, session, Direction.OUT), Direction.OUT, session),
            (deciding(compiled, session.reversed(), Direction.IN), Direction.IN, session.reversed()),
        ):
            if entry is not None and _ends(entry, way) and not (entry.processing is not None and secured(session)):
                yield Ended(session, entry)
                break
            found = filtered(compiled, Question(flow, way, established=True), entry)
            if found.surely:
                yield Ended(session, entry, found.stops[0])
                break


def _ends(entry: SpdEntry, way: Direction) -> bool:
    """Whether ``entry`` lets no clear packet pass this way."""
    if entry.processing is None:
        return entry.action is Action.DISCARD
    return not (entry.processing.clear_out if way is Direction.OUT else entry.processing.clear_in)
