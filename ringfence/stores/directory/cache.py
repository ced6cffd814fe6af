# SPDX-License-Identifier: Apache-2.0
"""The last good copy of a directory's policy, for a start without a directory server.

It holds what preshared keys there are, and decides what this computer protects, so it is read back only as we wrote it:
a plain file of our own user that nobody else can read or write, with the digest of what follows in its first line.
"""

import contextlib
import hashlib
import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence.stores.directory.objects import Entry
from ringfence.stores.errors import StoreError

FILE = "directory-policy"
HEAD = "ringfence, policy of a directory, sha256: "
OCTETS_AT_MOST = 64 << 20


@dataclass(frozen=True, slots=True)
class Copy:
    """A policy as the directory had it."""

    policy: str
    """Its DN; empty where none was assigned."""
    entries: tuple[Entry, ...]
    at: str
    """When, as people read it."""


def keep(folder: Path, copy: Copy) -> None:
    """Keep a copy for the next start; raises StoreError."""
    body = json.dumps(
        {
            "policy": copy.policy,
            "at": copy.at,
            "entries": {
                one.dn: {name: [b64encode(value).decode() for value in values] for name, values in one.values.items()}
                for one in copy.entries
            },
        },
        indent=1,
        sort_keys=True,
    )
    path, fresh = folder / FILE, folder / f".{FILE}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{HEAD}{_digest(body)}\n{body}".encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StoreError(
            f"The directory's policy cannot be kept: {error.strerror or error}.", place=str(path),
            cure="Let root write there, or name another folder with --state.",
        ) from error  # fmt: skip


def forget(folder: Path) -> None:
    """Keep nothing: the computer has no policy of the directory any longer."""
    with contextlib.suppress(OSError):
        (folder / FILE).unlink()


def kept(folder: Path) -> Copy | None:
    """What is kept; None where nothing is. Raises StoreError where it is not as we wrote it."""
    path = folder / FILE
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _untrusted(path, f"cannot be read: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > OCTETS_AT_MOST:
            raise _untrusted(path, "is no file of ringfence's")
        if found.st_uid != os.geteuid():
            raise _untrusted(path, f"belongs to user {found.st_uid}")
        if found.st_mode & 0o077:
            raise _untrusted(path, "can be read or written by others")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            text = file.read().decode("utf-8", "replace")
    finally:
        os.close(descriptor)
    head, _, body = text.partition("\n")
    if head != HEAD + _digest(body):
        raise _untrusted(path, "is not as ringfence wrote it: its digest is another")
    return _copy(json.loads(body))


def _copy(data: Mapping[str, object]) -> Copy:
    entries = data["entries"]
    found = entries.items() if isinstance(entries, dict) else ()
    return Copy(
        str(data["policy"]),
        tuple(Entry(dn, {name: tuple(map(b64decode, some)) for name, some in values.items()}) for dn, values in found),
        str(data["at"]),
    )


def _untrusted(path: Path, why: str) -> StoreError:
    return StoreError(f"The copy of the directory's policy {why}, so it is not trusted.", place=str(path))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
