# SPDX-License-Identifier: Apache-2.0
"""A policy in a file, with its keys in files beside it.

A key file holds the key and nothing else: text as it stands (one line end at the end does not count), or octets as
``hex:`` or ``base64:`` with their digits. Its name in the policy is relative to the policy's own folder.
"""

import binascii
import os
import stat
from base64 import b64decode
from pathlib import Path

from ringfence.policy.document import parse
from ringfence.policy.errors import Finding, Severity
from ringfence.policy.model import Policy
from ringfence.secret import Secret
from ringfence.stores.base import LoadedPolicy
from ringfence.stores.errors import StoreError

DOCUMENT_OCTETS = 4 << 20
KEY_OCTETS = 4096
SHORT_OCTETS = 16
"""A key shorter than this can be guessed by whoever recorded a main mode."""

NO_KEY = Secret(b"-")
"""Stands for a key that is not asked for."""

MAKE_KEY = "Make a key, for both sides the same:  (umask 077; head -c 32 /dev/urandom | base64 > {})"

Stamp = tuple[int, int, int, int] | None
"""What tells that a file changed: device, inode, time of change, size; None when there is none."""


class FileStore:
    """The policy in one TOML file."""

    def __init__(self, path: str | os.PathLike[str], *, keyless: bool = False) -> None:
        """``keyless``: key files are not read, and need not be there; for questions that no key answers."""
        self._path = Path(path)
        self._keyless = keyless
        self._stamps: dict[Path, Stamp] | None = None

    def load(self) -> LoadedPolicy:
        """The policy and its keys as they are now; raises PolicyError or StoreError.

        A file that could not be read or understood counts as seen too: ``changed`` waits for the next edit.
        """
        self._stamps = {self._path: _stamp(self._path)}
        octets = _read(self._path, DOCUMENT_OCTETS, "the policy")
        try:
            text = octets.decode()
        except UnicodeDecodeError as error:
            raise StoreError("the policy is not text in UTF-8", place=str(self._path)) from error
        policy = parse(text, name=self._path.name)
        if self._keyless:
            return LoadedPolicy(policy, dict.fromkeys(policy.key_files, NO_KEY), self._path.name, text)
        self._stamps |= {path: _stamp(path) for path in map(self._beside, policy.key_files)}
        keys = {name: read_key(self._beside(name)) for name in policy.key_files}
        findings = tuple(finding for name in policy.key_files for finding in self._look_at(policy, name, keys[name]))
        return LoadedPolicy(policy, keys, self._path.name, text, findings)

    def changed(self) -> bool:
        """Whether the document or a key file is another one than at the last load."""
        return self._stamps is None or any(_stamp(path) != stamp for path, stamp in self._stamps.items())

    def _beside(self, name: str) -> Path:
        return self._path.parent / name

    def _look_at(self, policy: Policy, name: str, key: Secret) -> list[Finding]:
        where, place = next(policy.naming(name))

        def warning(what: str, cure: str) -> Finding:
            return Finding(
                f'{where}: the key file "{name}" {what}.', place, where, "auth.psk-file",
                cure=cure, severity=Severity.WARNING,
            )  # fmt: skip

        found = []
        mode = self._beside(name).stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            who = "everybody" if mode & stat.S_IRWXO else "its group"
            found.append(warning(f"is open to {who}", f"chmod 600 {self._beside(name)}"))
        if len(key) < SHORT_OCTETS:
            cure = f"head -c 32 /dev/urandom | base64 > {self._beside(name)}   (on both sides)"
            found.append(warning(f"is short: {len(key)} octets can be guessed", cure))
        return found


def read_key(path: Path) -> Secret:
    """The key in a key file; raises StoreError."""
    octets = _read(path, KEY_OCTETS, "the key file", cure=MAKE_KEY.format(path))
    for ending in (b"\r\n", b"\n"):
        if octets.endswith(ending):
            octets = octets[: -len(ending)]
            break
    try:
        if octets.startswith(b"hex:"):
            octets = bytes.fromhex(octets[4:].decode())
        elif octets.startswith(b"base64:"):
            octets = b64decode(octets[7:].strip(), validate=True)
    except (ValueError, binascii.Error) as error:
        form = octets.split(b":", 1)[0].decode()
        raise StoreError(f"the key file begins with {form}: but what follows is not {form}", place=str(path)) from error
    if not octets:
        raise StoreError("the key file is empty", place=str(path), cure=MAKE_KEY.format(path))
    return Secret(octets)


def _read(path: Path, most: int, what: str, *, cure: str = "") -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(most + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        missing = isinstance(error, FileNotFoundError)
        raise StoreError(f"{what} cannot be read: {why}", place=str(path), cure=cure if missing else "") from error
    if len(octets) > most:
        raise StoreError(f"{what} is larger than {most} octets", place=str(path))
    return octets


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
