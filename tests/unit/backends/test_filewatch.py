# SPDX-License-Identifier: Apache-2.0
"""A file that changes is told of, however programs write it, and wherever it stands; nobody looks at a clock."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from struct import pack

import pytest

from ringfence.backends import filewatch
from ringfence.backends.filewatch import FileWatch, events, places

PATTERNS = ("etc/resolv.conf", "var/lib/dhcp/*.lease*")
PATIENCE_S = 30


def put(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def replaced(path: Path) -> None:
    put(path.with_name("new"))
    path.with_name("new").rename(path)


def linked(path: Path) -> None:
    put(path.parent.parent / "run/stub.conf")
    path.symlink_to("../run/stub.conf")


def kept_open(path: Path) -> None:
    file = os.open(path, os.O_WRONLY)
    os.write(file, b"more")
    # It is never closed: some daemons keep their files open.


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": put, "replaced": replaced, "removed": Path.unlink, "written and kept open": kept_open,
    "moved away": lambda path: path.rename(path.with_name("old")),
    "another mode": lambda path: path.chmod(0o600),
}  # fmt: skip


async def told_of(root: Path, *steps: Callable[[], object]) -> None:
    """Each step is told of before the next."""
    told: asyncio.Queue[None] = asyncio.Queue()
    watch = FileWatch(lambda: told.put_nowait(None), PATTERNS, root)
    for step in steps:
        while not told.empty():
            told.get_nowait()
        step()
        await asyncio.wait_for(told.get(), PATIENCE_S)
    watch.close()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filewatch, "SETTLE_SECONDS", 0.0)


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("name", ["etc/resolv.conf", "var/lib/dhcp/dhclient.eth0.leases"])
def test_a_change_is_told(tmp_path: Path, how: str, name: str) -> None:
    path = tmp_path / name
    put(path)
    asyncio.run(told_of(tmp_path, lambda: CHANGES[how](path)))


def test_a_folder_that_comes_later(tmp_path: Path) -> None:
    lease = tmp_path / "var/lib/dhcp/eth0.lease"
    asyncio.run(told_of(
        tmp_path, lambda: put(lease), lambda: put(lease, "y"), lease.unlink, lease.parent.rmdir, lambda: put(lease)
    ))  # fmt: skip


def test_what_a_link_leads_to(tmp_path: Path) -> None:
    path, target = tmp_path / "etc/resolv.conf", tmp_path / "run/stub.conf"
    path.parent.mkdir()
    asyncio.run(told_of(
        tmp_path, lambda: linked(path), lambda: put(target, "y"), lambda: replaced(target), target.unlink
    ))  # fmt: skip


def test_a_flurry_is_told_once_and_what_nobody_asked_for_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filewatch, "SETTLE_SECONDS", 3600.0)
    told: list[int] = []

    async def story() -> None:
        put(tmp_path / "etc/resolv.conf")
        put(tmp_path / "var/lib/dhcp/eth0.lease")
        watch = FileWatch(lambda: told.append(1), PATTERNS, tmp_path)
        put(tmp_path / "etc/passwd")
        put(tmp_path / "var/lib/dhcp/note")
        watch._read()
        assert watch._timer is None
        for text in ("a", "b"):
            put(tmp_path / "etc/resolv.conf", text)
            watch._read()
            assert watch._timer is not None
            before, watch._timer = watch._timer, watch._timer
            assert before is watch._timer
        watch._tell()
        assert told == [1]
        watch.close()

    asyncio.run(story())


def test_news_that_were_too_many_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []

    async def story() -> None:
        watch = FileWatch(lambda: told.append(1), PATTERNS, tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(filewatch.os, "read", lambda *_: pack("=iIII", -1, filewatch.OVERFLOW, 0, 0))
            watch._read()
        assert watch._timer is not None
        watch.close()

    asyncio.run(story())


def test_events_as_the_kernel_writes_them() -> None:
    octets = pack("=iIII", 3, 8, 0, 16) + b"resolv.conf" + bytes(5) + pack("=iIII", 4, 2, 0, 0)
    assert list(events(octets)) == [(3, 8, "resolv.conf"), (4, 2, "")]
    assert list(events(octets[:20])) == [(3, 8, "reso")]


def test_places(tmp_path: Path) -> None:
    assert list(places(tmp_path / "run/netif/leases/*")) == [(tmp_path, "run")]
    put(tmp_path / "run/one")
    assert list(places(tmp_path / "run/*")) == [(tmp_path / "run", "*")]


def test_where_there_is_none_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setattr(filewatch.ctypes, "CDLL", lambda *_, **__: Full())
        FileWatch(lambda: None, PATTERNS, tmp_path)

    class Full:
        def inotify_init1(self, _: int) -> int:
            return -1

    with pytest.raises(OSError):
        asyncio.run(story())
