# SPDX-License-Identifier: Apache-2.0
"""Packets by SAs that are not there yet: a peer may send by one as soon as it has decided on our quick mode.

The kernel below Libreswan does so before the answer is on the wire, which then takes a key exchange to read. So packets
of an unknown SPI are kept for a moment: until the SA is there, or it is clear that none comes. Strangers can fill this,
and no more than this.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from ringfence.datapath.verdict import Drop, Dropped, Verdict
from ringfence.net.ip import spi_of, view

PATIENCE_S = 0.25
MOST_EARLY = 64
"""Packets that are kept at once."""


class Early:
    """Those that wait, in order."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, int, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def sort_out(self, packets: Sequence[bytes], verdicts: Iterable[Verdict], now: float) -> tuple[list[Verdict], int]:
        """Keep those of ``packets`` that were dropped for an unknown SPI, as far as there is room.

        Returns the verdicts that stay, and the number of those that do not.
        """
        verdicts = list(verdicts)
        unknown = {each.spi for each in verdicts if isinstance(each, Dropped) and each.reason is Drop.UNKNOWN_SPI}
        if not unknown:
            return verdicts, 0
        found = [(spi, packet) for packet in packets if (spi := _spi(packet)) in unknown and spi is not None]
        kept = found[: MOST_EARLY - len(self._waiting)]
        self._waiting += [(now + PATIENCE_S, spi, packet) for spi, packet in kept]
        left = len(kept)
        staying: list[Verdict] = []
        for each in verdicts:
            if left and _is_unknown(each):
                left -= 1
            else:
                staying.append(each)
        return staying, len(kept) - left

    def take(self, spis: Iterable[int]) -> list[bytes]:
        """Those that waited for these SAs."""
        wanted = set(spis)
        found = [packet for _, spi, packet in self._waiting if spi in wanted]
        if found:
            self._waiting = deque(one for one in self._waiting if one[1] not in wanted)
        return found

    def overdue(self, now: float) -> list[bytes]:
        """Those that have waited in vain."""
        found: list[bytes] = []
        while self._waiting and self._waiting[0][0] <= now:
            found.append(self._waiting.popleft()[2])
        return found

    def next_timer(self) -> float | None:
        """When the first one has waited for too long."""
        return self._waiting[0][0] if self._waiting else None


def _is_unknown(one: Verdict) -> bool:
    return isinstance(one, Dropped) and one.reason is Drop.UNKNOWN_SPI


def _spi(packet: bytes) -> int | None:
    parts = view(packet)
    return None if parts is None else spi_of(packet, parts)
