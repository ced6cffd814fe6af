# SPDX-License-Identifier: Apache-2.0
"""``ringfence demo``: the story is told where the person wants it."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Command = Any


def test_the_folder_arrives_and_the_code_comes_back(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Path] = []
    story = ModuleType("ringfence.demo.story")

    def demo(output: Path) -> int:
        told.append(output)
        return len(told) - 1

    story.demo = demo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ringfence.demo.story", story)
    assert command("demo").code == 0
    assert command("demo", "--output", "/tmp/there").code == 1
    assert told == [Path("demo-output"), Path("/tmp/there")]
