# SPDX-License-Identifier: Apache-2.0
"""How specific an entry is. The most specific one decides, whatever the order in the document (as on Windows).

The weight is a number that compares, the first counting most:
1. tunnels before all else;
2. how many address bits are fixed at both ends together: a host 32 (IPv6: 128), a network its prefix length, ``any`` 0;
   ``me`` counts as the address that it stands for, a network as it is written, though this computer be one address;
3. whether the protocol is fixed;
4. how many bits of this computer's port are fixed: a port 16, a range fewer, any port 0;
5. how many bits of the other's port.

The default response rule has none, and is asked last. Of two entries of equal weight the one decides that lets less
through: block before protect before permit, and what requires protection in more directions before what does in fewer.
Names decide what is still equal, so that order never does. A filter that permits what is secure lets through less than
any rule.
"""

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action, Direction, SpdEntry
from ringfence.net.address import AddressRange, PortRange

PORT = 20
PROTOCOL = 500
ADDRESS = 1_000
TUNNEL = 1_000 * ADDRESS

AT_EQUAL_WEIGHT = (Action.DISCARD, Action.PROTECT, Action.BYPASS)
"""Block wins over protect, and protect over permit."""


def weight(selector: Selector, *, tunnel: bool = False) -> int:
    """The larger, the more specific."""
    return (
        TUNNEL * tunnel
        + ADDRESS * (_address_bits(selector.source) + _address_bits(selector.destination))
        + (PROTOCOL if selector.protocol is not None else 0)
        + PORT * _port_bits(selector.source_ports)
        + _port_bits(selector.destination_ports)
    )


def order(entry: SpdEntry) -> tuple[int, int, int, int, int, str]:
    """What sorts entries so that the one that decides comes first."""
    processing = entry.processing
    last = processing is not None and processing.respond_only
    secure = entry.demand is not None
    requires = 0
    if processing is not None:
        # A rule that is about one direction only does not require protection in the other; a filter of an IPsec policy
        # may be for one direction, and its action still says what it requires in both.
        one_way = entry.directions is Direction.IN and not entry.origin.filter_list
        requires = (not processing.clear_in) + (not processing.clear_out and not one_way)
    return int(last), -entry.weight, AT_EQUAL_WEIGHT.index(entry.action), secure, -requires, entry.name


def _address_bits(addresses: AddressRange) -> int:
    return 8 * len(addresses.first) - (addresses.size - 1).bit_length()


def _port_bits(ports: PortRange) -> int:
    return 16 - (ports.last - ports.first).bit_length()
