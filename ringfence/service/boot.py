# SPDX-License-Identifier: Apache-2.0
"""What holds before the service is up: brought into force by ``ringfence boot``, and kept for it by ``ringfence run``.

``boot`` runs before there is a network. It asks no name server, waits for nothing and needs no key. A document that is
not correct does not open the computer: what the service carried out last is kept in the state folder, and if that
cannot be had either, everything is shut but the loopback interface, DHCP and neighbour discovery. Only a computer that
never had a policy is left as it is.

The kept file is read back only as we wrote it: a plain file of root's that nobody else can read or write, with the
digest of what follows in its first line. The state folder belongs to the computer's own network; in a network namespace
that is another than that of process 1, nothing boots, so nothing is kept there unless somebody names a folder.
"""

import asyncio
import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ringfence.backends import boot as table
from ringfence.backends import nft
from ringfence.backends.base import BackendError
from ringfence.databases.boot import AfterStop, BootMode, BootSpd
from ringfence.errors import IpsecError
from ringfence.policy.bootspd import boot_spd
from ringfence.policy.model import Policy
from ringfence.service.errors import AlreadyRunning, CannotRun
from ringfence.service.lock import NamespaceLock
from ringfence.stores.base import LoadedPolicy
from ringfence.stores.opening import open_store
from ringfence.stores.several import Stores

STATE_DIRECTORY = Path("/var/lib/ringfence")
FILE = "boot.nft"
HEAD = "# Made by ringfence run, for ringfence boot. sha256: "
OCTETS_AT_MOST = 64 << 20


class NotKept(IpsecError):
    """There is no ruleset to fall back on, or not as we wrote it."""


class Source(Enum):
    """What was brought into force."""

    DOCUMENT = "document"
    KEPT = "kept"
    """What the service carried out last."""
    SHUT = "shut"
    """Nothing passes but what an address takes."""
    NOTHING = "nothing"
    """There never was a policy."""
    SERVICE = "service"
    """The service is up, so nothing was changed."""


@dataclass(frozen=True, slots=True)
class Booted:
    """What ``ringfence boot`` has done."""

    source: Source
    boot: BootSpd | None = None
    """What the document means; present with ``DOCUMENT``."""
    document: str = ""
    ruleset: str = ""
    problem: IpsecError | None = None
    """Why it is not what the document says."""


def state_folder() -> Path | None:
    """Where this computer keeps what outlives a restart; None in a network namespace of somebody else's."""
    try:
        own = os.path.samestat(os.stat("/proc/self/ns/net"), os.stat("/proc/1/ns/net"))
    except OSError:
        own = False
    return STATE_DIRECTORY if own else None


def ruleset(policy: Policy) -> str:
    """The nftables input of what ``policy`` means before the service is up."""
    return _ruleset(boot_spd(policy))


def _ruleset(boot: BootSpd) -> str:
    return table.removal() if boot.mode is BootMode.PERMIT and not boot.required else table.ruleset(boot)


def leaving(policy: Policy) -> str:
    """The nftables input of what a clean stop leaves; empty for nothing."""
    match policy.boot.after_stop:
        case AfterStop.OPEN:
            return ""
        case AfterStop.BOOT:
            return ruleset(policy)
        case AfterStop.GUARD:
            return table.guarding(boot_spd(policy))


def load(paths: Mapping[str, Path], folder: Path | None = None) -> tuple[LoadedPolicy, IpsecError | None]:
    """The policy of these stores, without keys, and why it is not all of it; raises when there is none.

    Of a directory that is the copy in ``folder``.
    """
    stores = Stores({
        name: open_store(name, path, several=len(paths) > 1, keyless=True, state=folder, offline=True)
        for name, path in paths.items()
    })  # fmt: skip
    return stores.load(), stores.failure


def boot(paths: Mapping[str, Path], folder: Path | None, runtime: Path) -> Booted:
    """Bring into force what holds until the service is up; raises BackendError when not even that can be done."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(NamespaceLock.take(runtime))
        except AlreadyRunning:
            return Booted(Source.SERVICE)
        except CannotRun:  # no place for a lock yet; then there is no service either
            pass
        return _carry_out(_decide(paths, folder))


def _decide(paths: Mapping[str, Path], folder: Path | None) -> Booted:
    try:
        loaded, failure = load(paths, folder)
        if failure is None:
            meant = boot_spd(loaded.policy)
            return Booted(Source.DOCUMENT, meant, loaded.document_name, _ruleset(meant))
    except IpsecError as error:
        failure = error
    except (ValueError, LookupError, RecursionError) as error:  # a fault of ours must not open the computer
        failure = IpsecError(f"This is a fault of ringfence itself ({type(error).__name__}: {error}).")
    try:
        return Booted(Source.KEPT, ruleset=kept(folder), problem=failure)
    except NotKept as none:
        if none.place == "" and not any(os.path.lexists(path) for path in paths.values()):
            return Booted(Source.NOTHING, ruleset=table.removal())
        told = f"{failure}\n{none}" if none.place else str(failure)
        return Booted(Source.SHUT, ruleset=table.shut(), problem=IpsecError(told))


def _carry_out(found: Booted) -> Booted:
    try:
        asyncio.run(nft.run(found.ruleset))
    except BackendError as error:
        if found.source in (Source.NOTHING, Source.SHUT):
            raise
        asyncio.run(nft.run(table.shut()))
        return Booted(Source.SHUT, ruleset=table.shut(), problem=error)
    return found


def keep(folder: Path, text: str) -> bool:
    """Keep ``text`` for the next start, unless it is kept already; whether it was written. Raises CannotRun."""
    with contextlib.suppress(NotKept):
        if kept(folder) == text:
            return False
    path = folder / FILE
    fresh = folder / f".{FILE}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{HEAD}{_digest(text)}\n{text}".encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _sync(folder)
    except OSError as error:
        raise CannotRun(
            f"What holds before the next start cannot be kept: {error.strerror or error}.", place=str(path),
            cure="Let root write there, or name another folder with --state.",
        ) from error  # fmt: skip
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def kept(folder: Path | None) -> str:
    """What is kept in ``folder``; raises NotKept, without a place when nothing ever was."""
    if folder is None:
        raise NotKept("Nothing is kept for a start here.")
    path = folder / FILE
    try:
        with _opened(path) as descriptor:
            found = os.fstat(descriptor)
            _check(found, path)
            with os.fdopen(os.dup(descriptor), "rb") as file:
                text = file.read().decode()
    except FileNotFoundError:
        raise NotKept("Nothing is kept for a start yet.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotKept(f"What was kept cannot be read: {error}.", place=str(path)) from error
    head, _, body = text.partition("\n")
    if head != HEAD + _digest(body):
        raise NotKept("What was kept is not as ringfence wrote it: its digest is another.", place=str(path))
    return body


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _check(found: os.stat_result, path: Path) -> None:
    why = ""
    if not stat.S_ISREG(found.st_mode) or found.st_size > OCTETS_AT_MOST:
        why = "is no file of ringfence's"
    elif found.st_uid != os.geteuid():
        why = f"belongs to user {found.st_uid}"
    elif found.st_mode & 0o077:
        why = "can be read or written by others than root"
    if why:
        raise NotKept(f"What was kept {why}, so it is not trusted.", place=str(path))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
