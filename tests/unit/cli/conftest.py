# SPDX-License-Identifier: Apache-2.0
"""A command against a service of made-up answers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ringfence.cli import output
from ringfence.cli.main import main
from ringfence.testing.service import AnsweringService, served


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Command = Callable[..., Answer]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AnsweringService]:
    path = tmp_path / "control.sock"
    monkeypatch.setenv("RINGFENCE_SOCKET", str(path))
    with served(path) as answering:
        yield answering


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> Answer:
        code = main(arguments)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is a terminal of 80 columns."""
    monkeypatch.setattr(output, "width", lambda: 80)
