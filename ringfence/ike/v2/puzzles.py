# SPDX-License-Identifier: Apache-2.0
"""Puzzles (RFC 8019): who begins under siege spends time before it gets any of ours.

    initiator                                       responder
    IKE_SA_INIT                                  ->
                                                 <- N(COOKIE), N(PUZZLE: prf, difficulty)
    IKE_SA_INIT { N(COOKIE), PS, … }             ->

Wanted are four keys, each different, for which prf(key, cookie) ends in so many zero bits. To find them takes about
four times two to the power of that many computations, to see that they are right takes four. A client tries no puzzle
that is too hard, and sends the cookie alone then; so do older clients, and the responder serves those at leisure.
"""

from dataclasses import dataclass

from ringfence.crypto.prf import Prf
from ringfence.crypto.suites import HASH, Hash
from ringfence.ike.effects import Solve, Solved
from ringfence.ike.exchange import Exchange, consult
from ringfence.ike.payload import Chain, Payload
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.solution import SolutionPayload

KEYS = 4
KEY_OCTETS = 4
"""Of the keys that we try."""
MOST_KEY_OCTETS = 64
NOTIFY_OCTETS = 3
MOST_BITS = 18
"""Harder puzzles are not tried: this one takes some seconds."""
BY = Hash.SHA256
"""What we demand by."""
PRF_ID: dict[Hash, int] = {name: row.prf_v2 for name, row in HASH.items() if name is not Hash.MD5}


@dataclass(frozen=True, slots=True)
class Puzzle:
    """What a responder wants solved."""

    hash: Hash
    bits: int
    """Zero bits at the end; 0 leaves it to the client, which then does without."""

    def encode(self) -> bytes:
        """As the notify says it (§8.1)."""
        return PRF_ID[self.hash].to_bytes(2) + bytes([self.bits])


def demanded(chain: Chain) -> Puzzle | None:
    """The puzzle in a responder's answer; None for none, and for one that we do not try."""
    said = next((each.data for each in chain.all(NotifyPayload) if each.kind == Notify.PUZZLE), b"")
    name = next((name for name, number in PRF_ID.items() if number.to_bytes(2) == said[:2]), None)
    if len(said) != NOTIFY_OCTETS or name is None or not 0 < said[2] <= MOST_BITS:
        return None
    return Puzzle(name, said[2])


def solve(puzzle: Puzzle, text: bytes) -> bytes:
    """Four keys, one behind the other; the same for the same puzzle."""
    prf, found, number = Prf(puzzle.hash), list[bytes](), 0
    while len(found) < KEYS:
        key = number.to_bytes(KEY_OCTETS)
        if _zeros(prf, key, text, puzzle.bits):
            found.append(key)
        number += 1
    return b"".join(found)


def answered(cookie: bytes, demand: Chain) -> Exchange[tuple[Payload, ...]]:
    """What goes before all else in a first message that is said again: the cookie, and what solves the puzzle."""
    puzzle, back = demanded(demand), NotifyPayload(Notify.COOKIE, cookie)
    if puzzle is None:
        return (back,)
    found = yield from consult(Solve(puzzle.hash, puzzle.bits, cookie))
    return (back, SolutionPayload(found.octets)) if isinstance(found, Solved) else (back,)


def is_solved(puzzle: Puzzle, text: bytes, solution: bytes) -> bool:
    """Whether these are four different keys of one size, each of which does it (§7.1.2)."""
    size, rest = divmod(len(solution), KEYS)
    if rest or not 0 < size <= MOST_KEY_OCTETS:
        return False
    keys = {solution[at : at + size] for at in range(0, len(solution), size)}
    prf = Prf(puzzle.hash)
    return len(keys) == KEYS and all(_zeros(prf, key, text, puzzle.bits) for key in keys)


def _zeros(prf: Prf, key: bytes, text: bytes, bits: int) -> bool:
    return not int.from_bytes(prf.mac(key, text)[-4:]) & ((1 << bits) - 1)
