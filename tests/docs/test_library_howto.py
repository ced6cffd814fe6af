# SPDX-License-Identifier: Apache-2.0
"""docs/howto/library.md does what it says: its blocks are run as the one session that it promises."""

import re
import subprocess
from pathlib import Path

import pytest
from lab.fixtures import unavailable
from lab.tshark import missing

PAGE = Path(__file__).parents[2] / "docs/howto/library.md"


def blocks() -> list[tuple[int, str]]:
    """Each block with the line that it begins in."""
    text = PAGE.read_text()
    return [
        (text.count("\n", 0, found.start(1)), found[1])
        for found in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """All names that the session leaves."""
    names: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.mkdtemp", lambda: str(tmp_path_factory.mktemp("session")))
        for line, block in blocks():
            exec(compile("\n" * line + block, PAGE.name, "exec"), names)
    return names


def test_every_block_runs(session: dict[str, object]) -> None:
    assert len(blocks()) >= 10
    assert session["child"]


def test_tshark_reads_the_capture_as_promised(session: dict[str, object]) -> None:
    if reason := missing():
        unavailable(reason)
    folder = session["folder"]
    done = subprocess.run(
        ["tshark", "-n", "-r", folder / "capture.pcap"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "WIRESHARK_CONFIG_DIR": str(folder)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 10
    assert sum("Identity Protection (Main Mode)" in line for line in lines) == 6
    assert sum("Quick Mode" in line for line in lines) == 3
    assert "UDP" in lines[-1]
