# SPDX-License-Identifier: Apache-2.0
"""Where something was written: in which store, in which document of it, and in which line."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a document; ``str()`` is what editors and terminals open."""

    document: str = ""
    """Its name as seen from the store's own document: ``sites/lab.toml``."""
    line: int = 0
    """0 when no line can be named."""
    store: str = ""
    """Empty where there is only one."""

    def __str__(self) -> str:
        return f"{self.document}:{self.line}" if self.line else self.document

    def __bool__(self) -> bool:
        return bool(self.document or self.line)

    def beside(self, other: "Place") -> str:
        """Where it is for somebody who reads at ``other``: ``line 3``, or with its document."""
        return f"line {self.line}" if self.line and self.document == other.document else str(self)

    @property
    def told(self) -> str:
        """With the store, where there are several: ``sites/lab.toml:2 (local store)``."""
        return f"{self} ({self.store} store)" if self.store else str(self)


NOWHERE = Place()
"""Of what nobody wrote."""
