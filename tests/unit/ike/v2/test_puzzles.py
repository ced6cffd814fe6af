# SPDX-License-Identifier: Apache-2.0
"""Puzzles of RFC 8019: solved and judged by formulas of our own here, too."""

import hmac

import pytest

from ringfence.crypto.suites import Hash
from ringfence.ike.effects import Solve, Solved, Unfit
from ringfence.ike.errors import Reason
from ringfence.ike.exchange import Consult, Stepper
from ringfence.ike.payload import Chain, Decoded
from ringfence.ike.v2.notifies import Notify
from ringfence.ike.v2.payloads import NotifyPayload
from ringfence.ike.v2.puzzles import MOST_BITS, Puzzle, answered, demanded, is_solved, solve
from ringfence.ike.v2.solution import SolutionPayload

TEXT = bytes(range(32))


def zeros(key, text, name="sha256"):
    """Zero bits at the end of the MAC."""
    bits = f"{int.from_bytes(hmac.digest(key, text, name)):b}"
    return len(bits) - len(bits.rstrip("0"))


def chain(data):
    return Chain((Decoded(NotifyPayload(Notify.PUZZLE, data), b""),))


@pytest.mark.parametrize("name", [Hash.SHA256, Hash.SHA384])
def test_what_is_found_are_four_keys_that_do_it(name):
    found = solve(Puzzle(name, 6), TEXT)
    keys = {found[at : at + 4] for at in range(0, len(found), 4)}
    assert len(keys) == 4
    assert all(zeros(key, TEXT, {Hash.SHA256: "sha256", Hash.SHA384: "sha384"}[name]) >= 6 for key in keys)
    assert is_solved(Puzzle(name, 6), TEXT, found)


def by_hand(bits, octets=3):
    """Four keys from another end of the numbers, by the standard library."""
    found, number = [], (1 << 8 * octets) - 1
    while len(found) < 4:
        key = number.to_bytes(octets)
        if zeros(key, TEXT) >= bits:
            found.append(key)
        number -= 1
    return found


@pytest.mark.parametrize("octets", [3, 16, 64])
def test_what_somebody_else_finds_is_right(octets):
    assert is_solved(Puzzle(Hash.SHA256, 7), TEXT, b"".join(by_hand(7, octets)))


def test_what_is_no_solution():
    keys = by_hand(7)
    puzzle, right = Puzzle(Hash.SHA256, 7), b"".join(keys)
    wrong = next(number.to_bytes(3) for number in range(1000) if zeros(number.to_bytes(3), TEXT) < 7)
    for solution in (
        b"", right[:-1], right + b"\0", b"".join([*keys[:3], keys[0]]), b"".join([*keys[:3], wrong]),
        b"".join(by_hand(7, 65)),
    ):  # fmt: skip
        assert not is_solved(puzzle, TEXT, solution)
    assert not is_solved(puzzle, TEXT[1:], right)
    hardest = min(zeros(key, TEXT) for key in keys) + 1
    assert not is_solved(Puzzle(Hash.SHA256, hardest), TEXT, right)


def test_octets_of_the_demand():
    """RFC 8019 §8.1: two octets of the PRF's number (5 is HMAC-SHA2-256), one of the difficulty."""
    assert (Notify.PUZZLE, SolutionPayload.NUMBER) == (16434, 54)
    assert Puzzle(Hash.SHA256, 12).encode() == b"\0\x05\x0c"
    assert demanded(chain(b"\0\x05\x0c")) == Puzzle(Hash.SHA256, 12)
    assert demanded(Chain(())) is None


@pytest.mark.parametrize(
    "data", [b"", b"\0\x05", b"\0\x05\x0c\0", b"\0\x05\0", b"\0\x63\x0c", bytes([0, 5, MOST_BITS + 1])]
)
def test_what_is_too_hard_or_unknown_is_not_tried(data):
    assert demanded(chain(data)) is None
    assert Stepper(answered(b"cookie", chain(data))).step().result == (NotifyPayload(Notify.COOKIE, b"cookie"),)


def test_solving_is_asked_of_the_host():
    role = Stepper(answered(b"cookie", chain(b"\0\x05\x0c")))
    assert role.step() == Consult(Solve(Hash.SHA256, 12, b"cookie"))
    assert role.step(Solved(b"keys")).result == (NotifyPayload(Notify.COOKIE, b"cookie"), SolutionPayload(b"keys"))
    other = Stepper(answered(b"cookie", chain(b"\0\x05\x0c")))
    other.step()
    unfit = Unfit(Reason.NO_PRIVATE_KEY, "nobody does that here")
    assert other.step(unfit).result == (NotifyPayload(Notify.COOKIE, b"cookie"),)
