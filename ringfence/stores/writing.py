# SPDX-License-Identifier: Apache-2.0
"""A document in a file is changed as a whole or not at all, and never over somebody else's change.

Who edits holds a lock on the document's folder (``flock``, which the kernel releases when its holder is gone, and
which leaves no file behind), so edits by command wait for each other. An editor knows nothing of the lock: so before
the file is put in place, its content must still be what was read. The new file is complete on the disk before it takes
the old one's name; its owner, mode and extended attributes are those of the old one. Whoever is killed in between
leaves the old document, and at most a hidden file beside it that the next one replaces.
"""

import contextlib
import errno
import fcntl
import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ringfence.stores.errors import StoreError
from ringfence.stores.include import DOCUMENT_OCTETS

PATIENCE_S = 10.0
LOOK_S = 0.02
NEW_MODE = 0o644

NO_DOCUMENT = "there is no such document"
NAME_IT = "Name one with --document FILE."


class Changed(StoreError):
    """Somebody else changed the document in the meantime."""


class Busy(StoreError):
    """Somebody else is editing in this folder."""


@dataclass(slots=True)
class Held:
    """A document that nobody else edits by command."""

    path: Path
    """The file itself, behind all symbolic links."""
    octets: bytes | None
    """Its content; None where there is no file."""

    @property
    def text(self) -> str:
        """Its text; raises StoreError."""
        try:
            return (self.octets or b"").decode()
        except UnicodeDecodeError as error:
            raise StoreError("the document is not text in UTF-8", place=str(self.path)) from error

    @property
    def beside(self) -> Path:
        """Where a new content waits until it takes the document's place."""
        return self.path.with_name(f".{self.path.name}.new")

    def prepare(self, text: str) -> Path:
        """Write ``text`` beside the document, complete on the disk; raises StoreError."""
        try:
            self.beside.unlink(missing_ok=True)
            with open(os.open(self.beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                file.write(text.encode())
                file.flush()
                _take_after(file.fileno(), self.path)
                os.fsync(file.fileno())
        except OSError as error:
            self.abandon()
            raise StoreError(
                f"it cannot be written: {error.strerror}", place=str(self.path), cure="Try it with sudo."
            ) from error
        return self.beside

    def replace(self) -> None:
        """Put what was prepared in the document's place; raises Changed, and then the document is as it is."""
        if _content(self.path) != self.octets:
            self.abandon()
            raise Changed(
                "it was changed by somebody else in the meantime; nothing was written.", place=str(self.path),
                cure="Look at it, and say the command again.",
            )  # fmt: skip
        try:
            self.beside.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise StoreError(f"it cannot be written: {error.strerror}", place=str(self.path)) from error

    def abandon(self) -> None:
        """Forget what was prepared."""
        with contextlib.suppress(OSError):
            self.beside.unlink(missing_ok=True)


@contextlib.contextmanager
def hold(path: Path, *, patience_s: float = PATIENCE_S) -> Iterator[Held]:
    """Edit the document at ``path``, alone; raises StoreError."""
    path = path.resolve()
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            cure = f"Make it, or name another document with --document FILE:  mkdir -p {shlex.quote(str(path.parent))}"
            raise StoreError("its folder does not exist", place=str(path), cure=cure) from error
        raise StoreError(f"its folder cannot be opened: {error.strerror}", place=str(path)) from error
    try:
        _lock(folder, path, patience_s)
        held = Held(path, _content(path))
        try:
            yield held
        finally:
            held.abandon()
    finally:
        os.close(folder)


def read_text(path: Path) -> str:
    """The document's text as it is now; raises StoreError."""
    held = Held(path, _content(path))
    if held.octets is None:
        raise StoreError(NO_DOCUMENT, place=str(path), cure=NAME_IT)
    return held.text


def _lock(folder: int, path: Path, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise Busy("somebody else is editing here.", place=str(path), cure="Try again in a moment.") from error
            time.sleep(LOOK_S)
        except OSError as error:
            raise StoreError(f"its folder cannot be locked: {error.strerror}", place=str(path)) from error
        else:
            return


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            octets = file.read(DOCUMENT_OCTETS + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"it cannot be read: {error.strerror}", place=str(path)) from error
    if len(octets) > DOCUMENT_OCTETS:
        raise StoreError(f"it is larger than {DOCUMENT_OCTETS} octets", place=str(path))
    return octets


def _take_after(file: int, path: Path) -> None:
    """Give a new file the owner, mode and extended attributes of the old one; raises OSError when that cannot be."""
    try:
        old = path.stat()
    except FileNotFoundError:
        os.fchmod(file, NEW_MODE)
        return
    if (old.st_uid, old.st_gid) != (os.fstat(file).st_uid, os.fstat(file).st_gid):
        os.fchown(file, old.st_uid, old.st_gid)
    os.fchmod(file, old.st_mode & 0o7777)
    try:
        for name in os.listxattr(path):
            os.setxattr(file, name, os.getxattr(path, name))
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.ENODATA):
            raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
