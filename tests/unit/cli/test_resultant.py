# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from ringfence.control.messages import SetAsideView, StoreView
from ringfence.testing import service as made_up
from tests.unit.cli.conftest import AnsweringService, Command

BLOCK = '[[filter]]\nname = "no telnet"\nblock = "tcp to 23"\n'


@pytest.fixture
def stores(tmp_path: Path) -> list[str]:
    (tmp_path / "policy.toml").write_text(f"{BLOCK}[[filter]]\nname = 'f'\npermit = 'tcp to 79'\n")
    (tmp_path / "persistent.toml").write_text(BLOCK)
    return ["--store", f"local={tmp_path}/policy.toml", "--store", f"persistent={tmp_path}/persistent.toml"]


def test_documents_without_a_service(command: Command, stores: list[str], tmp_path: Path) -> None:
    answer = command("policy", "resultant", *stores)
    assert answer.code == 0
    assert [line.split() for line in answer.lines[:3]] == [
        ["STORE", "STATEMENTS", "DOCUMENT", "STATE"],
        ["persistent", "1", f"{tmp_path}/persistent.toml", "in", "force"],
        ["local", "2", "policy.toml", "in", "force"],
    ]
    assert answer.lines[4:] == [
        "Set aside:",
        '  filter "no telnet"   policy.toml:1 (local store)',
        f"      the persistent store has a filter of this name ({tmp_path}/persistent.toml:1)",
    ]
    told = json.loads(command("policy", "resultant", *stores, "--json").out)
    assert [one["name"] for one in told["stores"]] == ["persistent", "local"]
    assert "# set aside: filter" in told["settings"]


def test_one_that_is_wrong(command: Command, stores: list[str], tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("nonsense")
    answer = command("policy", "resultant", *stores)
    assert answer.code == 1
    assert answer.lines[2].split() == ["local", "none", "refused"]
    assert "policy.toml:1: this is not TOML" in answer.out
    assert "Nothing is set aside." in answer.out
    (tmp_path / "persistent.toml").write_text("")
    assert command("policy", "resultant", *stores).code == 1


def test_the_service(command: Command, service: AnsweringService, monkeypatch: pytest.MonkeyPatch) -> None:
    view = made_up.make_policy().model_copy(
        update={
            "stores": [
                StoreView(name="directory", document="Domain policy", rules=4, note="copy of 10:23"),
                StoreView(name="dynamic", document="dynamic", rules=0),
                StoreView(name="local", document="policy.toml", rules=2, refused="policy.toml:1: no."),
            ],
            "set_aside": [SetAsideView(what='rule "a"', place="policy.toml:4", store="local", why="so it is")],
        }
    )
    monkeypatch.setattr(service, "policy", lambda: view)
    answer = command("policy", "resultant")
    assert answer.code == 1
    assert [line.split()[-1] for line in answer.lines[1:4]] == ["10:23", "empty", "before"]
    assert answer.lines[-1] == "      so it is"
