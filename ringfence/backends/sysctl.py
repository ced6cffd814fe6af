# SPDX-License-Identifier: Apache-2.0
"""The kernel settings that stand in our way: above all strict reverse-path filtering.

A peer's ESP and IKE come in by the link, while the route back to the peer leads to our device; a strict filter (1)
drops them, a loose one (2) does not. So each 1 becomes a 2. What was there before is handed out as ``name=value``
lines, to be kept where they outlive the process, and is put back at the end unless somebody changed it since.
"""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ringfence.backends.base import BackendError

FOLDER = Path("/proc/sys/net/ipv4/conf")
FOLDER_V6 = Path("/proc/sys/net/ipv6/conf")
NAME = "rp_filter"
UNWRITABLE = frozenset('"\\{};')
"""Nobody names an interface so; one that is, keeps its filter, for its name could not be noted."""
STRICT, LOOSE = "1", "2"


def loosen(except_for: str, folder: Path = FOLDER) -> tuple[str, ...]:
    """Make strict filters loose, also that of ``except_for``, which is ours; what others were. Raises BackendError."""
    before = []
    for where in sorted(folder.glob(f"*/{NAME}")):
        interface = where.parent.name
        if _read(where) != STRICT or set(interface) & UNWRITABLE:
            continue
        try:
            where.write_text(LOOSE)
        except OSError as error:
            raise BackendError(
                f"the reverse-path filter of {interface} is strict and cannot be changed: {error.strerror}",
                cure=f"Make it loose: sysctl -w net.ipv4.conf.{interface}.{NAME}={LOOSE}",
            ) from error
        if interface != except_for:
            before.append(f"{interface}={STRICT}")
    return tuple(before)


def no_own_address(device: str) -> None:
    """Have the kernel make no link-local IPv6 address for our device, nor look for routers there."""
    with contextlib.suppress(OSError):  # a host without IPv6
        (FOLDER_V6 / device / "addr_gen_mode").write_text("1")
        (FOLDER_V6 / device / "accept_ra").write_text("0")


def merged(noted: Iterable[str], changed: Iterable[str]) -> tuple[str, ...]:
    """What a predecessor noted comes first: it saw the host before any of us."""
    values: dict[str, str] = {}
    for name, value in _split([*noted, *changed]):
        values.setdefault(name, value)
    return tuple(f"{name}={value}" for name, value in values.items())


def restore(before: Iterable[str], folder: Path = FOLDER) -> None:
    """Put back what was changed, where it still is as we left it and the interface still exists."""
    for interface, value in _split(before):
        where = folder / interface / NAME
        if "/" not in interface and _read(where) == LOOSE:
            try:
                where.write_text(value)
            except OSError:  # the interface has just gone
                continue


def _split(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.rpartition("=")
        if name and value.isdecimal():
            yield name, value


def _read(where: Path) -> str:
    try:
        return where.read_text().strip()
    except OSError:
        return ""
