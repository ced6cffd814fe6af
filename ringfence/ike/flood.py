# SPDX-License-Identifier: Apache-2.0
"""Strangers get little: half-open IKE SAs are bounded in all and per source, and who begins under load has to show that
it receives at its address before anything is kept of it or reckoned for it.

A half-open SA is one that a peer began and has not yet authenticated itself in. Where there are many, ``crowded``, no
first message makes one any more. IKEv2 has cookies for that (RFC 7296 §2.6), IKEv1 what ``v1.firsts`` tells. So whoever
forges addresses only makes us answer. Who really has many of them may fill the table, but never shut others out: when
it is full, the source that has the most of a few random ones loses its oldest.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ringfence.crypto.integrity import same
from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import Hash
from ringfence.ike.errors import Ignored, Reason
from ringfence.net.address import IPV4_OCTETS, format_address

PICKS = 16
"""Half-open SAs among which the one to go is chosen."""
PICK_OCTETS = 4
NETWORK_OCTETS = 8
"""Of an IPv6 address: who has one has its whole network."""
SECRET_S = 60.0
"""How long a secret makes cookies; those of the one before still count."""
SECRET_OCTETS = 32
LEAST_BITS = 8
MOST_BITS = LEAST_BITS + 8
"""Of puzzles: some milliseconds to half a second of a client's time."""
TOLD_S = 60.0
"""A flood that goes on is told so often."""


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """How much strangers may have."""

    half_open: int = 1000
    """Half-open SAs of all peers."""
    half_open_per_source: int = 35
    """Likewise of one address of IPv4, one network of IPv6 (Windows has this number too)."""
    cookies_from: int = 50
    """From so many half-open SAs on, nothing is kept of who has not shown that it receives at its address."""
    puzzles_from: int = 500
    """From so many on, who speaks IKEv2 has to solve a puzzle as well, or waits for one of few places."""
    unsolved_per_s: float = 20.0
    """Of those who do not solve theirs, for not everybody can, so many are served."""
    firsts: int = 20_000
    """First messages of IKEv1 that are remembered meanwhile; at 10,000 a second for two seconds."""
    fresh_per_s: float = 2000.0
    """Offers in them that are read although nobody has gone on with the like."""
    notifies_per_s: float = 100.0
    """Unprotected notifies that we send; after a restart there are many peers to tell that their SAs are gone."""


def source_of(address: bytes) -> bytes:
    """What counts as one source."""
    return address if len(address) == IPV4_OCTETS else address[:NETWORK_OCTETS]


class HalfOpen:
    """Half-open IKE SAs, by their ids."""

    def __init__(self, limits: FloodLimits, random: Callable[[int], bytes]) -> None:
        self._limits = limits
        self._random = random
        self._by_source: Counter[bytes] = Counter()
        self._ids: list[int] = []
        self._places: dict[int, tuple[int, bytes]] = {}
        """Where each is in the list, and its source."""

    def begin(self, ike_id: int, address: bytes) -> int | None:
        """One more from ``address``; the id of the one that has to go for it. Raises Ignored beyond the source's limit.

        Ids are greater the younger they are.
        """
        source = source_of(address)
        if self._by_source[source] >= self._limits.half_open_per_source:
            raise Ignored(
                Reason.HALF_OPEN_LIMIT,
                f"{self._by_source[source]} negotiations with {format_address(address)} are half open already",
            )
        leaves = self._most_crowded() if len(self._ids) >= self._limits.half_open else None
        if leaves is not None:
            self.end(leaves)
        self._by_source[source] += 1
        self._places[ike_id] = len(self._ids), source
        self._ids.append(ike_id)
        return leaves

    def end(self, ike_id: int) -> None:
        """One that began is authenticated, or gone; nothing, if it is known to be so."""
        place, source = self._places.pop(ike_id, (-1, b""))
        if place < 0:
            return
        last = self._ids.pop()
        if last != ike_id:
            self._ids[place] = last
            self._places[last] = place, self._places[last][1]
        self._by_source[source] -= 1
        if not self._by_source[source]:
            del self._by_source[source]

    @property
    def crowded(self) -> bool:
        """Whether there are so many that who begins has to show that it receives at its address."""
        return len(self._ids) >= self._limits.cookies_from

    @property
    def bits(self) -> int:
        """How hard a puzzle is for who begins now: a bit more for each further eighth of all places that is taken."""
        limits, taken = self._limits, len(self._ids)
        if taken < limits.puzzles_from:
            return 0
        return LEAST_BITS + 8 * (taken - limits.puzzles_from) // max(limits.half_open - limits.puzzles_from, 1)

    def __len__(self) -> int:
        return len(self._ids)

    def _most_crowded(self) -> int:
        chance = self._random(PICKS * PICK_OCTETS)
        numbers = (int.from_bytes(chance[at : at + PICK_OCTETS]) for at in range(0, len(chance), PICK_OCTETS))
        picked = {self._ids[number % len(self._ids)] for number in numbers}
        return min(picked, key=lambda each: (-self._by_source[self._places[each][1]], each))


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


class CookieJar:
    """Cookies that we make and know again without remembering them: MACs of what they are for (RFC 7296 §2.6)."""

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._prf = Prf(Hash.SHA256)
        self._new, self._since = b"", 0.0
        self._old = b""

    def bake(self, what: bytes, now: float) -> bytes:
        """The cookie for ``what``, of 32 octets."""
        self._change(now)
        return self._prf.mac(self._new, what)

    def knows(self, cookie: bytes, what: bytes, now: float) -> bool:
        """Whether it is the beginning of one that was made for ``what`` lately; never true of less than 8 octets."""
        self._change(now)
        secrets = (secret for secret in (self._new, self._old) if secret)
        return len(cookie) >= 8 and any(same(cookie, self._prf.mac(each, what)[: len(cookie)]) for each in secrets)

    def _change(self, now: float) -> None:
        age = now - self._since
        if self._new and age <= SECRET_S:
            return
        self._old = self._new if age <= 2 * SECRET_S else b""
        self._new, self._since = self._random(SECRET_OCTETS), now


class Siege:
    """Counts first messages that got an answer and nothing more."""

    def __init__(self) -> None:
        self._told: float | None = None
        self._count = 0

    def count(self, now: float) -> int:
        """One more; how many there were since the last that was told, when it is time to tell again, else 0."""
        self._count += 1
        if self._told is not None and now - self._told < TOLD_S:
            return 0
        self._told, count, self._count = now, self._count, 0
        return count
