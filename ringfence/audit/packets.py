# SPDX-License-Identifier: Apache-2.0
"""Events of the packet path."""

from dataclasses import dataclass
from typing import ClassVar

from ringfence.audit.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketDropped(Event):
    """The packet path dropped a packet; hosts may merge many of one kind into one event."""

    NAME: ClassVar[str] = "packet-dropped"
    BY_REASON: ClassVar[dict[str, int]] = {
        "bad-integrity": 4960,
        "replayed": 4961,
        "too-old": 4962,
        "clear-but-security-required": 4963,
        "unknown-spi": 4965,
    }
    reason: str
    """``datapath.verdict.Drop``'s value."""
    flow: str
    spi: str
    count: int = 1

    @property
    def windows_id(self) -> int:
        """Windows has a number for each of the driver's reasons."""
        return self.BY_REASON.get(self.reason, 0)

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        return f"dropped {self.flow}: {self.reason}{times}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FellBackToClear(Event):
    """A rule allows clear traffic when there can be no SA, and this happened."""

    NAME: ClassVar[str] = "fallback-to-clear"
    peer: str
    rule: str
    why: str = ""
    """Why there is no SA, as far as it is known."""

    def __str__(self) -> str:
        why = self.why or "no security could be agreed on"
        return f'{self.peer} in clear, as rule "{self.rule}" allows: {why}'
