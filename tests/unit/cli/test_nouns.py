# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
from unit.cli.conftest import Answer, Command

from ringfence.editing.nouns import NOUNS

DOCUMENT = """\
# what we agreed on in May
[[rule]]
name   = "lab"          # ask Bob
with   = "10.77.0.0/24"
auth   = { psk-file = "lab.psk" }
"""


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGFENCE_SOCKET", str(tmp_path / "none.sock"))
    monkeypatch.setattr("ringfence.cli.editing.record", lambda *words: None)
    path = tmp_path / "policy.toml"
    path.write_text(DOCUMENT)
    monkeypatch.setenv("RINGFENCE_DOCUMENT", str(path))
    return path


def said(answer: Answer) -> str:
    assert answer.code == 0, answer.err
    return answer.out


def test_from_nothing_to_a_policy(document: Path, command: Command) -> None:
    document.unlink()
    assert command("consec", "list").code == 3
    out = said(command("consec", "new", "lab is isolated", "--with", "10.77.0.0/24", "--auth", "psk-file=lab.psk"))
    assert '+ rule "lab is isolated"' in out
    assert document.read_text() == (
        '[[rule]]\nname = "lab is isolated"\nwith = "10.77.0.0/24"\nauth = { psk-file = "lab.psk" }\n'
    )


def test_comments_and_layout_stay(document: Path, command: Command) -> None:
    said(command("consec", "set", "lab", "secure=request", "with=10.78.0.0/24"))
    said(command("filter", "new", "no telnet", "block=tcp to 23"))
    assert document.read_text() == (
        DOCUMENT.replace("10.77", "10.78")
        + 'secure = "request"\n\n[[filter]]\nname  = "no telnet"\nblock = "tcp to 23"\n'
    )
    said(command("filter", "delete", "no telnet"))
    said(command("consec", "set", "lab", "--unset", "secure", "with=10.77.0.0/24"))
    assert document.read_text() == DOCUMENT


def test_a_wrong_value_is_told_as_the_document_would(document: Path, command: Command) -> None:
    answer = command("consec", "set", "lab", "with=10.77.0.300")
    assert (answer.code, document.read_text()) == (1, DOCUMENT)
    assert 'with: rule "lab": with is "10.77.0.300", which is not an IP address' in answer.err.replace("with=", "with")
    assert command("consec", "set", "lab", "wiht=any").code == 1
    assert command("consec", "set", "lab").code == 2
    assert command("consec", "set", "lap", "with=any").code == 1
    assert command("consec", "new", "lab", "with=any").code == 1
    assert document.read_text() == DOCUMENT


def test_a_dry_run_writes_nothing(document: Path, command: Command) -> None:
    out = said(command("consec", "set", "lab", "secure=request", "--dry-run"))
    assert '+secure = "request"' in out
    assert document.read_text() == DOCUMENT
    told = json.loads(said(command("consec", "set", "lab", "secure=request", "--dry-run", "--json")))
    assert (told["written"], told["changes"][0]["settings"][0]["now"]) == (False, '"request"')


def test_lists_and_references(document: Path, command: Command) -> None:
    said(command("filterlist", "new", "Web", "filters=me tcp <-> any:80"))
    said(command("filterlist", "set", "Web", "filters+=me tcp <-> any:443"))
    assert '["me tcp <-> any:80", "me tcp <-> any:443"]' in document.read_text()
    said(command("filterlist", "set", "Web", "filters-=1"))
    assert 'filters = ["me tcp <-> any:443"]' in document.read_text()
    said(command("authset", "new", "corp", "first=kerberos"))
    said(command("consec", "set", "lab", "--unset", "auth", "auth-set=corp"))
    answer = command("authset", "delete", "corp")
    assert (answer.code, 'still used by rule "lab"' in answer.err) == (1, True)
    said(command("authset", "rename", "corp", "domain"))
    assert 'auth-set = "domain"' in document.read_text()


def test_what_there_is(document: Path, command: Command) -> None:
    assert "lab" in said(command("consec", "list"))
    assert said(command("consec", "show", "lab")).splitlines()[0].endswith("policy.toml:2")
    assert json.loads(said(command("consec", "list", "--json")))["items"][0]["says"]["with"] == "10.77.0.0/24"
    assert "has no filters" in said(command("filter", "list"))


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.word)
def test_every_kind_has_its_command(command: Command, noun: object) -> None:
    answer = command(getattr(noun, "word"), "--help")  # noqa: B009 - the parameter's type is only known to pytest
    assert answer.code == 0
    assert all(verb in answer.out for verb in ("new", "set", "list", "show", "rename", "delete"))


def test_documents_that_are_included_count(document: Path, command: Command) -> None:
    base = document.with_name("base.toml")
    base.write_text("[auth-set.corp]\nfirst = 'kerberos'\n")
    text = f'include = "base.toml"\n{DOCUMENT}'
    document.write_text(text)
    assert command("consec", "set", "lab", "secure=banana").code == 1
    assert command("consec", "set", "lab", "--unset", "auth", "auth-set=nobody").code == 1
    assert command("authset", "new", "corp", "first=ntlm").code == 1
    assert document.read_text() == text
    assert '~ rule "lab"' in said(command("consec", "set", "lab", "--unset", "auth", "auth-set=corp"))
    base.write_text("nonsense")
    assert "base.toml:1: this is not TOML" in command("consec", "set", "lab", "secure=request").err
