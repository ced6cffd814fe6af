# SPDX-License-Identifier: Apache-2.0
"""What the service may do, checked before it starts and given away before it hears the first packet.

It needs three capabilities (capabilities(7)): CAP_NET_ADMIN for the device, routes, marks and nftables, CAP_NET_RAW
for raw sockets, CAP_NET_BIND_SERVICE for UDP 500; and CAP_DAC_READ_SEARCH if the policy lies where only another user
may look, such as in somebody's home, so that a change of it can still be read. All others are dropped for good: from
the effective, permitted and inheritable sets, and from the bounding set, so that no program that it starts (``nft``)
gets them back. The user stays root, who owns the control socket and reads the key files; that alone gives no
capability back.
"""

import ctypes
import os
import shutil
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from ringfence.service.errors import CannotRun

DAC_READ_SEARCH, SETPCAP, NET_BIND_SERVICE, NET_ADMIN, NET_RAW = 2, 8, 10, 12, 13
NEEDED = {NET_ADMIN: "CAP_NET_ADMIN", NET_RAW: "CAP_NET_RAW", NET_BIND_SERVICE: "CAP_NET_BIND_SERVICE"}

TUN = Path("/dev/net/tun")
ADMIN_PATH = "/usr/sbin:/sbin"

_CAPBSET_READ, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _AMBIENT, _AMBIENT_CLEAR = 23, 24, 38, 47, 4
_VERSION_3 = 0x20080522
_LAST = 63


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def check(*, tun: Path = TUN) -> None:
    """Raises CannotRun when something is missing, and says how to get it."""
    missing = [name for number, name in NEEDED.items() if not effective() >> number & 1]
    if missing:
        raise CannotRun(
            f"The service may not change this computer's network: {', '.join(missing)} is missing.",
            cure="Run it as root:  sudo ringfence run POLICY\n"
            "To try it without root:  ringfence demo  (it makes a network of its own).",
        )
    if shutil.which("nft") is None and shutil.which("nft", path=ADMIN_PATH) is None:
        raise CannotRun(
            "The program nft is missing; it holds the part of the policy that must outlive this process.",
            cure="Install it:  apt install nftables",
        )
    try:
        os.close(os.open(tun, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        raise CannotRun(
            f"The TUN device cannot be opened: {error.strerror or error}.",
            place=str(tun),
            cure="Load it:  modprobe tun   In a container, pass it in:  --device /dev/net/tun",
        ) from error


def wanted(files: Iterable[Path]) -> tuple[int, ...]:
    """The capabilities that a service needs which follows these files."""
    return (*NEEDED, DAC_READ_SEARCH) if any(map(_is_foreign, files)) else tuple(NEEDED)


def _is_foreign(file: Path) -> bool:
    try:
        steps = [file.resolve(), *file.resolve().parents]
        return any(not _is_open(step.stat()) for step in steps)
    except OSError:
        return True


def _is_open(found: os.stat_result) -> bool:
    """Whether this user may read it (a folder: go through it) without a capability."""
    needed = stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else stat.S_IROTH
    return found.st_uid == os.geteuid() or bool(found.st_mode & needed)


def effective() -> int:
    """The capabilities that count now, one bit each."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def keep_only(numbers: Sequence[int] = tuple(NEEDED)) -> None:
    """Give every other capability away, for this process and all that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    may_bound = effective() >> SETPCAP & 1  # without it, whoever took it from us has set the bounds
    for number in range(_LAST + 1 if may_bound else 0):
        if number not in numbers and libc.prctl(_CAPBSET_READ, number, 0, 0, 0) == 1:
            _succeed(libc.prctl(_CAPBSET_DROP, number, 0, 0, 0))
    _succeed(libc.prctl(_AMBIENT, _AMBIENT_CLEAR, 0, 0, 0))
    _succeed(libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    mask = sum(1 << number for number in numbers) & effective()
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = (_Data * 2)(_Data(low, low, 0), _Data(high, high, 0))
    _succeed(libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), data))


def _succeed(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise CannotRun(f"Capabilities cannot be given away: {os.strerror(number)}.")
