# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost: not by two who edit at once, not by an editor, not by whoever is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.stores.errors import StoreError
from ringfence.stores.writing import Busy, Changed, hold, read_text

ADD = """
import sys
from pathlib import Path
from ringfence.stores.writing import hold
with hold(Path(sys.argv[1]), patience_s=60) as held:
    held.prepare(held.text + sys.argv[2] + "\\n")
    held.replace()
"""
KILLED = """
import os, signal, sys
from pathlib import Path
from ringfence.stores import writing
if sys.argv[2] == "before":
    known = writing._content
    writing._content = lambda path: seen and os.kill(os.getpid(), signal.SIGKILL) or seen.append(1) or known(path)
else:
    writing._sync_folder = lambda folder: os.kill(os.getpid(), signal.SIGKILL)
seen = []
with writing.hold(Path(sys.argv[1])) as held:
    held.prepare("new")
    held.replace()
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text("old")
    return path


def test_mode_and_links_stay(document: Path) -> None:
    document.chmod(0o640)
    link = document.with_name("link.toml")
    link.symlink_to(document)
    with hold(link) as held:
        held.prepare("new")
        held.replace()
    assert (link.is_symlink(), document.read_text(), document.stat().st_mode & 0o777) == (True, "new", 0o640)
    assert [*document.parent.glob(".*")] == []


def test_an_editor_in_between_wins(document: Path) -> None:
    with hold(document) as held:
        held.prepare("ours")
        document.write_text("theirs")
        with pytest.raises(Changed, match="somebody else"):
            held.replace()
    assert document.read_text() == "theirs"
    assert [*document.parent.glob(".*")] == []


def test_two_commands_wait_for_each_other(document: Path) -> None:
    with hold(document), pytest.raises(Busy), hold(document, patience_s=0.05):
        pass


def test_many_at_once_lose_nothing(document: Path) -> None:
    document.write_text("")
    words = [f"line {number}" for number in range(12)]
    running = [subprocess.Popen([sys.executable, "-c", ADD, str(document), word]) for word in words]
    assert [one.wait(60) for one in running] == [0] * len(words)
    assert sorted(document.read_text().splitlines()) == sorted(words)


@pytest.mark.parametrize(("when", "content"), [("before", "old"), ("after", "new")])
def test_whoever_is_killed_leaves_a_whole_document(document: Path, when: str, content: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(document), when], check=False)
    assert done.returncode == -signal.SIGKILL
    assert document.read_text() == content
    with hold(document) as held:
        held.prepare("next")
        held.replace()
    assert document.read_text() == "next"


def test_what_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such document"):
        read_text(tmp_path / "none.toml")
    with pytest.raises(StoreError, match="folder does not exist"), hold(tmp_path / "none/policy.toml"):
        pass
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match="folder cannot be opened: Not a dir"), hold(tmp_path / "file/policy.toml"):
        pass
    (tmp_path / "policy.toml").write_bytes(b"\xff")
    with pytest.raises(StoreError, match="UTF-8"):
        read_text(tmp_path / "policy.toml")
