# SPDX-License-Identifier: Apache-2.0
"""What all IKE SAs of one engine share: policy, contracts, wishes, chance and time."""

from collections.abc import Callable

from ringfence.databases.identity import Identity
from ringfence.databases.pad import Pad, PadEntry
from ringfence.databases.spd import Action, Spd, SpdEntry
from ringfence.ike.assignments import Assignments
from ringfence.ike.children import Children
from ringfence.ike.connections import Connections
from ringfence.ike.exchange import Env
from ringfence.ike.flood import Bucket, CookieJar, HalfOpen
from ringfence.ike.redirects import Redirects
from ringfence.ike.settings import IkeSettings
from ringfence.ike.v2.crash import Tokens
from ringfence.ike.v2.tickets import Tickets
from ringfence.ike.wishes import Anew, Key, Order, Wishes
from ringfence.secret import Secret


class World:
    """The state around IKE SAs."""

    def __init__(
        self, random: Callable[[int], bytes], settings: IkeSettings, crash_secret: Secret | None = None
    ) -> None:
        self.env = Env(random)
        self.settings = settings
        self.spd = Spd()
        self.pad = Pad()
        self.children = Children()
        self.assignments = Assignments()
        self.redirects = Redirects()
        self.tickets = Tickets()
        self.wishes = Wishes()
        self.tokens = Tokens(crash_secret)
        self.anew: list[Anew] = []
        """Reauthentications under way."""
        self.half_open = HalfOpen(settings.flood, random)
        self.connections = Connections(random)
        self.clear_notifies = Bucket(settings.flood.notifies_per_s)
        self.unsolved = Bucket(settings.flood.unsolved_per_s)
        self.jar = CookieJar(random)
        self._orders = 0
        self._tickets = 0

    def next_ticket(self) -> int:
        """A number for a question to the host."""
        self._tickets += 1
        return self._tickets

    def next_order(self) -> Order:
        """A place behind everything that began before."""
        self._orders += 1
        return self._orders, 0

    def order_before(self, order: Order) -> Order:
        """A place just before ``order``, behind all others that were put there."""
        self._orders += 1
        return order[0] - 1, self._orders

    def hand_over(self, ike_id: int, to: int) -> None:
        """Another IKE SA speaks for the contracts of this one, and has what was assigned under it."""
        self.children.move(ike_id, to)
        self.assignments.move(ike_id, to)
        self.tickets.move(ike_id, to)
        for one in self.anew:
            one.old, one.heir = (to if number == ike_id else number for number in (one.old, one.heir))

    def our_nonce(self, key: Key) -> bytes | None:
        """The nonce of a quick mode that we have under way for this, and insist on."""
        wish = self.wishes.get(key)
        return wish.nonce if wish is not None and wish.insists else None

    def only_rule(self, peer: PadEntry) -> str:
        """The rule whose peers authenticate so, where it is one; else empty."""
        rules = {entry.origin.rule for entry in self.spd if entry.peer == peer.name}
        return rules.pop() if len(rules) == 1 else ""

    def protected_with(self, serves: Callable[[PadEntry], bool]) -> tuple[SpdEntry, ...]:
        """What the policy protects, in order, with a peer that has proved what ``serves`` tells."""
        served = {entry.name for entry in self.pad if serves(entry)}
        return tuple(entry for entry in self.spd if entry.action is Action.PROTECT and entry.peer in served)

    def in_use(self, key: Key, peer: Identity) -> int | None:
        """The id of the contract in use for this with that peer: behind one NAT there may be several."""
        records = [each for each in self.children.competing(key) if each.in_use and each.child.peer == peer]
        return records[-1].child.id if records else None
