# SPDX-License-Identifier: Apache-2.0
"""Bursts in and out of a descriptor; a pair of sockets stands for the device."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.backends import tun
from ringfence.backends.base import BackendError
from ringfence.backends.tun import Tun


@pytest.fixture
def pair() -> Iterator[tuple[Tun, socket.socket]]:
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    device = object.__new__(Tun)
    device.name, device.lost, device._file = "rf0", 0, ours.detach()
    with kernel:
        yield device, kernel
    device.close()


def test_bursts(pair: tuple[Tun, socket.socket]) -> None:
    device, kernel = pair
    for number in range(5):
        kernel.send(bytes([number]))
    assert device.read(3) == [b"\0", b"\1", b"\2"]
    assert device.read() == [b"\3", b"\4"]
    assert device.read() == []
    device.write([b"a", b"bc"])
    assert [kernel.recv(9), kernel.recv(9)] == [b"a", b"bc"]
    assert os.get_blocking(device.fileno()) is False


def test_a_device_that_fails_loses_packets(pair: tuple[Tun, socket.socket]) -> None:
    device, _ = pair
    file, device._file = device._file, os.open("/", os.O_RDONLY)
    try:
        assert device.read() == []
        device.write([b"a", b"b"])
        assert device.lost >= 1
    finally:
        device.close()
        device._file = file


def test_a_device_that_was_deleted_is_said(pair: tuple[Tun, socket.socket]) -> None:
    device, _ = pair
    device.close()
    device.close()
    with pytest.raises(BackendError, match="deleted"):
        device.read()


def test_no_control_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tun, "CONTROL", str(tmp_path / "tun"))
    with pytest.raises(BackendError, match="Load the module tun"):
        Tun("rf0")


def test_a_file_that_makes_no_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tun").touch()
    monkeypatch.setattr(tun, "CONTROL", str(tmp_path / "tun"))
    with pytest.raises(BackendError, match="CAP_NET_ADMIN"):
        Tun("rf0")


def test_a_busy_device_is_somebody_s() -> None:
    assert "another" in tun._cure(OSError(16, "busy")).lower()
