# SPDX-License-Identifier: Apache-2.0
"""What the packet path has to say besides its verdicts: an SA wears out, a path is narrow, traffic went in clear."""

from dataclasses import dataclass

from ringfence.net.address import Path
from ringfence.net.flow import FlowKey


@dataclass(frozen=True, slots=True)
class SoftExpired:
    """A contract reached its soft limit: it is time for a successor. Said once."""

    child_id: int
    why: str
    """``seconds``, ``octets``, ``packets`` or ``sequence numbers``."""


@dataclass(frozen=True, slots=True)
class HardExpired:
    """A contract reached its hard limit, or was idle for too long, and carries nothing any more. Said once."""

    child_id: int
    why: str
    """As above."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Packets went out by a contract, and for as long as it says none came in. Said again if that goes on."""

    child_id: int


@dataclass(frozen=True, slots=True)
class Answered:
    """After that something came in; or for the first time, by one that sends nothing yet."""

    child_id: int


@dataclass(frozen=True, slots=True)
class PeerMoved:
    """An authentic packet came in UDP from another port: the peer's NAT has given it that."""

    child_id: int
    path: Path


@dataclass(frozen=True, slots=True)
class PathMtuLearnt:
    """A router on a contract's path takes no larger packets than these."""

    child_id: int
    mtu: int
    """Of the packets on the wire."""


@dataclass(frozen=True, slots=True)
class FellBack:
    """No SA can be had, the entry allows clear traffic, and so it goes in clear for a while."""

    entry: str
    flow: FlowKey


@dataclass(frozen=True, slots=True)
class SoftSaRenewed:
    """Traffic that fell back goes on in clear for another lifetime; it is time to see whether it still must."""

    entry: str
    flow: FlowKey


PathEvent = SoftExpired | HardExpired | Unanswered | Answered | PeerMoved | PathMtuLearnt | FellBack | SoftSaRenewed
