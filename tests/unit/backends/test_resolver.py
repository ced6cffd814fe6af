# SPDX-License-Identifier: Apache-2.0
"""Name servers come and go, and the file is afterwards as it was, octet for octet."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.backends import resolver as module
from ringfence.backends.base import BackendError
from ringfence.backends.resolver import ResolvConf, Resolved, Servers, resolver, with_servers, without
from ringfence.net.address import parse_address

DNS, DNS6 = parse_address("10.1.0.53"), parse_address("fd00::53")
OURS = [Servers((DNS, DNS6), ("corp.example",))]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "resolv.conf"
    found.write_bytes(b"search home\r\nnameserver 192.0.2.1")
    found.chmod(0o640)
    return found


def test_ours_come_first_and_go_without_a_trace(file: Path) -> None:
    before = file.read_bytes()
    one = ResolvConf(file)
    one.use(OURS)
    lines = file.read_text().splitlines()
    assert lines[1:3] == ["nameserver 10.1.0.53", "nameserver fd00::53"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    one.use([Servers((DNS6,)), *OURS])
    assert [line for line in file.read_text().splitlines() if line.startswith("nameserver")][0:2] == [
        "nameserver fd00::53", "nameserver 10.1.0.53",
    ]  # fmt: skip
    one.use(())
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_successor_takes_out_what_a_killed_process_left(file: Path) -> None:
    before = file.read_bytes()
    ResolvConf(file).use(OURS)
    found = resolver("rf0", resolv_conf=file, resolved=file.parent / "none")
    assert isinstance(found, ResolvConf)
    assert file.read_bytes() == before


def test_where_there_was_no_file_there_is_none_again(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    ResolvConf(file).use(OURS)
    assert file.exists()
    ResolvConf(file).use(())
    assert not file.exists()
    ResolvConf(file).use(OURS)
    file.write_text(file.read_text() + "nameserver 192.0.2.1\n")  # somebody else has made one meanwhile
    ResolvConf(file).use(())
    assert file.read_text() == "nameserver 192.0.2.1\n"


def test_what_others_write_meanwhile_stays_and_ours_comes_back(file: Path) -> None:
    one = ResolvConf(file)
    one.use(OURS)
    file.write_text("nameserver 192.0.2.2\n")
    one.use(OURS)
    assert "nameserver 10.1.0.53" in file.read_text()
    one.use(())
    assert file.read_text() == "nameserver 192.0.2.2\n"


def test_nothing_is_written_where_nothing_changes(file: Path) -> None:
    one = ResolvConf(file)
    one.use(())
    one.use(OURS)
    written = file.stat().st_mtime_ns, file.stat().st_ino
    one.use(OURS)
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == written


def test_a_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    ResolvConf(link).use(OURS)
    assert link.is_symlink()
    assert "10.1.0.53" in file.read_text()


def test_a_file_that_cannot_be_replaced_is_written_in_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", refuse)
    before, inode = file.read_bytes(), file.stat().st_ino
    ResolvConf(file).use(OURS)
    assert "10.1.0.53" in file.read_text()
    ResolvConf(file).use(())
    assert (file.read_bytes(), file.stat().st_ino) == (before, inode)
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot be changed: Is a directory"):
        ResolvConf(tmp_path).use(OURS)


def test_another_namespaces_lines_are_not_ours() -> None:
    text = with_servers([DNS], "nameserver 192.0.2.1\n", "net:[2]")
    assert without(text, "net:[1]") == (text, True)
    assert without(text, "net:[2]") == ("nameserver 192.0.2.1\n", True)
    assert without(with_servers([DNS], None, "net:[2]"), "net:[2]") == ("", False)


@given(st.text(max_size=200))
@settings(deadline=None)
def test_whatever_was_there_comes_back(text: str) -> None:
    assert without(with_servers([DNS], text, "net:[7]"), "net:[7]") == (text, True)


class Program:
    """Stands for resolvectl: writes down what it is told."""

    def __init__(self, folder: Path, status: int = 0) -> None:
        self.log = folder / "log"
        self.path = folder / "resolvectl"
        self.path.write_text(f'#!/bin/sh\necho "$*" >> {self.log}\necho "no such link" >&2\nexit {status}\n')
        self.path.chmod(0o755)

    @property
    def told(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def test_systemd_resolved_hears_of_servers_and_their_names(tmp_path: Path) -> None:
    program = Program(tmp_path)
    one = Resolved("rf0", str(program.path))
    assert one.splits
    one.use(())
    assert program.told == []
    one.use(OURS)
    one.use(OURS)
    assert program.told == ["dns rf0 10.1.0.53 fd00::53", "domain rf0 ~corp.example", "default-route rf0 no"]
    one.use([Servers((DNS,))])
    assert program.told[3:] == ["dns rf0 10.1.0.53", "domain rf0 ~.", "default-route rf0 yes"]
    one.use(())
    assert program.told[6:] == ["revert rf0"]


def test_what_systemd_resolved_refuses_is_told_and_tried_again(tmp_path: Path) -> None:
    program = Program(tmp_path, status=1)
    one = Resolved("rf0", str(program.path))
    for _ in range(2):
        with pytest.raises(BackendError, match="does not take the name servers: no such link"):
            one.use(OURS)
    assert len(program.told) == 2
    with pytest.raises(BackendError):
        Resolved("rf0", str(tmp_path / "none")).use(OURS)


def test_systemd_resolved_is_asked_where_it_runs(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    program = Program(tmp_path)
    monkeypatch.setattr(module.shutil, "which", lambda _: str(program.path))
    stub = tmp_path / "stub"
    assert isinstance(resolver("rf0", resolv_conf=file, resolved=stub), ResolvConf)
    stub.touch()
    assert isinstance(resolver("rf0", resolv_conf=file, resolved=stub), Resolved)
