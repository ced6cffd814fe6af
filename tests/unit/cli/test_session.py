# SPDX-License-Identifier: Apache-2.0
"""The connections between a person and this command."""

import os
import socket
from pathlib import Path

import pytest

from ringfence.cli.session import own_sessions

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100000A:0016 0701010A:C822 01 00000000:00000000 00:00000000 00000000     0        0 101 1
   1: 0100000A:0016 0901010A:C822 01 00000000:00000000 00:00000000 00000000     0        0 102 1
   2: 0100000A:0016 0801010A:C822 06 00000000:00000000 00:00000000 00000000     0        0 103 1
   3: 0100007F:0016 0100007F:C822 01 00000000:00000000 00:00000000 00000000     0        0 104 1
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 0000000000000000FFFF00000100000A:0016 0000000000000000FFFF00000B01010A:0400 01 0:0 0:0 0 0 0 105 1
   1: 000000FD000000000000000001000000:0016 000000FD000000000000000002000000:0400 01 0:0 0:0 0 0 0 106 1
"""


def process(proc: Path, pid: int, parent: int, *, sockets: tuple[int, ...] = (), environment: str = "") -> None:
    folder = proc / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "status").write_text(f"Name:\tx\nPid:\t{pid}\nPPid:\t{parent}\n")
    (folder / "environ").write_text(environment)
    for number, inode in enumerate(sockets):
        (folder / "fd" / str(number)).symlink_to(f"socket:[{inode}]")
    (folder / "fd" / "99").symlink_to("/dev/null")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(TCP)
    (tmp_path / "net" / "tcp6").write_text(TCP6)
    return tmp_path


def test_connections_of_the_ancestors(proc: Path) -> None:
    process(proc, os.getpid(), 77)
    process(proc, 77, 50, sockets=(104,))
    process(proc, 50, 1, sockets=(101, 103, 105, 106))
    process(proc, 60, 1, sockets=(102,))
    assert set(own_sessions(proc)) == {
        "out tcp 10.0.0.1:22 -> 10.1.1.7:51234",
        "out tcp 10.0.0.1:22 -> 10.1.1.11:1024",
        "out tcp [fd00::1]:22 -> [fd00::2]:1024",
    }


def test_what_ssh_says_counts_once(proc: Path) -> None:
    told = "HOME=/root\0SSH_CONNECTION=10.1.1.7 51234 10.0.0.1 22\0"
    process(proc, os.getpid(), 77, environment=told)
    process(proc, 77, 1, sockets=(101,), environment=told)
    assert own_sessions(proc) == ["out tcp 10.0.0.1:22 -> 10.1.1.7:51234"]


def test_what_cannot_be_read_is_left_out(proc: Path) -> None:
    process(proc, os.getpid(), 4000)
    (proc / "net" / "tcp6").unlink()
    assert own_sessions(proc) == []


def test_here_and_now() -> None:
    """This very process has a connection, but with its own computer, which no policy ends."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        assert not any("127.0.0.1" in one for one in own_sessions())
