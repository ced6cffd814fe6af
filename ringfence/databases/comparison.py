# SPDX-License-Identifier: Apache-2.0
"""Two sides that do not agree, set side by side: what one offers, what the other allows, part by part.

Proposals of all versions of IKE, traffic selectors and identities are compared in the same form, so that events and
``ringfence why`` tell of all of them alike. A side has one or several ``Terms``; each names the same parts in the
same order. They agree when one of theirs equals one of ours in every part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

ANY = "any"
"""What a side says of a part that it takes in every form."""
NONE = "none"
"""Likewise of one that it does not have."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One thing that a side would agree to."""

    parts: tuple[tuple[str, str], ...]
    """What it is about, and the word for it: ``("encryption", "aes128")``."""
    word: str = ""
    """All of it as a policy document says it; empty where no document can."""
    weak: bool = False
    """Whether a document can say it only with ``legacy = true``."""

    def get(self, what: str) -> str:
        """The word for one part."""
        return dict(self.parts).get(what, NONE)


Fits = Callable[[str, Terms, Terms], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One part of what both sides say."""

    what: str
    theirs: tuple[str, ...]
    """All that they would take, in their order."""
    ours: tuple[str, ...]
    agree: bool
    """Whether there is something that both would take; other parts may still keep them apart."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Why there is no agreement."""

    subject: str
    """Such as ``main mode proposals``."""
    rows: tuple[Row, ...]
    nearest: tuple[Terms, Terms] | None = None
    """Theirs and ours that differ in the fewest parts."""
    apart: tuple[str, ...] = ()
    """The parts in which even these differ."""

    def __str__(self) -> str:
        """Such as ``encryption: it has aes128, we take aes256``."""
        return "; ".join(
            f"{row.what}: it has {', '.join(row.theirs)}, we take {', '.join(row.ours)}"
            for row in self.rows
            if row.what in self.apart
        )


def compare(subject: str, theirs: Sequence[Terms], ours: Sequence[Terms], *, fits: Fits | None = None) -> Comparison:
    """Both sides, part by part in the order in which they are named first.

    ``fits`` tells whether one of theirs suits one of ours in a part; without it, their words have to be the same. Of
    pairs that differ in equally many parts the nearest is one of ours that is not weak, and of these our first.
    """
    alike = fits or _same
    parts = tuple(dict.fromkeys(what for one in (*ours, *theirs) for what, _ in one.parts))
    rows = tuple(
        Row(what, _words(theirs, what), _words(ours, what), any(alike(what, *pair) for pair in product(theirs, ours)))
        for what in parts
    )
    best: tuple[int, bool, int] | None = None
    nearest, apart = None, tuple(row.what for row in rows if not row.agree)
    for one, (place, other) in product(theirs, enumerate(ours)):
        different = tuple(what for what in parts if not alike(what, one, other))
        rank = len(different), other.weak, place
        if best is None or rank < best:
            best, nearest, apart = rank, (one, other), different
    return Comparison(subject, rows, nearest, apart)


def _words(terms: Sequence[Terms], what: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.get(what) for one in terms))


def _same(what: str, one: Terms, other: Terms) -> bool:
    words = one.get(what), other.get(what)
    return words[0] == words[1] or ANY in words
