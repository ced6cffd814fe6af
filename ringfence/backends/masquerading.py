# SPDX-License-Identifier: Apache-2.0
"""Whether this host forwards for others and translates their addresses to its own, as far as it tells.

Rules of nftables (those of iptables-nft among them) are asked of the kernel over netlink, which tells an administrator
only; the older iptables has a list of its tables. Whoever may not ask is told of no translation.
"""

from collections.abc import Mapping
from pathlib import Path
from struct import Struct, error

from ringfence.backends.interfaces import read
from ringfence.backends.nfnetlink import attributes, dump

FORWARDING = ("proc/sys/net/ipv4/ip_forward", "proc/sys/net/ipv6/conf/all/forwarding")
OLD_TABLES = ("proc/self/net/ip_tables_names", "proc/self/net/ip6_tables_names")
GET_CHAIN = 10 << 8 | 4
HOOK_ATTRIBUTE, USE_ATTRIBUTE, TYPE_ATTRIBUTE, NUMBER_ATTRIBUTE = 4, 6, 7, 1
POSTROUTING = 4

_WORD = Struct("!I")


def masquerades(root: Path) -> bool:
    """Whether it does, now."""
    if not any(read(root / one).strip() not in ("", "0") for one in FORWARDING):
        return False
    return any("nat" in read(root / one).split() for one in OLD_TABLES) or _translates()


def _translates() -> bool:
    """Whether nftables has a rule in a chain for the translation of source addresses."""
    try:
        return any(map(translating, dump(GET_CHAIN)))
    except (OSError, error):
        return False


def translating(chain: Mapping[int, bytes]) -> bool:
    """Whether a chain, as the kernel describes it, translates source addresses and has rules; raises struct.error."""
    if chain.get(TYPE_ATTRIBUTE, b"").rstrip(b"\0") != b"nat" or HOOK_ATTRIBUTE not in chain:
        return False
    (number,) = _WORD.unpack(attributes(chain[HOOK_ATTRIBUTE])[NUMBER_ATTRIBUTE])
    (used,) = _WORD.unpack(chain[USE_ATTRIBUTE])
    return bool(number == POSTROUTING and used)
