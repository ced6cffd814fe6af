# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import typer
from unit.cli.conftest import Answer, Command

from ringfence.cli.items import completer
from ringfence.editing.nouns import RULE

DOCUMENT = """\
[policy.A]
assigned = true
based-on = "Client (Respond Only)"
auth     = { psk-file = "k" }

[[policy.A.rule]]
name          = "all"
enabled       = false
filter-list   = "All IP Traffic"
filter-action = "Require Security"

[policy.B]
"""


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGFENCE_SOCKET", str(tmp_path / "none.sock"))
    path = tmp_path / "policy.toml"
    path.write_text(DOCUMENT)
    monkeypatch.setenv("RINGFENCE_DOCUMENT", str(path))
    return path


def said(answer: Answer) -> list[list[str]]:
    assert answer.code == 0, answer.err
    return [line.split() for line in answer.out.splitlines()]


def test_policies_and_their_rules(document: Path, command: Command) -> None:
    listed = said(command("policy", "list"))
    assert [line[:2] for line in listed] == [["NAME", "ASSIGNED"], ["A", "yes"], ["B", "no"]]
    assert said(command("rule", "list"))[1][:2] == ["all", "A"]
    items = json.loads(command("policy", "list", "--json").out)["items"]
    assert [(one["name"], one["assigned"]) for one in items] == [("A", True), ("B", False)]
    assert json.loads(command("rule", "list", "--json").out)["items"][0]["policy"] == "A"


def test_every_setting_with_its_origin(document: Path, command: Command) -> None:
    answer = command("rule", "show", "all", "--effective")
    assert ["auth", "=", "{", "psk-file", "=", '"k"', "}", "#", "policy", '"A",', "line", "4"] in said(answer)
    told = json.loads(command("rule", "show", "all", "--effective", "--json").out)
    assert (told["effective"]["connection"], told["effective"]["auth"]) == ('"all"', '{ psk-file = "k" }')
    shown = command("policy", "show", "A").out
    assert shown.startswith("# policy.toml:1\n[policy.A]\n")
    assert "[[policy.A.rule]]" in shown
    assert '[[policy."A".rule]]' in command("policy", "show", "A", "--effective").out


def test_what_nobody_says(document: Path, command: Command) -> None:
    answer = command("global", "show")
    assert (answer.code, "there are no global settings" in answer.err) == (1, True)
    assert "idle-time" in command("global", "show", "--effective").out
    assert "no filters" in command("filter", "list").out


def test_names_are_completed(document: Path, tmp_path: Path) -> None:
    complete = completer(RULE)
    asked = cast("typer.Context", SimpleNamespace(params={"document": document}))
    assert (complete(asked, "a"), complete(asked, "b")) == (["all"], [])
    nowhere = cast("typer.Context", SimpleNamespace(params={"document": tmp_path / "none"}))
    assert complete(nowhere, "") == []
