# SPDX-License-Identifier: Apache-2.0
"""Secrets of this host alone that outlive a restart: one file each in the state folder.

Without such a folder they lie in memory, where lock and socket are, until the service is stopped: each network
namespace has its own, for one that two of them shared would prove in one what is true of the other.

A file that others could have read or written is not trusted: there is a new secret then, and what was made by the old
one is forgotten.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.errors import IpsecError
from ringfence.secret import Secret
from ringfence.service.errors import CannotRun
from ringfence.service.lock import namespace_number

OCTETS = 32
CRASH = "crash.secret"
"""By which a peer can be sure that this host has lost its memory (RFC 6290)."""


@contextmanager
def crash_secret(state: Path | None, runtime: Path, random: Callable[[int], bytes]) -> Iterator[Secret]:
    """The secret of this service, kept where its state is; else where all services of a host have their files.

    There it stays only if the process ends before it can say that it ends, which is what the secret is for.
    """
    name = CRASH if state is not None else f"network-{namespace_number()}.{CRASH}"
    made = kept_secret(state or runtime, name, random)
    stays = True
    try:
        yield made
        stays = False
    except IpsecError:
        stays = False
        raise
    finally:
        if state is None and not stays:
            (runtime / name).unlink(missing_ok=True)


def kept_secret(folder: Path, name: str, random: Callable[[int], bytes]) -> Secret:
    """The secret of that name, made when there is none, 32 octets; raises CannotRun where none can be kept."""
    path = folder / name
    found = _read(path)
    if found is None:
        found = random(OCTETS)
        try:
            _write(path, found)
        except OSError as error:
            raise CannotRun(
                f"A secret that has to outlive a restart cannot be kept: {error.strerror or error}.", place=str(path),
                cure="Let root write there, or name another folder with --state.",
            ) from error  # fmt: skip
    return Secret(found)


def _read(path: Path) -> bytes | None:
    """What is there, if nobody else could read or write it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        ours = stat.S_ISREG(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & 0o077
        octets = file.read(OCTETS + 1) if ours else b""
    return octets if len(octets) == OCTETS else None


def _write(path: Path, octets: bytes) -> None:
    """Have it there as a whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
