# SPDX-License-Identifier: Apache-2.0
"""What of a new policy is as it was, so that IKE SAs and contracts that were made by it can stay."""

from dataclasses import replace

from ringfence.databases.pad import PadEntry
from ringfence.databases.spd import SpdEntry
from ringfence.net.address import Path


def same_entry(old: SpdEntry, new: SpdEntry | None) -> bool:
    """Whether an entry asks for the same SAs as before, wherever it is written now, and whatever may be clear.

    Nor does how long they may be idle make others of them: each ends by what was said when it was made.
    """
    if new is None or old.processing is None or new.processing is None:
        return new is not None and replace(new, origin=old.origin) == old
    was = old.processing
    processing = replace(new.processing, clear_in=was.clear_in, clear_out=was.clear_out, idle_s=was.idle_s)
    return replace(new, origin=old.origin, processing=processing) == old


def same_peer(old: PadEntry | None, new: PadEntry | None, path: Path) -> bool:
    """Whether the peer of ``path`` authenticates as before; who else does, when it is asked, and how others
    come to TCP is nothing to it.
    """
    if old is None or new is None or not new.serves(path.remote.address, path.local.address):
        return False
    by_tcp = old.tcp if new.tcp is not None or not path.tcp else None
    return replace(new, origin=old.origin, ends=old.ends, dead_peer=old.dead_peer, tcp=by_tcp) == old
