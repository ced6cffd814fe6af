# SPDX-License-Identifier: Apache-2.0
"""Key octets that never show themselves: in no repr, no log, no JSON.

``Secret`` is a wrapper, not a vault: Python cannot promise to wipe memory. What it promises is that a key is only
seen by code that says ``reveal()``, which is easy to find and to review.
"""

import hmac
from typing import Final, NoReturn


class Secret:
    """Octets of a key or password; compared in constant time."""

    __slots__ = ("_octets", "exact")

    def __init__(self, octets: bytes, *, exact: bool = False) -> None:
        """``exact``: it was given as octets, and is no text in some encoding."""
        self._octets: Final = bytes(octets)
        self.exact: Final = exact

    def reveal(self) -> bytes:
        """The octets themselves, for a primitive or a key log that announced itself."""
        return self._octets

    def __len__(self) -> int:
        return len(self._octets)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._octets, other._octets)

    def __hash__(self) -> int:
        return hash((Secret, len(self._octets)))

    def __repr__(self) -> str:
        return f"Secret({len(self._octets)} octets)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere")
