# SPDX-License-Identifier: Apache-2.0
"""One service per network namespace."""

import os
from pathlib import Path

import pytest

from ringfence.service.errors import AlreadyRunning, CannotRun
from ringfence.service.lock import NamespaceLock, namespace_number


def test_the_second_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    first = NamespaceLock.take(tmp_path / "run")
    with pytest.raises(AlreadyRunning, match=str(os.getpid())) as caught:
        NamespaceLock.take(tmp_path / "run")
    assert caught.value.cure
    first.release()
    assert list((tmp_path / "run").iterdir()) == []
    NamespaceLock.take(tmp_path / "run").release()


def test_another_namespace_is_another_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = NamespaceLock.take(tmp_path)
    number = namespace_number()
    monkeypatch.setattr("ringfence.service.lock.namespace_number", lambda: number + 1)
    NamespaceLock.take(tmp_path).release()
    first.release()


def test_a_crash_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        NamespaceLock.take(tmp_path)
        os._exit(0)
    os.waitpid(child, 0)
    assert list(tmp_path.iterdir()), "the file stays, the lock does not"
    NamespaceLock.take(tmp_path).release()


def test_a_lock_on_a_file_that_was_removed_is_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder's release may fall between our open and our lock."""
    path = tmp_path / f"network-{namespace_number()}.lock"
    real, opened = os.open, []

    def open_and_lose(name: Path, flags: int, mode: int = 0o777) -> int:
        descriptor = real(name, flags, mode)
        opened.append(descriptor)
        if len(opened) == 1:
            path.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", open_and_lose)
    lock = NamespaceLock.take(tmp_path)
    assert len(opened) == 2
    assert path.read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotRun, match="lock"):
        NamespaceLock.take(tmp_path / "file" / "run")
