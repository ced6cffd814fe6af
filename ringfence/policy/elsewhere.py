# SPDX-License-Identifier: Apache-2.0
"""What holds in other networks than this computer is in, or on other interfaces: it decides nothing here now.

Whoever wonders why a rule does not decide is told so. Nothing of it is in the databases; it is worked out when somebody
asks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ringfence.databases.spd import Direction
from ringfence.net.flow import FlowKey
from ringfence.policy.cubes import Cubes
from ringfence.policy.model import Filter, Rule
from ringfence.policy.scope import EVERYWHERE

Item = Rule | Filter


class Elsewhere:
    """The statements of a policy that do not hold for all of this computer's networks."""

    def __init__(self, items: Iterable[Item] = (), cubes: Cubes | None = None) -> None:
        self._items = [] if cubes is None else [one for one in items if not one.scope.everywhere]
        self._cubes = cubes

    def nowhere(self) -> Iterator[Item]:
        """Those that hold in none of its networks."""
        for item in self._items:
            if self._cubes is not None and not any(one.within(item.scope) for one in self._cubes.situations):
                yield item

    def about(self, outward: FlowKey, direction: Direction) -> Iterator[Item]:
        """Those that would be about a packet, seen from this computer outward, if it were where they hold."""
        for item in self._items:
            if self._cubes is None or self._holds(item, outward.source, self._cubes):
                continue
            anywhere = self._cubes.of(replace(item, scope=EVERYWHERE))
            if any(outward in cube.selector and direction in cube.directions for cube in anywhere):
                yield item

    def _holds(self, item: Item, ours: bytes, cubes: Cubes) -> bool:
        own = cubes.own(item.scope)
        if isinstance(item, Rule) and item.gateways is not None:
            return item.gateways.local in own if item.gateways.local is not None else bool(own)
        return ours in own


EMPTY = Elsewhere()
