# SPDX-License-Identifier: Apache-2.0
"""The receiver's anti-replay window (RFC 4303 §3.4.3, appendix A; RFC 4302 likewise).

A window of W holds the number of the newest good packet, the top, and for each of the W numbers up to it whether it
came. A packet is looked up before its ICV is computed and entered after the ICV proved right, so a forged packet
never moves the window.

What came is kept as a ring of W numbers: the cell ``number % W`` holds the last number entered there. A stale cell
holds a number too small to be asked for again, so nothing is ever cleared or shifted, and a jump costs as much as a
step.

With extended sequence numbers a packet carries the low half of its number only. The high half is the one that puts the
packet nearest to the window (§A2.2): above its lower edge, in this subspace of 2^32 numbers or one of its neighbours.
The ICV, which covers both halves, shows whether the guess was right. After a loss of 2^32 packets and more, every
guess is wrong and every packet fails. For that (§A3) the window counts ICV failures in a row: at each
``RESYNC_FAILURES``-th one, and only then, ``resync`` gives the next ``RESYNC_REACH`` subspaces to try. A forger can
thus cause a sixteenth more work and no harm, and a receiver that fell behind recovers within 64 packets. Packets of
the past are never tried.
"""

from ringfence.datapath.sequence import LAST_EXTENDED
from ringfence.datapath.verdict import Drop

LEAST, MOST = 32, 4096
"""Sizes that a window may have."""

SUBSPACE = 2**32
RESYNC_FAILURES = 64
RESYNC_REACH = 4


class ReplayWindow:
    """What came on one SA; the numbers are whole ones, of 64 bits with extended sequence numbers."""

    __slots__ = ("_failures", "_span", "cells", "size", "top")

    def __init__(self, size: int, *, top: int = 0) -> None:
        """A window of ``size`` numbers, or 0 to accept a number any number of times; raises ValueError."""
        if size and not LEAST <= size <= MOST:
            raise ValueError(f"a replay window has {LEAST} to {MOST} places, or 0 for none, not {size}")
        self.size = size
        self._span = size or LEAST
        """How far below the top a late packet's number is looked for, with and without anti-replay."""
        self.cells = [0] * size
        """The ring; the packet path enters new numbers itself where a call would cost too much."""
        self._failures = 0
        self.top = top
        """The greatest number accepted; 0 before the first."""

    def locate(self, low: int) -> int:
        """The whole number of a packet that carries its low half; out of range when there is none (§A2.2)."""
        bottom = self.top - self._span + 1
        return bottom + (low - bottom) % SUBSPACE

    def check(self, number: int) -> Drop | None:
        """Whether a packet of this number may still be accepted: None, or why not."""
        if not self.size:
            return None if 0 <= number <= LAST_EXTENDED else Drop.TOO_OLD
        if number <= self.top - self.size or not 0 < number <= LAST_EXTENDED:
            return Drop.TOO_OLD
        return Drop.REPLAYED if self.cells[number % self.size] == number else None

    def accept(self, number: int) -> None:
        """Enter a packet whose ICV was right."""
        if self.size:
            self.cells[number % self.size] = number
        if number > self.top:
            self.top = number
        self._failures = 0

    def resync(self, number: int) -> range:
        """Numbers to try for a packet whose ICV was wrong for ``number``; empty but for every 64th in a row."""
        self._failures += 1
        if self._failures % RESYNC_FAILURES:
            return range(0)
        return range(number + SUBSPACE, min(number + RESYNC_REACH * SUBSPACE, LAST_EXTENDED) + 1, SUBSPACE)

    def seen(self) -> int:
        """The window as RFC 4303 draws it: bit 0 is the top, bit n the number n below it."""
        held = set(self.cells)
        return sum(1 << back for back in range(self.size) if self.top - back > 0 and self.top - back in held)
