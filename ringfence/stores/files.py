# SPDX-License-Identifier: Apache-2.0
"""Reading files that people write: bounded, with errors that say what to do, and noticing that they changed."""

import stat
from pathlib import Path

from ringfence.stores.errors import StoreError

Stamp = tuple[int, int, int, int] | None
"""What tells that a file changed: device, inode, time of change, size; None when there is none."""

NOT_YOURS = "Only another user may read it: ask as root."
PATTERN = 'Name a file in it, or all of them: "{}/*.toml".'


def read_octets(path: Path, most: int, what: str, *, missing: str = "", large: str = "") -> bytes:
    """The content of a file; raises StoreError.

    ``missing`` is its cure when there is no such file, ``large`` when it has more than ``most`` octets.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(most + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        cures: dict[type[Exception], str] = {FileNotFoundError: missing, PermissionError: NOT_YOURS}
        cure = PATTERN.format(path.name) if isinstance(error, IsADirectoryError) else cures.get(type(error), "")
        raise StoreError(f"{what} cannot be read: {why}", place=str(path), cure=cure) from error
    if len(octets) > most:
        raise StoreError(f"{what} is larger than {size(most)}", place=str(path), cure=large)
    return octets


def is_special(path: Path) -> bool:
    """Whether it is a pipe, a device or the like, whose reading may never end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def stamp(path: Path) -> Stamp:
    """As the file is now."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def size(octets: int) -> str:
    """For people: ``4 MB``, ``4096 octets``."""
    return f"{octets >> 20} MB" if octets >> 20 else f"{octets} octets"
