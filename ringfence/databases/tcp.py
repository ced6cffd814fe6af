# SPDX-License-Identifier: Apache-2.0
"""When IKE and ESP with a peer go through a TCP connection (RFC 9329)."""

from dataclasses import dataclass
from enum import Enum

PORT = 4500
"""Where a responder listens, unless both sides say otherwise (§2)."""


class TcpUse(Enum):
    """How a host that begins comes to TCP; one that answers takes both wherever a rule names TCP at all."""

    FALLBACK = "fallback"
    """After UDP, where nobody answers there."""
    ONLY = "only"
    """At once, and never by UDP."""


@dataclass(frozen=True, slots=True)
class Tcp:
    """How TCP is used with a peer."""

    use: TcpUse = TcpUse.FALLBACK
    port: int = PORT
    """Of whoever answers."""

    @property
    def only(self) -> bool:
        """Whether UDP is out of the question."""
        return self.use is TcpUse.ONLY

    def __str__(self) -> str:
        return self.use.value if self.port == PORT else f"{self.use.value}, port {self.port}"
