# SPDX-License-Identifier: Apache-2.0
"""docs/states is what the program's tables say today."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from ringfence.datapath.verdict import Drop
from ringfence.ike.errors import Reason
from ringfence.ike.lifetime import CHILD_SA_LIFE, IKE_SA_LIFE, ChildEvent, ChildState, IkeEvent, IkeState

ROOT = Path(__file__).parents[2]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("states", ROOT / "scripts/states.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STATES = script()


@pytest.mark.parametrize("name", STATES.pages())
def test_a_page_is_what_the_script_writes_now(name: str) -> None:
    assert (STATES.FOLDER / name).read_text() == STATES.pages()[name], "run python scripts/states.py"


def test_there_is_no_page_that_nobody_writes() -> None:
    assert {path.name for path in STATES.FOLDER.glob("*.md")} == STATES.pages().keys()


def test_every_move_is_drawn() -> None:
    text = STATES.pages()["lives.md"]
    for rows in (IKE_SA_LIFE, CHILD_SA_LIFE):
        for state, moves in rows.items():
            for event, to in moves.items():
                assert f"    {state.name} --> {to.name}: {STATES.words(event)}\n" in text


@pytest.mark.parametrize("kind", [IkeState, IkeEvent, ChildState, ChildEvent, Drop, Reason])
def test_what_people_read_is_said(kind: type) -> None:
    """``GONE`` and the like say it themselves."""
    silent = {name for name, text in STATES.meanings(kind).items() if not text}
    assert silent <= {"GONE"}
    assert set(STATES.meanings(kind)) == {member.name for member in kind}


def test_an_old_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(STATES, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["states.py", "--check"])
    assert STATES.main() == 1
    assert "lives.md is out of date" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["states.py"])
    assert STATES.main() == 0
    monkeypatch.setattr("sys.argv", ["states.py", "--check"])
    assert STATES.main() == 0
