# SPDX-License-Identifier: Apache-2.0
"""Strangers get little: half-open IKE SAs are limited in all and per address, answers in clear per second.

A half-open SA is one that a peer began and has not yet authenticated itself in. The first message costs us no
Diffie-Hellman; that comes with the third, which proves that its sender receives what we send to its address.
"""

from collections import Counter
from dataclasses import dataclass

from ringfence.ike.errors import Ignored, Reason
from ringfence.net.address import format_address


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """How much strangers may have."""

    half_open: int = 500
    """Half-open SAs of all peers (Windows has this number too)."""
    half_open_per_address: int = 35
    cookies_from: int = 50
    """From so many half-open SAs on, IKEv2 asks for a cookie first."""
    notifies_per_s: float = 100.0
    """Unprotected notifies that we send; after a restart there are many peers to tell that their SAs are gone."""


class HalfOpen:
    """Counts half-open IKE SAs."""

    def __init__(self, limits: FloodLimits) -> None:
        self._limits = limits
        self._by_address: Counter[bytes] = Counter()
        self._total = 0

    def begin(self, address: bytes) -> None:
        """One more from ``address``; raises Ignored beyond the limits."""
        if self._total >= self._limits.half_open:
            raise Ignored(Reason.HALF_OPEN_LIMIT, f"{self._total} negotiations are half open already")
        if self._by_address[address] >= self._limits.half_open_per_address:
            raise Ignored(
                Reason.HALF_OPEN_LIMIT,
                f"{self._by_address[address]} negotiations with {format_address(address)} are half open already",
            )
        self._by_address[address] += 1
        self._total += 1

    def end(self, address: bytes) -> None:
        """One that began is authenticated, or gone."""
        self._total -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def __len__(self) -> int:
        return self._total


class Bucket:
    """Lets something happen so often per second, with bursts of one second's worth."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = per_s
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Whether it may happen once more."""
        self._left = min(self._per_s, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
