# SPDX-License-Identifier: Apache-2.0
import os
import syslog
from pathlib import Path

import pytest

from ringfence.audit.policy import PolicyEdited
from ringfence.cli import recording
from ringfence.cli.recording import What, change_said, record
from ringfence.control.errors import Refused
from ringfence.control.users import user_said
from ringfence.policy.difference import difference
from ringfence.policy.document import parse
from ringfence.testing.service import AnsweringService

LAB = What("connection security rule", "lab", "modified")


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system's log is told."""
    lines: list[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda level, line: lines.append(line))
    monkeypatch.setattr(recording, "SYSTEM_LOG", tmp_path)
    return lines


def test_a_change_in_words() -> None:
    old = parse('[[filter]]\nname = "f"\nblock = "any"\n', name="o")
    new = parse('[[filter]]\nname = "f"\nblock = "icmp"\nwith = "10.0.0.1"\n', name="n")
    diff = "--- o\n+++ n\n@@ -1 +1 @@\n-block = 1\n+block = 2\n same"
    assert change_said(difference(old, new), diff) == (
        '~ filter "f": with = "10.0.0.1" (until now "any"), block = "icmp" (until now "any")'
    )
    assert change_said((), diff) == "-block = 1; +block = 2"
    assert len(change_said((), f"a\nb\n+{'x' * 5000}")) == 800


def test_who_changed_what_is_in_the_log(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    record(Path("/p.toml"), LAB, "with = 2\x1b[2J")
    assert lines == [
        'policy-edited: connection security rule "lab" modified in /p.toml by '
        f"{user_said(os.getuid())}: with = 2 [2J windows_id=5044"
    ]


def test_who_is_behind_sudo(lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "4242")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    record(Path("/p.toml"), LAB, "")
    assert "by somebody (uid 4242) through sudo" in lines[0]
    monkeypatch.setattr(os, "getuid", lambda: 1)
    record(Path("/p.toml"), LAB, "")
    assert "4242" not in lines[1], "anybody can write this into his environment"


def test_without_a_log_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recording, "SYSTEM_LOG", tmp_path / "none")
    record(Path("/p.toml"), What("filter", "x", "added"), "")
    assert "recorded nowhere" in capsys.readouterr().err


def test_a_service_that_follows_the_document_has_it_among_its_events(
    service: AnsweringService, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_UID", "1000")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    record(Path("/p.toml"), LAB, "with = 2", followed=True)
    monkeypatch.undo()
    ((edit, uid),) = service.edits
    assert (edit.document, edit.kind, edit.name, edit.edit, edit.change) == ("/p.toml", *LAB, "with = 2")
    assert (edit.behalf, uid) == (1000, os.getuid()), "who it was says the kernel"
    assert len(lines) == 1


def test_a_service_that_does_not_take_it(
    service: AnsweringService, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    service.refuse = Refused("Not mine.")
    record(Path("/p.toml"), LAB, "with = 2", followed=True)
    assert "did not take this edit among its events: Not mine." in capsys.readouterr().err
    assert len(lines) == 1


def test_windows_numbers() -> None:
    def number(kind: str, edit: str) -> int:
        return PolicyEdited(document="", who="", kind=kind, name="", edit=edit, change="").windows_id

    assert number("authentication set", "added") == 5040
    assert number("quick mode crypto set", "deleted") == 5048
    assert number("filter", "added") == 0


def test_one_of_a_kind_has_no_name() -> None:
    event = PolicyEdited(
        document="/p", who="root (uid 0)", kind="global settings", name="", edit="modified", change="x"
    )
    assert str(event) == "global settings modified in /p by root (uid 0): x"
