# SPDX-License-Identifier: Apache-2.0
"""What a person may set about the service itself; the policy is another matter, and has a document."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from ringfence.control.place import default_socket
from ringfence.service.fallback import Waits

RUNTIME_DIRECTORY = Path("/run/ringfence")


@dataclass(frozen=True, slots=True)
class Settings:
    """How one service runs."""

    socket: Path = field(default_factory=default_socket)
    """Where the API listens."""
    device: str = "rf0"
    """Name of the TUN device."""
    key_log: Path | None = None
    """Directory for the files that let Wireshark decrypt; None: no key leaves the process."""
    state: Path | None = None
    """Directory for what outlives a restart: what holds before the next start of the service; None for none."""
    verbose: bool = False
    """Log each IKE message and each dropped packet, too."""
    events: int = 2000
    """Events kept for those who ask later."""
    waits: Waits = field(default_factory=Waits)
    """How long a packet waits for security that its rule only requests."""
    debounce_s: float = 0.5
    """How long a changed document must rest before it is read."""
    watch_s: float = 1.0
    """How often the document is looked at."""
    stop_s: float = 3.0
    """How long a clean stop may take before it is hurried."""

    def with_socket(self, socket: Path) -> Self:
        """The same with another socket."""
        return replace(self, socket=socket)
