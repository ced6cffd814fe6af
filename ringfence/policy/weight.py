# SPDX-License-Identifier: Apache-2.0
"""How specific a selector is. The most specific entry decides, whatever the order in the document (as on Windows).

The weight is a number made of three, the first counting most:
1. how many address bits are fixed at both ends together: a host 32 (IPv6: 128), a network its prefix length, ``any`` 0;
   ``me`` counts as the address that it stands for;
2. whether the protocol is fixed;
3. how many bits of the two ports are fixed: a port 16, a range fewer, any port 0.
"""

from ringfence.databases.selector import Selector
from ringfence.databases.spd import Action
from ringfence.net.address import AddressRange, PortRange

ADDRESS, PROTOCOL = 100, 50

AT_EQUAL_WEIGHT = (Action.DISCARD, Action.PROTECT, Action.BYPASS)
"""Block wins over protect, and protect over permit."""


def weight(selector: Selector) -> int:
    """The larger, the more specific."""
    return (
        ADDRESS * (_address_bits(selector.source) + _address_bits(selector.destination))
        + (PROTOCOL if selector.protocol is not None else 0)
        + _port_bits(selector.source_ports)
        + _port_bits(selector.destination_ports)
    )


def _address_bits(addresses: AddressRange) -> int:
    return 8 * len(addresses.first) - (addresses.size - 1).bit_length()


def _port_bits(ports: PortRange) -> int:
    return 16 - (ports.last - ports.first).bit_length()
