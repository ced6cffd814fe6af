# SPDX-License-Identifier: Apache-2.0
"""ESP in UDP, to pass through NAT (RFC 3948).

On port 4500 three things share the datagrams: IKE messages behind four zero octets (the non-ESP marker, which no SPI
is), ESP packets, and keepalives of one octet. A datagram's own IP header is the host's; what we see is its payload
and the path.

In transport mode a NAT changes addresses that the TCP or UDP checksum inside covers. The ICV has already vouched for
every octet, so the checksum is made anew (§3.1.2).
"""

from ringfence.net.address import Path
from ringfence.net.checksum import fix_transport
from ringfence.net.flow import ICMPV6, TCP, UDP
from ringfence.net.ip import build

PORT = 4500
MARKER = bytes(4)
"""Before an IKE message (§2.2)."""
KEEPALIVE = b"\xff"
UDP_OCTETS = 8


def is_ike(datagram: bytes) -> bool:
    """Whether a datagram on port 4500 is an IKE message, its marker in front."""
    return datagram[:4] == MARKER


def transport_packet(path: Path, protocol: int, payload: bytes) -> bytes:
    """The IP packet that came in transport mode by ``path``, its checksum right for the addresses we see."""
    source, destination = path.remote.address, path.local.address
    if protocol in (TCP, UDP, ICMPV6):
        payload = fix_transport(source, destination, protocol, payload)
    return build(source, destination, protocol, payload)


class Keepalives:
    """When a path was last used, so that NATs on it do not forget us (§4)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[Path, float] = {}

    def watch(self, path: Path, now: float) -> None:
        """Keep ``path`` alive from now on."""
        self._due.setdefault(path, now + self._seconds)

    def sent(self, path: Path, now: float) -> None:
        """Something went out on it."""
        if path in self._due:
            self._due[path] = now + self._seconds

    def keep(self, paths: set[Path]) -> None:
        """Forget all but these."""
        self._due = {path: due for path, due in self._due.items() if path in paths}

    def due(self, now: float) -> list[Path]:
        """Paths that want a keepalive now; they count as used."""
        paths = [path for path, due in self._due.items() if due <= now]
        for path in paths:
            self._due[path] = now + self._seconds
        return paths

    def next_timer(self) -> float | None:
        """When the next keepalive is due."""
        return min(self._due.values(), default=None)
