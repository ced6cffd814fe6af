# SPDX-License-Identifier: Apache-2.0
"""One service per network namespace.

Two of them would take the same device, ports and tables from each other. The lock is a file named for the namespace,
held by flock(2): the kernel lets it go however the process ends, so there is nothing to clean up after a crash. It
lies in a directory of root's, so that no other user can keep the service from starting.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ringfence.service.errors import AlreadyRunning, CannotRun


class NamespaceLock:
    """Held from ``take`` to ``release``."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._path = path

    @classmethod
    def take(cls, directory: Path) -> Self:
        """Raises AlreadyRunning, with the other's process id, when the namespace is taken."""
        path = directory / f"network-{namespace_number()}.lock"
        while True:
            descriptor = _open(path)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(descriptor, 20).decode(errors="replace").strip()
                os.close(descriptor)
                raise AlreadyRunning(
                    f"Ringfence already guards this network namespace (process {holder or 'unknown'}).",
                    cure="ringfence status  shows it. Stop it before you start another.",
                ) from None
            if _is_at(descriptor, path):
                break
            os.close(descriptor)  # its holder removed it between our open and our lock
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(descriptor, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Remove the file and let go."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def namespace_number() -> int:
    """The number by which the kernel knows this process's network namespace."""
    return os.stat("/proc/self/ns/net").st_ino


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise CannotRun(
            f"The lock file cannot be made: {error.strerror or error}.",
            place=str(path),
            cure="Run the service as root.",
        ) from error


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
