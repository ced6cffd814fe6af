# SPDX-License-Identifier: Apache-2.0
"""Whether this host forwards for others and translates their addresses to its own, as far as it tells.

Rules of nftables (those of iptables-nft among them) are asked of the kernel over netlink, which tells an administrator
only; the older iptables has a list of its tables. Whoever may not ask is told of no translation.
"""

import socket
from pathlib import Path
from struct import Struct, error

from ringfence.backends.interfaces import read
from ringfence.backends.nft import DONE, ERROR, NETLINK_NETFILTER, REQUEST_DUMP, attributes_of, messages_in

FORWARDING = ("proc/sys/net/ipv4/ip_forward", "proc/sys/net/ipv6/conf/all/forwarding")
OLD_TABLES = ("proc/self/net/ip_tables_names", "proc/self/net/ip6_tables_names")
GET_CHAIN = 10 << 8 | 4
HOOK_ATTRIBUTE, USE_ATTRIBUTE, TYPE_ATTRIBUTE, NUMBER_ATTRIBUTE = 4, 6, 7, 1
POSTROUTING = 4

_MESSAGE, _FAMILY, _WORD = Struct("=IHHII"), Struct("=BBH"), Struct("!I")


def masquerades(root: Path) -> bool:
    """Whether it does, now."""
    if not any(read(root / one).strip() not in ("", "0") for one in FORWARDING):
        return False
    return any("nat" in read(root / one).split() for one in OLD_TABLES) or _translates()


def _translates() -> bool:
    """Whether nftables has a rule in a chain for the translation of source addresses."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER) as channel:
            channel.settimeout(2)
            channel.send(_MESSAGE.pack(_MESSAGE.size + _FAMILY.size, GET_CHAIN, REQUEST_DUMP, 1, 0) + bytes(4))
            while True:
                for kind, content in messages_in(channel.recv(1 << 16)):
                    if kind in (DONE, ERROR):
                        return False
                    if translating(content[_FAMILY.size :]):
                        return True
    except (OSError, error):
        return False


def translating(octets: bytes) -> bool:
    """Whether a chain, as the kernel describes it, translates source addresses and has rules; raises struct.error."""
    parts = attributes_of(octets)
    if parts.get(TYPE_ATTRIBUTE, b"").rstrip(b"\0") != b"nat" or HOOK_ATTRIBUTE not in parts:
        return False
    (number,) = _WORD.unpack(attributes_of(parts[HOOK_ATTRIBUTE])[NUMBER_ATTRIBUTE])
    (used,) = _WORD.unpack(parts[USE_ATTRIBUTE])
    return bool(number == POSTROUTING and used)
