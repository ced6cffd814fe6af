# SPDX-License-Identifier: Apache-2.0
"""What a peer says of traffic and of itself, set beside what the policy has, in the same form for all versions of IKE.

Proposals are compared where they are read, for each version says them in its own numbers.
"""

from collections.abc import Callable, Iterable

from ringfence.databases.comparison import Comparison, Terms, compare
from ringfence.databases.identity import Identity
from ringfence.databases.selector import Selector
from ringfence.databases.spd import SpdEntry
from ringfence.net.flow import PROTOCOL_NAMES

HERE, THERE, PROTOCOL, PORTS_HERE, PORTS_THERE = (
    "addresses here", "addresses there", "protocol", "ports here", "ports there",
)  # fmt: skip

_COVERS: dict[str, Callable[[Selector, Selector], bool]] = {
    HERE: lambda ours, theirs: ours.source.covers(theirs.source),
    THERE: lambda ours, theirs: ours.destination.covers(theirs.destination),
    PROTOCOL: lambda ours, theirs: ours.protocol in (None, theirs.protocol),
    PORTS_HERE: lambda ours, theirs: ours.source_ports.covers(theirs.source_ports),
    PORTS_THERE: lambda ours, theirs: ours.destination_ports.covers(theirs.destination_ports),
}


def compare_traffic(theirs: Selector, entries: Iterable[SpdEntry]) -> Comparison:
    """What a peer wants protected, from this host outward, beside what the policy protects with it."""
    asked = Terms(_parts(theirs), str(theirs))
    allowed = {Terms(_parts(entry.selector), entry.origin.rule): entry.selector for entry in entries}
    return compare(
        "traffic", [asked], list(allowed), fits=lambda what, _, ours: _COVERS[what](allowed[ours], theirs)
    )  # fmt: skip


def compare_identity(theirs: Identity, wanted: Identity) -> Comparison:
    """Who a peer proved to be, beside whom the policy expects."""
    one, other = (Terms((("identity", str(each)),), str(each)) for each in (theirs, wanted))
    return compare("identity", [one], [other])


def _parts(selector: Selector) -> tuple[tuple[str, str], ...]:
    protocol = selector.protocol
    return (
        (HERE, str(selector.source)),
        (THERE, str(selector.destination)),
        (PROTOCOL, "any" if protocol is None else PROTOCOL_NAMES.get(protocol, str(protocol))),
        (PORTS_HERE, str(selector.source_ports)),
        (PORTS_THERE, str(selector.destination_ports)),
    )
