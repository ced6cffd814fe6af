# SPDX-License-Identifier: Apache-2.0
"""``ringfence run``: what is said on the command line reaches the service."""

from pathlib import Path
from typing import Any

import pytest

from ringfence.service.errors import CannotRun
from ringfence.service.settings import Settings

Command = Any


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Settings]]:
    calls: list[tuple[Path, Settings]] = []
    monkeypatch.setattr("ringfence.service.app.run", lambda policy, settings: calls.append((policy, settings)))
    return calls


def test_every_option_arrives(started: list[tuple[Path, Settings]], command: Command) -> None:
    words = ["run", "p.toml", "--socket", "/tmp/s", "--device", "rf7", "--key-log", "/tmp/keys", "--verbose"]
    assert command(*words).code == 0
    assert started == [
        (Path("p.toml"), Settings(socket=Path("/tmp/s"), device="rf7", key_log=Path("/tmp/keys"), verbose=True))
    ]


def test_nothing_said_is_the_safe_default(
    started: list[tuple[Path, Settings]], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RINGFENCE_SOCKET", raising=False)
    assert command("run", "p.toml").code == 0
    assert started == [(Path("p.toml"), Settings())]
    assert started[0][1].key_log is None


def test_why_it_cannot_is_said(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(policy: Path, settings: Settings) -> None:
        raise CannotRun("It is missing.", cure="Get it.")

    monkeypatch.setattr("ringfence.service.app.run", cannot)
    answer = command("run", "p.toml")
    assert (answer.code, answer.out, answer.err) == (3, "", "It is missing.\nGet it.\n")


def test_a_policy_must_be_named(command: Command) -> None:
    assert command("run").code == 2
