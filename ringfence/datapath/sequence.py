# SPDX-License-Identifier: Apache-2.0
"""The sender's sequence counter (RFC 4303 §2.2, RFC 4302 §2.5).

The first packet of an SA has number 1, and no number is ever used twice: a counter that is used up stops its SA
(§3.3.3), whether or not the receiver looks at the numbers, for IVs are made from them as well.
"""

LAST = 2**32 - 1
"""Of an SA without extended sequence numbers."""
LAST_EXTENDED = 2**64 - 1


class SequenceCounter:
    """Counts the packets that one SA sent."""

    __slots__ = ("_limit", "last")

    def __init__(self, *, extended: bool, last: int = 0) -> None:
        self.last = last
        """The number given out last; 0 before the first."""
        self._limit = LAST_EXTENDED if extended else LAST

    def take(self, count: int) -> range:
        """The next ``count`` numbers, or fewer when the counter ends."""
        first = self.last + 1
        self.last = min(self.last + count, self._limit)
        return range(first, self.last + 1)

    @property
    def left(self) -> int:
        """How many numbers are left."""
        return self._limit - self.last
