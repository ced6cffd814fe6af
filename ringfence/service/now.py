# SPDX-License-Identifier: Apache-2.0
"""How traffic that a rule protects fares at this moment, in one sentence: by which SA, in clear, or why neither."""

from collections.abc import Callable, Iterable
from datetime import datetime

from ringfence.audit import keying_word
from ringfence.backends.base import SoftTraffic
from ringfence.databases.sa import ChildSa
from ringfence.databases.spd import SpdEntry
from ringfence.net.address import format_address
from ringfence.net.flow import FlowKey


def protected_by(child: ChildSa, keying: str) -> str:
    """The SA in use; ``keying`` is empty for one whose keys were given by hand."""
    address = format_address(child.outbound[-1].destination)
    name = f" as {child.peer}" if child.peer is not None and str(child.peer) != address else ""
    by = f"by {keying_word(keying)} " if keying else ""
    return f"q{child.id}, SPI 0x{child.outbound[0].spi:08x}, {by}with {address}{name}"


def without_sa(
    outward: FlowKey, entry: SpdEntry | None, soft: Iterable[SoftTraffic], date_of: Callable[[float], datetime]
) -> str:
    """``outward`` is the flow seen from us, ``entry`` what the SPD says of it, ``soft`` all that is in clear now."""
    if entry is None or (entry.processing is not None and entry.processing.respond_only):
        return "there is no SA for it; the other side has to begin a negotiation"
    for one in soft:
        if (one.entry, one.flow.source, one.flow.destination) == (entry.name, outward.source, outward.destination):
            since, until = (f"{date_of(moment).astimezone():%H:%M:%S}" for moment in (one.since, one.until))
            return f"in clear since {since}; protection is tried again at the first packet after {until}"
    return "there is no SA for it; the first packet begins a negotiation"
