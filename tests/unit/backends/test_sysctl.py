# SPDX-License-Identifier: Apache-2.0
"""Strict filters become loose and come back; nothing else changes."""

from pathlib import Path

import pytest

from ringfence.backends import sysctl
from ringfence.backends.base import BackendError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for interface, value in {"all": "0", "eth0": "1", "eth1": "2", "eth2": "0", "rf0": "1"}.items():
        (tmp_path / interface).mkdir()
        (tmp_path / interface / "rp_filter").write_text(value + "\n")
    return tmp_path


def values(folder: Path) -> dict[str, str]:
    return {one.parent.name: one.read_text().strip() for one in folder.glob("*/rp_filter")}


def test_loosen_and_restore(folder: Path) -> None:
    before = values(folder)
    noted = sysctl.loosen("rf0", folder)
    assert noted == ("eth0=1",)
    assert values(folder) == {**before, "eth0": "2", "rf0": "2"}
    assert sysctl.loosen("rf0", folder) == ()
    sysctl.restore((*noted, "gone=1", "../eth1=1", "eth2=1", "nonsense"), folder)
    assert values(folder) == {**before, "rf0": "2"}


def test_what_a_predecessor_noted_counts() -> None:
    assert sysctl.merged(["eth0=1"], ["eth0=2", "eth1=1"]) == ("eth0=1", "eth1=1")


def test_a_strict_filter_that_stays_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, text: str) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(BackendError, match=r"sysctl -w net.ipv4.conf.eth0.rp_filter=2"):
        sysctl.loosen("rf0", folder)


def test_without_ipv6() -> None:
    sysctl.no_own_address("no-such-device")
