# SPDX-License-Identifier: Apache-2.0
"""nftables as a program: hand it a transaction, read back our counters and what we noted there.

The text comes from ``backends.filter``. Counters are read over netlink, not by the program, for statistics are asked
for from within the event loop.
"""

import asyncio
import errno
import json
import os
import shutil
from struct import Struct

from ringfence.backends.answers import Note, set_names
from ringfence.backends.base import BOOT_TABLE_NAME, TABLE_NAME, BackendError
from ringfence.backends.filter import Count
from ringfence.backends.nfnetlink import attribute, attributes, dump

INET = 1
GET_OBJECT = 10 << 8 | 19
TABLE_ATTRIBUTE, NAME_ATTRIBUTE, DATA_ATTRIBUTE, TYPE_ATTRIBUTE = 1, 2, 4, 3
COUNTER_OCTETS, COUNTER_PACKETS = 1, 2
COUNTER_TYPE = 1

_LONG = Struct("!Q")
_WORD = Struct("!I")


async def run(text: str) -> None:
    """Carry out a transaction; raises BackendError with what nft says, and then nothing was changed."""
    status, _, complaint = await _nft("-f", "-", text=text)
    if not status:
        return
    cure = "It needs the right to administer the network, and a kernel with nf_tables."
    if os.strerror(errno.EMSGSIZE) in complaint:
        cure = (
            "In a user namespace the kernel takes no more at once than net.core.wmem_max of the whole machine allows."
        )
    raise BackendError(f"nftables refused our table: {complaint.strip() or f'status {status}'}", cure=cure)


async def settings() -> tuple[str, ...]:
    """What a predecessor noted in our table as the host's settings before us; empty when there is no table."""
    status, out, _ = await _nft("-j", "list", "chain", "inet", TABLE_NAME, "settings")
    if status:
        return ()
    rules = (one.get("rule", {}) for one in json.loads(out)["nftables"])
    return tuple(rule["comment"] for rule in rules if "comment" in rule)


async def has_boot_table() -> bool:
    """Whether something holds until the service is up."""
    status, _, _ = await _nft("list", "table", "inet", BOOT_TABLE_NAME)
    return status == 0


async def notes() -> tuple[Note, ...]:
    """What the sets of our table hold."""
    found: list[Note] = []
    for name in set_names():
        status, out, _ = await _nft("-j", "list", "set", "inet", TABLE_NAME, name)
        for one in () if status else json.loads(out)["nftables"]:
            elements = one.get("set", {}).get("elem", ())
            found += [(name, tuple(element["elem"]["val"]["concat"])) for element in elements]
    return tuple(found)


def counts() -> dict[str, Count]:
    """Our named counters; empty when there is no table, or no telling."""
    try:
        return _counts()
    except OSError:
        return {}


def _counts() -> dict[str, Count]:
    found: dict[str, Count] = {}
    for parts in dump(GET_OBJECT, family=INET, body=attribute(TABLE_ATTRIBUTE, TABLE_NAME.encode() + b"\0")):
        found.update(_counter(parts))
    return found


def _counter(parts: dict[int, bytes]) -> dict[str, Count]:
    if TYPE_ATTRIBUTE not in parts or _WORD.unpack(parts[TYPE_ATTRIBUTE])[0] != COUNTER_TYPE:
        return {}
    data = attributes(parts[DATA_ATTRIBUTE])
    packets, amount = (_LONG.unpack(data[kind])[0] for kind in (COUNTER_PACKETS, COUNTER_OCTETS))
    return {parts[NAME_ATTRIBUTE].rstrip(b"\0").decode(): Count(packets, amount)}


async def _nft(*arguments: str, text: str = "") -> tuple[int, str, str]:
    program = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
    if program is None:
        raise BackendError("the program nft is missing", cure="Install it: apt install nftables")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program, *arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    out, complaint = await process.communicate(text.encode())
    return process.returncode or 0, out.decode(errors="replace"), complaint.decode(errors="replace")
