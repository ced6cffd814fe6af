# SPDX-License-Identifier: Apache-2.0
"""What a policy would do to conversations that were seen: which stay in clear, are protected, or end.

A conversation is asked about like any packet (``explain.deciding``): its first packet, and the answer where one is
needed. The stricter of both is its fate. Whether a peer can do IPsec, no list of flows tells for sure; but who was seen
to send ESP or AH can, and who answered under a policy that required it, too.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from ringfence.databases.spd import Action, Direction, Origin, SpdEntry
from ringfence.net.address import format_address
from ringfence.net.conversation import Conversation
from ringfence.net.flow import AH, ESP, ICMP, ICMPV6, PROTOCOL_NAMES, FlowKey
from ringfence.policy.compile import Compiled
from ringfence.policy.explain import Question, deciding, filtered
from ringfence.policy.passage import Stop


class Fate(Enum):
    """What becomes of a conversation, the mildest first."""

    PERMIT = "permit"
    """It passes in clear, as it is."""
    REQUEST = "request"
    """It is protected if the peer can do IPsec, and goes in clear otherwise."""
    REQUIRE = "require"
    """It is protected, or does not pass."""
    BLOCK = "block"
    """It does not pass."""


STRICTER = {fate: number for number, fate in enumerate(Fate)}


@dataclass(frozen=True, slots=True)
class Service:
    """What is asked for: a port of somebody's."""

    address: bytes
    protocol: int
    port: int | None
    own: bool
    """Whether it is this computer that answers."""

    def __str__(self) -> str:
        where = format_address(self.address)
        if self.port is None or self.protocol in (ICMP, ICMPV6):
            place = where
        else:
            place = f"[{where}]:{self.port}" if ":" in where else f"{where}:{self.port}"
        name = PROTOCOL_NAMES.get(self.protocol, f"protocol {self.protocol}")
        return f"{place} {name}{' (here)' if self.own else ''}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One conversation under a policy."""

    conversation: Conversation
    direction: Direction
    """Of its first packet."""
    fate: Fate
    entry: SpdEntry | None
    """That makes it so; None when it is permitted because no rule is about it."""
    here: bool
    """Whether this computer is asked."""
    stop: Stop | None = None
    """The packet filter that makes it so."""

    @property
    def peer(self) -> bytes:
        """The other end, seen from this computer; in a tunnel the other gateway."""
        asks = self.conversation.asks
        if self.entry is not None and self.entry.processing is not None and self.entry.processing.tunnel_remote:
            return self.entry.processing.tunnel_remote
        return asks.source if self.direction is Direction.IN else asks.destination

    @property
    def service(self) -> Service:
        """Who is asked."""
        asks = self.conversation.asks
        return Service(asks.destination, asks.protocol, asks.destination_port, self.here)

    @property
    def origin(self) -> Origin | None:
        """The rule, or packet filter, that makes it so."""
        if self.stop is not None:
            return self.stop.list.origin
        return None if self.entry is None else self.entry.origin


@dataclass(frozen=True, slots=True)
class Change:
    """One conversation under two policies."""

    was: Outcome | None
    """Under the policy before; None when nothing is compared, and it passes as it was seen."""
    now: Outcome

    @property
    def passes_today(self) -> bool:
        """Whether it gets through before the change."""
        if self.was is not None and self.was.fate is Fate.BLOCK:
            return False
        return self.now.conversation.passes

    @property
    def lost(self) -> bool:
        """Whether it passes today and would not any more, whatever the peer can do."""
        return self.now.fate is Fate.BLOCK and self.passes_today


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The answer."""

    changes: tuple[Change, ...]
    within: int = 0
    """Conversations of this computer with itself, which no policy is about."""

    @property
    def lost(self) -> tuple[Service, ...]:
        """Services that some conversation would lose, each once."""
        return tuple(dict.fromkeys(change.now.service for change in self.changes if change.lost))

    @property
    def able(self) -> frozenset[bytes]:
        """Peers that can do IPsec with us, as far as the conversations show it."""
        return frozenset(
            change.now.peer
            for change in self.changes
            if change.now.conversation.answered
            and (
                change.now.conversation.asks.protocol in (ESP, AH)
                or (change.was is not None and change.was.fate is Fate.REQUIRE)
            )
        )

    @property
    def unknown(self) -> tuple[bytes, ...]:
        """Peers that would be lost if they cannot do IPsec, of whom nothing shows that they can."""
        needed = {change.now.peer for change in self.changes if change.now.fate is Fate.REQUIRE and change.passes_today}
        return tuple(sorted(needed - self.able, key=lambda address: (len(address), address)))


def whatif(
    new: Compiled, seen: Iterable[Conversation], own: Collection[bytes], *, old: Compiled | None = None
) -> WhatIf:
    """What ``new`` would do to the conversations ``seen`` on a computer with the addresses ``own``."""
    changes, within = [], 0
    for conversation in seen:
        if conversation.asks.source in own and conversation.asks.destination in own:
            within += 1
            continue
        now = outcome(new, conversation, own)
        changes.append(Change(None if old is None else outcome(old, conversation, own), now))
    return WhatIf(tuple(changes), within)


def outcome(compiled: Compiled, conversation: Conversation, own: Collection[bytes]) -> Outcome:
    """What ``compiled`` does to one conversation."""
    asks = conversation.asks
    direction = _direction(compiled, asks, own)
    entry = deciding(compiled, asks, direction)
    fate, stop = _fate(entry, direction), _stop(compiled, Question(asks, direction), entry)
    if conversation.answers is not None:
        back = ~direction & Direction.BOTH
        answering = deciding(compiled, conversation.answers, back)
        stop = stop or _stop(compiled, Question(conversation.answers, back, established=True), answering)
        then = _fate(answering, back)
        # What left in clear by an entry that would rather protect it, may be answered in clear under the same entry.
        let_in = answering is entry and fate is Fate.REQUEST and direction is Direction.OUT
        if STRICTER[then] > STRICTER[fate] and not let_in:
            entry, fate = answering, then
    if stop is not None and fate is not Fate.BLOCK:
        return Outcome(conversation, direction, Fate.BLOCK, entry, asks.destination in own, stop)
    return Outcome(conversation, direction, fate, entry, asks.destination in own)


def _stop(compiled: Compiled, question: Question, entry: SpdEntry | None) -> Stop | None:
    """The packet filter that surely drops a packet."""
    found = filtered(compiled, question, entry)
    return found.stops[0] if found.surely else None


def _direction(compiled: Compiled, asks: FlowKey, own: Collection[bytes]) -> Direction:
    """Of what this computer forwards, the end that a rule has as its own is taken for this one."""
    if asks.source in own:
        return Direction.OUT
    if asks.destination in own or compiled.spd.outbound(asks) is None:
        return Direction.IN
    return Direction.OUT


def _fate(entry: SpdEntry | None, direction: Direction) -> Fate:
    if entry is None or entry.action is Action.BYPASS:
        return Fate.PERMIT
    if entry.processing is None:
        return Fate.BLOCK
    clear = entry.processing.clear_in if direction is Direction.IN else entry.processing.clear_out
    # Whoever only responds lets packets leave in clear until the peer has negotiated.
    return Fate.REQUEST if clear or entry.processing.respond_only else Fate.REQUIRE
