# SPDX-License-Identifier: Apache-2.0
import syslog
from pathlib import Path

import pytest
from unit.cli.conftest import Command

from ringfence.audit import PolicyEdited
from ringfence.cli import editing
from ringfence.cli.editing import What, record
from ringfence.net.address import parse_address
from ringfence.policy.host import HostFacts
from ringfence.testing.service import AnsweringService


def test_who_changed_what_is_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda level, line: lines.append(line))
    monkeypatch.setattr(editing, "SYSTEM_LOG", tmp_path)
    monkeypatch.setenv("SUDO_UID", "0")
    diff = "--- a\n+++ b\n@@ -1 +1 @@\n-with = 1\n+with = 2\n same"
    record(Path("/p.toml"), What("connection security rule", "lab", "modified"), diff)
    (line,) = lines
    assert 'policy-edited: connection security rule "lab" modified in /p.toml by ' in line
    assert "windows_id=5044 change=-with = 1 | +with = 2" in line


def test_without_a_log_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(editing, "SYSTEM_LOG", tmp_path / "none")
    record(Path("/p.toml"), What("filter", "x", "added"), "")
    assert "recorded nowhere" in capsys.readouterr().err


def test_windows_numbers() -> None:
    def number(kind: str, edit: str) -> int:
        return PolicyEdited(document="", who="", kind=kind, name="", edit=edit, change="").windows_id

    assert number("authentication set", "added") == 5040
    assert number("quick mode crypto set", "deleted") == 5048
    assert number("filter", "added") == 0


def test_an_edit_that_cuts_off_its_author_is_not_written(
    tmp_path: Path, command: Command, service: AnsweringService, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "policy.toml"
    document.write_text("")
    (tmp_path / "lab.psk").write_text("a key that is long enough")
    (tmp_path / "lab.psk").chmod(0o600)
    monkeypatch.setattr(editing, "record", lambda *words: None)
    monkeypatch.setattr(editing, "_is_followed", lambda path: True)
    monkeypatch.setattr(editing, "_secured", lambda session: False)
    monkeypatch.setattr("ringfence.cli.session.own_sessions", lambda: ["out tcp 10.77.0.1:22 -> 10.77.0.9:50000"])
    here = HostFacts((parse_address("10.77.0.1"),))
    monkeypatch.setattr("ringfence.cli.document.facts_for", lambda policy, addresses, profile: here)
    words = ("consec", "new", "lab", "with=10.77.0.0/24", "auth.psk-file=lab.psk", "-d", str(document))
    answer = command(*words)
    assert (answer.code, document.read_text()) == (1, "")
    assert "This would end your own session" in answer.err
    assert "The service follows this document" in command(*words, "--force").out
    assert document.read_text() != ""


def test_whether_the_service_follows_it(
    tmp_path: Path, service: AnsweringService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are short and the same in many folders; whole paths tell."""
    followed, other = tmp_path / "policy.toml", tmp_path / "other/policy.toml"
    policy = service.status().policy.model_copy(update={"files": [str(followed)]})
    status = service.status().model_copy(update={"policy": policy})
    monkeypatch.setattr(service, "status", lambda: status)
    monkeypatch.chdir(tmp_path)
    assert editing._is_followed(followed)
    assert not editing._is_followed(other)
