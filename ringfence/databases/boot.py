# SPDX-License-Identifier: Apache-2.0
"""What holds from before the network comes up until the service is up, and perhaps again when it has stopped.

Nobody negotiates then, and this computer has no address yet, so the entries here are about any address that it may get.
They say what must not pass: what they require to be protected is shut whatever the mode. The mode is about the rest.
``ask`` is what ``backends.boot`` makes nftables do, for those who want to know before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.net.address import PortRange
from ringfence.net.flow import AH, ESP, ICMPV6, UDP, FlowKey

DISCOVERY = PortRange(133 * 256, 136 * 256 + 255)
DHCP = ((68, 67), (546, 547))
"""Ports of a client and of its servers."""
IKE_PORTS = (500, 4500)


class BootMode(Enum):
    """What happens to traffic that nothing requires to be protected."""

    PERMIT = "permit"
    BLOCK = "block"
    """Only what is exempt passes."""
    STATEFUL = "stateful"
    """What begins here passes, and what answers it."""


class AfterStop(Enum):
    """What a clean stop of the service leaves."""

    OPEN = "open"
    """No trace."""
    BOOT = "boot"
    """What holds before a start."""
    GUARD = "guard"
    """Only what must be protected stays shut."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Traffic that is exempt from the mode, from who begins to who answers; the answers are meant, too."""

    selector: Selector
    inward: bool
    """Whether somebody else begins."""


class Fate(Enum):
    """What happens to a packet."""

    PASSES = "passes"
    ANSWERS = "answers"
    """It passes as an answer to what this computer, or for exempt traffic somebody else, began."""
    DROPPED = "dropped"


class Because(Enum):
    """What decides on it."""

    ENTRY = "entry"
    ALWAYS = "always"
    """Without it there is no address to begin with: DHCP, IPv6 neighbour discovery."""
    WAITS = "waits"
    """IKE and ESP: nobody is there yet to take them."""
    EXEMPT = "exempt"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class Told:
    """What happens to a packet, and because of what."""

    fate: Fate
    because: Because
    entry: SpdEntry | None = None
    """The entry that is about it, if any is."""


@dataclass(frozen=True, slots=True)
class BootSpd:
    """The whole of it."""

    mode: BootMode = BootMode.PERMIT
    after_stop: AfterStop = AfterStop.OPEN
    first: tuple[SpdEntry, ...] = ()
    """Entries about nothing but what always passes, or waits; they are asked before that."""
    entries: tuple[SpdEntry, ...] = ()
    """About what this computer sends and receives, from it outward; the first that matches decides.

    One that protects has no methods: it tells by ``clear_in`` and ``clear_out`` what may pass without.
    """
    forwarded: tuple[SpdEntry, ...] = ()
    """About what it forwards."""
    openings: tuple[Opening, ...] = ()
    translated: bool = False
    """Whether what others send by an address of this computer counts as its own, where it forwards anything at all."""

    @property
    def required(self) -> tuple[SpdEntry, ...]:
        """Those that shut something, each once."""
        return tuple(dict.fromkeys(one for one in (*self.first, *self.entries, *self.forwarded) if shuts(one)))

    def guarding(self) -> "BootSpd":
        """The part that is shut in every mode alone."""
        return BootSpd(
            BootMode.PERMIT, self.after_stop, self.first, self.entries, self.forwarded, translated=self.translated
        )

    def ask(self, flow: FlowKey, direction: Direction) -> Told:
        """What happens to a packet of ``flow``, from its sender to its receiver."""
        outward = flow if direction is Direction.OUT else flow.reversed()
        entry = _first(self.first, outward, direction)
        if entry is None:
            if _always(outward):
                return Told(Fate.PASSES, Because.ALWAYS)
            if direction is Direction.IN and _waits(flow):
                return Told(Fate.DROPPED, Because.WAITS)
            entry = _first(self.entries, outward, direction)
        if entry is not None and direction in required(entry):
            answers = self.mode is BootMode.STATEFUL and takes_answers(entry) and direction is Direction.IN
            return Told(Fate.ANSWERS if answers else Fate.DROPPED, Because.ENTRY, entry)
        return self._by_mode(flow, direction, entry)

    def _by_mode(self, flow: FlowKey, direction: Direction, entry: SpdEntry | None) -> Told:
        inward = direction is Direction.IN
        if self.mode is BootMode.PERMIT or (self.mode is BootMode.STATEFUL and not inward):
            return Told(Fate.PASSES, Because.MODE, entry)
        if any(one.inward is inward and flow in one.selector for one in self.openings):
            return Told(Fate.PASSES, Because.EXEMPT, entry)
        if self.mode is BootMode.STATEFUL:
            return Told(Fate.ANSWERS, Because.MODE, entry)
        if any(one.inward is not inward and flow.reversed() in one.selector for one in self.openings):
            return Told(Fate.ANSWERS, Because.EXEMPT, entry)
        return Told(Fate.DROPPED, Because.MODE, entry)


def required(entry: SpdEntry) -> Direction:
    """The directions in which nothing of an entry passes."""
    if entry.action is Action.DISCARD:
        return entry.directions
    found = Direction(0)
    if entry.processing is not None and not entry.processing.clear_out:
        found |= Direction.OUT
    if entry.processing is not None and not entry.processing.clear_in:
        found |= Direction.IN
    return found & entry.directions


def shuts(entry: SpdEntry) -> bool:
    """Whether anything of it does not pass."""
    return bool(required(entry))


def takes_answers(entry: SpdEntry) -> bool:
    """Whether an entry lets clear packets out, so that what answers them may come in."""
    return entry.processing is not None and entry.processing.clear_out and not entry.processing.clear_in


def _first(entries: Iterable[SpdEntry], outward: FlowKey, direction: Direction) -> SpdEntry | None:
    return next((one for one in entries if direction in one.directions and outward in one.selector), None)


def _always(outward: FlowKey) -> bool:
    if outward.protocol == ICMPV6:
        return outward.source_port is not None and outward.source_port in DISCOVERY
    ports = (outward.source_port, outward.destination_port)
    return outward.protocol == UDP and ports == DHCP[len(outward.source) == 16]


def _waits(flow: FlowKey) -> bool:
    return flow.protocol in (ESP, AH) or (flow.protocol == UDP and flow.destination_port in IKE_PORTS)
