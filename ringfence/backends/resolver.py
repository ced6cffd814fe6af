# SPDX-License-Identifier: Apache-2.0
"""The name servers that come with an address inside a tunnel: whom this host asks for which names.

Where systemd-resolved runs, it is told about our device (resolvectl(1)): the servers, and for which names. That ends
with the device, also when the process is killed.

Elsewhere there is ``resolv.conf`` alone (resolv.conf(5)), which knows no names: its servers are for all. Ours come
first, in lines of their own between two marks, and whoever takes those lines out has what was there before, octet for
octet; so a successor of a killed process needs to remember nothing. Where there was no file, or the file is somebody
else's link, that is how it stays. The file is replaced in one step where that can be, and written in place where it is
a mount point, as in a container.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ringfence.backends.base import BackendError
from ringfence.net.address import format_address

RESOLV_CONF = Path("/etc/resolv.conf")
RESOLVED = Path("/run/systemd/resolve/stub-resolv.conf")
NAMESPACE = Path("/proc/self/ns/net")
BEGIN = "# Ringfence, in {}: name servers of a tunnel; without these lines the file is as it was"
MADE = "# Ringfence, in {}: name servers of a tunnel; there was no file"
END = "# Ringfence, in {}: end"
"""Each with the network namespace, for several may share the file."""
MOST_OCTETS = 1 << 20
PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class Servers:
    """Those of one assignment."""

    addresses: tuple[bytes, ...]
    domains: tuple[str, ...] = ()
    """The names that they are for; empty: all."""


class Resolver(Protocol):
    """Whoever looks up names on this host."""

    @property
    def splits(self) -> bool:
        """Whether servers can be for some names only."""

    def use(self, servers: Sequence[Servers]) -> None:
        """Ask these, the first of them first, besides whoever was asked before; raises BackendError."""


def resolver(device: str, *, resolv_conf: Path = RESOLV_CONF, resolved: Path = RESOLVED) -> Resolver:
    """The one that this host has; what a killed predecessor left in the file is taken out. Raises BackendError."""
    file = ResolvConf(resolv_conf)
    file.use(())
    program = shutil.which("resolvectl")
    return Resolved(device, program) if program is not None and resolved.exists() else file


class Resolved:
    """systemd-resolved."""

    splits = True

    def __init__(self, device: str, program: str) -> None:
        self._device, self._program = device, program
        self._told: tuple[Servers, ...] = ()

    def use(self, servers: Sequence[Servers]) -> None:
        """Tell it so, for our device; raises BackendError."""
        if tuple(servers) == self._told:
            return
        self._told = ()  # until it has taken all of it
        if servers:
            self._tell(servers)
        else:
            self._run("revert", self._device)
        self._told = tuple(servers)

    def _tell(self, servers: Sequence[Servers]) -> None:
        addresses = [format_address(one) for each in servers for one in each.addresses]
        self._run("dns", self._device, *dict.fromkeys(addresses))
        domains = [f"~{name}" for each in servers for name in each.domains or (".",)]
        self._run("domain", self._device, *dict.fromkeys(domains))
        self._run("default-route", self._device, "yes" if "~." in domains else "no")

    def _run(self, *words: str) -> None:
        try:
            subprocess.run(  # noqa: S603
                [self._program, *words], check=True, capture_output=True, text=True, timeout=PATIENCE_S
            )
        except (OSError, subprocess.SubprocessError) as error:
            detail = getattr(error, "stderr", None) or str(error)
            raise BackendError(
                f"systemd-resolved does not take the name servers: {detail.strip()}",
                cure="Look at resolvectl status; without it, names are looked up as before.",
            ) from error


class ResolvConf:
    """The file."""

    splits = False

    def __init__(self, path: Path = RESOLV_CONF) -> None:
        self._path = path
        self._namespace = str(NAMESPACE.readlink())

    def use(self, servers: Sequence[Servers]) -> None:
        """Write them in front of what is there; raises BackendError."""
        try:
            before = self._read()
        except OSError as error:
            raise self._refused(error) from error
        text, was_there = ("", False) if before is None else without(before, self._namespace)
        rest = text if was_there else None
        addresses = dict.fromkeys(one for each in servers for one in each.addresses)
        wanted = with_servers(addresses, rest, self._namespace) if addresses else rest
        if wanted == before:
            return
        try:
            self._write(wanted)
        except OSError as error:
            raise self._refused(error) from error

    def _read(self) -> str | None:
        try:
            with self._path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                return file.read(MOST_OCTETS)
        except FileNotFoundError:
            return None

    def _write(self, text: str | None) -> None:
        target = self._path.resolve()
        if text is None:
            target.unlink()
            return
        octets = text.encode("utf-8", "surrogateescape")
        new = target.with_name(f".{target.name}.ringfence")
        try:
            mode = target.stat().st_mode & 0o7777 if target.exists() else 0o644
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
                file.write(octets)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            new.replace(target)
        except OSError:  # a mount point, or a folder where only this file may be written
            new.unlink(missing_ok=True)
            with target.open("r+b") as file:
                file.write(octets)
                file.truncate()

    def _refused(self, error: OSError) -> BackendError:
        return BackendError(
            f"{self._path} cannot be changed: {error.strerror or error}",
            cure="Name servers of tunnels are not asked; say dns = false in the rule if they need not be.",
        )


def without(text: str, namespace: str) -> tuple[str, bool]:
    """What was there before us, and whether there was a file at all."""
    begin, made, end = (f"{one.format(namespace)}\n" for one in (BEGIN, MADE, END))
    was_there = not text.startswith(made)
    for first in (begin, made):
        at = text.find(first)
        behind = text.find(end, at)
        if at >= 0 and behind >= 0:
            text = text[:at] + text[behind + len(end) :]
    return text, was_there or bool(text)


def with_servers(addresses: Iterable[bytes], text: str | None, namespace: str) -> str:
    """The same with ours in front; ``text`` is None where there is no file."""
    begin, end = (one.format(namespace) for one in (MADE if text is None else BEGIN, END))
    lines = [begin, *(f"nameserver {format_address(one)}" for one in addresses), end]
    return "\n".join([*lines, text or ""])
