# SPDX-License-Identifier: Apache-2.0
"""What of a new policy is as it was, so that IKE SAs and contracts that were made by it can stay."""

from collections.abc import Callable
from dataclasses import replace

from ringfence.databases.pad import Pad, PadEntry
from ringfence.databases.spd import Spd, SpdEntry
from ringfence.net.address import Path


def same_entry(old: SpdEntry, new: SpdEntry | None, *, moving: bool = False) -> bool:
    """Whether an entry asks for the same SAs as before, wherever it is written now, and whatever may be clear.

    Nor does how long they may be idle make others of them: each ends by what was said when it was made. ``moving``:
    nor where our end of the tunnel is.
    """
    if new is None or old.processing is None or new.processing is None:
        return new is not None and replace(new, origin=old.origin) == old
    was = old.processing
    processing = replace(new.processing, clear_in=was.clear_in, clear_out=was.clear_out, idle_s=was.idle_s)
    if moving:
        processing = replace(processing, tunnel_local=was.tunnel_local)
    return replace(new, origin=old.origin, processing=processing) == old


def same_peer(old: PadEntry | None, new: PadEntry | None, path: Path) -> bool:
    """Whether the peer of ``path`` authenticates as before; who else does, when it is asked, and how others
    come to TCP is nothing to it.
    """
    return new is not None and new.serves(path.remote.address, path.local.address) and _alike(old, new, path)


def same_mover(old: PadEntry | None, new: PadEntry | None, path: Path) -> bool:
    """Likewise for a peer with whom we may go on from another address of ours (RFC 4555)."""
    return new is not None and new.mobike and new.serves(path.remote.address, None) and _alike(old, new, path)


def _alike(old: PadEntry | None, new: PadEntry, path: Path) -> bool:
    if old is None:
        return False
    by_tcp = old.tcp if new.tcp is not None or not path.tcp else None
    kept = replace(new, origin=old.origin, ends=old.ends, dead_peer=old.dead_peer)
    return replace(kept, tcp=by_tcp, mobike=old.mobike) == old


class Change:
    """One policy in the place of another."""

    def __init__(self, old: tuple[Spd, Pad], new: tuple[Spd, Pad], moves: Callable[[int | None], bool]) -> None:
        """``moves`` tells of an IKE SA whether it may go on by other addresses of ours."""
        (self._old_spd, self._old_pad), (self._spd, self._pad) = old, new
        self._moves = moves
        self._gone = {entry.name for entry in self._old_spd if not same_entry(entry, self._spd.named(entry.name))}

    def traffic(self, name: str, path: Path, ike_id: int | None) -> bool:
        """Whether what an entry protects, or how its peer authenticates, is not as it was."""
        entry = self._old_spd.named(name)
        if entry is None or self.peer(entry.peer, path, ike_id):
            return True
        if name not in self._gone:
            return False
        return not (self._moves(ike_id) and same_entry(entry, self._spd.named(name), moving=True))

    def peer(self, name: str, path: Path, ike_id: int | None) -> bool:
        """Whether who authenticates by a PAD entry does not do so any more."""
        old, new = self._old_pad.named(name), self._pad.named(name)
        return not (same_peer(old, new, path) or (self._moves(ike_id) and same_mover(old, new, path)))
