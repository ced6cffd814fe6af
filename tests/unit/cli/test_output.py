# SPDX-License-Identifier: Apache-2.0
"""Output for terminals, pipes and programs."""

import json

import pytest

from ringfence.cli import output
from ringfence.cli.output import Cell, Column
from ringfence.errors import IpsecError
from ringfence.place import Place
from ringfence.policy.errors import Finding, PolicyError
from ringfence.testing.service import make_sas

COLUMNS = [Column("ID"), Column("PEER", optional=1), Column("SENT", right=True), Column("RULE", optional=2)]
ROWS = [["q1", "10.77.0.2", "1.2 GB", "lab is isolated and the rest of the world too"], ["q22", "10.0.0.1", "3 B", ""]]


def terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr(output, "width", lambda: columns)


def test_a_pipe_gets_everything_aligned_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(COLUMNS, ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "ID   PEER         SENT  RULE",
        "q1   10.77.0.2  1.2 GB  lab is isolated and the rest of the world too",
        "q22  10.0.0.1      3 B",
    ]


def test_a_narrow_terminal_keeps_what_matters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(monkeypatch, 40)
    output.table(COLUMNS, ROWS)
    assert "RULE" not in (text := capsys.readouterr().out)
    assert "PEER" in text
    terminal(monkeypatch, 12)
    output.table(COLUMNS, ROWS)
    assert capsys.readouterr().out.splitlines()[0].split() == ["ID", "SENT"]


def test_long_texts_hang_under_themselves(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, 40)
    output.pairs([("policy", "one two three four five six seven eight"), ("data path", "userspace")])
    assert capsys.readouterr().out.splitlines() == [
        "policy     one two three four five six",
        "           seven eight",
        "data path  userspace",
    ]


def test_a_pipe_gets_long_texts_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.pairs([("policy", "word " * 60)])
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_terminal_gets_colour_unless_it_says_no(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    output.say(Cell("bad", "bad"), " plain [not markup]")
    assert "\x1b[" in (text := capsys.readouterr().out)
    assert "[not markup]" in text
    monkeypatch.setenv("NO_COLOR", "1")
    output.say(Cell("good", "good"))
    assert "\x1b[32m" not in capsys.readouterr().out


def test_problems_go_to_standard_error_with_place_and_cure(capsys: pytest.CaptureFixture[str]) -> None:
    output.problem(IpsecError("it is gone.", place="here", cure="Bring it back."))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "here: it is gone.\nBring it back.\n"


def test_problems_are_json_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    output.problem(IpsecError("it is gone.", place="here", cure="Bring it back."), as_json=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {"error": {"what": "it is gone.", "place": "here", "cure": "Bring it back."}}


def test_an_error_of_many_findings_shows_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    error = PolicyError(
        [Finding("one.", Place("p.toml", 1), excerpt="1 | x\n  | ^"), Finding("two.", Place("p.toml", 2))]
    )
    output.problem(error)
    assert capsys.readouterr().err == "p.toml:1: one.\n1 | x\n  | ^\np.toml:2: two.\n"


def test_json_is_the_api_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    output.say_json(make_sas())
    assert type(make_sas()).model_validate_json(capsys.readouterr().out) == make_sas()
    output.say_json(make_sas(), compact=True)
    assert len(capsys.readouterr().out.splitlines()) == 1
