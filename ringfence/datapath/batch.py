# SPDX-License-Identifier: Apache-2.0
"""What one call of the packet path works on."""

from dataclasses import dataclass, field
from typing import NamedTuple

from ringfence.datapath.verdict import Verdict
from ringfence.net.address import Endpoint
from ringfence.net.flow import FlowKey
from ringfence.net.ip import View


@dataclass(slots=True)
class Batch:
    """Time and verdicts of one call."""

    now: float
    verdicts: list[Verdict] = field(default_factory=list)


class Subject(NamedTuple):
    """One packet on the long way, and what is known of it."""

    packet: bytes
    parts: View
    flow: FlowKey
    rebuilt: bool = False
    """From fragments, so its sender lets it be cut again."""
    applied: frozenset[str] = frozenset()
    """Entries that protected it already."""
    client: Endpoint | None = None
    """Of several hosts behind one NAT, the one that it is for."""
    changed: bool = False
    """Whether its flow is another here than there."""
