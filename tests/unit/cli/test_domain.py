# SPDX-License-Identifier: Apache-2.0
"""What people read of the check, and its exit code."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.stores.directory import joincheck
from ringfence.stores.directory.joincheck import Step
from tests.unit.cli.conftest import Command


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    def check(membership: object, *_: object) -> Iterator[Step]:
        yield Step("keytab", True, "it is there")
        if "OTHER$" in str(membership):
            yield Step("server", False, "it does not answer", "Is it up?")

    monkeypatch.setattr(joincheck, "check", check)
    (tmp_path / "directory.toml").write_text('server = "ldap://dc1"\n')
    return str(tmp_path / "directory.toml")


def test_all_is_well(command: Command, document: str) -> None:
    answer = command("domain", "join-check", document)
    assert (answer.code, answer.lines) == (0, ["keytab     it is there"])


def test_what_is_wrong_has_its_cure_and_a_code(command: Command, document: str) -> None:
    Path(document).write_text('server = "ldap://dc1"\ncomputer = "OTHER$"\n')
    answer = command("domain", "join-check", document)
    assert answer.code == 1
    assert answer.lines[1:] == ["server     no: it does not answer", "           Is it up?"]
    told = json.loads(command("domain", "join-check", document, "--json").out)
    assert [one["fine"] for one in told["steps"]] == [True, False]
    assert told["steps"][1]["cure"] == "Is it up?"


def test_a_document_that_is_wrong(command: Command, document: str) -> None:
    Path(document).write_text("nonsense")
    assert command("domain", "join-check", document).code == 1
    assert command("domain", "join-check", f"{document}.none").code == 3
