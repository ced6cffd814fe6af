# SPDX-License-Identifier: Apache-2.0
"""How long a contract lives: by time, packets and octets, soft and hard (RFC 4301 §4.4.2.1).

The soft limit asks for a successor, once; at the hard limit the contract ends, and so it does when neither direction
has had a packet for its idle time: whoever has something to say then has another one made. Packets and octets are
counted for each direction by itself, as each direction is an SA of its own: its inner packets, before anything is
added. A sender runs out of sequence numbers too, which is a hard limit by nature, and a soft one comes well before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from ringfence.databases.proposal import Limits
from ringfence.datapath.sequence import LAST, LAST_EXTENDED

SECONDS, OCTETS, PACKETS, SEQUENCE = "seconds", "octets", "packets", "sequence numbers"
IDLE = "no traffic"

NEVER = float("inf")

SEQUENCE_SHARE = 15 / 16
"""Of the sequence numbers may be used before a successor is asked for."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one direction as numbers to compare with."""

    seconds: float = NEVER
    packets: float = NEVER
    octets: float = NEVER
    sequence: float = NEVER

    @classmethod
    def of(cls, limits: Limits, sequence: float) -> "Bounds":
        """Those of ``limits``; None is never."""
        return cls(
            NEVER if limits.seconds is None else limits.seconds,
            NEVER if limits.packets is None else limits.packets,
            NEVER if limits.octets is None else limits.octets,
            sequence,
        )

    def reached(self, seconds: float, packets: int, octets: int) -> str | None:
        """Which one is, if any."""
        if packets >= self.sequence:
            return SEQUENCE
        if packets >= self.packets:
            return PACKETS
        if octets >= self.octets:
            return OCTETS
        return SECONDS if seconds >= self.seconds else None


class Meter:
    """One direction of one contract."""

    def __init__(self, soft: Limits, hard: Limits, now: float, *, extended: bool, sends: bool) -> None:
        numbers = LAST_EXTENDED if extended else LAST
        self.soft = Bounds.of(soft, numbers * SEQUENCE_SHARE if sends else NEVER)
        self.hard = Bounds.of(hard, numbers if sends else NEVER)
        self.since = now
        self.last_used: float | None = None
        self.packets = 0
        self.octets = 0
        self._look_packets = min(self.soft.packets, self.hard.packets, self.soft.sequence)
        self._look_octets = min(self.soft.octets, self.hard.octets)

    def go_on(self, other: "Meter") -> None:
        """Go on where ``other`` stood, under limits of one's own."""
        self.since, self.last_used, self.packets, self.octets = (
            other.since, other.last_used, other.packets, other.octets,
        )  # fmt: skip

    def spend(self, packets: int, octets: int, now: float) -> bool:
        """Count these; whether a limit of packets or octets may have been reached."""
        self.packets += packets
        self.octets += octets
        self.last_used = now
        return self.packets >= self._look_packets or self.octets >= self._look_octets

    def fits(self, packets: int, octets: int) -> bool:
        """Whether these are allowed yet, all of them."""
        return self.packets + packets <= self.hard.packets and self.octets + octets <= self.hard.octets

    def fitting(self, lengths: Iterable[int]) -> int:
        """How many of a run of packets are."""
        packets_left, octets_left = self.hard.packets - self.packets, self.hard.octets - self.octets
        return sum(
            number <= packets_left and octets <= octets_left for number, octets in enumerate(accumulate(lengths), 1)
        )

    def soft_reached(self, now: float) -> str | None:
        """Which soft limit is reached, if any."""
        return self.soft.reached(now - self.since, self.packets, self.octets)

    def hard_reached(self, now: float) -> str | None:
        """Which hard limit is reached, if any."""
        return self.hard.reached(now - self.since, self.packets, self.octets)
