# SPDX-License-Identifier: Apache-2.0
"""Hears when one of some files changes, by inotify(7), and says so once a flurry is over.

A program that replaces a file makes another beside it and renames that, so what is watched is the folder, and in it the
names that count. A folder that is not there yet is waited for in the nearest one that is. Where a name is a link, or
another file is mounted over it, that file is watched, too. File systems that tell nothing (those of a network, /proc)
leave whoever listens to look from time to time.
"""

import asyncio
import ctypes
import os
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from struct import Struct

MODIFY, ATTRIBUTES, CLOSE_WRITE = 0x2, 0x4, 0x8
MOVED_FROM, MOVED_TO, CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
EVENTS = MODIFY | ATTRIBUTES | CLOSE_WRITE | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
OVERFLOW, IGNORED = 0x4000, 0x8000
GONE = OVERFLOW | IGNORED | DELETE_SELF | MOVE_SELF
"""After these nothing is heard any more where we listened."""
SETTLE_SECONDS = 0.3
MOST_OCTETS = 1 << 16
ITSELF = ""

_EVENT = Struct("=iIII")
"""Watch, what happened, cookie, and the octets of the name behind it."""


class FileWatch:
    """Calls back after a file changed."""

    def __init__(self, changed: Callable[[], None], patterns: Iterable[str], root: Path) -> None:
        """Begin to listen, in the running loop; ``patterns`` are of files below ``root``. Raises OSError.

        In a pattern only the last part may have wildcards.
        """
        self._changed = changed
        self._paths = [root / one for one in patterns]
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._names: dict[int, set[str]] = {}
        """Of each watch the names that count in its folder, or ``ITSELF``."""
        self._file = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        self._loop.add_reader(self._file, self._read)
        self._arm()

    def close(self) -> None:
        """Listen no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._file)
        os.close(self._file)

    def _arm(self) -> None:
        """Watch what is there now; what is watched already goes on to be."""
        armed: set[tuple[Path, str]] = set()
        while new := {one for path in self._paths for one in places(path)} - armed:  # more may come meanwhile
            for folder, name in new:
                watch = self._libc.inotify_add_watch(self._file, os.fsencode(folder), EVENTS)
                if watch >= 0:  # otherwise it went meanwhile, or there are too many
                    self._names.setdefault(watch, set()).add(name)
            armed |= new

    def _read(self) -> None:
        try:
            news = os.read(self._file, MOST_OCTETS)
        except BlockingIOError:
            return
        happened = False
        for watch, what, name in events(news):
            happened |= bool(what & GONE) or self._counts(watch, name)
            if what & IGNORED:
                self._names.pop(watch, None)
        if happened and self._timer is None:
            self._timer = self._loop.call_later(SETTLE_SECONDS, self._tell)

    def _counts(self, watch: int, name: str) -> bool:
        names = self._names.get(watch, set())
        return name in names or any(name != ITSELF and fnmatchcase(name, one) for one in names)

    def _tell(self) -> None:
        self._timer = None
        self._arm()
        self._changed()


def events(octets: bytes) -> Iterator[tuple[int, int, str]]:
    """The watch, what happened, and the name in the folder, or ``ITSELF``."""
    at = 0
    while at + _EVENT.size <= len(octets):
        watch, what, _, length = _EVENT.unpack_from(octets, at)
        at += _EVENT.size
        yield watch, what, os.fsdecode(octets[at : at + length].rstrip(b"\0"))
        at += length


def places(path: Path) -> Iterator[tuple[Path, str]]:
    """Where news of ``path`` shows: folders with the name that counts there, and the file itself."""
    folder, name = path.parent, path.name
    while not folder.is_dir() and folder != folder.parent:
        folder, name = folder.parent, folder.name
    yield folder, name
    if path.exists():
        yield path, ITSELF
        real = path.resolve()
        yield real.parent, real.name
