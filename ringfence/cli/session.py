# SPDX-License-Identifier: Apache-2.0
"""The network connections that the person at this terminal depends on, so that a policy need not cut them off.

What sits between a person and this command are its ancestors: a shell, perhaps sudo and screen, and the server (sshd)
that holds the connection. So all established TCP connections of the ancestors count, and what ``SSH_CONNECTION`` says
in the environment of any. What cannot be read (other users' processes) is left out.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ringfence.net.address import format_address

ESTABLISHED = "01"
MAPPED = bytes(10) + b"\xff\xff"
"""Before an IPv4 address that a socket of IPv6 uses."""
PROC = Path("/proc")


def own_sessions(proc: Path = PROC) -> list[str]:
    """Each as ``out tcp 10.0.0.5:22 -> 10.1.1.7:51234``, from this computer outward; none with itself."""
    found: dict[str, None] = {}
    sockets = _established(proc)
    for pid in _ancestors(proc):
        if (told := _environment(proc, pid).get("SSH_CONNECTION", "").split()) and len(told) == 4:
            found |= dict.fromkeys(_flow(told[2], int(told[3]), told[0], int(told[1])))
        for inode in _sockets(proc, pid):
            if inode in sockets:
                found |= dict.fromkeys(_flow(*sockets[inode]))
    return list(found)


def _flow(local: str, local_port: int, remote: str, remote_port: int) -> Iterator[str]:
    local, remote = (one.removeprefix("::ffff:").partition("%")[0] for one in (local, remote))
    if not (remote.startswith("127.") or remote in ("::1", local)):
        yield f"out tcp {_endpoint(local, local_port)} -> {_endpoint(remote, remote_port)}"


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _ancestors(proc: Path) -> Iterator[int]:
    """This process, its parent and so on, without process 1."""
    pid, seen = os.getpid(), set[int]()
    while pid > 1 and pid not in seen:
        seen.add(pid)
        yield pid
        try:
            lines = (proc / str(pid) / "status").read_text(errors="replace").splitlines()
        except OSError:
            return
        pid = next((int(line.split()[1]) for line in lines if line.startswith("PPid:")), 0)


def _environment(proc: Path, pid: int) -> Mapping[str, str]:
    try:
        text = (proc / str(pid) / "environ").read_text(errors="replace")
    except OSError:
        return {}
    return dict(one.split("=", 1) for one in text.split("\0") if "=" in one)


def _sockets(proc: Path, pid: int) -> Iterator[str]:
    """Inodes of a process's sockets."""
    try:
        files = list((proc / str(pid) / "fd").iterdir())
    except OSError:
        return
    for file in files:
        try:
            target = os.readlink(file)
        except OSError:
            continue
        if target.startswith("socket:["):
            yield target[8:-1]


def _established(proc: Path) -> dict[str, tuple[str, int, str, int]]:
    """This network's TCP connections by their inode: local address and port, remote ones."""
    found: dict[str, tuple[str, int, str, int]] = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == ESTABLISHED:
                found[fields[9]] = (*_read(fields[1]), *_read(fields[2]))
    return found


def _read(text: str) -> tuple[str, int]:
    """Address and port as /proc/net/tcp writes them: words of 32 bits in this computer's order."""
    address, port = text.split(":")
    octets = b"".join(bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8))
    return format_address(octets.removeprefix(MAPPED)), int(port, 16)
